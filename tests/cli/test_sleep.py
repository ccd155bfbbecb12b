"""From nights to a network with exits, and its figures at a speed, on the command line."""

import csv
import json

import pytest

pytest.importorskip("torch")

from bnn.data.sleep import sets  # noqa: E402
from bnn.data.sleep.synthetic import synthetic_nights  # noqa: E402

TINY = ("features=8", "feed_forward=16", "epochs=1", "student_epochs=1", "batch=32")


@pytest.fixture
def few(monkeypatch):
    """A few synthetic nights stand for the set of many."""
    monkeypatch.setitem(sets.LOADERS, sets.SYNTHETIC, lambda: synthetic_nights(4, 1, 16))


@pytest.fixture
def run(bnn, few, tmp_path):
    changes = [text for change in TINY for text in ("--with", change)]
    ran = bnn("train", "sleep", "--set", "sleep-synthetic", "--fold", 3, *changes, "--out", tmp_path / "run",
              "--accelerator", "cpu")  # fmt: skip
    assert ran.code == 0, ran
    assert "SYNTHETIC signals: these figures say nothing about patients" in ran.out
    assert "protocol subjects (seed 0, fold 3), test part, 16 windows" in ran.out
    assert "Each exit alone" in ran.out and "kappa" in ran.out
    return tmp_path / "run"


def test_evaluation_at_a_speed_and_a_sweep(bnn, run, tmp_path):
    fast = json.loads(bnn("evaluate", run, "--speed", 1, "--json").out)
    assert (fast["set"], fast["synthetic"], fast["protocol"], fast["fold"]) == ("sleep-synthetic", True, "subjects", 3)
    assert [e["epochs"] for e in fast["exits"]] == [16, 0, 0]
    whole = json.loads(bnn("evaluate", run, "--json").out)
    assert [e["name"] for e in whole["exits"]] == ["eeg", "eog", "emg"]
    assert whole["exits"][0]["accuracy"] == fast["accuracy"] and whole["exits"][2]["accuracy"] == whole["accuracy"]
    assert "At speed 0.5, " in bnn("evaluate", run, "--speed", 0.5).out

    table, plot = tmp_path / "speeds.csv", tmp_path / "speeds.svg"
    text = bnn("sweep", run, "--speed", "0:1:0.25", "--out", table, "--plot", plot).out
    assert "sleep-synthetic, SYNTHETIC signals, subjects (seed 0, fold 3), test part, 16 epochs" in text
    rows = list(csv.DictReader(table.open()))
    assert [float(row["speed"]) for row in rows] == [0, 0.25, 0.5, 0.75, 1]
    assert {(row["set"], row["synthetic"], row["protocol"], row["fold"]) for row in rows} == {
        ("sleep-synthetic", "True", "subjects", "3")
    }
    assert float(rows[0]["accuracy"]) == whole["accuracy"] and float(rows[-1]["accuracy"]) == fast["accuracy"]
    assert float(rows[-1]["macs"]) == round(fast["macs"])
    assert "SYNTHETIC" in plot.read_text()
    points = json.loads(bnn("sweep", run, "--speed", "0:1:0.25", "--json").out)["points"]
    assert [point["share_eeg"] for point in points] == [float(row["share_eeg"]) for row in rows]


def test_what_a_sleep_network_is_not_for(refused, run, tmp_path):
    assert "speed is 1.5, wanted 0" in refused("evaluate", run, "--speed", 1.5)
    line = refused("lower", run, "--out", tmp_path / "x.graph")
    assert "holds a network 'sleep', wanted 'ecg' or 'sleep-binary'" in line
    assert "--speed is 0.5, wanted FROM:TO:STEP" in refused("sweep", run, "--speed", "0.5")
    assert "one exit, so a speed decides nothing" in refused("evaluate", "ecg17", "--speed", 0.5)
    assert "has one exit, so no speed" in refused("sweep", "ecg17")
    (tmp_path / "there.csv").write_text("mine")
    assert "exists already" in refused("sweep", run, "--out", tmp_path / "there.csv")


