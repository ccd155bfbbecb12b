"""A graph cut after one of its exits."""

import numpy as np
import pytest

from bnn.errors import GraphError
from bnn.graph import check
from bnn.sim import simulate
from tests.staged import staged_graph

GRAPH = staged_graph()


def test_the_first_exit_alone_reads_its_signal_and_says_the_same():
    cut = GRAPH.until("eeg")
    check(cut)
    assert [stage.name for stage in cut.stages] == ["eeg"] and [s.name for s in cut.signals] == ["eeg"]
    x = np.random.default_rng(1).normal(scale=900, size=(3, 2, 70)).astype(np.int16)
    whole = simulate(GRAPH, {"eeg": x, "eog": x[:, :1]}, keep=["eeg.logits"])
    np.testing.assert_array_equal(simulate(cut, {"eeg": x}).logits, whole.tensors["eeg.logits"])


def test_cut_after_the_last_it_is_whole():
    assert GRAPH.until("eog").stages == GRAPH.stages and GRAPH.until("eog").signals == GRAPH.signals


def test_a_stage_that_is_not_there():
    with pytest.raises(GraphError, match="graph staged: no stage emg has an exit; those that do are eeg, eog"):
        GRAPH.until("emg")
