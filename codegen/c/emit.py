"""Print the model: file names and their texts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bnn.graph import Graph, Signal
from codegen.c.model import RUNTIME, KnownAnswer, Shared, is_staged, make_model
from codegen.choose import Choice
from codegen.cost import costs
from codegen.layout import Tensor
from codegen.plan import Plan
from codegen.printing import environment

MANIFEST_FORMAT = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """Where generated files come from, as their first lines say it."""

    name: str
    tool: str
    sha256: str
    command: str
    cost: str
    kernels: str


def emit(
    choice: Choice, target: str, answer: KnownAnswer, command: str, graph_sha256: str, tool_version: str
) -> dict[str, str]:
    """File name -> text of everything that belongs to the folder; the same arguments give the same texts."""
    plan = choice.plan
    model = make_model(plan, answer, target)
    origin = Origin(plan.graph.name, f"bnn {tool_version}", graph_sha256, command, _cost(plan), choice.kernels)
    context = plan.arena_bytes + (8 if plan.gates else 0)
    size = {"arena_bytes": plan.arena_bytes, "context_bytes": context, "kept_bytes": 0, "restart": False}
    traces = [_trace(i, plan.tensors[step.output]) for i, step in enumerate(plan.traced)]
    graph, form = plan.graph, "staged" if is_staged(plan.graph) else "model"
    if len(graph.stages) > 1:
        size["stages"] = [{"name": stage.name, "signals": stage.signals} for stage in graph.stages]
    return render(model, origin, form, manifest(graph, graph.signals, model, origin, "window", size, traces))


def render(model: Shared, origin: Origin, form: str, manifest: str) -> dict[str, str]:
    """The texts; `form` names the templates of header and source."""
    env = environment(__file__)
    names = {
        f"{form}.h.j2": f"{model.name}.h",
        f"{form}.c.j2": f"{model.name}.c",
        "staged_kat.h.j2" if form == "staged" else "kat.h.j2": f"{model.name}_kat.h",
        f"{form}_kat.c.j2": f"{model.name}_kat.c",
        f"{form}_main.c.j2": "main.c",
        "Makefile.j2": "Makefile",
    }
    files = {name: env.get_template(template).render(model=model, origin=origin) for template, name in names.items()}
    for name in (*model.headers[2:], *model.sources[1:]):
        files[name] = (RUNTIME / name).read_text(encoding="utf-8")
    return files | {f"{model.name}.json": manifest}


def _cost(plan: Plan) -> str:
    entries = costs(plan)
    constants, macs = sum(c.constant_bytes for c in entries), sum(c.macs for c in entries)
    return f"{constants} B of constants, {plan.arena_bytes} B of RAM, {macs} multiply-accumulates"


def manifest(
    graph: Graph, signals: Sequence[Signal], model: Shared, origin: Origin, form: str, sizes: dict, traces: list[dict]
) -> str:
    """What a program needs to know to build the folder, run it, and read the traced tensors."""
    content = {
        "format": MANIFEST_FORMAT,
        "form": form,
        "name": graph.name,
        "tool": origin.tool,
        "graph_sha256": origin.sha256,
        "command": origin.command,
        "cost": origin.cost,
        "kernels": origin.kernels,
        "classes": graph.classes,
        "signals": [{"name": s.name, "samples": s.length, "channels": s.channels} for s in signals],
        "sources": model.sources,
        **sizes,
        "trace": traces,
    }
    return json.dumps(content, indent=1) + "\n"


def _trace(number: int, tensor: Tensor) -> dict:
    entry = {"id": number, "name": tensor.name, "type": tensor.type.kind, "shape": tensor.type.shape}
    if tensor.type.kind != "bit":
        return entry
    if tensor.in_lanes:
        return entry | {"layout": "lanes", "segment": tensor.segment, "row": tensor.row, "first_word": tensor.margin}
    return entry | {"layout": "time-major", "first_bit": tensor.first_bit}
