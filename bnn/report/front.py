"""The size-accuracy front: what a kilobyte more buys.

The points come as a JSON file, a list of objects:

    [{"name": "ecg17", "bytes": 4648, "accuracy": 0.9284, "sd": 0.0156, "protocol": "stratified", "set": "ecg17"}]

bytes     what the network stores, by `bnn inspect`: weights, thresholds, factors, tables
accuracy  mean over the seeds or folds of the protocol, in [0, 1]
sd        their standard deviation, in [0, 1]; null for a single run
"""

import json
from dataclasses import dataclass
from pathlib import Path

from bnn.errors import FileError
from bnn.report.plots import COLOURS, GRID, pyplot

KINDS = {"name": str, "bytes": int, "accuracy": float | int, "sd": float | int | None, "protocol": str, "set": str}


@dataclass(frozen=True, slots=True)
class Point:
    """One network, as in the file."""

    name: str
    bytes: int
    accuracy: float
    sd: float | None
    protocol: str
    set: str


def read_points(path: Path) -> list[Point]:
    """The points of a file. Raises FileError if it cannot be read or a point is not as described above."""
    try:
        entries = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: not readable as JSON ({error}); bnn.report.front says what it holds") from error
    if not isinstance(entries, list) or not entries:
        raise FileError(f"{path}: holds no list of points; bnn.report.front says what a point is")
    return [_point(path, i, entry) for i, entry in enumerate(entries)]


def _point(path: Path, i: int, entry) -> Point:
    if not isinstance(entry, dict) or set(entry) != set(KINDS):
        got = ", ".join(entry) if isinstance(entry, dict) else type(entry).__name__
        raise FileError(f"{path}: point {i} has {got}, wanted {', '.join(KINDS)}")
    for field, kind in KINDS.items():
        value = entry[field]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise FileError(f"{path}: {field} of point {i} is {value!r}, wanted {getattr(kind, '__name__', kind)}")
    if not (entry["bytes"] > 0 and 0 <= entry["accuracy"] <= 1 and 0 <= (entry["sd"] or 0) <= 1):
        raise FileError(f"{path}: point {i} is out of range; bytes are above 0, accuracy and sd shares from 0 to 1")
    return Point(**entry)


def best(points: list[Point]) -> list[Point]:
    """Those that no other equals in accuracy with fewer bytes, or beats with as many; smallest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.bytes, -p.accuracy)):
        if not kept or point.accuracy > kept[-1].accuracy:
            kept.append(point)
    return kept


def front(points: list[Point]):
    """Accuracy (in %) against size (in KB), one colour a set and protocol, a line along the best of each."""
    figure, axis = pyplot().subplots(figsize=(8, 4.2))
    for i, series in enumerate(dict.fromkeys((p.set, p.protocol) for p in points)):
        colour, members = COLOURS[i % len(COLOURS)], [p for p in points if (p.set, p.protocol) == series]
        line = best(members)
        axis.plot(*_places(line), color=colour, linewidth=1.0, alpha=0.6)
        spread = [100 * (p.sd or 0) for p in members]
        axis.errorbar(*_places(members), spread, fmt="o", color=colour, markersize=4, capsize=2.5,
                      linewidth=0.9, label=f"{series[0]}, {series[1]}")  # fmt: skip
        for p, x, y in zip(members, *_places(members), strict=True):
            axis.annotate(p.name, (x, y), xytext=(5, -10), textcoords="offset points", fontsize=8, color=colour)
    sizes = _places(points)[0]
    axis.set_xscale("log", base=2)
    ticks = [2**k for k in range(-3, 9) if min(sizes) / 1.5 <= 2**k <= max(sizes) * 1.5]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xlim(min(sizes) / 1.3, max(sizes) * 1.5)
    axis.minorticks_off()
    axis.grid(color=GRID, linewidth=0.5)
    axis.set_axisbelow(True)
    axis.set_xlabel("weights, thresholds, factors and tables, KB (1 KB = 1024 B)")
    axis.set_ylabel("accuracy, %")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, loc="lower right")
    return figure


def _places(points: list[Point]) -> tuple[list[float], list[float]]:
    return [p.bytes / 1024 for p in points], [100 * p.accuracy for p in points]
