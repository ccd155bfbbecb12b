"""The estimates of `bnn bench --energy`, as tables."""

from dataclasses import asdict

from rich.table import Table

from bnn.cli.common import out, table

REMARK = (
    "All of this is an ESTIMATE: cycles by instruction from Arm's manuals without wait states, current from "
    "datasheets for other programs; nothing was measured on a chip. docs/BENCHMARKS.md names the sources."
)
EVERY = 10.0
"""Seconds from one window to the next."""


def show_estimates(name: str, histograms: dict) -> None:
    """Print what the histograms of executed instructions, by target, let one estimate."""
    if not histograms:
        out.print("No estimate: none of these targets is an Arm core that Unicorn emulates.")
        return
    out.print(histogram_table(histograms))
    for target, histogram in histograms.items():
        made = estimate_table(name, target, histogram)
        out.print(made if made.row_count else f"No estimate for {target}: no chip of it has public figures here.")
    out.print(REMARK)


def estimate_table(name: str, target: str, histogram) -> Table:
    """One row a chip; none where no chip with public figures runs the target's images."""
    from firmware.energy import estimates

    title = f"{name}, images of {target}: ESTIMATES for one window, average at one window in {EVERY:g} s"
    numbers = ("cycles (estimate)", "ms (estimate)", "uJ (estimate)", "average uA (estimate)")
    made = table("chip", "core", title=title, numbers=numbers)
    for e in estimates(histogram, target, EVERY):
        figures = f"{e.cycles:,}", f"{e.milliseconds:.1f}", f"{e.microjoules:.1f}", f"{e.average_microamps:.2f}"
        made.add_row(e.chip, e.core, *figures)
    return made


def histogram_table(histograms: dict) -> Table:
    """Executed instructions by kind, one column a target."""
    made = table("instructions", numbers=tuple(histograms))
    for kind in next(iter(histograms.values())).counts:
        made.add_row(kind, *(f"{h.counts[kind]:,}" for h in histograms.values()))
    return made


def as_dict(target: str, histogram) -> dict:
    """For JSON."""
    from firmware.energy import estimates

    rows = [asdict(e) for e in estimates(histogram, target, EVERY)]
    return {"kinds": histogram.counts, "registers": histogram.registers, "estimates": rows, "remark": REMARK}
