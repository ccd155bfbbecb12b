"""The plan: which kernel computes what, in which order, and where it lies in memory. It knows no language."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from bnn.errors import GraphError
from bnn.graph import Graph, Signal, Stage, check
from bnn.graph.node import Node
from bnn.graph.ops import ExitGate
from bnn.graph.types import TensorType
from codegen import lanes
from codegen.layout import Tensor, lay_out, lay_out_lanes
from codegen.memory import Block, Memory, place
from codegen.overlap import lanes_lead, leads, roots
from codegen.stages import exit_gates
from codegen.steps import ALIAS, GATE, LIMIT, Step, needed, plain_steps

FLASH, RAM = 16384, 4096
"""Bytes of code and constants, and of the arena, up to which kernels take memory for speed, unless a limit is given.
Flash is predicted, to a per cent or so."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A graph ready to be written down.

    types    of every tensor of the graph, those that are never stored included
    steps    of all stages, one stage after the other
    tensors  what is stored, in order of computation; signals and logits lie with the caller, what a gate makes
             beside the arena
    memory   offsets of the other tensors, and of each step's scratch under scratch_name(step). What a later stage reads
             stays in its place until then
    """

    graph: Graph
    types: dict[str, TensorType]
    steps: tuple[Step, ...]
    tensors: dict[str, Tensor]
    memory: Memory

    @property
    def signal(self) -> Signal:
        """The first one, or the only one."""
        return self.graph.signals[0]

    @property
    def logits(self) -> str:
        """Of the last exit."""
        return self.graph.stages[-1].logits

    @property
    def gates(self) -> tuple[ExitGate, ...]:
        """One of each exit that has one."""
        return tuple(step.nodes[-1] for step in self.steps if step.kernel == GATE)

    @property
    def stages(self) -> list[tuple[Stage, list[Step]]]:
        """The stages with their steps; a copy between layouts is of the stage that reads it."""
        stage_of = {node.name: i for i, stage in enumerate(self.graph.stages) for node in stage.nodes}
        found: list[list[Step]] = [[] for _ in self.graph.stages]
        waiting: list[Step] = []
        for step in self.steps:
            waiting.append(step)
            if not step.copy:
                found[stage_of[step.output]] += waiting
                waiting = []
        return list(zip(self.graph.stages, found, strict=True))

    @property
    def arena_bytes(self) -> int:
        return 4 * self.memory.words

    @property
    def traced(self) -> list[Step]:
        """The steps that leave a tensor of the graph, and not a copy in another layout, in order."""
        return [step for step in self.steps if not step.copy]


def scratch_name(step: Step) -> str:
    return f"{step.output} scratch"


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A graph in steps of plain kernels: where every plan of it begins."""

    graph: Graph
    types: dict[str, TensorType]
    nodes: list[Node]
    steps: tuple[Step, ...]

    @property
    def signal(self) -> Signal:
        """The first one, or the only one."""
        return self.graph.signals[0]

    @property
    def logits(self) -> str:
        """Of the last exit."""
        return self.graph.stages[-1].logits


def outline(graph: Graph) -> Outline:
    """Take a graph of the target dialect apart; GraphError where no kernel serves."""
    types = check(graph, "target")
    gates = exit_gates(graph)
    exits = _logits(graph)
    wanted = {node.name for node in needed(list(graph.nodes()), exits)} | {gate.name for gate in gates}
    nodes = [node for node in graph.nodes() if node.name in wanted]
    signals = {signal.name for signal in graph.signals}
    return Outline(graph, types, nodes, plain_steps(nodes, types, signals, exits))


