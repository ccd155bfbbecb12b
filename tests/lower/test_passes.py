"""Each pass by its text before and after, and by running the graph on both sides of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.errors import GraphError
from bnn.graph import Graph, Stage, check, ops, to_text
from bnn.graph.arith import ALWAYS
from bnn.lower.absorb_flip import absorb_flip
from bnn.lower.passes import to_target
from bnn.lower.threshold_before_pool import threshold_before_pool
from bnn.sim import simulate
from tests.graphs import Builder, graphs, int16, signs, small_graph, windows

BEFORE = small_graph("logical")


def nodes_of(graph: Graph) -> str:
    """Name and op of every node, without ranges: one line each."""
    lines = [line.strip() for line in to_text(graph).splitlines() if " = " in line]
    return "\n".join(line.split(" -> ")[0] for line in lines) + "\n"


def assert_same_results(before: Graph, after: Graph, seed: int = 0) -> set[str]:
    """Classes, logits and every tensor that both graphs have are equal; returns the names of those tensors."""
    rng = np.random.default_rng(seed)
    length = before.signals[0].length
    x = np.concatenate([windows(rng, 3, length), rng.integers(-32768, 32768, (2, length)).astype(np.int16)])
    a, b = (simulate(graph, {"ecg": x}, keep="all") for graph in (before, after))
    common = a.tensors.keys() & b.tensors.keys()
    for name in common:
        np.testing.assert_array_equal(a.tensors[name], b.tensors[name], err_msg=name)
    np.testing.assert_array_equal(a.logits, b.logits)
    np.testing.assert_array_equal(a.classes, b.classes)
    return common


def test_threshold_before_pool_by_text():
    before = """\
stats = WindowStats(ecg, frac=4)
block1.acc = SignalConv(ecg, stats, w 5x5, stride=2, pad=4, frac=4)
block1.max = MaxPool(block1.acc, kernel=3, stride=2)
block1 = Interval(block1.max, stats, lower 5, upper 5, flip 5, frac=8)
block2.acc = BinaryConv(block1, w 4x5x3, pad_value 5, stride=1, pad=2)
block2 = Interval(block2.acc, lower 4, upper 4, flip 4, frac=0)
block3.acc = BinaryConv(block2, w 3x4x3, pad_value 4, stride=1, pad=1)
block3 = MaxPool(block3.acc, kernel=3, stride=2)
logits = PReluSum(block3, rise 3, fall 3, bias 3, frac=8)
"""
    after = """\
stats = WindowStats(ecg, frac=4)
block1.acc = SignalConv(ecg, stats, w 5x5, stride=2, pad=4, frac=4)
block1.lower.bits = Threshold(block1.acc, stats, t 5, frac=8)
block1.lower.pool = OrPool(block1.lower.bits, kernel=3, stride=2)
block1.upper.bits = Threshold(block1.acc, stats, t 5, frac=8)
block1.upper.pool = OrPool(block1.upper.bits, kernel=3, stride=2)
block1.inside = AndNot(block1.lower.pool, block1.upper.pool)
block1 = Flip(block1.inside, flip 5)
block2.acc = BinaryConv(block1, w 4x5x3, pad_value 5, stride=1, pad=2)
block2.bits = Threshold(block2.acc, t 4, frac=0)
block2 = Flip(block2.bits, flip 4)
block3.acc = BinaryConv(block2, w 3x4x3, pad_value 4, stride=1, pad=1)
block3 = MaxPool(block3.acc, kernel=3, stride=2)
logits = PReluSum(block3, rise 3, fall 3, bias 3, frac=8)
"""
    assert nodes_of(BEFORE) == before
    assert nodes_of(threshold_before_pool(BEFORE)) == after


def test_absorb_flip_by_text():
    after = """\
stats = WindowStats(ecg, frac=4)
block1.acc = SignalConv(ecg, stats, w 5x5, stride=2, pad=4, frac=4)
block1.lower.bits = Threshold(block1.acc, stats, t 5, frac=8)
block1.lower.pool = OrPool(block1.lower.bits, kernel=3, stride=2)
block1.upper.bits = Threshold(block1.acc, stats, t 5, frac=8)
block1.upper.pool = OrPool(block1.upper.bits, kernel=3, stride=2)
block1.inside = AndNot(block1.lower.pool, block1.upper.pool)
block2.acc = BinaryConv(block1.inside, w 4x5x3, pad_value 5, stride=1, pad=2)
block2.bits = Threshold(block2.acc, t 4, frac=0)
block3.acc = BinaryConv(block2.bits, w 3x4x3, pad_value 4, stride=1, pad=1)
block3 = MaxPool(block3.acc, kernel=3, stride=2)
logits = PReluSum(block3, rise 3, fall 3, bias 3, frac=8)
"""
    assert nodes_of(absorb_flip(threshold_before_pool(BEFORE))) == after


def test_one_sided_intervals_without_flips_become_one_threshold():
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 4).max_pool("max").interval("bits", False, False)
    b.conv("acc2", 3).interval("bits2", False, False).conv("last", 2).prelu_sum()
    assert (
        nodes_of(to_target(b.graph()))
        == """\
