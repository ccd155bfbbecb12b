"""Print a design: file names and their texts."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment

from codegen.c.text import comment
from codegen.hls.folding import Design
from codegen.hls.model import Model
from codegen.hls.text import number_rows
from codegen.printing import environment

KERNELS = Path(__file__).resolve().parents[2] / "hw" / "hls"
MANIFEST_FORMAT = 2


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Windows for the test bench with the simulator's answers.

    windows  (n, samples) int16; where there are channels, those of a step together
    logits   (n, classes) int32; classes (n,)
    leaves   (n,) bool, whether it leaves the exit at `speed`; None without a gate
    source   where the windows come from, in words
    """

    windows: np.ndarray
    logits: np.ndarray
    classes: np.ndarray
    source: str
    leaves: np.ndarray | None = None
    speed: int = 0

    @property
    def results(self) -> np.ndarray:
        """(n, classes + 1) int32, or one more with a gate, as the hardware gives them."""
        columns = [self.logits, self.classes[:, None]] + ([] if self.leaves is None else [self.leaves[:, None]])
        return np.concatenate(columns, axis=1).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where generated files come from, as their first lines say it."""

    name: str
    tool: str
    sha256: str
    command: str
    part: str
    clock: str


TEMPLATES = {
    "top.h.j2": "src/{}.h",
    "top.cpp.j2": "src/{}.cpp",
    "weights.h.j2": "src/{}_weights.h",
    "golden.h.j2": "tb/{}_golden.h",
    "test.cpp.j2": "tb/{}_test.cpp",
    "host.py.j2": "host/{}_pynq.py",
    "build_prj.tcl.j2": "build_prj.tcl",
    "hls_config.cfg.j2": "hls_config.cfg",
    "README.md.j2": "README.md",
}
"""What each template becomes, with the network's name."""

HEADERS = ("bnn_bits.h", "bnn_conv.h", "bnn_gate.h", "bnn_integers.h", "bnn_stats.h", "bnn_stream.h", "bnn_sum.h")
"""The kernels that a project includes."""


def emit(design: Design, golden: Golden, command: str, graph_sha256: str, tool_version: str) -> dict[str, str]:
    """Path -> text of everything that belongs to the project; the same arguments give the same texts."""
    name, model = design.network.graph.name, Model(design)
    origin = Origin(name, f"bnn {tool_version}", graph_sha256, command, design.part.name, f"{design.clock:g}")
    values = _values(design, golden) | {"name": name, "upper": name.upper(), "origin": origin, "model": model}
    env = _environment()
    files = {path.format(name): env.get_template(template).render(**values) for template, path in TEMPLATES.items()}
    for kernel in HEADERS:
        if (kernel, False) in (("bnn_gate.h", model.gated), ("bnn_integers.h", model.has_integers)):
            continue
        files[f"src/{kernel}"] = (KERNELS / kernel).read_text(encoding="utf-8")
    files[f"{name}.json"] = _manifest(design, model, origin)
    return files


def _values(design: Design, golden: Golden) -> dict:
    """What the templates name, but for the model and where it comes from."""
    graph, timing = design.network.graph, design.timing
    return {
        "signal": design.network.signal,
        "samples": design.network.samples,
        "classes": graph.classes,
        "class_list": json.dumps(graph.classes),
        "golden": golden,
        "part": design.part,
        "period": f"{1000 / design.clock:g}",
        "rows": table(design),
        "latency": f"{design.microseconds(timing.latency):.1f}",
        "interval": f"{design.microseconds(timing.interval):.1f}",
        "slowest": timing.slowest,
    }


def table(design: Design) -> list[tuple[str, ...]]:
    """One row a kernel, and their sum: name, folding, cycles a window, look-up tables, block RAMs, DSPs."""
    rows = []
    for name, cost in (*design.costs.items(), ("all", design.total)):
        folding = str(design.foldings.get(name, ""))
        rows.append((name, folding, f"{cost.cycles:,}", f"{cost.luts:,}", str(cost.bram18), str(cost.dsps)))
    return rows


def _environment() -> Environment:
    env = environment(__file__)
    env.filters["comment_lines"] = _comment_lines
    env.filters["numbers"] = number_rows
    return env


def _comment_lines(text: str, prefix: str) -> str:
    """Lines that stay within their comment, the second and later ones behind the prefix."""
    return f"\n{prefix}".join(comment(line) for line in text.splitlines()).replace(
        f"{prefix}\n", f"{prefix.rstrip()}\n"
    )


def _manifest(design: Design, model: Model, origin: Origin) -> str:
    """What a program needs to know to build the project, run it, and read the traced tensors."""
    net = design.network
    calls = [call for call in model.calls if call.number is not None]
    content = {
        "format": MANIFEST_FORMAT,
        "backend": "hls",
        "name": origin.name,
        "tool": origin.tool,
        "graph_sha256": origin.sha256,
        "command": origin.command,
        "classes": net.graph.classes,
        "samples": net.samples,
        "gated": model.gated,
        "part": design.part.name,
        "clock_mhz": design.clock,
        "foldings": {name: [folding.pe, folding.simd] for name, folding in design.foldings.items()},
        "estimate": {
            "latency_cycles": design.timing.latency,
            "interval_cycles": design.timing.interval,
            "luts": design.total.luts,
            "bram18": design.total.bram18,
            "dsps": design.total.dsps,
        },
        "trace": [
            {"id": call.number, "name": node.name, "type": kind.kind, "shape": kind.shape}
            for call, node in zip(calls, net.nodes, strict=True)
            for kind in (net.types[node.name],)
        ],
    }
    return json.dumps(content, indent=1) + "\n"
