"""From the logical to the target dialect: every pass in order, the checker after each."""

from bnn.graph import Graph, check
from bnn.lower.absorb_flip import absorb_flip
from bnn.lower.threshold_before_pool import threshold_before_pool

PASSES = (threshold_before_pool, absorb_flip)


def to_target(graph: Graph) -> Graph:
    """Logical graph -> target graph with the same classes and logits for every input."""
    check(graph, "logical")
    for rewrite in PASSES:
        graph = rewrite(graph)
        check(graph, "logical")
    check(graph, "target")
    return graph
