"""A confusion matrix as a picture."""

import numpy as np

from bnn.report.plots import INK, pyplot

DARK = 0.55  # share of a row from which a number is set in white
SHORT = 3  # letters that fit above a column


def confusion(classes: tuple[str, ...], counts: np.ndarray):
    """Rows are true classes, columns predicted ones; a cell is as dark as its share of the row is large.

    counts  (classes, classes) windows; zeros are left out, and a class without windows has a blank row
    """
    counts = np.asarray(counts)
    support = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
    side = 1.6 + 0.42 * len(classes)
    figure, axis = pyplot().subplots(figsize=(side + 0.6, side))
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for t, p in np.argwhere(counts):
        axis.text(p, t, str(counts[t, p]), ha="center", va="center", fontsize=8,
                  color="white" if shares[t, p] >= DARK else INK)  # fmt: skip
    names = [name if n else f"{name} (none)" for name, n in zip(classes, support[:, 0], strict=True)]
    axis.set_yticks(range(len(classes)), names)
    turned = {"rotation": 60, "ha": "left", "rotation_mode": "anchor"} if max(map(len, classes)) > SHORT else {}
    axis.set_xticks(range(len(classes)), classes, **turned)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.set_xticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axis.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    axis.grid(which="minor", color="#eeeeee", linewidth=0.6)
    axis.tick_params(which="minor", length=0)
    axis.set_ylabel("true class")
    axis.set_xlabel("predicted class")
    return figure
