"""ExitGate: its entropy is the float formula's within a stated bound, its test exact at the edges."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.errors import GraphError
from bnn.graph import check, exit_gate, gate, load, ops, refuse_gate, save, to_text
from bnn.graph.types import TensorType
from bnn.sim import simulate
from bnn.sim.ops import evaluate
from tests.graphs import small_graph, windows

BOUND = 0.004
"""Largest difference between spread / full and the entropy in floats, for 2 to 17 classes; stated in docs/SPEC.md."""

INT32 = st.integers(-(2**31), 2**31 - 1)
rows = st.integers(2, 17).flatmap(
    lambda n: st.one_of(
        st.lists(INT32, min_size=n, max_size=n),
        st.lists(st.integers(-40, 40), min_size=n, max_size=n),
        st.lists(st.sampled_from((-(2**31), 0, 1, 2**31 - 1)), min_size=n, max_size=n),
    )
)


def node(frac: int) -> ops.ExitGate:
    return ops.ExitGate("gate", ("logits",), **gate.tables(), frac=frac)


def true_entropy(z: np.ndarray, frac: int) -> np.ndarray:
    """-sum p log p / log n in float64."""
    d = (z - z.max(axis=1, keepdims=True)).astype(np.float64) * 2.0**-frac
    e = np.exp(d)
    total = e.sum(axis=1)
    return (np.log(total) - (e * d).sum(axis=1) / total) / np.log(z.shape[1])


def error(z, frac: int) -> float:
    """The largest difference of the rows; the proved range holds each."""
    z = np.array(z, np.int64)
    y = evaluate(node(frac), z).astype(np.int64)
    kind = node(frac).infer(TensorType("int32", (z.shape[1],), -(2**31), 2**31 - 1))
    assert y.min() >= kind.lo and y.max() <= kind.hi and y[:, 1].min() > 0
    return np.abs(y[:, 0] / y[:, 1] - true_entropy(z, frac)).max()


@given(rows, st.integers(0, 31))
def test_entropy_is_the_float_formula_within_the_bound(row, frac):
    assert error([row], frac) <= BOUND


@pytest.mark.parametrize("classes", range(2, 18))
def test_logits_of_every_spread(classes):
    rng = np.random.default_rng(classes)
    z = rng.normal(size=(4000, classes)) * 2.0 ** rng.uniform(-6, 5, (4000, 1)) * 2**16
    assert error(z.round(), 16) <= BOUND


@pytest.mark.parametrize("classes", range(2, 18))
def test_all_distances_of_one_class_from_the_others(classes):
    """One class ahead of, or behind, all others, by every step of 2**-8 up to 14."""
    z = np.zeros((2 * 14 * 256, classes), np.int64)
    z[:, 0] = np.arange(-14 * 256, 14 * 256)
    assert error(z, 8) <= BOUND


@given(st.integers(2, 32), INT32, st.integers(0, 31), st.integers(0, gate.SPEED_ONE))
def test_equal_logits_stay_at_every_speed(classes, value, frac, speed):
    y = evaluate(node(frac), np.full((1, classes), value))
    assert y[0, 0] == y[0, 1] and not gate.leaves(y, speed)[0]


@given(rows, st.integers(0, 31))
def test_speed_moves_one_bound(row, frac):
    y = evaluate(node(frac), np.array([row]))
    left = [bool(gate.leaves(y, speed)[0]) for speed in (0, 1, 77, 16384, 32767, 32768)]
    assert not left[0] and left == sorted(left)
    assert left[-1] == (y[0, 0] < y[0, 1])


def test_a_class_far_ahead_leaves_at_the_least_speed():
    assert gate.leaves(evaluate(node(0), np.array([[2**31 - 1, -(2**31), 0]])), 1)[0]


@pytest.mark.parametrize("speed", [-1, 32769])
def test_a_speed_beyond_its_range_is_refused(speed):
    with pytest.raises(ValueError, match=r"wanted 0 \(never leave\) to 32768"):
        gate.leaves(np.array([[0, 1]]), speed)


def gated():
    graph = small_graph()
    stage = graph.stages[-1]
    frac = next(n.frac for n in stage.nodes if n.name == stage.logits)
    last = ops.ExitGate("gate", (stage.logits,), **gate.tables(), frac=frac)
    return replace(graph, stages=(replace(stage, nodes=(*stage.nodes, last)),))


def test_a_graph_with_a_gate_is_saved_loaded_and_simulated(tmp_path):
    graph = gated()
    save(graph, tmp_path / "a.graph")
    again = load(tmp_path / "a.graph")
    assert to_text(again) == to_text(graph) and "gate = ExitGate(logits, exp 168, log 33, frac=" in to_text(graph)
    length = graph.signals[0].length
    run = simulate(again, {"ecg": windows(np.random.default_rng(1), 9, length)}, keep=["gate", "logits"])
    stage = graph.stages[-1]
    np.testing.assert_array_equal(run.tensors["gate"], evaluate(stage.nodes[-1], run.logits))


@pytest.mark.parametrize("classes", [1, 2, 32, 33])
def test_a_gate_takes_2_to_32_classes(classes):
    kind = TensorType("int32", (classes,), -(2**31), 2**31 - 1)
    if classes in (2, 32):
        assert node(0).infer(kind).hi < 2**31
        return
    with pytest.raises(GraphError, match=f"{classes} classes with 0 fraction bits; a gate takes 2 to 32 and 0 to 31"):
        node(0).infer(kind)


def test_every_distance_of_two_classes_is_in_the_proved_range():
    """Two classes have one distance, so that all of them can be tried: in steps of 2**-10, up to where e is 0."""
    z = np.zeros((len(gate.tables()["exp"]) * 64, 2), np.int64)
    z[:, 0] = np.arange(len(z))
    y = evaluate(node(10), z)
    kind = node(10).infer(TensorType("int32", (2,), -(2**31), 2**31 - 1))
    assert y.min() == 0 and y.max() <= kind.hi and (y[:, 1] > 0).all()
    np.testing.assert_array_equal(y, evaluate(node(10), z[:, ::-1]))
    assert error(z, 10) <= BOUND


@pytest.mark.parametrize(
    "words, change",
    [
        ("exp must fall from 16384 to 0", {"exp": np.array([16384, 5, 6, 0], np.int16)}),
        ("exp must fall from 16384 to 0", {"exp": np.array([16384, 5], np.int16)}),
        ("exp has 1025 entries, wanted at most 1024", {"exp": np.r_[[gate.ONE] * 1024, 0].astype(np.int16)}),
        ("log must be 33 entries", {"log": np.zeros(32, np.int16)}),
        ("log gives 0 for 3 classes", {"log": np.zeros(33, np.int16)}),
        ("fraction bits; a gate takes", {"frac": 32}),
        ("reads one vector of logits", {"inputs": ("block1.acc",)}),
    ],
)
def test_a_wrong_gate_is_refused(words, change):
    graph = gated()
    stage = graph.stages[-1]
    wrong = replace(graph, stages=(replace(stage, nodes=(*stage.nodes[:-1], replace(stage.nodes[-1], **change))),))
    with pytest.raises(GraphError, match=words):
        check(wrong)


def test_backends_without_a_gate_refuse_it_instead_of_dropping_it():
    assert exit_gate(gated()).name == "gate" and exit_gate(small_graph()) is None
    refuse_gate(small_graph(), "C")
    with pytest.raises(GraphError, match="gate: C has no ExitGate; C that classifies"):
        refuse_gate(gated(), "C")


def test_backends_run_one_gate_of_the_logits():
    graph = gated()
    stage = graph.stages[-1]
    twice = (*stage.nodes, replace(stage.nodes[-1], name="again"))
    with pytest.raises(GraphError, match="gate: is one of 2 gates and reads logits; backends run graphs of one gate"):
        exit_gate(replace(graph, stages=(replace(stage, nodes=twice),)))


@given(rows, st.integers(0, 31))
def test_at_an_even_speed_no_more_than_half_leave(row, frac):
    y = evaluate(node(frac), np.array([row, row[::-1], [0] * len(row), [2**31 - 1, *[-(2**31)] * (len(row) - 1)]]))
    left = gate.leaves(y, gate.even_speed(y))
    assert left.sum() <= 2 and not left[2]


def test_the_entropy_is_no_row_of_logits():
    graph = gated()
    with pytest.raises(GraphError):
        check(replace(graph, stages=(replace(graph.stages[-1], logits="gate"),)))
