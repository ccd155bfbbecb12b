"""Runs summed up: what belongs together, mean and spread, pooled folds."""

import numpy as np
import pytest

from bnn.errors import ModelError
from bnn.train.summary import spread, summarise
from tests.runs import write_run


def test_folds_are_pooled_once_all_ten_are_there(tmp_path):
    folders = [write_run(tmp_path / str(k), fold=k, hits=7 + k % 3) for k in range(10)]
    (nine,) = summarise(folders[:9])
    assert nine.pooled is None and len(nine.runs) == 9
    (ten,) = summarise(reversed(folders))
    hits = [7 + k % 3 for k in range(10)]
    assert ten.pooled.windows == 100 and ten.pooled.accuracy == pytest.approx(sum(hits) / 100)
    assert [run["fold"] for run in ten.runs] == list(range(10))
    assert spread(ten.accuracies) == f"{10 * np.mean(hits):.2f} +- {10 * np.std(hits, ddof=1):.2f}"


def test_ten_runs_that_are_no_whole_cross_validation_are_not_pooled(tmp_path):
    folders = [write_run(tmp_path / str(k), fold=k, seed=k % 2) for k in range(10)]
    assert summarise(folders)[0].pooled is None


def test_recipes_protocols_and_changes_stay_apart_and_unfinished_runs_out(tmp_path):
    folders = [
        write_run(tmp_path / "a", protocol="paper", best=0.9),
        write_run(tmp_path / "b", protocol="paper", seed=1, best=1.0),
        write_run(tmp_path / "c", protocol="stratified"),
        write_run(tmp_path / "d", protocol="paper", epochs=7),
        write_run(tmp_path / "e", protocol="paper", seed=2, finished=False),
    ]
    got = {(s.recipe, s.protocol): s for s in summarise(folders)}
    assert set(got) == {("default", "paper"), ("default", "stratified"), ("default epochs=7", "paper")}
    assert got["default", "paper"].best_on_test == [0.9, 1.0]
    assert got["default", "stratified"].best_on_test == []
    assert got["default", "paper"].minutes == 2


def test_synthetic_signals_stay_apart_and_are_called_so(tmp_path):
    folders = [write_run(tmp_path / f"{k}-{s}", fold=k, synthetic=s) for k in range(10) for s in (False, True)]
    real, synthetic = summarise(folders)
    assert (real.synthetic, synthetic.synthetic) == (False, True)
    assert real.pooled.windows == synthetic.pooled.windows == 100
    assert [s.to_dict()["synthetic"] for s in (real, synthetic)] == [False, True]


def test_minutes_are_of_runs_in_one_piece(tmp_path):
    one, other = write_run(tmp_path / "a"), write_run(tmp_path / "b", seed=1, resumed=True, epochs=7)
    assert sorted((s.recipe, s.minutes) for s in summarise([one, other])) == [
        ("default", 2),
        ("default epochs=7", None),
    ]


def test_one_run_has_no_spread():
    assert spread([0.5]) == "50.00"


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(ModelError, match="run.json: missing or damaged"):
        summarise([tmp_path])
