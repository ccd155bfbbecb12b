"""Every kind of bad input ends in one clear line and exit code 2, and leaves nothing half-written."""

import json
import os

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from bnn import zoo

WINDOW = 3600


def wave(n: int = 2 * WINDOW) -> np.ndarray:
    return (1024 + 200 * np.sin(np.arange(n) / 20)).astype(np.int64)


@pytest.fixture
def graph_file():
    return zoo.graph_path("ecg17")


def test_record_that_is_not_there(refused, tmp_path):
    line = refused("classify", tmp_path / "nothing")
    assert "nothing.hea" in line and "no such" in line


def test_record_without_its_samples(refused, write_record):
    path = write_record(wave())
    path.with_suffix(".dat").unlink()
    assert "rec.dat" in refused("classify", path)


def test_truncated_samples(refused, write_record):
    path = write_record(wave())
    samples = path.with_suffix(".dat")
    samples.write_bytes(samples.read_bytes()[:5000])
    line = refused("classify", path)
    assert "rec" in line and ("truncated" in line or "shorter" in line or "cut" in line)


def test_changed_samples(refused, write_record):
    path = write_record(wave())
    samples = path.with_suffix(".dat")
    content = bytearray(samples.read_bytes())
    content[100] ^= 0x10
    samples.write_bytes(content)
    assert "checksum" in refused("classify", path)


def test_unknown_lead(refused, write_record):
    line = refused("classify", write_record(wave()), "--lead", "aVR")
    assert "aVR" in line and "MLII" in line and "V5" in line


def test_constant_signal(refused, write_record):
    signal = wave()
    signal[WINDOW:] = 1024
    line = refused("classify", write_record(signal))
    assert f"sample {WINDOW}" in line and "constant" in line


def test_signal_that_is_not_a_number(refused, tmp_path):
    samples = wave().astype(float)
    samples[17] = np.nan
    np.save(tmp_path / "a.npy", samples)
    line = refused("classify", tmp_path / "a.npy", "--fs", 360, "--gain", 200)
    assert "sample 17" in line and "nan" in line


def test_too_short_a_record(refused, write_record):
    line = refused("classify", write_record(wave(WINDOW - 1)))
    assert str(WINDOW - 1) in line and str(WINDOW) in line


@pytest.mark.parametrize("fs", [0, -360, 10, 1e7])
def test_wrong_sampling_rate(refused, tmp_path, fs):
    np.save(tmp_path / "a.npy", wave())
    line = refused("classify", tmp_path / "a.npy", "--fs", fs, "--gain", 200)
    assert "samples per second" in line


def test_bare_samples_without_a_rate(refused, tmp_path):
    np.save(tmp_path / "a.npy", wave())
    assert "--fs and --gain" in refused("classify", tmp_path / "a.npy")


def test_a_rate_for_a_record_that_has_its_own(refused, write_record):
    assert "--fs" in refused("classify", write_record(wave()), "--fs", 360)


def test_beginning_after_the_end(refused, write_record):
    assert "too short" in refused("classify", write_record(wave()), "--begin", 1000)


def test_graph_that_is_not_there(refused):
    line = refused("inspect", "ecg18")
    assert "ecg18" in line and "ecg17" in line


def test_damaged_graph(refused, graph_file, tmp_path):
    broken = tmp_path / "broken.graph"
    broken.write_bytes(graph_file.read_bytes()[:-100])
    assert "damaged" in refused("inspect", broken)


