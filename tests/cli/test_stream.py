"""The streaming form through the command line."""

import json

import pytest

from bnn import zoo
from bnn.graph import load
from codegen import stream_plan


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


def test_options_that_do_not_go_together(refused, tmp_path):
    line = refused("generate", "ecg5", "--stream", "--kernels", "lanes", "--out", tmp_path / "c")
    assert "--stream --kernels lanes" in line and "leave the others out" in line
    assert "raise the limit" in refused("bench", "ecg5", "--stream", "--max-ram", 300, "--on", "cortex-m4")
    assert not (tmp_path / "c").exists()
