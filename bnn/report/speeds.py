"""A plot of what a speed buys."""

import numpy as np

from bnn.report.plots import COLOURS, GRID, INK, pyplot


def speeds(points, title: str):
    """Accuracy, shares of the exits and work against the speed, side by side.

    points  each with speed, figures.accuracy, macs, and exits with name, share, accuracy (None: no epoch left there)
    """
    x = [p.speed for p in points]
    figure, axes = pyplot().subplots(1, 3, figsize=(12, 3.4))
    axes[0].plot(x, [100 * p.figures.accuracy for p in points], color=INK, linewidth=1.6, label="all")
    for colour, exits in zip(COLOURS, zip(*(p.exits for p in points), strict=True), strict=False):
        name = exits[0].name.upper()
        right = [np.nan if e.accuracy is None else 100 * e.accuracy for e in exits]
        axes[0].plot(x, right, color=colour, marker=".", linewidth=0.9, label=f"left at {name}")
        axes[1].plot(x, [100 * e.share for e in exits], color=colour, marker=".", linewidth=0.9, label=name)
    axes[2].plot(x, [p.macs / 1e6 for p in points], color=INK, marker=".", linewidth=0.9)
    labels = "right answers, %", "epochs that leave there, %", "million MACs per epoch"
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