def test_newer_graph(refused, graph_file, tmp_path):
    with safe_open(graph_file, framework="numpy") as file:
        topology = json.loads(file.metadata()["bnn-graph"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    topology["version"] = 99
    save_file(tensors, tmp_path / "new.graph", {"bnn-graph": json.dumps(topology)})
    line = refused("inspect", tmp_path / "new.graph")
    assert "99" in line and "update" in line


def test_checkpoint_where_a_graph_is_wanted(refused):
    pytest.importorskip("torch")
    assert "bnn lower" in refused("inspect", zoo.model_path("ecg17"))


def test_checkpoint_of_another_model(refused, tmp_path):
    pytest.importorskip("torch")
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "model.safetensors", {"format": "other"})
    line = refused("lower", tmp_path / "model.safetensors", "--out", tmp_path / "x.graph")
    assert "other" in line and "bnn-checkpoint" in line
    assert not (tmp_path / "x.graph").exists()


def test_set_of_other_classes(refused, mitdb):
    line = refused("evaluate", "ecg17", "--set", "ecg5")
    assert "ecg5" in line and "classes" in line


def test_unknown_set_protocol_and_part(refused, mitdb):
    assert "ecg5-annotations" in refused("evaluate", "ecg17", "--set", "ecg18")
    assert "inter-patient" in refused("evaluate", "ecg17", "--protocol", "leave-one-out")
    assert "train, val, test" in refused("evaluate", "ecg17", "--part", "best")
    assert "no val part" in refused("evaluate", "ecg17", "--protocol", "stratified", "--part", "val")


def test_bnn_data_without_records(refused, tmp_path, monkeypatch):
    monkeypatch.setenv("BNN_DATA", str(tmp_path))
    assert "BNN_DATA" in refused("data", "check")
    assert "`bnn data fetch sleep-edf-20`" in refused("data", "check", "sleep-edf-20")
    assert "though BNN_DATA is set" in refused("data", "fetch", "sleep-edf-78")
    assert "sleeptight.isr.uc.pt" in refused("data", "fetch", "isruc-1")
    (tmp_path / "shhs").mkdir()
    assert "no checksums of it are published" in refused("data", "check", "shhs")
    (tmp_path / "sleep-edf" / "sleep-cassette").mkdir(parents=True)
    assert "78 of 78 files are missing or damaged" in refused("data", "fetch", "sleep-edf-20")


def test_windows_of_another_shape(refused, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 100), np.int16))
    line = refused("simulate", "ecg17", "--input", tmp_path / "x.npy")
    assert "(2, 1, 100)" in line and "1 x 3600" in line


def test_unknown_target(refused):
    line = refused("verify", "ecg17", "--on", "cortex-m99", "--windows", 1)
    assert "cortex-m99" in line and "cortex-m33" in line
    assert "cortex-m33" in refused("generate", "ecg17", "--target", "pic16", "--out", "never")


def test_no_compiler(refused, monkeypatch):
    monkeypatch.setattr("firmware.compilers._command", lambda kind, target: None)
    line = refused("verify", "ecg17", "--on", "cortex-m4", "--windows", 1)
    assert "compiler" in line and "pip install 'bnn-wearables[mcu]'" in line


def test_existing_output(refused, bnn, tmp_path):
    folder = tmp_path / "c"
    assert bnn("generate", "ecg17", "--out", folder).code == 0
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert "--force" in refused("generate", "ecg17", "--out", folder)
    assert before == {path: path.read_bytes() for path in folder.iterdir()}
    assert bnn("generate", "ecg17", "--out", folder, "--force").code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder(refused, tmp_path):
    tmp_path.chmod(0o500)
    assert "cannot be written" in refused("generate", "ecg17", "--out", tmp_path / "c")


def test_folder_that_is_a_file(refused, tmp_path):
    (tmp_path / "c").write_text("mine")
    line = refused("generate", "ecg17", "--out", tmp_path / "c")
    assert "cannot be written" in line
    assert (tmp_path / "c").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [tmp_path / "c"]


def test_plot_of_unknown_kind(refused, write_record, tmp_path):
    line = refused("classify", write_record(wave()), "--plot", tmp_path / "a.xyz")
    assert ".png" in line
    assert not (tmp_path / "a.xyz").exists()


def test_training_recipes(refused, tmp_path):
    pytest.importorskip("torch")
    assert "ecg5" in refused("train", "ecg18")
    assert "default" in refused("train", "ecg17", "--recipe", "fastest")
    assert "epochs" in refused("train", "ecg17", "--with", "epoch=3", "--out", tmp_path / "run")
    assert "FIELD=VALUE" in refused("train", "ecg17", "--with", "epochs")
    assert not (tmp_path / "run").exists()


def test_training_does_not_overwrite_a_run(refused, tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "run").mkdir()
    line = refused("train", "ecg17", "--synthetic", "--out", tmp_path / "run")
    assert "--resume" in line and "--force" in line


def test_a_fold_that_is_no_number(refused):
    assert "--fold is all, wanted a number, or all under a protocol that has folds" in refused(
        "train", "ecg17", "--fold", "all", "--synthetic"
    )


def test_runs_of_a_folder_without_any(refused, tmp_path):
    assert "no run.json there" in refused("runs", tmp_path)


@pytest.mark.parametrize("said", ["runs/x: stopped in epoch 3 of 9; go on with --resume", ""])
def test_an_interruption_says_what_is_kept(bnn, monkeypatch, said):
    def interrupted(*_, **__):
        raise KeyboardInterrupt(said)

    pytest.importorskip("torch")
    monkeypatch.setattr("bnn.cli.train.load_set", interrupted)
    ran = bnn("train", "ecg17", "--synthetic")
    assert (ran.code, ran.err) == (130, f"bnn: {said or 'interrupted'}\n")
