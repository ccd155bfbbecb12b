"""Curves of a report: learning, risk against coverage, robustness."""

from bnn.report.plots import COLOURS, INK, pyplot


def learning(epochs: dict[str, tuple[list[float], list[float]]]):
    """Loss and accuracy over the epochs, side by side.

    epochs  column of metrics.csv (train_loss, val_accuracy ...) -> (epochs, values)
    """
    figure, axes = pyplot().subplots(1, 2, figsize=(10, 3.2))
    for axis, what, unit in zip(axes, ("loss", "accuracy"), ("cross-entropy", "share of right answers"), strict=True):
        for colour, part in zip(COLOURS, ("train", "val", "test"), strict=False):
            if f"{part}_{what}" in epochs:
                axis.plot(*epochs[f"{part}_{what}"], color=colour, linewidth=0.9, label=part)
        axis.set_xlabel("epoch")
        axis.set_ylabel(unit)
        axis.legend(frameon=False)
        _plain(axis)
    axes[0].set_yscale("log")
    return figure


def risk_coverage(curve, marked: float | None = None):
    """Share of wrong answers (in %) against share of windows answered (in %), of a bnn.rejection.RiskCoverage.

    marked  confidence whose point on the curve is shown, if any window reaches it
    """
    figure, axis = pyplot().subplots(figsize=(7, 3.2))
    axis.step(100 * curve.coverage, 100 * curve.risk, where="post", color=COLOURS[0], linewidth=1.2)
    reached = (curve.threshold >= marked).nonzero()[0] if marked is not None else []
    if len(reached):
        x, y = 100 * curve.coverage[reached[-1]], 100 * curve.risk[reached[-1]]
        axis.plot(x, y, "o", color=COLOURS[1])
        axis.annotate(f"confidence ≥ {marked:g}", (x, y), xytext=(-8, 10), textcoords="offset points", ha="right")
    axis.set_xlim(0, 101)
    axis.set_ylim(0, max(1.0, 118 * float(curve.risk.max())))
    axis.set_xlabel("windows answered, %")
    axis.set_ylabel("wrong among them, %")
    axis.set_title(f"area under the curve {curve.aurc:.4f}", loc="left")
    _plain(axis)
    return figure


PANELS = (
    ({"bw": "baseline wander", "em": "electrode motion", "ma": "muscle artefact"}, "noise, SNR in dB", "linear", None),
    ({"gain": ""}, "gain", "log", (0.25, 0.5, 1, 2, 4)),
    ({"rate": ""}, "recorded at, Hz", "log", None),
    ({"clock": ""}, "clock off by, %", "linear", (-2, -1, 0, 1, 2)),
)
"""Groups with their names, label of the axis, its scale, its ticks (None: one a condition)."""


def robustness(result: dict):
    """Accuracy (in %) under each group of conditions of `bnn robustness`, the undisturbed one as a line across."""
    rows = {group: [row for row in result["rows"] if row["group"] == group] for group in _groups(result)}
    clean = 100 * rows["none"][0]["accuracy_mean"]
    figure, axes = pyplot().subplots(1, 4, figsize=(12, 3.4), sharey=True, width_ratios=(2, 1, 1, 1))
    for axis, (groups, label, scale, ticks) in zip(axes, PANELS, strict=True):
        axis.axhline(clean, color=INK, linewidth=0.8, linestyle=":")
        for colour, (group, name) in zip(COLOURS, groups.items(), strict=False):
            levels = [row["level"] for row in rows[group]]
            means = [100 * row["accuracy_mean"] for row in rows[group]]
            spread = [100 * (row["accuracy_sd"] or 0) for row in rows[group]]
            axis.errorbar(levels, means, spread, color=colour, marker="o", markersize=3.5, capsize=2, label=name)
        axis.set_xscale(scale)
        axis.set_xticks(ticks or levels, [f"{level:g}" for level in ticks or levels])
        axis.minorticks_off()
        axis.set_xlabel(label)
        _plain(axis)
    axes[0].invert_xaxis()
    axes[0].legend(frameon=False)
    axes[0].set_ylabel("accuracy, %")
    axes[0].set_ylim(0, 101)
    other = 100 * rows["lead"][0]["accuracy_mean"]
    axes[0].set_title(f"undisturbed {clean:.1f} %, the records' other lead {other:.1f} %", loc="left")
    return figure


def _groups(result: dict) -> list[str]:
    return list(dict.fromkeys(row["group"] for row in result["rows"]))


def _plain(axis) -> None:
    axis.spines[["top", "right"]].set_visible(False)
