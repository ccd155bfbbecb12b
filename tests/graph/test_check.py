"""Every rule of the checker, by the words of its error."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from bnn.errors import GraphError
from bnn.graph import Graph, Signal, Stage, check, ops
from bnn.graph.types import TensorType, integers
from tests.graphs import graphs, int16, signs, small_graph

ONES = np.ones(1, np.int8)
ECG = Signal("ecg", 1, 60, 360.0, 200.0)


def refuse(graph: Graph, words: str, level: str = "logical") -> None:
    with pytest.raises(GraphError) as error:
        check(graph, level)
    assert words in str(error.value)


def with_node(name: str, /, **changes) -> Graph:
    """The small graph with one node changed."""
    return small_graph().with_nodes(lambda nodes: [replace(n, **changes) if n.name == name else n for n in nodes])


def with_extra(*extra) -> Graph:
    """The small graph with nodes added before its logits."""
    return small_graph().with_nodes(lambda nodes: [*nodes[:-1], *extra, nodes[-1]])


def with_stage(**changes) -> Graph:
    graph = small_graph()
    return replace(graph, stages=(replace(graph.stages[0], **changes),))


def with_signal(**changes) -> Graph:
    return replace(small_graph(), signals=(replace(ECG, **changes),))


def test_types_of_a_small_graph():
    types = check(small_graph(), "target")
    assert list(types) == [
        *("ecg", "stats", "block1.acc", "block1.bits", "block1"),
        *("block2.acc", "block2", "block3.acc", "block3", "logits"),
    ]
    assert types["block1.acc"] == TensorType("int32", (5, 32), -(5 << 20), 5 << 20)
    assert types["block1.bits"] == TensorType("bit", (5, 32), 0, 1)
    assert types["block1"] == TensorType("bit", (5, 15), 0, 1)
    assert types["block2.acc"] == TensorType("int16", (4, 17), -15, 15)
    assert types["logits"].kind == "int32" and types["logits"].shape == (3,)


@given(graphs("logical"))
def test_random_logical_graphs_keep_every_rule(graph):
    assert set(check(graph)) == {"ecg", *(node.name for node in graph.nodes())}


@pytest.mark.parametrize(
    "graph, words",
    [
        (replace(small_graph(), name="Small-1"), "graph name 'Small-1' is not a lower-case C identifier"),
        (replace(small_graph(), name="small\n"), "is not a lower-case C identifier"),
        (replace(small_graph(), classes=("a",)), "graph small: needs a stage and at least two classes"),
        (replace(small_graph(), classes=("a", "b", "a")), "two classes of different names"),
        (replace(small_graph(), stages=()), "needs a stage"),
        (replace(small_graph(), classes=("a", "b", "*/\nint x;")), "'*/\\nint x;' names a class or a unit"),
        (replace(small_graph(), classes=("a", "b", "")), "'' names a class or a unit; wanted one printable line"),
        (replace(small_graph(), about={"epochs": 3}), "about holds {'epochs': 3}, wanted texts by name"),
        (with_signal(length=0), "signal ecg: 1 x 0 samples; wanted 1 to 1024 channels of 1 to 1048576"),
        (with_signal(length=10**30), "signal ecg: 1 x 1000000000000000000000000000000 samples"),
        (with_signal(channels=0), "signal ecg: 0 x 60 samples"),
        (with_signal(fs=0.0), "signal ecg: fs is 0.0 and gain 200.0, wanted 0 to 1e+09"),
        (with_signal(gain=float("nan")), "gain nan"),
        (with_signal(fs=10**400), "signal ecg: fs is 1000"),
        (with_signal(unit="m\nV"), "names a class or a unit"),
        (replace(small_graph(), signals=(ECG, ECG)), "signal names are ['ecg', 'ecg'], but every signal needs a name"),
        (replace(small_graph(), stages=small_graph().stages * 2), "stage names are ['main', 'main']"),
        (
            replace(small_graph(), signals=(ECG, replace(ECG, name="eeg"))),
            "signal eeg: declared, but no stage reads it",
        ),
        (with_stage(signals=("eeg",)), "stage main: signal eeg is not declared; there are ['ecg']"),
        (with_stage(logits=None), "stage main: the last stage must end in an exit, but names no logits"),
        (with_stage(logits="nothing"), "logits nothing are None, wanted int32 (3,), one a class"),
        (with_stage(logits="block3"), "logits block3 are int16 (3, 8), wanted int32 (3,)"),
        (replace(small_graph(), classes=("a", "b")), "logits logits are int32 (3,), wanted int32 (2,), one a class"),
    ],
)
def test_rules_of_the_whole_graph(graph, words):
    refuse(graph, words)


def test_a_stage_may_not_declare_a_signal_again():
    graph = small_graph()
    graph = replace(graph, stages=(*graph.stages, Stage("again", ("ecg",), (), "logits")))
    refuse(graph, "ecg: defined twice; every tensor has one name and one node")


@pytest.mark.parametrize(
    "graph, words",
    [
        (with_node("block2", name="Block2"), "tensor name 'Block2': use lower-case letters, digits, '_' and '.'"),
        (with_node("block2", name="block1"), "block1: defined twice"),
        (
            with_node("block2", inputs=("block3",)),
            "block2: reads block3, which no earlier node of stage main or signal",
        ),
        (with_node("block2", inputs=("block2.acc",) * 3), "block2: Threshold reads 2 tensors, got 3"),
        (
            with_node("block1", inputs=("block1.bits",) * 2),
            "block1: OrPool reads 1 tensors, got 2: block1.bits, block1.bits",
        ),
        (
            with_node("block1", inputs=("ecg",)),
            "block1: ecg is int16 (1, 60), but OrPool reads bit (channels, length) here",
        ),
        (with_node("block2.acc", inputs=("ecg",)), "but BinaryConv reads bit (channels, length) here"),
        (with_node("block2", inputs=("block1",)), "block1 is bit (5, 15), but Threshold reads int8|int16|int32"),
        (
            with_node("stats", inputs=("ecg",), frac=9),
            "60 samples with 9 fraction bits overflow 64 bits; frac goes from 0 to 8",
        ),
        (with_node("stats", frac=4.0), "stats: frac is 4.0, wanted a whole number"),
        (with_node("block1", stride=True), "block1: stride is True, wanted a whole number"),
        (with_node("block1", stride=np.int64(2)), "wanted a whole number"),
        (with_node("block1", kernel=0), "block1: kernel 0, stride 2, pad 0 do not fit a length of 32"),
        (with_node("block1", kernel=33), "kernel 33, stride 2, pad 0 do not fit a length of 32"),
        (with_node("block2.acc", stride=0), "kernel 3, stride 0, pad 2 do not fit a length of 15"),
        (with_node("block2.acc", pad=3), "kernel 3, stride 1, pad 3 do not fit"),
        (with_node("block1.acc", pad=-1), "kernel 5, stride 2, pad -1 do not fit a length of 60"),
        (with_node("block1.acc", frac=-1), "-1 fraction bits; statistics have 0 to 8"),
        (
            with_node("block1.acc", frac=5),
            "reads ecg with 5 fraction bits, but stats holds the statistics of ecg with 4",
        ),
        (
            with_node("block1.acc", w=np.zeros((5, 7), np.int8)),
            "block1.acc: weight[0, 0] is 0, but a binary value is -1 or +1",
        ),
        (with_node("block1.acc", w=np.full((5, 7), 0.5)), "w is float64 (5, 7), wanted int8 of 2 axes, none empty"),
        (with_node("block1.acc", w=np.ones((5, 1, 7), np.int8)), "w is int8 (5, 1, 7), wanted int8 of 2 axes"),
        (with_node("block1.acc", w=np.ones((0, 7), np.int8)), "none empty"),
        (
            with_node("block2.acc", w=np.ones((4, 6, 3), np.int8)),
            "weights are for 6 channels, pads for 5, but the input has 5",
        ),
        (with_node("block2.acc", pad_value=np.ones(4, np.int8)), "weights are for 5 channels, pads for 4"),
        (with_node("block2.acc", pad_value=int16([1] * 5)), "pad_value is int16 (5,), wanted int8"),
        (with_node("block2.acc", pad_value=np.array([1, 1, -2, 1, 3], np.int8)), "pad_value[2] is -2"),
        (with_node("block2", t=int16([1] * 5)), "block2: bounds are (5,), wanted (4,), one a channel"),
        (with_node("block2", t=np.zeros(4)), "block2: t is float64 (4,), wanted int16 of 1 axes"),
        (with_node("block2", frac=3), "3 fraction bits; bounds have 0 to 15, and 0 where there are no statistics"),
        (with_node("block1.bits", frac=16), "16 fraction bits; bounds have 0 to 15"),
        (with_node("block1.bits", inputs=("block2.acc", "stats")), "reads block2.acc, which no earlier node"),
        (with_node("block2", inputs=("block2.acc", "stats")), "block2.acc is int16 (4, 17), but Threshold reads int32"),
        (with_node("block1.bits", inputs=("block1.acc", "block1.acc")), "but Threshold reads int32 (2,) here"),
        (
            with_node("logits", inputs=("stats",)),
            "stats is int32 (2,), but PReluSum reads int16|int32 (channels, length) here",
        ),
        (with_node("logits", rise=int16([1, 2])), "logits: rise has 2 entries for 3 channels"),
        (with_node("logits", bias=int16([1, 2, 3])), "logits: bias is int16 (3,), wanted int32 of 1 axes"),
        (with_node("logits", frac=32), "logits: 32 fraction bits; logits have 0 to 31"),
        (
            with_node("logits", rise=int16([1] * 3), bias=np.full(3, 2**31 - 1, np.int32)),
            "which no int32 holds; use smaller factors",
        ),
        (
            with_extra(ops.AndNot("x", ("block1", "block2"))),
            "x: block1 is (5, 15) and block2 is (4, 17); shapes must agree",
        ),
        (with_extra(ops.Flip("x", ("block2",), np.ones(5, np.int8))), "x: flip has 5 entries for 4 channels"),
        (
            with_extra(ops.Interval("x", ("block2.acc",), int16([0] * 4), int16([1] * 4), ONES)),
            "flip has 1 entries for 4",
        ),
        (with_extra(ops.MaxPool("x", ("stats",), 1, 1)), "stats is int32 (2,), but MaxPool reads"),
    ],
)
def test_rules_of_the_nodes(graph, words):
    refuse(graph, words)


def test_an_error_counts_what_is_affected():
    w = signs(np.random.default_rng(0), 5, 5)
    w[2, 3] = w[4, 4] = 0
    refuse(with_node("block1.acc", w=w), "weight[2, 3] is 0, but a binary value is -1 or +1; 2 of 25 are affected")


def test_statistics_come_from_window_stats_alone():
    """Two logits have the kind and shape of statistics, but are none."""
    two = ops.PReluSum("two", ("pair",), int16([1, 1]), int16([1, 1]), np.zeros(2, np.int32), 0)
    pair = ops.BinaryConv("pair", ("block1",), signs(np.random.default_rng(0), 2, 5, 1), np.ones(5, np.int8), 1, 0)
    wrong = ops.Threshold("wrong", ("block1.acc", "two"), int16([0] * 5))
    refuse(with_extra(pair, two, wrong), "wrong: reads two as statistics, but PReluSum made it, not WindowStats")


def test_statistics_are_of_the_signal_that_is_convolved():
    graph = small_graph()
    other = ops.WindowStats("other", ("eeg",))
    graph = graph.with_nodes(lambda nodes: [other, *nodes])
    graph = replace(graph, signals=(ECG, replace(ECG, name="eeg")))
    graph = replace(graph, stages=(replace(graph.stages[0], signals=("ecg", "eeg")),))
    check(graph)
    wrong = graph.with_nodes(
        lambda nodes: [replace(n, inputs=("ecg", "other")) if n.name == "block1.acc" else n for n in nodes]
    )
    refuse(wrong, "reads ecg with 4 fraction bits, but other holds the statistics of eeg with 4")


def test_channels_of_a_signal_are_read_one_at_a_time():
    refuse(with_signal(channels=2), "stats: ecg has 2 channels; statistics are taken of one channel at a time")


def test_a_convolution_has_no_more_taps_than_a_threshold_can_tell_apart():
    n = 32767
    huge = ops.BinaryConv("huge", ("bits",), np.ones((2, n, 1), np.int8), np.ones(n, np.int8), 1, 0)
    with pytest.raises(GraphError, match="32767 taps an output are more than a 16-bit threshold can tell apart"):
        huge.infer(TensorType("bit", (n, 5), 0, 1))
    fits = replace(huge, w=huge.w[:, 1:], pad_value=huge.pad_value[1:])
    assert fits.infer(TensorType("bit", (n - 1, 5), 0, 1)).kind == "int16"


def test_a_target_runs_no_logical_op():
    check(small_graph("logical"), "logical")
    refuse(small_graph("logical"), "block1: Interval does not run on a target; run the passes of bnn.lower", "target")
    flipped = with_extra(ops.Flip("x", ("block2",), np.ones(4, np.int8)))
    refuse(flipped, "x: Flip does not run on a target", "target")


@pytest.mark.parametrize("lo, hi, kind", [(-32768, 32767, "int16"), (-32769, 0, "int32"), (0, 32768, "int32")])
def test_the_kind_follows_from_the_range(lo, hi, kind):
    assert integers((1,), lo, hi, "x").kind == kind


def test_a_range_beyond_int32_is_refused():
    with pytest.raises(GraphError, match=r"x: values reach \[0, 2147483648\], which no int32 holds"):
        integers((1,), 0, 2**31, "x")
