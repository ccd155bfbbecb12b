"""Graphs of several stages: every tensor, and who leaves where."""

import sys

import numpy as np
import pytest

from bnn.graph import gate, load, save, to_text
from bnn.sim import simulate, simulate_exits
from bnn.sim.ops import evaluate
from tests import plain
from tests.staged import staged_graph

GRAPH = staged_graph()


def nights(n: int, seed: int = 2) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    scale = rng.uniform(1, 9000, (n, 1, 1))
    return {
        s.name: np.rint(rng.normal(size=(n, s.channels, s.length)) * scale).clip(-32768, 32767).astype(np.int16)
        for s in GRAPH.signals
    }


def test_every_tensor_equals_the_plain_loops():
    x = nights(3)
    result = simulate(GRAPH, x, keep="all")
    for i in range(3):
        for name, value in plain.run(GRAPH, {key: batch[i] for key, batch in x.items()}).items():
            np.testing.assert_array_equal(result.tensors[name][i], value, err_msg=name)


def test_it_is_saved_and_loaded(tmp_path):
    save(GRAPH, tmp_path / "a.graph")
    again = load(tmp_path / "a.graph")
    assert to_text(again) == to_text(GRAPH)
    np.testing.assert_array_equal(simulate(again, nights(4)).logits, simulate(GRAPH, nights(4)).logits)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_window_leaves_at_the_first_exit_that_is_sure(share):
    """Against every stage run for every window; 70 windows, more than run at once."""
    x = nights(70)
    everything = simulate(GRAPH, x, keep="all").tensors
    doubt = everything["eeg.doubt"]
    speed = int(share * gate.SPEED_ONE) if share in (0, 1) else gate.even_speed(doubt)
    early = gate.leaves(doubt, speed)
    want = np.where(early[:, None], everything["eeg.logits"], everything["eog.logits"])
    got = simulate_exits(GRAPH, x, speed)
    np.testing.assert_array_equal(got.exits, np.where(early, 0, 1))
    np.testing.assert_array_equal(got.logits, want)
    np.testing.assert_array_equal(got.classes, want.argmax(axis=1))
    assert share != 0.3 or 10 < early.sum() < 60


def test_a_later_stage_runs_for_none_but_those_that_stay(monkeypatch):
    x = nights(20)
    speed = gate.even_speed(simulate(GRAPH, x, keep=["eeg.doubt"]).tensors["eeg.doubt"])
    rows = {}

    def counted(node, *inputs):
        rows[node.name] = len(inputs[0])
        return evaluate(node, *inputs)

    monkeypatch.setattr(sys.modules["bnn.sim.simulate"], "evaluate", counted)
    staying = int((simulate_exits(GRAPH, x, speed).exits == 1).sum())
    assert 0 < staying < 20
    assert {rows[node.name] for node in GRAPH.stages[0].nodes} == {20}
    assert {rows[node.name] for node in GRAPH.stages[1].nodes} == {staying}
