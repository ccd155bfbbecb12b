"""The graph as a dataflow: one kernel a node, one stream a tensor and reader."""

from dataclasses import dataclass

import numpy as np

from bnn.graph import Graph, Signal, check, exit_gate, streamed_signal
from bnn.graph.integer_ops import Concat, Scale, SignConv
from bnn.graph.node import Node
from bnn.graph.ops import BinaryConv, ExitGate, MaxPool, PReluSum, SignalConv
from bnn.graph.types import TensorType
from codegen.folding import Folding, Work, works_of
from codegen.steps import needed

MAX_TAPS = 4096
"""Of a convolution: the widest ap_uint that Vitis HLS takes."""

Reader = tuple[str, int]
"""A node by its name, with the number of its input."""

ARGMAX: Reader = ("class", 0)
"""Who reads the logits."""

EXIT: Reader = ("exit", 0)
"""Who reads the gate."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A graph of one stage and one signal in the target dialect.

    types    of every tensor, the signal included
    nodes    those that the logits depend on, in order; then the gate, if there is one
    gate     of the exit, or None
    works    the convolutions among them, which have a folding
    readers  of each tensor: who reads it
    """

    graph: Graph
    signal: Signal
    logits: str
    gate: ExitGate | None
    types: dict[str, TensorType]
    nodes: tuple[Node, ...]
    works: dict[str, Work]
    readers: dict[str, tuple[Reader, ...]]

    @property
    def samples(self) -> int:
        """Of a window, all channels."""
        return self.signal.values

    def length(self, tensor: str) -> int:
        """Steps of a map; 1 for a vector."""
        shape = self.types[tensor].shape
        return shape[1] if len(shape) == 2 else 1

    def channels(self, tensor: str) -> int:
        return self.types[tensor].shape[0]


def make_network(graph: Graph) -> Network:
    """GraphError for a graph that the HLS backend does not run."""
    types = check(graph, "target")
    signal = streamed_signal(graph, "HLS")
    logits = graph.stages[0].logits
    gate = exit_gate(graph)
    nodes = (*needed(list(graph.nodes()), {logits}), *([gate] if gate else []))
    readers: dict[str, list[Reader]] = {name: [] for name in [signal.name, *(node.name for node in nodes)]}
    works = works_of(nodes, types)
    for node in nodes:
        if isinstance(node, BinaryConv) and works[node.name].taps > MAX_TAPS:
            node.fail(f"{works[node.name].taps} taps an output, but a word of the HLS tool holds at most {MAX_TAPS}")
        for i, source in enumerate(node.inputs):
            readers[source].append((node.name, i))
    readers[logits].append(ARGMAX)
    if gate:
        readers[gate.name].append(EXIT)
    types = {name: types[name] for name in readers}
    return Network(graph, signal, logits, gate, types, nodes, works, {name: tuple(r) for name, r in readers.items()})


def lanes(network: Network, foldings: dict[str, Folding]) -> dict[str, int]:
    """Of each map of integers: how many channels come in one word of its stream."""
    found = {network.signal.name: network.signal.channels}
    for node in network.nodes:
        if isinstance(node, SignalConv | SignConv | BinaryConv):
            found[node.name] = foldings[node.name].pe
        elif isinstance(node, MaxPool | Scale):
            found[node.name] = found[node.inputs[0]]
    return found


def sum_width(network: Network, node: PReluSum) -> int:
    """Bits of a signed number that holds the sums over time of PReluSum."""
    kind, length = network.types[node.inputs[0]], network.length(node.inputs[0])
    return TensorType(kind.kind, kind.shape, length * min(kind.lo, 0), length * max(kind.hi, 0)).signed_bits


def fork_depths(network: Network, tensor: str) -> dict[Reader, int]:
    """Of a tensor with several readers: steps that the stream to each must hold, so that no kernel waits for ever.

    Where the ways of two readers meet again, the other way may need more steps of the tensor than this one has used:
    WindowStats needs all samples before SignalConv uses the first. The stream holds the largest such lead, plus two.
    """
    whole = _needs(network, tensor)
    joins = {node.name for node in network.nodes if isinstance(node, Concat)}  # they hold what waits themselves
    depths = {}
    for reader in network.readers[tensor]:
        own = _needs(network, tensor, reader)
        leads = [
            int((whole[other] - own[at]).max())
            for at in own
            for other in whole
            if other[0] == at[0] and other[1] != at[1] and at[0] not in joins
        ]
        depths[reader] = max([0, *leads]) + 2
    return depths


def _needs(network: Network, tensor: str, only: Reader | None = None) -> dict[Reader, np.ndarray]:
    """For the inputs of nodes that depend on the tensor, or on what `only` reads of it: for each step of the node's
    output, the last step of the tensor that it needs by way of this input."""
    at: dict[Reader, np.ndarray] = {}
    made: dict[str, np.ndarray] = {}
    for node in network.nodes:
        known = []
        for i, source in enumerate(node.inputs):
            first = source == tensor and only in (None, (node.name, i))
            if first or source in made:
                need = np.arange(network.length(tensor)) if first else made[source]
                known.append(_at_steps(network, node, need))
                at[node.name, i] = known[-1]
        if known:
            made[node.name] = np.maximum.reduce(known)
    return at


def _at_steps(network: Network, node: Node, need: np.ndarray) -> np.ndarray:
    """What an input's steps need, by the steps of the node's output; a vector needs all, and is needed by all."""
    steps = network.length(node.name)
    if len(network.types[node.name].shape) == 1 or len(need) == 1:
        return np.full(steps, need[-1])
    if isinstance(node, Concat):
        return np.resize(need, steps)
    last = np.arange(steps) * getattr(node, "stride", 1) + _kernel(node) - 1 - getattr(node, "pad", 0)
    return need[np.clip(last, 0, len(need) - 1)]


def _kernel(node: Node) -> int:
    return node.w.shape[-1] if isinstance(node, SignalConv | SignConv | BinaryConv) else getattr(node, "kernel", 1)
