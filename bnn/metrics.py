"""Figures of a classifier from true and predicted labels, in NumPy alone."""

import math
from dataclasses import asdict, dataclass

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from bnn.errors import DataError

Z_95 = 1.959963984540054  # 97.5 % point of the standard normal distribution
AAMI = ("N", "S", "V", "F", "Q")


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class. A figure without a denominator is None: no such window, or never predicted.

    support                windows of this class
    sensitivity            share of them that were found (recall), in [0, 1]
    positive_predictivity  share of the windows so predicted that are of it (precision), in [0, 1]
    f1                     harmonic mean of the two, 0 where the class is missed or only imagined
    ..._interval           95 % intervals (Wilson 1927). F1 is no share, but F1 / (2 - F1) is one: of the windows that
                           are of the class or so predicted, those that are both; its interval is carried over
    """

    name: str
    support: int
    sensitivity: float | None
    positive_predictivity: float | None
    f1: float | None
    sensitivity_interval: tuple[float, float] | None
    positive_predictivity_interval: tuple[float, float] | None
    f1_interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Report:
    """Figures over one set of windows.

    accuracy   share of right predictions, in [0, 1]
    interval   its 95 % interval (Wilson 1927)
    macro_f1   mean F1 of the classes that occur or were predicted
    kappa      Cohen 1960: agreement beyond chance, in [-1, 1]; 1 where there is but one class and all is right
    jk         see `jk_index`; None where the classes are not those of AAMI
    confusion  confusion[t][p] windows of class t were predicted as p
    """

    windows: int
    accuracy: float
    interval: tuple[float, float]
    macro_f1: float
    kappa: float
    jk: float | None
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self)


def report(y_true: np.ndarray, y_pred: np.ndarray, classes: tuple[str, ...]) -> Report:
    """Figures of predictions `y_pred` (n,) against labels `y_true` (n,), integers in [0, len(classes)).

    Raises DataError where the two differ in length, are empty, or hold a label outside the classes.
    """
    return from_confusion(confusion_matrix(y_true, y_pred, classes), classes)


def from_confusion(confusion: np.ndarray, classes: tuple[str, ...]) -> Report:
    """Figures of a confusion matrix (classes, classes), rows the true class; at least one window."""
    hits, total = int(np.trace(confusion)), int(confusion.sum())
    figures = tuple(_figures(name, confusion, i) for i, name in enumerate(classes))
    f1 = [c.f1 for c in figures if c.f1 is not None]
    return Report(
        windows=total,
        accuracy=hits / total,
        interval=wilson(hits, total),
        macro_f1=sum(f1) / len(f1),
        kappa=kappa(confusion),
        jk=jk_index(confusion, classes),
        classes=figures,
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
    )


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """(classes, classes) int64, rows the true class, columns the predicted one. Raises DataError as `report`."""
    y_true, y_pred, n = np.asarray(y_true), np.asarray(y_pred), len(classes)
    if y_true.shape != y_pred.shape or y_true.ndim != 1 or not len(y_true):
        raise DataError(
            f"labels have shape {y_true.shape} and predictions {y_pred.shape}; "
            "give one of each per window, for at least one window"
        )
    for what, y in (("label", y_true), ("prediction", y_pred)):
        bad = np.flatnonzero((y < 0) | (y >= n))
        if len(bad):
            raise DataError(
                f"{what} of window {bad[0]} is {y[bad[0]]}, but the {n} classes are numbered 0 to {n - 1}; "
                "were the labels made for another set of classes?"
            )
    return np.bincount(y_true.astype(np.int64) * n + y_pred.astype(np.int64), minlength=n * n).reshape(n, n)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share, `hits` of `total` > 0 (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    p, z2 = hits / total, Z_95 * Z_95
    centre = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = Z_95 * math.sqrt(p * (1 - p) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    return max(0.0, centre - half), min(1.0, centre + half)


def kappa(confusion: np.ndarray) -> float:
    """Cohen's kappa of a (classes, classes) confusion matrix with at least one window."""
    total = confusion.sum()
    chance = float(confusion.sum(axis=0) @ confusion.sum(axis=1)) / float(total) ** 2
    return 1.0 if chance == 1 else (float(np.trace(confusion)) / float(total) - chance) / (1 - chance)


