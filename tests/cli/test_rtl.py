"""Verilog from the command line."""

import json
import re

import pytest

from tests.golden import HERE


def test_generate_prints_folds_and_writes_what_the_manifest_names(bnn, tmp_path):
    folding = ("--folding", "block3.acc=2,8")
    ran = bnn("generate", "ecg5", "--target", "rtl", "--cycles", 120_000, *folding, "--out", tmp_path / "v")
    assert ran.code == 0, ran.err
    assert re.search(r"block3.acc +2,8 ", ran.out) and "estimates; no synthesis was run" in ran.out
    manifest = json.loads((tmp_path / "v" / "ecg5.json").read_text())
    assert manifest["cycles"] <= 120_000
    assert manifest["command"] == "bnn generate ecg5.graph --target rtl --cycles 120000 --folding block3.acc=2,8"
    assert all((tmp_path / "v" / name).is_file() for name in manifest["sources"] + manifest["images"])


def test_what_does_not_fit_is_refused(refused, tmp_path):
    out = ("--out", tmp_path / "v")
    said = refused("generate", "ecg5", "--target", "rtl", "--cycles", 3000, *out)
    assert "one sample a cycle and the statistics take 3662 cycles a window, but 3000 were asked for" in said
    assert "--cycles 9 is of Verilog, but the target is cortex-m4; add --target rtl" in refused(
        "generate", "ecg5", "--cycles", 9, *out
    )
    said = refused("generate", "ecg5", "--target", "rtl", "--kernels", "plain", *out)
    assert "--kernels plain chooses kernels in C, but the target is rtl; see --folding and --cycles" in said
    assert not (tmp_path / "v").exists()


@pytest.mark.full
@pytest.mark.parametrize("name", ["ecg5", "ecg17"])
def test_verify_over_50_windows(bnn, name):
    ran = bnn("verify", name, "--on", "rtl", "--json")
    assert ran.code == 0, ran.out + ran.err
    (target,) = json.loads(ran.out)["targets"]
    assert target["difference"] is None and target["unseen"] == ["ecg"] and target["windows"] == 50
    assert "cycles between windows" in ran.err


def test_windows_of_another_length_are_refused_before_anything_is_built(bnn):
    ran = bnn("verify", HERE / "ties.graph", "--on", "rtl", "--set", "ecg5", "--windows", 1)
    assert ran.code == 2 and "wanted int16 windows" in ran.err