def _logits(graph: Graph) -> set[str]:
    """The logits of all exits, which lie with the caller."""
    return {stage.logits for stage in graph.stages}


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A plan whose tensors have no places yet: all that its cost depends on, but for the size of the arena."""

    made: Outline
    steps: tuple[Step, ...]
    tensors: dict[str, Tensor]

    @property
    def types(self) -> dict[str, TensorType]:
        return self.made.types


def make_plan(graph: Graph, in_lanes: Collection[str] = (), ram: int = RAM) -> Plan:
    """Plan a graph of the target dialect; GraphError where no kernel serves.

    in_lanes  outputs of the steps that are to work in lanes, where a kernel does that
    ram       bytes up to which a convolution in lanes takes memory for speed
    """
    return finish(draft(outline(graph), in_lanes, ram))


def draft(made: Outline, in_lanes: Collection[str], ram: int = RAM) -> Draft:
    """The outline with the steps named by their outputs in lanes, and every stored tensor in its layout."""
    steps, segments = _variants(made, in_lanes)
    steps, tensors = _laid_out(made, steps, segments)
    for tensor in tensors.values():
        _check_size(tensor)
    return with_ram(Draft(made, steps, tensors), ram)


def with_ram(item: Draft, ram: int) -> Draft:
    """The draft with passes over the weights as long as so many bytes allow."""
    return replace(item, steps=tuple(_with_scratch(step, item.tensors, ram // 4) for step in item.steps))


def with_more_flash(item: Draft, ram: int) -> list[Draft]:
    """Drafts in which one convolution in lanes takes more flash to be faster."""
    found = []
    for i, step in enumerate(item.steps):
        for source in lanes.faster_sources(step):
            steps = list(item.steps)
            steps[i] = _with_scratch(replace(step, taps=source), item.tensors, ram // 4)
            found.append(replace(item, steps=tuple(steps)))
    return found


def finish(item: Draft) -> Plan:
    """Give every tensor its place."""
    made, steps, tensors = item.made, item.steps, item.tensors
    memory = place(blocks_of(steps, tensors, _logits(made.graph)), leads(steps, tensors))
    return Plan(made.graph, made.types, steps, tensors, memory)


def _with_scratch(step: Step, tensors: dict[str, Tensor], words: int) -> Step:
    """Convolutions in lanes take what scratch their input and output leave."""
    if not step.kernel.startswith("lanes_conv"):
        return step
    x, y = tensors[step.inputs[0]], tensors[step.output]
    shared = y.words - lead if (lead := lanes_lead(step, x, y)) is not None else 0
    return lanes.with_positions(step, x.segment, words - x.words - y.words + min(shared, x.words))


def _variants(made: Outline, in_lanes: Collection[str]) -> tuple[tuple[Step, ...], dict[str, int]]:
    """The steps, those in lanes that were asked for and can be; and the segments of their maps."""
    wanted = set(in_lanes)
    while True:
        steps = tuple(
            lanes.variant(step) if step.output in wanted and lanes.has_variant(step) else step for step in made.steps
        )
        steps = lanes.fused(steps)
        found = lanes.segments(steps, made.types)
        if not isinstance(found, Step):
            return steps, found
        wanted.discard(found.output)


def _laid_out(
    made: Outline, steps: tuple[Step, ...], segments: dict[str, int]
) -> tuple[tuple[Step, ...], dict[str, Tensor]]:
    """The steps with copies between layouts put in, and every stored tensor in its layout."""
    done: list[Step] = []
    tensors: dict[str, Tensor] = {}
    for step in steps:
        for name in (name for name in step.inputs if made.types[name].kind == "bit"):
            if step.in_lanes == tensors[name].in_lanes or _copy_name(name, step.in_lanes) in tensors:
                continue
            copy = _copy_name(name, step.in_lanes)
            done.append(Step("lanes_pack" if step.in_lanes else "lanes_unpack", (), (name,), copy=copy))
            tensors[copy] = _tensor(made, copy, name, steps, segments if step.in_lanes else None)
        done.append(replace(step, inputs=tuple(_as_read(name, step, tensors, made) for name in step.inputs)))
        is_lanes = step.in_lanes and made.types[step.output].kind == "bit"
        tensors[step.output] = _tensor(made, step.output, step.output, steps, segments if is_lanes else None)
    return tuple(done), tensors


def _copy_name(name: str, in_lanes: bool) -> str:
    """No tensor of a graph is called so: a name holds no space."""
    return f"{name} in lanes" if in_lanes else f"{name} in order"


def _as_read(name: str, step: Step, tensors: dict[str, Tensor], made: Outline) -> str:
    if name not in tensors or made.types[name].kind != "bit" or tensors[name].in_lanes == step.in_lanes:
        return name
    return _copy_name(name, step.in_lanes)


def _tensor(made: Outline, name: str, source: str, steps: tuple[Step, ...], segments: dict[str, int] | None) -> Tensor:
    """The tensor `source` as those steps read it that want this layout."""
    kind = made.types[source]
    reading = [step.nodes[0] for step in steps if source in step.inputs]
    lay_out(source, kind, reading)  # refuses pad values that differ, whoever reads what
    if segments is not None:
        return lay_out_lanes(name, kind, _readers(source, steps, True), segments[source])
    return lay_out(name, kind, _readers(source, steps, False) if kind.kind == "bit" else reading)


def _readers(source: str, steps: tuple[Step, ...], in_lanes: bool) -> list[Node]:
    return [step.nodes[0] for step in steps if source in step.inputs and step.in_lanes == in_lanes]


def _check_size(tensor: Tensor) -> None:
    if tensor.channels > LIMIT or tensor.words >= 1 << 27:
        raise GraphError(
            f"{tensor.name}: {tensor.type} is beyond the C backend's limits of {LIMIT} channels and 2**32 bits a tensor"
        )


def blocks_of(steps: tuple[Step, ...], tensors: dict[str, Tensor], exits: set[str]) -> list[Block]:
    """Every tensor in the arena from the step that writes it to the last that reads it, by its own name or another's;
    every scratch for its step.

    exits  the logits, which lie elsewhere
    """
    root = roots(steps)
    last_use = {root.get(name, name): i for i, step in enumerate(steps) for name in step.inputs}
    blocks = []
    for i, step in enumerate(steps):
        if step.output not in exits and step.kernel not in (GATE, ALIAS):
            blocks.append(Block(step.output, tensors[step.output].words, i, last_use[step.output]))
        if step.scratch:
            blocks.append(Block(scratch_name(step), step.scratch, i, i))
    return blocks
