"""A plot of what a speed buys."""

import numpy as np

from bnn.report.plots import COLOURS, GRID, INK, pyplot


def speeds(points, title: str, counts=None):
    """Accuracy, shares of the exits and work against the speed, side by side.

    points  each with speed, figures.accuracy, macs, and exits with name, share, accuracy (None: no epoch left there)
    counts  with target and stages: instructions of each stage there, which are drawn in place of the MACs
    """
    x = [p.speed for p in points]
    figure, axes = pyplot().subplots(1, 3, figsize=(12, 3.4))
    axes[0].plot(x, [100 * p.figures.accuracy for p in points], color=INK, linewidth=1.6, label="all")
    for colour, exits in zip(COLOURS, zip(*(p.exits for p in points), strict=True), strict=False):
        name = exits[0].name.upper()
        right = [np.nan if e.accuracy is None else 100 * e.accuracy for e in exits]
        axes[0].plot(x, right, color=colour, marker=".", linewidth=0.9, label=f"left at {name}")
        axes[1].plot(x, [100 * e.share for e in exits], color=colour, marker=".", linewidth=0.9, label=name)
    work = [p.per_epoch(counts.stages) if counts else p.macs for p in points]
    axes[2].plot(x, [w / 1e6 for w in work], color=INK, marker=".", linewidth=0.9)
    unit = f"million instructions per epoch, {counts.target}" if counts else "million MACs per epoch"
    labels = "right answers, %", "epochs that leave there, %", unit
    for axis, what in zip(axes, labels, strict=True):
        axis.set_xlabel("speed")
        axis.set_ylabel(what)
        axis.set_ylim(bottom=0)
        axis.grid(color=GRID, linewidth=0.5)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[:2]:
        axis.legend(frameon=False)
    axes[0].set_title(title, loc="left")
    return figure
