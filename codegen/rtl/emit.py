"""Print a plan as Verilog: file names and their texts."""

import json
from dataclasses import dataclass
from pathlib import Path

from bnn.graph.gate import SPEED_BITS
from bnn.graph.ops import ExitGate, PReluSum
from codegen.c.emit import Origin
from codegen.printing import environment
from codegen.rtl.build import Builder
from codegen.rtl.netlist import Netlist, Part, Stream, Wire
from codegen.rtl.plan import RtlPlan

MODULES = Path(__file__).parents[2] / "hw" / "rtl"
MANIFEST_FORMAT = 2


@dataclass(frozen=True, slots=True)
class Top:
    """What the template of the top level reads."""

    module: str
    what: str
    samples: int
    channels: int
    classes: int
    frac: int
    gated: bool
    wires: tuple[Wire, ...]
    parts: tuple[Part, ...]
    streams: tuple[Stream, ...]

    @property
    def trace_bits(self) -> int:
        return sum(stream.bits for stream in self.streams)

    @property
    def speed_bits(self) -> int:
        """Fraction bits of the speed."""
        return SPEED_BITS


def emit_rtl(plan: RtlPlan, command: str, graph_sha256: str, tool_version: str) -> dict[str, str]:
    """File name -> text: the top level, the modules that it needs, images of its memories, and NAME.json, which says
    how to read its trace. Equal arguments give equal texts."""
    graph = plan.graph
    foldings = {name: layer.folding for name, layer in plan.layers.items()}
    net = Builder(graph, list(plan.nodes), plan.types, foldings, plan.cycles).build()
    origin = Origin(graph.name, f"bnn {tool_version}", graph_sha256, command, cost_text(plan), "")
    logits = next(node for node in plan.nodes if node.name == graph.stages[0].logits)
    top = Top(
        module=f"{graph.name}_top",
        what=f"{graph.signals[0].values} samples to {len(graph.classes)} classes",
        samples=graph.signals[0].values,
        channels=graph.signals[0].channels,
        classes=len(graph.classes),
        frac=logits.frac if isinstance(logits, PReluSum) else 0,
        gated=has_gate(plan),
        wires=tuple(net.wires),
        parts=tuple(net.parts),
        streams=tuple(net.streams),
    )
    env = environment(__file__)
    files = {f"{top.module}.v": env.get_template("top.v.j2").render(top=top, origin=origin)}
    modules = _modules(net)
    files |= {name: (MODULES / name).read_text(encoding="utf-8") for name in modules}
    files |= {image.file: image.text() for image in net.images}
    files[f"{graph.name}.json"] = _manifest(plan, net, modules, origin)
    return files


def has_gate(plan: RtlPlan) -> bool:
    return any(isinstance(node, ExitGate) for node in plan.nodes)


PARTS_OF = {
    "bnn_frame": ("bnn_bank",),
    "bnn_stats": ("bnn_fork", "bnn_variance", "bnn_root", "bnn_divide"),
    "bnn_conv": ("bnn_rom", "bnn_popcount"),
    "bnn_threshold": ("bnn_slice",),
    "bnn_scaled_threshold": ("bnn_ring", "bnn_slice"),
    "bnn_pool": ("bnn_max", "bnn_ring"),
    "bnn_prelu_sum": ("bnn_ring",),
    "bnn_scale": ("bnn_rom",),
    "bnn_sign_conv": ("bnn_rom",),
    "bnn_gate": ("bnn_ring", "bnn_rom"),
}
"""Of modules that have others inside."""


def _modules(net: Netlist) -> list[str]:
    """Files of the modules that a netlist needs, sorted."""
    names = {part.module for part in net.parts}
    return sorted(f"{name}.v" for name in names.union(*(PARTS_OF.get(name, ()) for name in names)))


def cost_text(plan: RtlPlan) -> str:
    """The estimate in one line."""
    luts = sum(layer.logic.luts for layer in plan.layers.values())
    return f"{plan.cycles} cycles a window, {luts} 4-input LUTs in convolutions, as estimated"


def _manifest(plan: RtlPlan, net: Netlist, modules: list[str], origin: Origin) -> str:
    """What a program needs to know to simulate or synthesise the folder, and to read the traced tensors."""
    graph, signal = plan.graph, plan.graph.signals[0]
    content = {
        "format": MANIFEST_FORMAT,
        "backend": "rtl",
        "name": graph.name,
        "top": f"{graph.name}_top",
        "tool": origin.tool,
        "graph_sha256": origin.sha256,
        "command": origin.command,
        "cost": origin.cost,
        "cycles": plan.cycles,
        "classes": graph.classes,
        "gated": has_gate(plan),
        "signals": [{"name": signal.name, "samples": signal.length, "channels": signal.channels}],
        "sources": [f"{graph.name}_top.v", *modules],
        "images": [image.file for image in net.images],
        "trace": [_trace(plan, stream) for stream in net.streams],
    }
    return json.dumps(content, indent=1) + "\n"


def _trace(plan: RtlPlan, stream: Stream) -> dict:
    kind = plan.types[stream.tensor]
    where = {"lanes": stream.lanes, "fold": stream.fold, "steps": stream.steps}
    return {"name": stream.tensor, "type": kind.kind, "shape": kind.shape, **where} | {
        "width": stream.width,
        "signed": stream.signed,
    }