def test_nights_must_be_named_and_fit_the_task(refused, few, tmp_path):
    assert "task sleep: which nights? Name them with --set, one of sleep-edf-20" in refused("train", "sleep")
    line = refused("train", "ecg17", "--set", "sleep-synthetic", "--out", tmp_path / "run")
    assert "trains on windows of an ECG, but sleep-synthetic holds nights of sleep" in line
    assert "fold 4 is out of range, wanted 0 to 3" in refused("train", "sleep", "--synthetic", "--fold", 4)


@pytest.fixture
def binary(bnn, few, tmp_path):
    """A binarised network of one epoch's training, and its graph."""
    fields = ("epochs=1", "student_epochs=1", "features=8", "hidden=16", "exits=2")
    changes = [text for field in fields for text in ("--with", field)]
    ran = bnn("train", "sleep", "--set", "sleep-synthetic", "--recipe", "tiny", "--fold", 3, *changes, "--out",
              tmp_path / "binary", "--accelerator", "cpu")  # fmt: skip
    assert ran.code == 0, ran
    lowered = bnn("lower", tmp_path / "binary", "--out", tmp_path / "x.graph", "--name", "tiny", "--json")
    stages = json.loads(lowered.out)["stages"]
    assert list(stages) == ["eeg", "eog"] and all(stage["same"] > 0.95 for stage in stages.values())
    return tmp_path / "binary", tmp_path / "x.graph"


def test_a_binarised_network_and_its_graph_have_the_same_figures(bnn, binary, tmp_path):
    run, graph = binary
    trained, lowered = (json.loads(bnn("evaluate", model, "--json").out) for model in (run, graph))
    assert (trained["kind"], lowered["kind"]) == ("trained network, binary", "integer graph")
    for ours, theirs in zip(lowered["exits"], trained["exits"], strict=True):
        assert ours["name"] == theirs["name"] and abs(ours["accuracy"] - theirs["accuracy"]) <= 1 / 16
    fast = json.loads(bnn("evaluate", graph, "--speed", 1, "--json").out)
    assert fast["accuracy"] == lowered["exits"][0]["accuracy"] and fast["exits"][0]["share"] == 1


def test_a_sweep_counts_instructions_of_the_stages_that_run(bnn, binary, refused):
    run, graph = binary
    swept = bnn("sweep", graph, "--speed", "0:1:1", "--on", "cortex-m4", "--json")
    whole, first = json.loads(swept.out)["points"]
    assert 0 < first["instructions"] < whole["instructions"] * 0.8
    assert "--on cortex-m4 counts the instructions of generated C" in refused("sweep", run, "--on", "cortex-m4")


def test_commands_of_one_lead_say_what_they_take(binary, refused, tmp_path):
    _, graph = binary
    for words in (
        ("classify", "100", "--graph"),
        ("robustness",),
        ("export", "--out", tmp_path / "x.onnx"),
        ("demo", "--graph"),
    ):
        assert "takes networks of one lead, such as ecg5" in refused(*words, graph)
    assert "no stage ecg has an exit; those that do are eeg, eog" in refused(
        "generate", graph, "--until", "ecg", "--out", tmp_path / "c"
    )


def test_a_page_on_a_run_and_on_a_graph(bnn, run, binary, tmp_path):
    for number, model in enumerate((run, binary[1])):
        page = tmp_path / f"{number}.html"
        assert bnn("report", model, "--out", page).code == 0
        text = page.read_text()
        assert "These signals are synthetic: no patient stands behind them." in text
        assert all(f"<h2>{title}</h2>" in text for title in ("Figures", "Exits", "What a speed buys", "Classes"))
        assert ("<h2>Learning</h2>" in text) == (model == run) and "<td>EOG</td>" in text


def test_a_page_with_instructions(bnn, binary, refused, tmp_path):
    page = tmp_path / "page.html"
    assert bnn("report", binary[1], "--on", "cortex-m4", "--out", page).code == 0
    assert "instructions, cortex-m4" in page.read_text()
    line = refused("report", "ecg17", "--on", "cortex-m4", "--out", tmp_path / "x.html")
    assert "counts instructions over several exits, but ecg17" in line and "leave --on out" in line
