"""The choice of kernels: the plan with the fewest predicted instructions that keeps to the limits."""

from collections.abc import Iterator
from dataclasses import dataclass

from bnn.errors import GraphError
from bnn.graph import Graph
from codegen import lanes, predict
from codegen.cost import costs
from codegen.files import on_integers, sources
from codegen.plan import FLASH, RAM, Draft, Plan, draft, finish, outline, with_more_flash, with_ram

KERNELS = ("auto", "plain", "lanes")
"""What a user may ask for: the best choice, plain kernels alone, or lanes wherever a kernel works in them."""


MANY, LIKELY = 100, 10
"""Drafts beyond which flash is spent for the likeliest alone: those with the fewest instructions before it is."""


@dataclass(frozen=True, slots=True)
class Options:
    """kernels    one of KERNELS
    max_flash  bytes of code and constants, as predicted; None: no limit, but none is spent for speed above FLASH
    max_ram    bytes of the arena; None: no limit, but none is spent for speed above RAM
    stream     rows through line buffers, as samples come: see codegen.stream, which chooses no kernels
    """

    kernels: str = "auto"
    max_flash: int | None = None
    max_ram: int | None = None
    stream: bool = False

    def __str__(self) -> str:
        """As options of the command; nothing where all are as they are by default."""
        words = ["--stream"] if self.stream else []
        words += [f"--kernels {self.kernels}"] if self.kernels != "auto" else []
        words += [f"--max-flash {self.max_flash}"] if self.max_flash is not None else []
        words += [f"--max-ram {self.max_ram}"] if self.max_ram is not None else []
        return " ".join(words)


DEFAULT = Options()


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A plan and what it is predicted to cost: instructions of each step, by output, and bytes of flash."""

    plan: Plan
    instructions: dict[str, int]
    flash: int

    @property
    def in_lanes(self) -> list[str]:
        """Outputs of the steps that work in lanes."""
        return [step.output for step in self.plan.steps if step.in_lanes and not step.copy]

    @property
    def kernels(self) -> str:
        """The choice in words."""
        if not self.in_lanes:
            return "plain kernels"
        copies = sum(bool(step.copy) for step in self.plan.steps)
        return f"lanes from {self.in_lanes[0]} to {self.in_lanes[-1]}, {copies} copies between layouts"

    def __str__(self) -> str:
        total = sum(self.instructions.values())
        rest = " without the ops on integers" if any(on_integers(step) for step in self.plan.steps) else ""
        return f"{self.kernels}; predicted{rest}: {total} instructions, {self.flash} B of flash"


def choose(graph: Graph, target: str, options: Options = DEFAULT) -> Choice:
    """The best plan for a target; GraphError where the limits leave none, or for a word that is not one of KERNELS."""
    if options.kernels not in KERNELS:
        raise GraphError(f"--kernels {options.kernels}: wanted one of {', '.join(KERNELS)}")
    made, family = outline(graph), predict.family(target)
    flash = FLASH if options.max_flash is None else options.max_flash
    ram = RAM if options.max_ram is None else options.max_ram
    drafts = [draft(made, chosen, ram) for chosen in _candidates(made.steps, options.kernels)]
    if len(drafts) > MANY:
        drafts = [r.draft for r in sorted((_rate(d, family) for d in drafts), key=lambda r: r.total)[:LIKELY]]
    rated = sorted((_spend(item, flash, ram, family) for item in drafts), key=lambda item: item.total)
    seen: list[Choice] = []
    for item in rated:
        choice = _placed(item, ram, family)
        if _within(choice.flash, options.max_flash) and _within(choice.plan.arena_bytes, options.max_ram):
            return choice
        seen.append(choice)
    least_flash, least_ram = min(c.flash for c in seen), min(c.plan.arena_bytes for c in seen)
    raise GraphError(
        f"graph {graph.name}: no choice of kernels for {target} keeps to {options}; the least flash is about "
        f"{least_flash} B and the least RAM {least_ram} B, not always together; raise the limits"
    )


def _within(size: int, limit: int | None) -> bool:
    return limit is None or size <= limit


def _candidates(steps, kernels: str) -> Iterator[frozenset[str]]:
    """Sets of steps to work in lanes. Each copy between layouts costs, so only unbroken rows of them are tried."""
    able = [step.output for step in steps if lanes.has_variant(step)]
    if kernels == "lanes":
        yield frozenset(able)
        return
    yield frozenset()
    if kernels == "auto":
        for first in range(len(able)):
            for last in range(first, len(able)):
                yield frozenset(able[first : last + 1])


@dataclass(frozen=True, slots=True, eq=False)
class _Rated:
    """A draft, and its predicted costs."""

    draft: Draft
    instructions: dict[str, int]
    flash: int

    @property
    def total(self) -> int:
        return sum(self.instructions.values())


def _rate(item: Draft, family: str) -> _Rated:
    samples = item.made.signal.length
    counts = {step.output: predict.instructions(step, item.tensors, samples, family) for step in item.steps}
    constants = sum(entry.constant_bytes for entry in costs(item))
    return _Rated(item, counts, predict.flash(item.steps, set(sources(item)), constants, family))


def _spend(item: Draft, flash: int, ram: int, family: str) -> _Rated:
    """Give convolutions in lanes what flash there is for fewer instructions, where a byte saves the most first."""
    best = _rate(item, family)
    while better := [r for r in (_rate(d, family) for d in with_more_flash(best.draft, ram)) if r.flash <= flash]:
        gains = [(best.total - r.total) / max(r.flash - best.flash, 1) for r in better]
        if max(gains) <= 0:
            break
        best = better[gains.index(max(gains))]
    return best


def _placed(item: _Rated, ram: int, family: str) -> Choice:
    """The plan of a draft. Buffers leave gaps: where they thus exceed the RAM, passes over the weights get shorter."""
    plan = finish(item.draft)
    for part in range(15, 7, -1):
        if plan.arena_bytes <= ram:
            break
        shorter = _rate(with_ram(item.draft, ram * part // 16), family)
        if (tried := finish(shorter.draft)).arena_bytes < plan.arena_bytes:
            item, plan = shorter, tried
    return Choice(plan, item.instructions, item.flash)
