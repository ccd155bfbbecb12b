"""A window as it is drawn on ECG paper: 25 mm to the second, 10 mm to the millivolt, in true size."""

import numpy as np

from bnn.report.plots import INK, pyplot

MM_PER_SECOND, MM_PER_MILLIVOLT, MM_PER_INCH = 25.0, 10.0, 25.4
FINE, BOLD = "#f6d5d5", "#e9a9a9"  # lines every 1 mm and every 5 mm
MARGIN = 0.5  # mV above and below the signal
TITLE_MM = 6.0


def strip(x: np.ndarray, fs: float, gain: float, adc_zero: int, title: str):
    """One strip.

    x  (n,) int16, ADC units; fs samples per second; gain ADC units per mV; adc_zero the ADC value at 0 mV
    """
    millivolts = (x.astype(np.float64) - adc_zero) / gain
    seconds = np.arange(len(x)) / fs
    left, right = 0.0, np.ceil(len(x) / fs * 5) / 5
    bottom, top = np.floor((millivolts.min() - MARGIN) * 2) / 2, np.ceil((millivolts.max() + MARGIN) * 2) / 2
    wide, high = (right - left) * MM_PER_SECOND, (top - bottom) * MM_PER_MILLIVOLT
    figure = pyplot().figure(figsize=(wide / MM_PER_INCH, (high + TITLE_MM) / MM_PER_INCH))
    axis = figure.add_axes((0, 0, 1, high / (high + TITLE_MM)))
    for millimetres, colour in ((1, FINE), (5, BOLD)):
        grid = _grid(left, right, bottom, top, millimetres)
        axis.plot(*grid, color=colour, linewidth=0.5 if millimetres == 1 else 0.7)
    axis.plot(seconds, millivolts, color=INK, linewidth=0.8)
    axis.set_xlim(left, right)
    axis.set_ylim(bottom, top)
    axis.set_axis_off()
    axis.set_title(title, loc="left")
    return figure


def _grid(left: float, right: float, bottom: float, top: float, millimetres: int) -> tuple[np.ndarray, np.ndarray]:
    """All lines of one distance as a single path, which breaks at NaN: one element of the picture, not hundreds."""
    columns = np.arange(round((right - left) * MM_PER_SECOND / millimetres) + 1) * millimetres / MM_PER_SECOND + left
    rows = np.arange(round((top - bottom) * MM_PER_MILLIVOLT / millimetres) + 1) * millimetres / MM_PER_MILLIVOLT
    x = [[c, c, np.nan] for c in columns] + [[left, right, np.nan]] * len(rows)
    y = [[bottom, top, np.nan]] * len(columns) + [[bottom + r, bottom + r, np.nan] for r in rows]
    return np.ravel(x), np.ravel(y)
