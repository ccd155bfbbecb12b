"""Which foldings a design gets: the cheapest that keep up with a pace, and the slowest pace that meets the latency."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

from bnn.errors import FileError, GraphError
from bnn.graph.ops import BinaryConv, SignalConv
from codegen.hls.cost import Cost, conv_cost, conv_cycles, costs, folds
from codegen.hls.network import Folding, Network, taps, width
from codegen.hls.parts import Part
from codegen.hls.schedule import Timing, timing


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A network with its foldings, for a part at a clock in MHz, and what that is estimated to cost."""

    network: Network
    foldings: dict[str, Folding]
    part: Part
    clock: float
    costs: dict[str, Cost]
    timing: Timing

    @property
    def total(self) -> Cost:
        return reduce(add, self.costs.values())

    def microseconds(self, cycles: int) -> float:
        return cycles / self.clock


def choose_foldings(
    network: Network, part: Part, clock: float, latency_us: float, fixed: dict[str, Folding] | None = None
) -> Design:
    """The design with the fewest look-up tables, as estimated, whose window takes at most `latency_us`.

    fixed  foldings that are the user's, by the convolution's name

    Raises GraphError for a folding that does not divide, a latency that no folding meets, or a design that does not
    fit into the part.
    """
    fixed = dict(fixed or {})
    check_foldings(network, fixed)
    options = {node.name: _options(network, node, fixed.get(node.name)) for node in network.convolutions}
    paces = sorted({cost.cycles for row in options.values() for _, cost in row})
    limit, low, high = latency_us * clock, 0, len(paces) - 1
    _check_reach(network, options, paces[0], limit, clock)
    while low < high:  # the latency does not fall as the pace slackens
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _latency(network, options, paces[middle]) <= limit else (low, middle - 1)
    design = make_design(network, _at_pace(options, paces[low]), part, clock)
    _check_size(design)
    return design


def make_design(network: Network, foldings: dict[str, Folding], part: Part, clock: float) -> Design:
    """The design with these foldings, one for each convolution; GraphError where one does not divide."""
    check_foldings(network, foldings)
    return Design(network, foldings, part, clock, costs(network, foldings), timing(network, foldings))


def check_foldings(network: Network, foldings: dict[str, Folding]) -> None:
    """GraphError for a name that is no convolution's, and for a folding that does not divide."""
    nodes = {node.name: node for node in network.convolutions}
    for name, folding in foldings.items():
        if name not in nodes:
            raise GraphError(f"folding of {name}: no such convolution; there are {', '.join(nodes)}")
        for what, value, whole in (
            ("PE", folding.pe, len(nodes[name].w)),
            ("SIMD", folding.simd, taps(nodes[name])),
        ):
            if value < 1 or whole % value:
                of = "output channels" if what == "PE" else "taps"
                raise GraphError(
                    f"folding of {name}: {what} is {value}, which does not divide the {whole} {of}; "
                    f"choose one of {', '.join(map(str, divisors(whole)))}"
                )


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def _options(network: Network, node: SignalConv | BinaryConv, fixed: Folding | None) -> list[tuple[Folding, Cost]]:
    """Every folding of a convolution with its cost, the cheapest first."""
    steps, outputs = network.length(node.inputs[0]) + 2 * node.pad, network.length(node.name)
    acc = width(network.types[node.name])
    pairs = [Folding(pe, simd) for pe in divisors(len(node.w)) for simd in divisors(taps(node))]
    found = []
    for folding in [fixed] if fixed else pairs:
        busy = conv_cycles(steps, outputs, folds(node, folding))
        found.append((folding, conv_cost(node, folding, busy, acc)))
    return sorted(found, key=lambda item: (item[1].luts, item[1].bram18, item[1].cycles))


def _at_pace(options: dict[str, list[tuple[Folding, Cost]]], pace: int) -> dict[str, Folding]:
    """The cheapest folding of each convolution that takes at most `pace` cycles; the fastest where none does."""
    chosen = {}
    for name, row in options.items():
        fast = [folding for folding, cost in row if cost.cycles <= pace]
        chosen[name] = fast[0] if fast else min(row, key=lambda item: item[1].cycles)[0]
    return chosen


def _latency(network: Network, options: dict[str, list[tuple[Folding, Cost]]], pace: int) -> int:
    return timing(network, _at_pace(options, pace)).latency


def _check_reach(network: Network, options: dict, pace: int, limit: float, clock: float) -> None:
    least = _latency(network, options, pace)
    if least > limit:
        raise GraphError(
            f"a latency of {limit / clock:g} us at {clock:g} MHz cannot be met: the fastest foldings take "
            f"{least / clock:.1f} us, {network.signal.length / clock:.1f} us of them to take in the samples; "
            "ask for more time, a faster clock, or fix fewer foldings"
        )


def _check_size(design: Design) -> None:
    total, part = design.total, design.part
    for what, got, has in (
        ("look-up tables", total.luts, part.luts),
        ("block RAMs of 18 kbit", total.bram18, part.bram18),
        ("DSPs", total.dsps, part.dsps),
    ):
        if got > has:
            raise GraphError(
                f"the design takes {got:,} {what} as estimated, but {part.name} has {has:,}; "
                "allow more latency or choose a larger part"
            )


def parse_foldings(texts: Sequence[str]) -> dict[str, Folding]:
    """Foldings from texts such as block2.acc=16,8, or paths of .toml or .json files with such: block2.acc = [16, 8]."""
    found: dict[str, Folding] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        entries = {name.strip(): value.split(",")} if equals else _read(Path(text))
        for layer, pair in entries.items():
            try:
                pe, simd = (int(number) for number in pair)
            except (TypeError, ValueError) as error:
                raise GraphError(
                    f"folding of {layer}: got {pair!r}, wanted PE and SIMD, two whole numbers, such as {layer}=4,8"
                ) from error
            found[layer] = Folding(pe, simd)
    return found


def _read(path: Path) -> dict:
    """The table of a file."""
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise FileError(
            f"{path}: cannot be read ({error.strerror}); --folding takes LAYER=PE,SIMD or a .toml or .json file"
        ) from error
    except ValueError as error:
        raise FileError(
            f"{path}: is not what its suffix says ({error}); wanted TOML or JSON such as block2.acc = [16, 8]"
        ) from error
    if not isinstance(table, dict):
        raise FileError(
            f"{path}: holds {type(table).__name__}, wanted a table of foldings such as block2.acc = [16, 8]"
        )
    return _flat(table)


def _flat(table: dict, prefix: str = "") -> dict:
    """Names with dots, which TOML takes for tables of tables, in one piece again."""
    found = {}
    for name, value in table.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found
