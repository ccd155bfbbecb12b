"""Which foldings a design gets: the cheapest that keep up with a pace, and the slowest pace that meets the latency."""

from dataclasses import dataclass
from functools import reduce
from operator import add

from bnn.errors import GraphError
from bnn.graph.integer_ops import SignConv
from bnn.graph.ops import BinaryConv, SignalConv
from codegen.folding import Folding, check_foldings, foldings_of
from codegen.hls.cost import Cost, conv_cost, costs
from codegen.hls.network import Network
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
    check_foldings(network.works, fixed)
    options = _options(network, fixed)
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
    check_foldings(network.works, foldings)
    return Design(network, foldings, part, clock, costs(network, foldings), timing(network, foldings))


def _options(network: Network, fixed: dict[str, Folding]) -> dict[str, list[tuple[Folding, Cost]]]:
    """Every folding of each convolution with its cost, the cheapest first; where it is fixed, that one alone."""
    options = {}
    for node in network.nodes:
        if isinstance(node, SignalConv | SignConv | BinaryConv):
            choice = [fixed[node.name]] if node.name in fixed else foldings_of(network.works[node.name])
            row = [(folding, conv_cost(network, node, folding)) for folding in choice]
            options[node.name] = sorted(row, key=lambda item: (item[1].luts, item[1].bram18, item[1].cycles))
    return options


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
