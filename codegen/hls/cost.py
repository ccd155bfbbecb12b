"""What each kernel costs before any tool has seen it: cycles, look-up tables, block RAMs and DSPs.

Cycles follow from the loops of hw/hls, which start one turn a cycle; docs/FPGA.md has the formulas. Resources are rough
counts of what those loops hold, to choose between foldings and to refuse what is far too large; nobody has held them
against a synthesis.
"""

from dataclasses import dataclass
from math import ceil

from bnn.graph.integer_ops import Concat, Scale, SignConv
from bnn.graph.node import Node
from bnn.graph.ops import AndNot, BinaryConv, ExitGate, MaxPool, OrPool, PReluSum, SignalConv, Threshold, WindowStats
from codegen.folding import Folding, Work, turns, window_cycles
from codegen.hls.network import Network, fork_depths, lanes, sum_width

STATS_TAIL = 160
"""Cycles from the last sample to mean and std: 32 turns of the root, two divisions one bit a cycle, products."""

GATE_TAIL = 20
"""Cycles from the last logit's turn to spread and full: the pipelines of a turn and of the logarithm."""

BRAM_DEPTH = 256
"""Words from which a memory is counted as block RAM; smaller ones lie in look-up tables, 64 bits each."""

CONTROL = 60
"""Look-up tables of a kernel's counters and handshakes."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one kernel. `cycles` it is busy for each window, `bram18` in halves of 18 kbit."""

    cycles: int
    luts: int
    bram18: int = 0
    dsps: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        """Of both kernels, which run at the same time: the slower one's cycles."""
        cycles = max(self.cycles, other.cycles)
        return Cost(cycles, self.luts + other.luts, self.bram18 + other.bram18, self.dsps + other.dsps)


def conv_cycles(work: Work, folding: Folding) -> int:
    """Of a convolution: its loop takes a step or works on a window, never both in one turn."""
    return window_cycles(work, folding, overlapped=False)


def cycles(network: Network, node: Node, foldings: dict[str, Folding]) -> int:
    """Cycles that a node's kernel is busy for each window, if its neighbours never make it wait."""
    length, channels = network.length(node.inputs[0]), network.channels(node.inputs[0])
    match node:
        case WindowStats():
            return length + STATS_TAIL
        case SignalConv() | SignConv() | BinaryConv():
            return conv_cycles(network.works[node.name], foldings[node.name])
        case OrPool() | AndNot():
            return length
        case Concat():
            return network.length(node.name)
        case ExitGate():
            return gate_cycles(channels)
    words = length * channels // lanes(network, foldings)[node.inputs[0]]
    scaled = isinstance(node, Threshold) and len(node.inputs) > 1
    return words + (channels if scaled or isinstance(node, PReluSum) else 0)


def gate_cycles(classes: int) -> int:
    """Of exit_gate: the logits come in, each has its turn, and the logarithm follows."""
    return 2 * classes + GATE_TAIL


def costs(network: Network, foldings: dict[str, Folding]) -> dict[str, Cost]:
    """Of every kernel by its node, and of the forks and long streams by `TENSOR streams`, in order of the nodes."""
    found = {}
    pe = lanes(network, foldings)
    for tensor in (network.signal.name, *(node.name for node in network.nodes)):
        if node := next((node for node in network.nodes if node.name == tensor), None):
            found[tensor] = kernel_cost(network, node, foldings, pe)
        if len(network.readers[tensor]) > 1:
            found[f"{tensor} streams"] = _streams(network, tensor, pe)
    return found


def conv_cost(network: Network, node: SignalConv | SignConv | BinaryConv, folding: Folding) -> Cost:
    """Of a convolution: products, sums, the rotating window, the weights.

    One look-up table a bit for XNOR and the tree of adders, 16 for a counter, one for each bit of the window; the first
    layer has an adder a tap.
    """
    work = network.works[node.name]
    busy, depth = conv_cycles(work, folding), turns(work, folding)
    if isinstance(node, SignalConv):
        luts = folding.pe * folding.simd * network.types[node.name].signed_bits + work.taps * (18 + node.frac)
    elif isinstance(node, SignConv):
        luts = folding.pe * folding.simd * network.types[node.name].signed_bits + 2 * folding.simd * work.width
    else:
        luts = folding.pe * (folding.simd + 16) + work.taps
    if depth >= BRAM_DEPTH:
        return Cost(busy, luts + CONTROL, folding.pe * ceil(folding.simd / 36) * ceil(depth / 512))
    return Cost(busy, luts + CONTROL + folding.pe * folding.simd * ceil(depth / 64))


def kernel_cost(network: Network, node: Node, foldings: dict[str, Folding], pe: dict[str, int]) -> Cost:
    """Of one node's kernel."""
    busy = cycles(network, node, foldings)
    kind, channels = network.types[node.inputs[0]], network.channels(node.inputs[0])
    at_once = pe.get(node.inputs[0], channels)
    rows = ceil(channels / at_once / 64)
    match node:
        case WindowStats():
            return Cost(busy, 2500, 0, 8)
        case SignalConv() | SignConv() | BinaryConv():
            return conv_cost(network, node, foldings[node.name])
        case Threshold() if len(node.inputs) > 1:
            return Cost(busy, CONTROL + at_once * 40 * (1 + rows) + channels, 0, 2)
        case Threshold():
            return Cost(busy, CONTROL + at_once * (kind.signed_bits + 16 * rows) + channels)
        case Scale():
            return Cost(busy, CONTROL + at_once * (80 + 48 * rows), 0, 2 * at_once)
        case OrPool():
            return Cost(busy, CONTROL + channels * (1 + ceil(node.kernel / 5)))
        case MaxPool():
            return Cost(busy, CONTROL + node.kernel * channels * kind.signed_bits)
        case ExitGate():
            return Cost(busy, 600 + 32 * channels, 2 * ceil(len(node.exp) / 1024), 5)
        case PReluSum():
            return Cost(busy, CONTROL + 2 * (channels + at_once) * sum_width(network, node), 0, 4)
    return Cost(busy, CONTROL + channels)


def _streams(network: Network, tensor: str, pe: dict[str, int]) -> Cost:
    """The fork of a tensor with its streams."""
    kind, channels = network.types[tensor], network.channels(tensor)
    words = 1 if len(kind.shape) == 1 else channels // pe.get(tensor, channels)
    bits = 64 if len(kind.shape) == 1 else channels // words * (1 if kind.kind == "bit" else kind.signed_bits)
    cost = Cost(network.length(tensor) * words, 0)
    for steps in fork_depths(network, tensor).values():
        depth = steps * words
        in_ram = depth >= BRAM_DEPTH
        luts = CONTROL + (0 if in_ram else bits * ceil(depth / 32))
        cost += Cost(0, luts, ceil(bits / 18) * ceil(depth / 1024) if in_ram else 0)
    return cost
