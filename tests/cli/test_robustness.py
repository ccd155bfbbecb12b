"""bnn robustness, and answers withheld by --min-confidence."""

import csv
import json

import numpy as np
import pytest

from bnn import graph as graphs
from bnn import zoo
from bnn.data.mitdb import at_hand
from bnn.data.synthetic import synthetic_recording
from bnn.errors import DataError


@pytest.fixture
def nstdb(mitdb):
    try:
        return at_hand("nstdb") or pytest.skip("no noise records: run `bnn data fetch nstdb`")
    except DataError as error:
        pytest.skip(str(error))


def test_robustness(bnn, nstdb, tmp_path):
    """One run: its figures on screen, as JSON and CSV and as a picture, and those it must share with evaluate."""
    target, plot = tmp_path / "r.json", tmp_path / "r.svg"
    how = ("--protocol", "kfold", "--fold", 2, "--repeats", 2)
    ran = bnn("robustness", "ecg17", *how, "--out", target, "--plot", plot)
    assert ran.code == 0, ran.err
    result = json.loads(target.read_text())
    assert (result["protocol"], result["fold"], result["part"], result["repeats"]) == ("kfold", 2, "test", 2)
    rows = {(row["group"], row["level"]): row for row in result["rows"]}
    assert len(rows) == 34 and "electrode motion (em), 12 dB" in ran.out and "kfold (seed 0, fold 2)" in ran.out
    figures = json.loads(bnn("evaluate", "ecg17", "--protocol", "kfold", "--fold", 2, "--json").out)
    clean = rows["none", 0.0]
    assert clean["accuracy"] == [figures["accuracy"]] and clean["accuracy_sd"] is None
    for kind in ("bw", "em", "ma"):
        assert len(rows[kind, 0.0]["accuracy"]) == 2 and rows[kind, 0.0]["accuracy_sd"] is not None
        assert rows[kind, 0.0]["accuracy_mean"] < rows[kind, 24.0]["accuracy_mean"] <= clean["accuracy_mean"]
    assert rows["clock", 0.1]["accuracy_mean"] > rows["lead", 0.0]["accuracy_mean"]
    assert plot.read_text().startswith("<?xml") and "noise, SNR in dB" in plot.read_text()
    assert bnn("robustness", "ecg17", "--out", target).code == 2  # not without --force


def test_robustness_as_csv(result, tmp_path):
    from bnn.cli.robustness import _content

    rows = list(csv.DictReader(_content(result, ".csv").splitlines()))
    assert [row["group"] for row in rows] == ["none", "bw"]
    assert rows[1]["accuracy_mean"] == "0.5" and rows[1]["protocol"] == "kfold" and rows[0]["accuracy_sd"] == ""


@pytest.fixture
def result():
    """The form of a result, with two rows."""
    from bnn.cli.robustness import FORMAT, Row

    rows = [Row("none", 0.0, "", (0.9,), (0.8,)), Row("bw", 6.0, "dB", (0.4, 0.6), (0.3, 0.5))]
    head = {"format": FORMAT, "graph": "g", "set": "s", "protocol": "kfold", "seed": 0, "fold": 1, "part": "test"}
    return {**head, "windows": 7, "repeats": 2, "rows": [row.to_dict() for row in rows]}


def test_figures_that_bnn_did_not_write(refused, tmp_path):
    from bnn.cli.robustness import read_robustness
    from bnn.errors import FileError

    for content in ("{", "[]", '{"format": "other"}'):
        (tmp_path / "r.json").write_text(content)
        with pytest.raises(FileError, match="r.json: .*write it with `bnn robustness GRAPH --out FILE.json`"):
            read_robustness(tmp_path / "r.json")


def test_bad_use(refused, tmp_path, monkeypatch):
    assert ".json or .csv" in refused("robustness", "ecg17", "--out", tmp_path / "r.txt")
    monkeypatch.delenv("BNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "bnn data fetch" in refused("robustness", "ecg17")


def test_evaluate_withholds_answers(bnn, mitdb):
    plain = json.loads(bnn("evaluate", "ecg17", "--json").out)
    assert "rejection" not in plain
    sure = json.loads(bnn("evaluate", "ecg17", "--min-confidence", 0.9, "--json").out)["rejection"]
    assert 0.5 < sure["coverage"] < 1 and sure["accuracy"] > plain["accuracy"]
    assert sure["coverage"] == sure["answered"] / plain["windows"] and 0 < sure["aurc"] < 1 - plain["accuracy"]
    everything = json.loads(bnn("evaluate", "ecg17", "--min-confidence", 0, "--json").out)["rejection"]
    assert everything["coverage"] == 1 and everything["accuracy"] == plain["accuracy"]
    assert "171 of 200 windows are answered" in bnn("evaluate", "ecg17", "--min-confidence", 0.9).out


def test_classify_withholds_answers(bnn, tmp_path):
    path = tmp_path / "ecg.npy"
    np.save(path, synthetic_recording(32.0, seed=1).signal)
    how = ("classify", path, "--fs", 360, "--gain", 200, "--zero", 1024)
    plain = json.loads(bnn(*how, "--json").out)["windows"]
    limit = sum(sorted(v["confidence"] for v in plain)[:2]) / 2  # between the least sure and the next
    withheld = json.loads(bnn(*how, "--min-confidence", limit, "--json").out)["windows"]
    assert [v["answered"] for v in withheld] == [v["confidence"] >= limit for v in plain]
    assert [v["label"] for v in withheld] == [v["label"] for v in plain]
    assert bnn(*how, "--min-confidence", limit).out.count("unsure") == 1


def test_confidence_needs_the_logit_scale(refused, mitdb, tmp_path):
    network = graphs.load(zoo.graph_path("ecg17"))
    del network.about["logit_scale"]
    graphs.save(network, tmp_path / "old.graph")
    line = refused("evaluate", tmp_path / "old.graph", "--min-confidence", 0.5)
    assert "does not say the logit scale" in line and "bnn lower" in line


@pytest.mark.parametrize("key", ["set", "protocol", "seed", "fold"])
def test_a_graph_that_does_not_say_where_it_comes_from(refused, mitdb, tmp_path, key):
    network = graphs.load(zoo.graph_path("ecg17"))
    del network.about[key]
    graphs.save(network, tmp_path / "mute.graph")
    for command in ("evaluate", "robustness", "report"):
        line = refused(command, tmp_path / "mute.graph")
        assert f"does not say the {key} of its training; name one with --{key}" in line


@pytest.mark.parametrize("command", [("evaluate", "ecg17"), ("classify", "100")])
def test_a_threshold_is_a_probability(refused, command):
    assert "--min-confidence is 90, wanted a probability" in refused(*command, "--min-confidence", 90)
