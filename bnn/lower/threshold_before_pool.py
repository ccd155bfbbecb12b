"""Pass: compare first, pool bits afterwards."""

from dataclasses import replace

import numpy as np

from bnn.graph.arith import NEVER
from bnn.graph.check import check
from bnn.graph.graph import Graph
from bnn.graph.node import Node
from bnn.graph.ops import AndNot, Flip, Interval, MaxPool, OrPool, Threshold
from bnn.graph.types import TensorType


def threshold_before_pool(graph: Graph) -> Graph:
    """MaxPool -> Interval   becomes   Threshold -> OrPool (-> AndNot) (-> Flip).

    x >= t for the largest of some values says that one of them reaches t, so the comparison moves before
    the pool, which then works on bits. An upper bound that some value reaches takes a second Threshold and
    OrPool, joined by AndNot; a flipped channel is left to a Flip at the end. An Interval without a pool
    before it becomes the same without the OrPool.
    """
    types = check(graph)
    pools = {
        node.name: node
        for node in graph.nodes()
        if isinstance(node, MaxPool) and all(isinstance(user, Interval) for user in graph.consumers(node.name))
    }

    def rewrite(nodes: tuple[Node, ...]) -> list[Node]:
        out: list[Node] = []
        for node in nodes:
            if isinstance(node, Interval):
                out += _thresholds(node, pools.get(node.inputs[0]), types)
            elif node.name not in pools:
                out.append(node)
        return out

    return graph.with_nodes(rewrite)


def _thresholds(node: Interval, pool: MaxPool | None, types: dict[str, TensorType]) -> list[Node]:
    """The nodes that take an Interval's place; the last one has its name."""
    source = (pool.inputs if pool else node.inputs[:1]) + node.inputs[1:]
    never = NEVER if len(source) == 2 else types[source[0]].hi + 1
    out = _compare(node, ".lower" if (node.upper < never).any() else "", node.lower, source, pool)
    if (node.upper < never).any():
        lower = out[-1].name
        out += _compare(node, ".upper", node.upper, source, pool)
        out.append(AndNot(f"{node.name}.inside", (lower, out[-1].name)))
    if (node.flip > 0).any():
        out.append(Flip(f"{node.name}.flip", (out[-1].name,), node.flip))
    return [*out[:-1], replace(out[-1], name=node.name)]


def _compare(node: Interval, side: str, t: np.ndarray, source: tuple[str, ...], pool: MaxPool | None) -> list[Node]:
    """Threshold, and OrPool where there was a pool."""
    stem = f"{node.name}{side}"
    bits = Threshold(f"{stem}.bits", source, t, node.frac)
    return [bits, OrPool(f"{stem}.pool", (bits.name,), pool.kernel, pool.stride)] if pool else [bits]
