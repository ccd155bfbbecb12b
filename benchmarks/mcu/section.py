"""The section "Microcontrollers" of the results."""

from collections import Counter

from benchmarks.mcu.grid import DEFAULT_COMPILER, DEFAULT_LEVEL, INT8, MAIN, TEXTBOOK
from benchmarks.mcu.run import Figures
from benchmarks.results import markdown
from firmware.energy import CHIPS, CORES, estimates
from firmware.profile import Histogram

TITLE = "## Microcontrollers"
LEAD = f"""\
One window of ten seconds. **These are counts of instructions in emulation, not cycles and not time.** Flash is code
and constants; the samples, 7,200 B, come on top of RAM. `{TEXTBOOK}` is the same network by XOR and count, in words of
channels (`benchmarks/mcu/textbook.c`); `{INT8}` is a network of the same topology in int8, without claim of
accuracy. [docs/BENCHMARKS.md](../docs/BENCHMARKS.md) says how figures come about and what they do not say;
`python benchmarks/mcu` measures them again.
"""
ESTIMATE = """\
**Estimates**, nothing was measured on a chip: cycles by kind of instruction from Arm's manuals, without wait states;
current from datasheets, for other programs. Average current at one window in 10 s, without sleep, ADC and radio. Builds
are zig's with -Os.
"""
COUNTED = {"flash": "flash, B", "ram": "RAM, B", "stack": "stack, B", "instructions": "instructions"}


def section(figures: Figures) -> str:
    """All tables, as Markdown."""
    networks = list(dict.fromkeys(row["network"] for row in figures.rows))
    parts = [f"{TITLE}\n\n{LEAD}", fewest(figures.rows), estimated(figures.rows)]
    for network in networks:
        for kind in dict.fromkeys(row["kind"] for row in figures.rows):
            rows = [row for row in figures.rows if (row["network"], row["kind"]) == (network, kind)]
            if rows:
                parts.append(measured(network, rows))
                parts += layers(rows) if kind == DEFAULT_COMPILER else []
    return "\n".join([*parts, remarks(figures)]).rstrip() + "\n"


def fewest(rows: list[dict]) -> str:
    """For each variant and core the least of all levels and compilers; flash and RAM are those of the M4's."""
    rows = [row for row in rows if row["network"] == MAIN]
    cores = list(dict.fromkeys(row["target"] for row in rows))
    table = []
    for label in dict.fromkeys(row["label"] for row in rows):
        of_label = [row for row in rows if row["label"] == label]
        best = {core: least([row for row in of_label if row["target"] == core]) for core in cores}
        sized = best.get("cortex-m4") or {}
        counts = [f"{best[core]['instructions'] / 1e6:.2f} M" if best[core] else "-" for core in cores]
        table.append(
            [f"`{label}`" if label else "default", *counts, *(f"{sized.get(k, 0):,}" for k in ("flash", "ram"))]
        )
    header = ["", *cores, "flash, B (M4)", "RAM, B (M4)"]
    return f"### Fewest instructions of the builds below, {MAIN}\n\n{markdown(header, table)}"


def least(rows: list[dict]) -> dict | None:
    """The row with the fewest instructions."""
    return min(rows, key=lambda row: row["instructions"], default=None)


def measured(network: str, rows: list[dict]) -> str:
    versions = " and ".join(dict.fromkeys(row["compiler"].split(" ", 1)[1] for row in rows))
    table = [[row["target"], row["build"], *(f"{row[key]:,}" for key in COUNTED)] for row in rows]
    return f"### {network}, {rows[0]['kind']} {versions}\n\n{markdown(['core', 'build', *COUNTED.values()], table)}"


def layers(rows: list[dict]) -> list[str]:
    """One table for each build at the default level that traces its layers."""
    builds = dict.fromkeys(row["build"] for row in rows if row["opt"] == DEFAULT_LEVEL and row["label"] != INT8)
    return [layer_table(build, [row for row in rows if row["build"] == build]) for build in builds]


def layer_table(build: str, rows: list[dict]) -> str:
    """Instructions of each layer; where kernels differ from core to core, not every core has every tensor."""
    names = dict.fromkeys(name for row in rows for name in row["per_layer"])
    table = [[n, *(f"{row['per_layer'][n]:,}" if n in row["per_layer"] else "-" for row in rows)] for n in names]
    header = ["up to tensor", *(row["target"] for row in rows)]
    return f"Instructions of each layer, {build}:\n\n{markdown(header, table)}"


def estimated(rows: list[dict]) -> str:
    """Time and energy on named chips, for the builds whose kinds of instructions were counted."""
    table = []
    for row in rows:
        if "kinds" not in row:
            continue
        for e in estimates(Histogram(row["kinds"], row["registers"]), row["target"]):
            figures = f"{e.cycles:,}", f"{e.milliseconds:.1f}", f"{e.microjoules:.0f}", f"{e.average_microamps:.2f}"
            table.append([e.chip, e.core, f"`{row['label']}`" if row["label"] else "default", *figures])
    order = [chip.name for chip in CHIPS]
    table.sort(key=lambda entry: order.index(entry[0]))
    header = ["chip", "core", "build"]
    header += [f"{unit} (estimate)" for unit in ("cycles", "ms", "uJ", "average uA")]
    sources = [
        f"- {chip.name}: {chip.microamps_per_mhz:.3g} uA/MHz at {chip.volts} V, {chip.source}." for chip in CHIPS
    ]
    sources += [f"- {core.name}: {core.source}." for core in CORES.values()]
    listed = "\n".join(sources)
    return f"### Estimates of time and energy, {MAIN}\n\n{ESTIMATE}\n{markdown(header, table)}\n{listed}\n"


def remarks(figures: Figures) -> str:
    """What could not be measured, reason by reason."""
    reasons = Counter(figures.left_out.values())
    lines = [f"- {count} of them: {reason}" for reason, count in reasons.items()]
    return "Measurements that could not be made:\n\n" + "\n".join(lines) + "\n" if lines else ""
