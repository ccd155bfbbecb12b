"""Fit codegen/predict.json, by which the generator chooses among kernels, to counts measured on emulated cores.

    python benchmarks/fit_costs.py [FAMILY ...]

Without a name all families of cores are measured anew. A core with vectors is measured in QEMU, which must be
installed.
Random networks are generated with plain kernels, in lanes, and with some layers in lanes; each is measured layer by
layer with zig -Os, and non-negative least squares of the relative errors give the weights of
codegen.predict.features().
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.progress import track
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bnn.cli.common import err
from bnn.files import write_atomic
from bnn.graph import Graph
from codegen import predict
from codegen.choose import Choice
from codegen.cost import costs
from codegen.files import KERNELS, TAPS, sources
from codegen.lanes import faster_sources
from codegen.plan import RAM, Plan, draft, finish, outline, with_ram
from codegen.steps import Step
from codegen.taps import SOURCES
from firmware.compilers import find_compiler
from firmware.measure import measure
from firmware.targets import find_target
from tests.codegen.models import CORNERS, ecg_graph, lanes_graph, write
from tests.graphs import Builder, windows

CORES = {"armv6m": "cortex-m0", "armv7m": "cortex-m4", "armv8.1m": "cortex-m55", "rv32imc": "rv32imc"}
OPT = "-Os"


def networks() -> list[tuple]:
    """(graph, outputs of steps in lanes, source of taps) over sizes, kernels, pools and both layouts."""
    made = [(graph, None, source) for graph in (ecg_graph(5), ecg_graph(17)) for source in SOURCES]
    made += [(ecg_graph(5), (), ""), (ecg_graph(17), (), ""), (lanes_graph(), None, "listed")]
    made += [(ecg_graph(5), ("block3.bits", "block3"), "matched"), (ecg_graph(5), ("block2", "block5.bits"), "listed")]
    made += [(make(), chosen, "neighbours") for make in CORNERS for chosen in ((), None)]
    rng = np.random.default_rng(0)
    for length, widths, kernel in ((700, (5, 12), 3), (1500, (16, 16), 7), (400, (24, 48), 5), (900, (33, 9), 4)):
        b = Builder(rng, length).signal_conv("a.acc", widths[0], 7, stride=2, pad=3).threshold("a.bits").or_pool("a", 3)
        b.conv("b.acc", widths[1], kernel, pad=kernel - 1).threshold("b.bits").or_pool("b", 5)
        graph = b.conv("c.acc", 6, kernel, pad=1).max_pool("c", 3).prelu_sum().graph(f"net{length}")
        made += [
            (graph, (), ""),
            (graph, None, "neighbours"),
            (graph, None, "listed"),
            (graph, None, "unrolled"),
            (graph, ("a", "b.bits"), "matched"),
            (unpooled(rng, length // 2, widths, kernel), None, "unrolled"),
        ]
    return made


def unpooled(rng, length: int, widths: tuple[int, int], kernel: int) -> Graph:
    """A network whose convolutions store a bit for every position."""
    b = Builder(rng, length).signal_conv("a.acc", widths[0], 7, stride=2, pad=3).threshold("a")
    b.conv("b.acc", widths[1], kernel, pad=1).threshold("b")
    b.conv("c.acc", widths[0], kernel, pad=kernel - 1).threshold("c")
    return b.conv("d.acc", 6, kernel, pad=1).max_pool("d", 3).prelu_sum().graph(f"flat{length}")


def plan_of(graph, chosen, source: str) -> Plan:
    everything = [node.name for node in graph.nodes()]
    item = draft(outline(graph), everything if chosen is None else chosen)
    steps = tuple(
        replace(step, taps=source if source in (step.taps, *faster_sources(step)) else "listed") if step.taps else step
        for step in item.steps
    )
    return finish(with_ram(replace(item, steps=steps), RAM))


def measured(graph, plan: Plan, core: str):
    target = find_target(core)
    samples = windows(np.random.default_rng(1), 1, plan.signal.length)
    with tempfile.TemporaryDirectory() as folder:
        generated = write(graph, Path(folder) / "c", choice=Choice(plan, {}, 0))
        return measure(generated, target, samples, opt=OPT, compiler=find_compiler(target, None))


def groups(plan: Plan) -> list[list[Step]]:
    """Steps up to each traced tensor: a copy counts with the step that follows it."""
    found: list[list[Step]] = [[]]
    for step in plan.steps:
        found[-1].append(step)
        if not step.copy:
            found.append([])
    return found[:-1]


def non_negative(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Weights >= 0 with the least squared error; a column of zeros weighs 0."""
    size = np.abs(a).max(axis=0)
    size[size == 0] = 1
    return nnls(a / size, b)[0] / size


