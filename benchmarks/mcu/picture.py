"""The picture: instructions for one multiply-accumulate, layer by layer and core by core."""

from pathlib import Path

from benchmarks.mcu.grid import DEFAULT_COMPILER, INT8, MAIN, TEXTBOOK
from benchmarks.mcu.run import Figures
from benchmarks.mcu.section import least
from bnn import graph as graphs
from bnn import zoo
from bnn.graph import check
from bnn.report import plots

PATH = Path(__file__).resolve().parents[2] / "docs" / "images" / "mcu-instructions.png"
LINES = {
    "": ("default kernels", plots.COLOURS[0], "o"),
    "--kernels plain": ("--kernels plain", plots.COLOURS[2], "s"),
    TEXTBOOK: ("textbook: XOR and count", plots.COLOURS[1], "^"),
}
"""Variants that are drawn layer by layer: name, colour, marker. int8 has one figure for all layers."""


def macs_by_block(network: str) -> dict[str, int]:
    """Multiply-accumulates of each block: of the convolution whose name begins with the block's."""
    graph = graphs.load(zoo.graph_path(network))
    types, found = check(graph, "target"), {}
    for node in graph.nodes():
        if macs := node.macs(*(types[name] for name in node.inputs)):
            found[block_of(node.name)] = found.get(block_of(node.name), 0) + macs
    return found


def block_of(tensor: str) -> str:
    return tensor.split(".")[0]


def per_mac(row: dict, macs: dict[str, int]) -> dict[str, float]:
    """Instructions per multiply-accumulate of each block, with its statistics, thresholds, pools and copies."""
    spent = dict.fromkeys(macs, 0)
    for tensor, count in row["per_layer"].items():
        spent[block_of(tensor) if block_of(tensor) in spent else list(spent)[-1]] += count
    return {block: spent[block] / macs[block] for block in macs}


def draw(figures: Figures):
    """One panel a core; of each variant the level with the fewest instructions."""
    macs = macs_by_block(MAIN)
    rows = [row for row in figures.rows if (row["network"], row["kind"]) == (MAIN, DEFAULT_COMPILER)]
    cores = list(dict.fromkeys(row["target"] for row in rows))
    columns = 3
    count = -(-len(cores) // columns)
    plt = plots.pyplot()
    figure, axes = plt.subplots(count, columns, figsize=(12, 0.9 + 3.1 * count), sharey=True, squeeze=False)
    for axis, core in zip(axes.flat, cores, strict=False):
        _panel(axis, core, [row for row in rows if row["target"] == core], macs)
    for axis in list(axes.flat)[len(cores) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("instructions per MAC", fontsize=13)
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="upper center", ncols=4, fontsize=13, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.55 / figure.get_figheight()))
    return figure


def _panel(axis, core: str, rows: list[dict], macs: dict[str, int]) -> None:
    for label, (name, colour, marker) in LINES.items():
        if row := least([row for row in rows if row["label"] == label]):
            values = list(per_mac(row, macs).values())
            axis.plot(range(len(macs)), values, marker=marker, color=colour, label=name, markersize=7, linewidth=1.6)
    if row := least([row for row in rows if row["label"] == INT8]):
        mean = row["instructions"] / sum(macs.values())
        axis.axhline(mean, color=plots.COLOURS[3], linestyle="--", label="int8 by CMSIS-NN, mean of all")
    axis.set_yscale("log")
    axis.set_yticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
    axis.minorticks_off()
    axis.set_xticks(range(len(macs)), [block.removeprefix("block") for block in macs])
    axis.tick_params(labelsize=12)
    axis.grid(color=plots.GRID, linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(core, loc="left", fontsize=14)
    axis.set_xlabel("block", fontsize=13)


def save(figures: Figures, path: Path = PATH) -> None:
    plots.save(draw(figures), path, force=True)
