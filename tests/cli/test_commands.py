"""What the commands print and write."""

import json

import numpy as np
import pytest

from bnn import zoo
from bnn.data.synthetic import synthetic_recording


@pytest.fixture
def recording(tmp_path):
    """Half a minute of a synthetic ECG as .npy of ADC steps."""
    path = tmp_path / "ecg.npy"
    np.save(path, synthetic_recording(32.0, seed=1).signal)
    return path


def classify(bnn, path, *more) -> list[dict]:
    ran = bnn("classify", path, "--fs", 360, "--gain", 200, "--zero", 1024, "--json", *more)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["windows"]


def test_classify_prints_one_verdict_a_window(bnn, recording):
    verdicts = classify(bnn, recording)
    assert [(v["start_s"], v["end_s"]) for v in verdicts] == [(0.0, 10.0), (10.0, 20.0), (20.0, 30.0)]
    for v in verdicts:
        assert v["margin"] >= 0 and v["label"] != v["runner_up"]


def test_classify_a_part(bnn, recording):
    whole = classify(bnn, recording)
    assert classify(bnn, recording, "--begin", 10, "--seconds", 10) == whole[1:2]


def test_classify_resamples(bnn, recording, tmp_path):
    """The same signal at twice the rate and another gain gets the same classes."""
    signal = np.load(recording).astype(float)
    fine = np.interp(np.arange(2 * len(signal)) / 2, np.arange(len(signal)), signal)
    np.savetxt(tmp_path / "fine.csv", (fine - 1024) / 200, header="mV", comments="")
    ran = bnn("classify", tmp_path / "fine.csv", "--fs", 720, "--gain", 1, "--json")
    assert ran.code == 0, ran.err
    labels = [v["label"] for v in json.loads(ran.out)["windows"]]
    assert labels == [v["label"] for v in classify(bnn, recording)]


