"""The streaming form through the command line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bnn import zoo
from bnn.data.synthetic import synthetic_recording
from bnn.graph import load, save
from codegen import stream_plan
from tests.codegen.models import ecg_graph
from tests.graphs import by_the_past


def test_generate(bnn, tmp_path):
    ran = bnn("generate", "ecg5", "--stream", "--out", tmp_path / "c")
    need = stream_plan(load(zoo.graph_path("ecg5"))).state_bytes
    assert ran.code == 0 and f"{need} B of RAM beside 7200 B of samples" in " ".join(ran.out.split())
    manifest = json.loads((tmp_path / "c" / "ecg5.json").read_text())
    assert manifest["command"] == "bnn generate ecg5.graph --target cortex-m4 --stream"
    assert (manifest["form"], manifest["context_bytes"] - manifest["kept_bytes"]) == ("stream", need)


def test_verify(bnn):
    pytest.importorskip("unicorn")
    ran = bnn("verify", "ecg17", "--stream", "--on", "host,cortex-m0", "--windows", 2, "--json")
    assert ran.code == 0, ran.err
    layers = [node.name for node in load(zoo.graph_path("ecg17")).nodes()]
    for proof in json.loads(ran.out)["targets"]:
        assert proof["difference"] is None
        assert set(proof["tensors"]) - set(layers) == {"logits (as shipped)", "class (as shipped)"}
        assert set(layers) - set(proof["tensors"]) == {f"block{i}.acc" for i in range(1, 6)}


def test_bench(bnn):
    """RAM is what the plan says, and most of the work comes with the last sample."""
    pytest.importorskip("unicorn")
    ran = bnn("bench", "ecg5", "--stream", "--on", "cortex-m4", "--windows", 1, "--json")
    assert ran.code == 0, ran.err
    (row,) = json.loads(ran.out)
    assert row["ram"] == stream_plan(load(zoo.graph_path("ecg5"))).state_bytes
    assert row["samples"] == 7200 and row["stack"] < 512
    assert 0.9 * row["instructions"] < row["largest_push"] < row["instructions"]
    assert 0 <= sum(row["per_layer"].values()) - row["instructions"] < 0.05 * row["instructions"]
    assert "largest push" in bnn("bench", "ecg5", "--stream", "--on", "cortex-m4", "--windows", 1).out


@pytest.fixture
def past_graph(tmp_path):
    """A network of random weights that normalises by the past, as a file."""
    graph = by_the_past(ecg_graph())
    save(replace(graph, classes=("N", "S", "V", "F", "Q"), about={"set": "ecg5-past"}), tmp_path / "past.graph")
    return tmp_path / "past.graph"


def test_a_network_that_normalises_by_the_past(bnn, refused, past_graph, tmp_path):
    """No samples are kept, and no push takes more than a part of the work."""
    pytest.importorskip("unicorn")
    ran = bnn("verify", past_graph, "--stream", "--on", "host,cortex-m0", "--windows", 2)
    assert ran.code == 0 and ran.out.count(" equal ") == 2, ran.out
    (row,) = json.loads(bnn("bench", past_graph, "--stream", "--on", "cortex-m4", "--windows", 1, "--json").out)
    assert row["samples"] == 0 and row["ram"] < 600
    assert 0 < row["largest_push"] < 0.1 * row["instructions"]
    assert 0 <= sum(row["per_layer"].values()) - row["instructions"] < 0.05 * row["instructions"]
    line = refused("generate", past_graph, "--out", tmp_path / "c")
    assert "normalises by the past" in line and "--stream" in line


def test_classify_by_the_past(bnn, past_graph, tmp_path):
    """The first window has no class, and each is where it would be."""
    np.save(tmp_path / "ecg.npy", synthetic_recording(32.0, seed=1).signal)
    how = ("--fs", 360, "--gain", 200, "--zero", 1024, "--graph", past_graph, "--json")
    ran = bnn("classify", tmp_path / "ecg.npy", *how)
    assert ran.code == 0, ran.err
    assert [(w["start_s"], w["end_s"]) for w in json.loads(ran.out)["windows"]] == [(10.0, 20.0), (20.0, 30.0)]


def test_options_that_do_not_go_together(refused, tmp_path):
    line = refused("generate", "ecg5", "--stream", "--kernels", "lanes", "--out", tmp_path / "c")
    assert "--stream --kernels lanes" in line and "leave the others out" in line
    assert "raise the limit" in refused("bench", "ecg5", "--stream", "--max-ram", 300, "--on", "cortex-m4")
    assert "no choice of kernels" in refused("bench", "ecg5", "--stream", "--compare", "--on", "cortex-m4")
    assert not (tmp_path / "c").exists()
