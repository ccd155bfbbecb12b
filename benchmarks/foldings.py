"""Estimated cycles of the HLS design beside those of the Verilog in simulation, for equal foldings.

python benchmarks/foldings.py [--json FILE]
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that the file runs by its path, too

from benchmarks.results import markdown  # noqa: E402
from bnn import zoo  # noqa: E402
from bnn.data.synthetic import synthetic_set  # noqa: E402
from bnn.files import write_atomic  # noqa: E402
from bnn.graph import Graph, load  # noqa: E402
from codegen.folding import Folding  # noqa: E402
from codegen.hls import make_network  # noqa: E402
from codegen.hls.schedule import timing  # noqa: E402
from codegen.rtl import generate_rtl, make_plan  # noqa: E402
from hw.rtl_sim import RtlSimulation  # noqa: E402

NETWORKS = ("ecg5", "ecg17")
WINDOWS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """How the layers are folded: by the Verilog's choice for `cycles`, but for those that are given."""

    cycles: int
    given: tuple[tuple[str, Folding], ...] = ()

    def __str__(self) -> str:
        return " ".join([f"--cycles {self.cycles}", *(f"--folding {layer}={f}" for layer, f in self.given)])


CASES = (Case(4000), Case(4000, (("block1.acc", Folding(8, 7)),)), Case(20_000), Case(120_000))


def measure(name: str, graph: Graph, x, case: Case) -> dict:
    """Both estimates of a folding, and what the Verilog took for windows x, (n, samples) int16, at full speed."""
    plan = make_plan(graph, case.cycles, dict(case.given))
    hls = timing(make_network(graph), {layer: part.folding for layer, part in plan.layers.items()})
    with tempfile.TemporaryDirectory(prefix="bnn-") as folder:
        out = Path(folder)
        generate_rtl(plan, out / "v", command="benchmark", graph_sha256="", tool_version="")
        ran = RtlSimulation(out / "v", out / "build", traced=False).run(x)
    return {
        "graph": name,
        "case": str(case),
        "hls": {"interval": hls.interval, "latency": hls.latency, "slowest": hls.slowest},
        "rtl_estimated": plan.cycles,
        "rtl": {"interval": ran.cycles, "latency": ran.latency},
    }


def section(figures: list[dict]) -> str:
    """The part of RESULTS.md."""
    text = (
        "`benchmarks/foldings.py`: what the HLS cost model says, beside what Verilog with the same foldings took in "
        "simulation, in cycles. Differences are of the HLS estimate from the simulated Verilog; docs/FPGA.md explains "
        "those above 10 %."
    )
    header = ["network", "foldings", "interval, HLS estimate", "Verilog estimate", "simulated", "difference"]
    header += ["latency, HLS estimate", "simulated", "difference"]
    return f"## Foldings\n\n{text}\n\n" + markdown(header, [_row(figure) for figure in figures])


def _row(f: dict) -> list[str]:
    cells = [f["graph"], f"`{f['case']}`"]
    for what in ("interval", "latency"):
        ours, ran = f["hls"][what], f["rtl"][what]
        between = [f"{f['rtl_estimated']:,}"] if what == "interval" else []
        cells += [f"{ours:,}", *between, f"{ran:,}", f"{100 * (ours / ran - 1):+.1f} %"]
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures here instead of printing the table")
    options = parser.parse_args()
    figures = []
    for name in NETWORKS:
        graph = load(zoo.graph_path(name))
        x = synthetic_set(name, per_class=1, seed=0).x[:WINDOWS]
        figures += [measure(name, graph, x, case) for case in CASES]
    if options.json:
        write_atomic(options.json, json.dumps(figures, indent=1))
    else:
        print(section(figures))


if __name__ == "__main__":
    main()
