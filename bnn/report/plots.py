"""Plots by matplotlib, as files or as SVG text to put into a page."""

from io import BytesIO, StringIO
from pathlib import Path

import numpy as np

from bnn.errors import FileError, ToolError
from bnn.files import write_atomic

ROW_SECONDS = 30.0
"""Length of one row of a trace: an ECG is read at about this many seconds to a page's width."""

COLOURS = ("#1b6ca8", "#c4501b", "#2f7d4f", "#8a3ea0", "#a38300", "#a81b45", "#3a8f94", "#5b5f97", "#7a5230")
INK, GRID = "#222222", "#dddddd"


def pyplot():
    """matplotlib without a screen, with text left as text in SVG."""
    try:
        import matplotlib
    except ImportError as error:
        raise ToolError(
            "matplotlib is not installed, and plots need it: pip install 'bnn-wearables[records]'"
        ) from error
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "bnn", "axes.edgecolor": INK})
    from matplotlib import pyplot as plt

    return plt


def to_svg(figure) -> str:
    """The figure as SVG text, the same bytes each time."""
    buffer = StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot().close(figure)
    return buffer.getvalue()[buffer.getvalue().index("<svg") :]


def save(figure, path: Path, *, force: bool) -> None:
    """Write the figure in the format that the path's suffix names."""
    path = Path(path)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise FileError(f"{path}: plots are written as .png, .svg or .pdf; choose one of these endings")
    buffer = BytesIO()
    undated = {"metadata": {"Date": None}} if path.suffix == ".svg" else {}  # so that the same figure is the same file
    figure.savefig(buffer, format=path.suffix[1:], dpi=150, bbox_inches="tight", **undated)
    pyplot().close(figure)
    write_atomic(path, buffer.getvalue(), force=force)


def trace(signal: np.ndarray, recording, verdicts: list, begin: float = 0.0):
    """An ECG in rows of 30 s, each window shaded and labelled with its class.

    signal    (n,) int16, what was classified, at recording.fs; begin is its first second
    verdicts  one a window, with start_s, end_s, shown
    """
    plt = pyplot()
    millivolts = (signal.astype(float) - recording.adc_zero) / recording.gain
    seconds = begin + np.arange(len(signal)) / recording.fs
    rows = max(1, int(np.ceil(len(signal) / recording.fs / ROW_SECONDS)))
    figure, axes = plt.subplots(rows, 1, figsize=(12, 1.0 + 1.5 * rows), sharey=True, squeeze=False)
    labels = list(dict.fromkeys(v.shown for v in verdicts))
    for row, axis in enumerate(axes[:, 0]):
        left = begin + row * ROW_SECONDS
        inside = (seconds >= left) & (seconds < left + ROW_SECONDS)
        axis.plot(seconds[inside], millivolts[inside], color=INK, linewidth=0.6)
        axis.set_xlim(left, left + ROW_SECONDS)
        axis.grid(color=GRID, linewidth=0.5)
        axis.set_ylabel("mV")
        for v in verdicts:
            if left <= v.start_s < left + ROW_SECONDS:
                colour = COLOURS[labels.index(v.shown) % len(COLOURS)]
                axis.axvspan(v.start_s, v.end_s, color=colour, alpha=0.12, linewidth=0)
                axis.text(v.start_s + 0.2, 0.97, v.shown, color=colour, va="top", weight="bold",
                          transform=axis.get_xaxis_transform())  # fmt: skip
    axes[-1, 0].set_xlabel("seconds")
    axes[0, 0].set_title(f"{recording.name} {recording.lead}".strip(), loc="left")
    return figure


def save_trace(path: Path, signal: np.ndarray, recording, verdicts: list, begin: float, *, force: bool) -> None:
    """`trace` into a file."""
    save(trace(signal, recording, verdicts, begin), path, force=force)


def bars(names: list[str], values: list[float], title: str, unit: str):
    """Horizontal bars, one a name, from the top, with their values beside them."""
    figure, axis = pyplot().subplots(figsize=(8, 0.6 + 0.32 * len(names)))
    places = np.arange(len(names))[::-1]
    axis.barh(places, values, color=COLOURS[0], height=0.65)
    for place, value in zip(places, values, strict=True):
        axis.text(value, place, f" {value:,.0f}", va="center", color=INK)
    axis.set_yticks(places, names)
    axis.set_xlabel(unit)
    axis.set_xlim(0, max(values) * 1.18)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(title, loc="left")
    return figure


def logits(classes: tuple[str, ...], values: np.ndarray, title: str):
    """The logits of one window, the largest marked."""
    figure, axis = pyplot().subplots(figsize=(8, 2.4))
    colours = [COLOURS[1] if i == int(np.argmax(values)) else COLOURS[0] for i in range(len(classes))]
    axis.bar(range(len(classes)), values, color=colours, width=0.7)
    axis.axhline(0, color=INK, linewidth=0.8)
    axis.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axis.set_ylabel("logit")
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(title, loc="left")
    return figure
