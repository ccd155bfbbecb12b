"""Pass: inverted channels cost nothing, because the next weights can be inverted instead."""

from dataclasses import replace

import numpy as np

from bnn.graph.graph import Graph
from bnn.graph.node import Node
from bnn.graph.ops import BinaryConv, Flip


def absorb_flip(graph: Graph) -> Graph:
    """Flip -> BinaryConv   becomes   BinaryConv with the flipped channels' weights and pad values negated.

    Inverting a bit negates a factor of the sum, and negating the weight undoes that. The pad is negated
    too, since it stood behind the Flip. Raises GraphError where anything but a BinaryConv reads a Flip.
    """
    flips = {node.name: node for node in graph.nodes() if isinstance(node, Flip)}
    for flip in flips.values():
        for user in graph.consumers(flip.name):
            if not isinstance(user, BinaryConv):
                flip.fail(f"{user.name} ({type(user).__name__}) reads it, but only a BinaryConv can absorb a Flip")

    def rewrite(nodes: tuple[Node, ...]) -> list[Node]:
        return [_absorb(node, flips) for node in nodes if node.name not in flips]

    return graph.with_nodes(rewrite)


def _absorb(node: Node, flips: dict[str, Flip]) -> Node:
    if not isinstance(node, BinaryConv) or node.inputs[0] not in flips:
        return node
    flip = flips[node.inputs[0]]
    sign = np.where(flip.flip > 0, -1, 1).astype(np.int8)
    return replace(node, inputs=flip.inputs, w=node.w * sign[None, :, None], pad_value=node.pad_value * sign)
