"""What ops say of themselves: ranges that are reached, costs as the literature counts them."""

from itertools import product

import numpy as np
import pytest

from bnn.graph import check, ops
from bnn.graph.types import TensorType
from tests.graphs import int16, signs, small_graph
from tests.plain import prelu_sum


def test_macs_and_storage_of_a_small_graph():
    graph, types = small_graph(), check(small_graph())
    of = {n.name: (n.macs(*(types[i] for i in n.inputs)), n.storage_bits()) for n in graph.nodes()}
    assert of["block1.acc"] == (5 * 5 * 32, 25)  # taps times outputs; one bit a weight
    assert of["block2.acc"] == (4 * 5 * 3 * 17, 60)  # a pad of +1 costs nothing
    assert of["block1.bits"] == (0, 5 * 16)
    assert of["logits"] == (0, 3 * (16 + 16 + 32))
    assert of["block1"] == (0, 0)


def test_a_pad_that_is_not_plus_one_costs_its_bits():
    w = signs(np.random.default_rng(0), 2, 5, 3)
    pad_value = np.array([1, 1, -1, 1, 1], np.int8)
    assert ops.BinaryConv("a", ("x",), w, pad_value, 1, 2).storage_bits() == 30 + 5


@pytest.mark.parametrize("rise, fall", list(product((-7, 0, 5), repeat=2)))
@pytest.mark.parametrize("lo, hi", [(-3, 2), (1, 4), (-4, -1), (0, 0)])
def test_the_range_of_prelu_sum_holds_for_every_map_and_is_reached(rise, fall, lo, hi):
    node = ops.PReluSum("y", ("x",), int16([rise]), int16([fall]), np.array([11], np.int32), 0)
    proved = node.infer(TensorType("int16", (1, 2), lo, hi))
    values = [prelu_sum(node, [list(pair)])[0] for pair in product(range(lo, hi + 1), repeat=2)]
    assert proved.lo <= min(values) and max(values) <= proved.hi
    if lo <= 0 <= hi:
        assert (proved.lo, proved.hi) == (min(values), max(values))