@pytest.mark.parametrize("suffix, magic", [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_classify_draws(bnn, recording, tmp_path, suffix, magic):
    plot = tmp_path / f"trace{suffix}"
    classify(bnn, recording, "--plot", plot)
    assert plot.read_bytes().startswith(magic)


@pytest.mark.parametrize("name", zoo.names("ecg"))
def test_inspect(bnn, name):
    ran = bnn("inspect", name, "--json")
    layers = json.loads(ran.out)["layers"]
    macs = {"ecg5": 5_937_008, "ecg17": 6_254_192, "ecg5-plus": 9_414_664, "ecg-aami": 9_398_144}[name]
    assert sum(layer["macs"] for layer in layers) == macs
    text = bnn("inspect", name).out
    assert all(layer["name"] in text for layer in layers)


def test_simulate_a_file(bnn, recording, tmp_path):
    x = np.load(recording)[: 3 * 3600].reshape(3, 3600)
    np.save(tmp_path / "x.npy", x)
    target = tmp_path / "y.npz"
    ran = bnn("simulate", "ecg17", "--input", tmp_path / "x.npy", "--tensors", "--out", target, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["windows"] == 3
    with np.load(target) as saved:
        assert saved["logits"].shape == (3, 17)
        assert saved["block1.stats"].shape == (3, 2)
        np.testing.assert_array_equal(saved["classes"], saved["logits"].argmax(axis=1))
    assert bnn("simulate", "ecg17", "--input", tmp_path / "x.npy", "--out", target).code == 2


def test_evaluate_names_its_protocol(bnn, mitdb):
    text = bnn("evaluate", "ecg17").out
    assert "protocol paper (seed 0), test part" in text and "SYNTHETIC" not in text
    figures = json.loads(bnn("evaluate", "ecg17", "--json").out)
    assert figures["protocol"] == "paper" and figures["part"] == "test" and not figures["synthetic"]


@pytest.mark.parametrize(
    ("name", "least"), [("ecg17", 0.945), ("ecg5", 0.945), ("ecg5-plus", 0.96), ("ecg-aami", 0.75)]
)
def test_the_zoo_is_as_good_as_its_cards_say(bnn, mitdb, name, least):
    figures = json.loads(bnn("evaluate", name, "--json").out)
    assert figures["accuracy"] >= least
    card = (zoo.FOLDER / f"{name}.md").read_text()
    assert f"{100 * figures['accuracy']:.2f} %" in card and f"{figures['macro_f1']:.3f}" in card


def test_sets_of_windows_and_of_nights_are_listed(bnn, monkeypatch, tmp_path):
    monkeypatch.delenv("BNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = json.loads(bnn("data", "list", "--json").out)
    assert found["mitdb"] is None and "ecg17" in found["sets"] and "inter-patient" in found["protocols"]
    assert list(found["sleep"])[:3] == ["sleep-edf-20", "sleep-edf-78", "isruc-1"] and "shhs" in found["sleep"]
    assert "SYNTHETIC" in found["sleep"]["sleep-synthetic"] and "leave-one-out" in found["sleep_protocols"]
    text = bnn("data", "list").out
    assert "bnn data fetch sleep-edf-20" in text and "sleepdata.org" in text and "10 folds by subject" in text


def test_synthetic_figures_say_so(bnn):
    ran = bnn("evaluate", "ecg17", "--synthetic")
    assert ran.code == 0 and "SYNTHETIC" in ran.out


def test_without_records_the_signals_are_synthetic(bnn, monkeypatch, tmp_path):
    monkeypatch.delenv("BNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ran = bnn("verify", "ecg17", "--on", "host", "--windows", 2, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["synthetic"] is True
    assert "SYNTHETIC" in ran.err and "bnn data fetch" in ran.err


def test_verify_lists_what_it_compared(bnn):
    ran = bnn("verify", "ecg17", "--on", "host,cortex-m4", "--windows", 2, "--json")
    assert ran.code == 0, ran.err
    targets = json.loads(ran.out)["targets"]
    assert [t["target"] for t in targets] == ["host", "cortex-m4"]
    for target in targets:
        assert target["difference"] is None and target["windows"] == 2
        # What is not stored: the samples themselves, sums that a kernel compares at once, bits that it pools at once.
        pooled = [f"block{i}.{what}" for i in range(2, 6) for what in ("acc", "bits")]
        assert target["unseen"] == ["ecg", "block1.acc", *pooled]
        assert {"block1.stats", "block1", "block4", "block6.acc", "logits"} <= set(target["tensors"])


def test_bench_prints_one_object_a_target(bnn):
    ran = bnn("bench", "ecg17", "--on", "cortex-m0,cortex-m4", "--windows", 1, "--json")
    assert ran.code == 0, ran.err
    first, second = json.loads(ran.out)
    assert (first["target"], second["target"]) == ("cortex-m0", "cortex-m4")
    for row in (first, second):
        assert row["graph"] == "ecg17" and row["compiler"]
        assert 1e6 < row["instructions"] <= sum(row["per_layer"].values())
        assert row["flash"] > 4500 and row["ram"] < 6144 and 0 < row["stack"] < 2048 and row["samples"] == 7200


def test_bench_estimates_energy_and_says_so(bnn):
    ran = bnn("bench", "ecg5", "--on", "cortex-m4,rv32imc", "--windows", 1, "--energy", "--json")
    m4, rv32 = json.loads(ran.out)
    assert sum(m4["estimate"]["kinds"].values()) == m4["instructions"]
    assert "nRF52840" in [row["chip"] for row in m4["estimate"]["estimates"]]
    assert "ESTIMATE" in m4["estimate"]["remark"] and "estimate" not in rv32


def test_bench_marks_every_estimate_as_one(bnn):
    ran = bnn("bench", "ecg5", "--on", "cortex-m4", "--windows", 1, "--energy")
    shown = ran.out.split("ESTIMATES for one window")[1]
    assert shown.count("(estimate)") == 4 and "All of this is an ESTIMATE" in shown
    ran = bnn("bench", "ecg5", "--on", "rv32imc", "--windows", 1, "--energy")
    assert "No estimate: none of these targets is an Arm core" in ran.out


def test_bench_keeps_to_a_limit_of_ram_and_shows_what_was_predicted(bnn):
    ran = bnn("bench", "ecg17", "--on", "cortex-m4", "--windows", 1, "--max-ram", 4096, "--compare")
    assert ran.code == 0 and "predicted" in ran.out and "lanes_conv_pool" in ran.out
    ran = bnn("bench", "ecg17", "--on", "cortex-m4", "--windows", 1, "--max-ram", 4096, "--json")
    assert json.loads(ran.out)[0]["ram"] <= 4096


def test_evaluate_the_trained_network(bnn, mitdb):
    pytest.importorskip("torch")
    trained = json.loads(bnn("evaluate", zoo.model_path("ecg17"), "--json").out)
    lowered = json.loads(bnn("evaluate", "ecg17", "--json").out)
    assert trained["kind"] == "trained network, binary" and lowered["kind"] == "integer graph"
    assert abs(trained["accuracy"] - lowered["accuracy"]) <= 0.002


def test_lower_gives_the_graph_of_the_zoo(bnn, mitdb, tmp_path):
    pytest.importorskip("torch")
    ran = bnn("lower", "ecg17", "--out", tmp_path / "again.graph", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["stages"]["main"]["same"] >= 0.995
    assert (tmp_path / "again.graph").read_bytes() == zoo.graph_path("ecg17").read_bytes()


def test_train_then_lower(bnn, tmp_path):
    pytest.importorskip("torch")
    run = tmp_path / "run"
    ran = bnn("train", "ecg17", "--synthetic", "--with", "epochs=1", "--out", run, "--accelerator", "cpu")
    assert ran.code == 0, ran.err
    assert "SYNTHETIC" in ran.out and "stratified" in ran.out
    lowered = bnn("lower", run, "--out", tmp_path / "x.graph", "--name", "tiny", "--synthetic", "--json")
    assert lowered.code in (0, 1), lowered.err
    assert json.loads(bnn("inspect", tmp_path / "x.graph", "--json").out)["graph"] == "tiny"


def test_demo_writes_a_page(bnn, tmp_path):
    ran = bnn("demo", "--out", tmp_path / "demo")
    assert ran.code == 0, ran.err
    page = (tmp_path / "demo" / "index.html").read_text()
    assert page.count("<svg") == 2 and page.count(">equal<") == 2 and "cortex-m4" in page
    assert (tmp_path / "demo" / "ecg17" / "ecg17.c").is_file()
    assert bnn("demo", "--out", tmp_path / "demo").code == 2


def test_help_of_every_command(bnn):
    text = bnn("--help").out
    for command in "data train evaluate lower inspect simulate generate verify bench demo classify".split():
        assert command in text
        assert bnn(command, "--help").code == 0


def test_version(bnn):
    assert bnn("--version").out.startswith("bnn 0.")