def jk_index(confusion: np.ndarray, classes: tuple[str, ...]) -> float | None:
    """The jk index, in [-0.5, 1], of a confusion matrix whose classes are those of AAMI, with or without Q.

        jk = kappa / 2 + j / 8        j = Se_S + Se_V + +P_S + +P_V

    Mar, Zaunseder, Martinez, Llamedo, Poll 2011, "Optimization of ECG classification by means of feature selection",
    IEEE Trans. Biomed. Eng. 58(8). Kappa is that of all classes of the matrix, and an F taken for a V counts as wrong.
    A class that is never predicted has +P = 0. None for other classes, or where no window is S or none is V.
    """
    if tuple(classes) not in (AAMI, AAMI[:-1]):
        return None
    figures = [_figures(name, confusion, classes.index(name)) for name in ("S", "V")]
    if any(c.sensitivity is None for c in figures):
        return None
    j = sum(c.sensitivity + (c.positive_predictivity or 0.0) for c in figures)
    return kappa(confusion) / 2 + j / 8


def _figures(name: str, confusion: np.ndarray, i: int) -> ClassFigures:
    hits, support, predicted = int(confusion[i, i]), int(confusion[i].sum()), int(confusion[:, i].sum())
    either = support + predicted - hits
    return ClassFigures(
        name=name,
        support=support,
        sensitivity=hits / support if support else None,
        positive_predictivity=hits / predicted if predicted else None,
        f1=2 * hits / (support + predicted) if either else None,
        sensitivity_interval=wilson(hits, support) if support else None,
        positive_predictivity_interval=wilson(hits, predicted) if predicted else None,
        f1_interval=tuple(2 * share / (1 + share) for share in wilson(hits, either)) if either else None,
    )


def render(figures: Report, *, title: str, protocol: str, part: str, synthetic: bool) -> Group:
    """What a terminal shows (rich): the protocol and the part come first, and SYNTHETIC where no patient was seen.

    title     what was evaluated on what
    protocol  how the windows were split, e.g. "stratified, seed 0"
    part      which part the figures are of, e.g. "test"
    """
    low, high = figures.interval
    head = Text(f"{title}\nprotocol {protocol}, {part} part, {figures.windows} windows")
    if synthetic:
        head.append("\nSYNTHETIC signals: these figures say nothing about patients", style="bold red")
    head.append(
        f"\naccuracy {figures.accuracy:.2%} (95 % interval {low:.1%} to {high:.1%}), macro-F1 {figures.macro_f1:.3f}, "
        f"kappa {figures.kappa:.3f}"
    )
    if figures.jk is not None:
        head.append(f", jk {figures.jk:.3f}")
    return Group(head, _class_table(figures), _confusion_lines(figures))


def _class_table(figures: Report) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("class")
    for column in ("windows", "sensitivity", "positive predictivity", "F1"):
        table.add_column(column, justify="right")
    for c in figures.classes:
        table.add_row(c.name, str(c.support), *(_share(v) for v in (c.sensitivity, c.positive_predictivity)), _f1(c.f1))
    return table


def _confusion_lines(figures: Report) -> Text:
    """Plain lines: a table with rules does not fit a terminal for 17 classes."""
    width = max(len(str(n)) for row in figures.confusion for n in row) + 1
    width = max(width, len(str(len(figures.classes) - 1)) + 1)
    name = max(len(c.name) for c in figures.classes)
    lines = ["Confusion matrix: a row is a true class, a column a predicted one, by number"]
    lines.append(" " * (name + 4) + "".join(f"{i:>{width}}" for i in range(len(figures.classes))))
    for i, (c, row) in enumerate(zip(figures.classes, figures.confusion, strict=True)):
        lines.append(f"{i:>2}  {c.name:<{name}}" + "".join(f"{n or '·':>{width}}" for n in row))
    return Text("\n".join(lines), no_wrap=True)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _f1(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
