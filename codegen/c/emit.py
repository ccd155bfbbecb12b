"""Print the model: file names and their texts."""

import json
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from codegen.c.model import RUNTIME, RUNTIME_HEADERS, KnownAnswer, make_model
from codegen.c.text import comment
from codegen.choose import Choice
from codegen.cost import costs
from codegen.layout import Tensor
from codegen.plan import Plan

MANIFEST_FORMAT = 2


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
    env = environment()
    names = {
        "model.h.j2": f"{model.name}.h",
        "model.c.j2": f"{model.name}.c",
        "kat.h.j2": f"{model.name}_kat.h",
        "kat.c.j2": f"{model.name}_kat.c",
        "main.c.j2": "main.c",
        "Makefile.j2": "Makefile",
    }
    files = {name: env.get_template(template).render(model=model, origin=origin) for template, name in names.items()}
    for name in (*RUNTIME_HEADERS, *model.sources[1:]):
        files[name] = (RUNTIME / name).read_text(encoding="utf-8")
    files[f"{model.name}.json"] = _manifest(plan, model.sources, origin)
    return files


def environment() -> Environment:
    """Where the templates are, and how they are printed."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    env.filters["comment"] = comment
    return env


def _cost(plan: Plan) -> str:
    entries = costs(plan)
    constants, macs = sum(c.constant_bytes for c in entries), sum(c.macs for c in entries)
    return f"{constants} B of constants, {plan.arena_bytes} B of RAM, {macs} multiply-accumulates"


def _manifest(plan: Plan, sources: tuple[str, ...], origin: Origin) -> str:
    """What a program needs to know to build the folder, run it, and read the traced tensors."""
    tensors = [plan.tensors[step.output] for step in plan.traced]
    content = {
        "format": MANIFEST_FORMAT,
        "name": plan.graph.name,
        "tool": origin.tool,
        "graph_sha256": origin.sha256,
        "command": origin.command,
        "cost": origin.cost,
        "kernels": origin.kernels,
        "classes": plan.graph.classes,
        "signals": [{"name": plan.signal.name, "samples": plan.signal.length, "channels": plan.signal.channels}],
        "sources": sources,
        "arena_bytes": plan.arena_bytes,
        "context_bytes": plan.arena_bytes,
        "trace": [_trace(i, tensor) for i, tensor in enumerate(tensors)],
    }
    return json.dumps(content, indent=1) + "\n"


def _trace(number: int, tensor: Tensor) -> dict:
    entry = {"id": number, "name": tensor.name, "type": tensor.type.kind, "shape": tensor.type.shape}
    if tensor.type.kind != "bit":
        return entry
    if tensor.in_lanes:
        return entry | {"layout": "lanes", "segment": tensor.segment, "row": tensor.row, "first_word": tensor.margin}
    return entry | {"layout": "time-major", "first_bit": tensor.first_bit}
