"""bnn runs: what belongs together is shown together, and synthetic signals are called so."""

import json

import pytest

pytest.importorskip("torch")

from tests.runs import write_run  # noqa: E402


def test_runs_of_all_folds_are_pooled_by_class(bnn, tmp_path):
    for k in range(10):
        write_run(tmp_path / str(k), fold=k, hits=7 + k % 3, synthetic=True)
    text = bnn("runs", tmp_path).out
    assert "ecg17 (SYNTHETIC)" in text and "SYNTHETIC signals: these figures say nothing about patients" in text
    assert "protocol kfold, 10 folds, test part, 100 windows" in text and "accuracy 79.00%" in text
    rows = {fields[0]: fields[1:] for fields in map(str.split, text.splitlines()) if fields}
    assert rows["a"] == ["60", "65.0%", "100.0%", "0.788"]  # 39 of 60 found, none named so in vain
    (summary,) = json.loads(bnn("runs", tmp_path, "--json").out)
    assert summary["synthetic"] and summary["pooled"]["windows"] == 100