def fit_instructions(runs: list[tuple], name: str) -> tuple[dict, float]:
    """Weights of every kernel, and the largest relative error of a whole network."""
    columns: dict[str, int] = {}
    width = 0
    rows, counts, owner = [], [], []
    for number, (plan, result) in enumerate(runs):
        for group, count in zip(groups(plan), list(result.per_layer.values()), strict=False):
            rows.append(
                [(predict.kernel_of(s), predict.features(s, plan.tensors, plan.signal.length, name)) for s in group]
            )
            counts.append(count)
            owner.append(number)
    for kernel, features in (entry for row in rows for entry in row):
        if kernel not in columns:
            columns[kernel], width = width, width + len(features)
    a = np.zeros((len(rows), width))
    for r, row in enumerate(rows):
        for kernel, features in row:
            a[r, columns[kernel] : columns[kernel] + len(features)] += features
    b = np.array(counts, float)
    weight = 1 / np.sqrt(b * b + 300.0**2)  # what a layer of a few hundred instructions costs need not be known well
    x = non_negative(a * weight[:, None], b * weight)
    lengths = {kernel: len(features) for row in rows for kernel, features in row}
    table = {k: [round(float(v), 3) for v in x[at : at + lengths[k]]] for k, at in sorted(columns.items())}
    totals, wanted = np.bincount(owner, a @ x), np.bincount(owner, b)
    return table, float(np.abs(totals / wanted - 1).max())


def fit_flash(runs: list[tuple]) -> tuple[dict, float]:
    """Bytes of each file of the runtime, of what all models share, and of a step; and the largest relative error."""
    files = sorted({"bnn_lanes_taps.c", *TAPS.values()} | {file for entry in KERNELS.values() for file in entry[1:]})
    rows = [[f in sources(p) for f in files] + [*predict.unrolled_sizes(p.steps), 1, len(p.steps)] for p, _ in runs]
    a = np.array(rows, float)
    b = np.array([result.flash - sum(c.constant_bytes for c in costs(plan)) for plan, result in runs], float)
    size = np.array([result.flash for _, result in runs], float)
    x = non_negative(a / size[:, None], b / size)
    sizes = {file: round(float(v)) for file, v in zip(files, x, strict=False) if v > 0}
    error = np.abs((a @ x - b) / size).max()
    pair, tap, fixed, step = (round(float(v), 2) for v in x[-4:])
    return {"files": sizes, "pair": pair, "tap": tap, "fixed": fixed, "step": step}, float(error)


def main() -> None:
    content = json.loads(predict.TABLE.read_text(encoding="utf-8"))
    for name in sys.argv[1:] or CORES:
        core, runs = CORES[name], []
        for graph, chosen, source in track(networks(), description=core, console=err):
            plan = plan_of(graph, chosen, source)
            runs.append((plan, measured(graph, plan, core)))
        instructions, error = fit_instructions(runs, name)
        sizes, flash_error = fit_flash(runs)
        print(f"{core}: {len(runs)} networks, instructions to {100 * error:.1f} %, flash to {100 * flash_error:.1f} %")
        content[name] = {"instructions": instructions, "flash": sizes}
    write_atomic(predict.TABLE, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
