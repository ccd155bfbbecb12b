"""Measuring pieces, each kept as a file, so that a run that was stopped goes on where it was."""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.mcu.grid import DEFAULT_COMPILER, DEFAULT_LEVEL, INT8, MAIN, TEXTBOOK, Piece
from benchmarks.mcu.textbook import write_textbook
from bnn.cli.common import load_windows, open_graph, progress_bar, spread
from bnn.errors import BnnError
from bnn.files import write_atomic
from bnn.sim import simulate
from firmware.compilers import find_compiler
from firmware.energy import CORES
from firmware.measure import measure
from firmware.profile import profile
from firmware.runners import open_runner

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "mcu"
"""Where results are kept, by a digest of all that they depend on."""
WINDOWS, INT8_WINDOWS = 3, 1
"""The slowest counts. What int8 kernels do does not depend on the window, and emulating them is slow."""


@dataclass
class Figures:
    """rows   one a measurement: firmware.measure's fields, with network, build, label and kind of compiler
    left_out  reasons, by piece, why others are not there
    """

    rows: list[dict] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def run(pieces: Iterable[Piece], jobs: int = 2) -> Figures:
    """Measure all pieces, or take what was kept; a piece that cannot be measured is named with its reason."""
    pieces = list(pieces)
    figures, seen = Figures(), set()
    with (
        tempfile.TemporaryDirectory(prefix="bnn-mcu-") as folder,
        ThreadPoolExecutor(jobs) as pool,
        progress_bar("microcontrollers", len(pieces)) as done,
    ):
        rows = pool.map(lambda piece: _try(piece, Path(folder)), pieces)
        for number, (piece, row) in enumerate(zip(pieces, rows, strict=True), 1):
            done(number)
            if isinstance(row, str):
                figures.left_out[str(piece)] = row
            elif row["key"] not in seen:  # a limit that changes nothing gives the same sources
                seen.add(row["key"])
                figures.rows.append(row)
    return figures


def _try(piece: Piece, folder: Path) -> dict | str:
    try:
        return measured(piece, folder)
    except BnnError as error:
        lines = str(error).splitlines()
        return " ".join(dict.fromkeys((lines[0], lines[-1])))  # of a compiler's message, its end says why


def measured(piece: Piece, folder: Path) -> dict:
    """One row, from the file that keeps it or measured now. `folder` holds sources, which all levels share."""
    compiler = find_compiler(piece.target, piece.compiler)
    x = windows(piece.network)[: INT8_WINDOWS if piece.variant.label == INT8 else WINDOWS]
    sources = _sources(piece, folder)
    key = digest(sources, piece, str(compiler), x)
    kept = KEPT / f"{key}.json"
    if not kept.exists():
        if piece.variant.label == TEXTBOOK:
            check_textbook(piece.network)
        row = measure(sources, piece.target, x, opt=piece.level, compiler=compiler).as_dict()
        row |= _estimated(piece, sources, x, compiler)
        write_atomic(kept, json.dumps(row) + "\n")
    labels = {"network": piece.network, "build": piece.build, "label": piece.variant.label, "kind": piece.compiler}
    return json.loads(kept.read_text()) | labels | {"key": key}


def _sources(piece: Piece, folder: Path) -> Path:
    """The C of a piece, written once for all levels and compilers."""
    name = re.sub(r"\W+", "_", f"{piece.network} {piece.variant.label} {piece.target.name}")
    if not (folder / name).exists():
        with tempfile.TemporaryDirectory(dir=folder) as fresh:  # two threads may come at once: the first to finish wins
            written = piece.variant.write(_opened(piece.network), piece.target, Path(fresh) / "c")
            with suppress(OSError):
                written.rename(folder / name)
    return folder / name


@cache
def _opened(network: str):
    return open_graph(network)


@cache
def windows(network: str) -> np.ndarray:
    """The first WINDOWS windows of the network's set, classes in turn."""
    loaded = load_windows(_opened(network).set_name)
    return loaded.x[spread(loaded, WINDOWS)]


def digest(sources: Path, piece: Piece, compiler: str, x: np.ndarray) -> str:
    """Of what a measurement depends on: the C without its first comments, which name the command, and the build."""
    made = hashlib.sha256(f"{piece.network} {piece.target} {piece.level} {compiler}".encode() + x.tobytes())
    for path in sorted(sources.glob("*.[ch]")):
        made.update(path.name.encode() + path.read_bytes().split(b"*/", 1)[-1])
    for path in sorted((ROOT / "firmware" / "ports").rglob("*.*")):
        made.update(path.read_bytes())
    return made.hexdigest()[:24]


@cache
def check_textbook(network: str) -> None:
    """The textbook network must say what the simulator says, before it is compared with anything."""
    graph, x = _opened(network).graph, windows(network)
    with tempfile.TemporaryDirectory(prefix="bnn-mcu-") as folder:
        sources = write_textbook(graph, Path(folder) / "c")
        got = open_runner(sources, "host", Path(folder), traced=False).run(x)
    np.testing.assert_array_equal(got.logits, simulate(graph, {graph.signals[0].name: x}).logits)


def _estimated(piece: Piece, sources: Path, x: np.ndarray, compiler) -> dict:
    """Kinds of executed instructions, where estimates of energy are made of them."""
    wanted = piece.network == MAIN and (piece.level, piece.compiler) == (DEFAULT_LEVEL, DEFAULT_COMPILER)
    if not wanted or piece.target.name not in {core.target for core in CORES.values()}:
        return {}
    made = profile(sources, piece.target, x, opt=piece.level, compiler=compiler)
    return {"kinds": made.counts, "registers": made.registers}