stats = WindowStats(ecg, frac=4)
acc = SignalConv(ecg, stats, w 4x5, stride=1, pad=0, frac=4)
bits.bits = Threshold(acc, stats, t 4, frac=8)
bits = OrPool(bits.bits, kernel=3, stride=2)
acc2 = BinaryConv(bits, w 3x4x3, pad_value 4, stride=1, pad=0)
bits2 = Threshold(acc2, t 3, frac=0)
last = BinaryConv(bits2, w 2x3x3, pad_value 3, stride=1, pad=0)
logits = PReluSum(last, rise 2, fall 2, bias 2, frac=8)
"""
    )


@settings(max_examples=150)
@given(graphs("logical"), st.integers(0, 2**32))
def test_every_pass_keeps_every_result(graph, seed):
    compared = threshold_before_pool(graph)
    common = assert_same_results(graph, compared, seed)
    assert {node.name for node in graph.nodes() if isinstance(node, ops.Interval)} <= common
    absorbed = absorb_flip(compared)
    assert {"stats", "acc1", "last", "logits"} <= assert_same_results(compared, absorbed, seed)
    check(absorbed, "target")
    assert to_text(absorbed) == to_text(to_target(graph))


@given(graphs("target"))
def test_target_graphs_are_left_as_they_are(graph):
    assert to_text(to_target(graph)) == to_text(graph)


@pytest.mark.parametrize("upper, sides", [(3, 2), (4, 1)])
def test_an_upper_bound_counts_as_long_as_the_largest_accumulator_reaches_it(upper, sides):
    """One channel of all ones and three taps: acc is 3 everywhere, so 3 is outside [-3, 3) and inside [-3, 4)."""
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 1).threshold("ones", int16([ALWAYS]))
    b.add(ops.BinaryConv("three", ("ones",), np.ones((1, 1, 3), np.int8), np.ones(1, np.int8), 1, 0))
    b.add(ops.Interval("bits", ("three",), int16([-3]), int16([upper]), np.full(1, -1, np.int8))).conv("last", 2)
    before = b.prelu_sum().graph()
    after = to_target(before)
    assert sum(isinstance(node, ops.Threshold) for node in after.nodes()) == 1 + sides
    assert "bits" in assert_same_results(before, after)


def test_a_pool_that_others_read_stays():
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 3).max_pool("max").interval("bits", True, True)
    b.top = "max"
    b.threshold("other").conv("last", 3).prelu_sum()
    b.nodes.insert(-2, ops.BinaryConv("read", ("bits",), signs(b.rng, 2, 3, 1), np.ones(3, np.int8), 1, 0))
    after = to_target(b.graph())
    assert "max" in check(after) and assert_same_results(b.graph(), after) >= {"max", "other", "read"}


def test_an_interval_finds_its_pool_in_an_earlier_stage():
    nodes = BEFORE.stages[0].nodes
    cut = next(i for i, node in enumerate(nodes) if node.name == "block1")
    split = replace(BEFORE, stages=(Stage("a", ("ecg",), nodes[:cut], None), Stage("b", (), nodes[cut:], "logits")))
    after = to_target(split)
    assert [len(stage.nodes) for stage in after.stages] == [2, 10]
    assert_same_results(split, after)
    assert to_text(after).replace("  no exit\nstage b: reads \n", "").count("\n") == to_text(to_target(BEFORE)).count(
        "\n"
    )


def test_absorb_flip_negates_weights_and_pads_of_flipped_channels():
    flip = np.array([1, -1, 1], np.int8)
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 3).threshold("bits")
    b.add(ops.Flip("flipped", ("bits",), flip)).conv("last", 2, pad=2, pad_value=[1, -1, -1]).prelu_sum()
    before, after = b.graph(), absorb_flip(b.graph())
    old, new = (next(n for n in graph.nodes() if n.name == "last") for graph in (before, after))
    np.testing.assert_array_equal(new.w, old.w * np.array([-1, 1, -1])[None, :, None])
    assert new.pad_value.tolist() == [-1, -1, 1] and new.inputs == ("bits",)
    assert assert_same_results(before, after) >= {"bits", "last"}


@pytest.mark.parametrize(
    "reader, words",
    [
        (ops.OrPool("p", ("f",), 2, 1), "f: p (OrPool) reads it, but only a BinaryConv can absorb a Flip"),
        (ops.AndNot("p", ("bits", "f")), "f: p (AndNot) reads it"),
        (ops.Flip("p", ("f",), np.ones(3, np.int8)), "f: p (Flip) reads it"),
    ],
)
def test_a_flip_that_nothing_can_absorb_is_refused(reader, words):
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 3).threshold("bits")
    b.add(ops.Flip("f", ("bits",), np.ones(3, np.int8))).add(reader).conv("last", 2).prelu_sum()
    with pytest.raises(GraphError) as error:
        absorb_flip(b.graph())
    assert words in str(error.value)


def test_names_that_the_passes_need_must_be_free():
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 3).threshold("bits.bits", int16([0] * 3))
    b.top = "acc"
    b.max_pool("max").interval("bits", False, False).conv("last", 2).prelu_sum()
    with pytest.raises(GraphError, match="bits.bits: defined twice"):
        to_target(b.graph())
