"""Whole graphs: against the plain loops, in batches of any cut, and with errors that say what to do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.errors import DataError
from bnn.graph import Graph, Signal, Stage, check, ops
from bnn.graph.arith import window_stats
from bnn.sim import simulate
from tests import plain
from tests.graphs import Builder, by_the_past, graphs, int16, small_graph, windows

GRAPH = small_graph()
X = windows(np.random.default_rng(1), 70, 60)


@settings(max_examples=100)
@given(graphs(), st.integers(0, 2**32))
def test_random_graphs_equal_the_plain_loops(graph, seed):
    x = windows(np.random.default_rng(seed), 2, graph.signals[0].length)
    result = simulate(graph, {"ecg": x}, keep="all")
    for i in range(2):
        want = plain.run(graph, {"ecg": x[i : i + 1]})
        assert list(result.tensors) == list(want)
        for name, value in want.items():
            np.testing.assert_array_equal(result.tensors[name][i], value, err_msg=name)
        assert result.classes[i] == plain.first_largest(want["logits"])


@settings(max_examples=25)
@given(graphs(), st.integers(0, 2**32))
def test_statistics_of_the_past_equal_the_plain_loops(graph, seed):
    """Every tensor; and they are those of the first half, whatever the second holds."""
    graph = by_the_past(graph)
    x = windows(np.random.default_rng(seed), 2, graph.signals[0].length)
    tensors = simulate(graph, {"ecg": x}, keep="all").tensors
    for i in range(2):
        for name, value in plain.run(graph, {"ecg": x[i : i + 1]}).items():
            np.testing.assert_array_equal(tensors[name][i], value, err_msg=name)
    past, now = np.split(x, 2, axis=1)
    np.testing.assert_array_equal(tensors["past"][:, 0], past)
    np.testing.assert_array_equal(tensors["window"][:, 0], now)
    np.testing.assert_array_equal(tensors["stats"], window_stats(past, 4))


@settings(max_examples=100)
@given(graphs("logical"), st.integers(0, 2**32))
def test_tensors_have_the_kind_shape_and_range_that_the_checker_proves(graph, seed):
    x = np.random.default_rng(seed).integers(-32768, 32768, (3, graph.signals[0].length)).astype(np.int16)
    for name, kind in check(graph).items():
        tensor = simulate(graph, {"ecg": x}, keep=[name]).tensors[name]
        assert tensor.shape == (3, *kind.shape)
        assert kind.lo <= tensor.min() and tensor.max() <= kind.hi
        assert tensor.dtype == {"bit": np.uint8}.get(kind.kind, tensor.dtype)


def test_windows_do_not_see_each_other():
    """Order, batch size and the place in a chunk do not matter."""
    whole = simulate(GRAPH, {"ecg": X}, keep="all")
    turned = simulate(GRAPH, {"ecg": X[::-1]}, keep="all")
    alone = [simulate(GRAPH, {"ecg": X[i : i + 1]}, keep="all") for i in (0, 31, 32, 69)]
    for name, tensor in whole.tensors.items():
        np.testing.assert_array_equal(tensor, turned.tensors[name][::-1])
        np.testing.assert_array_equal(tensor[[0, 31, 32, 69]], np.concatenate([one.tensors[name] for one in alone]))
    np.testing.assert_array_equal(whole.classes, turned.classes[::-1])


def test_nothing_but_classes_and_logits_is_kept_unasked():
    result = simulate(GRAPH, {"ecg": X})
    assert result.tensors == {}
    assert result.logits.shape == (70, 3) and result.logits.dtype == np.int32
    np.testing.assert_array_equal(result.classes, result.logits.argmax(axis=1))
    assert len(np.unique(result.classes)) > 1, "one class for all windows would let many mistakes pass"


def test_keep_returns_what_was_asked_for_in_the_order_of_the_graph():
    assert list(simulate(GRAPH, {"ecg": X}, keep=["logits", "block1"]).tensors) == ["block1", "logits"]
    everything = simulate(GRAPH, {"ecg": X}, keep="all").tensors
    assert list(everything) == list(check(GRAPH))
    np.testing.assert_array_equal(everything["ecg"][:, 0], X)


def test_ties_go_to_the_first_class():
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 3).threshold("bits").conv("last", 3)
    zero = np.zeros(3, np.int16)
    b.add(ops.PReluSum("logits", ("last",), zero, zero, np.array([-7, -3, -3], np.int32), 0))
    assert simulate(b.graph(), {"ecg": X}).classes.tolist() == [1] * 70


def test_several_signals_and_stages():
    """Each signal goes to its own stage; the second stage also reads what the first one left."""
    b = Builder(np.random.default_rng(0)).signal_conv("acc", 2).threshold("bits").conv("last", 2).prelu_sum()
    first = Stage("first", ("ecg",), tuple(b.nodes), "logits")
    bits = ops.Threshold("more", ("motion",), int16([0, 0, 0]))
    both = ops.BinaryConv("both", ("bits",), np.ones((2, 2, 1), np.int8), np.ones(2, np.int8), 1, 0)
    end = ops.PReluSum("late", ("both",), int16([1, 2]), int16([1, 2]), np.zeros(2, np.int32), 0)
    second = Stage("second", ("motion",), (bits, both, end), "late")
    signals = (Signal("ecg", 1, 60, 360.0, 200.0), Signal("motion", 3, 9, 50.0, 100.0, "g"))
    graph = Graph("two", ("a", "b"), signals, (first, second))
    motion = np.random.default_rng(2).integers(-5, 5, (70, 3, 9)).astype(np.int16)
    result = simulate(graph, {"ecg": X, "motion": motion}, keep=["more", "logits"])
    np.testing.assert_array_equal(result.tensors["more"], motion >= 0)
    want = plain.run(graph, {"ecg": X[:1], "motion": motion[0]})
    assert result.logits[0].tolist() == want["late"] and result.tensors["logits"][0].tolist() == want["logits"]


def test_progress_counts_windows():
    seen = []
    simulate(GRAPH, {"ecg": X}, progress=seen.append)
    assert seen[-1] == 70 and seen == sorted(set(seen))


@pytest.mark.parametrize(
    "signals, keep, words",
    [
        ({}, (), "reads signal ecg, but only [] were given"),
        ({"ecg": X.astype(np.int32)}, (), "got int32 (70, 1, 60), wanted int16 windows of 1 x 60 samples"),
        ({"ecg": X[:, :59]}, (), "got int16 (70, 1, 59)"),
        ({"ecg": X[0]}, (), "got int16 (60,)"),
        ({"ecg": X[:0]}, (), "got int16 (0, 1, 60)"),
        ({"ecg": X}, ["block9"], "graph small has no tensor block9; it has ecg, stats, block1.acc"),
    ],
)
def test_errors_say_what_is_wrong(signals, keep, words):
    with pytest.raises(DataError) as error:
        simulate(GRAPH, signals, keep)
    assert words in str(error.value)


def test_signals_of_different_lengths_are_refused():
    other = Signal("motion", 1, 9, 50.0, 100.0)
    stage = GRAPH.stages[0]
    graph = Graph(
        "two", GRAPH.classes, (*GRAPH.signals, other), (Stage("main", ("ecg", "motion"), stage.nodes, "logits"),)
    )
    with pytest.raises(DataError, match="different numbers of windows.*'ecg': 70, 'motion': 3"):
        simulate(graph, {"ecg": X, "motion": np.zeros((3, 9), np.int16)})
