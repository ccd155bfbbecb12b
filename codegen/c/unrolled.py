"""Two output channels of a convolution in lanes as a C function in straight lines: its taps and bounds are known.

What bnn_lanes_count.c does with lists: an offset is part of the load, a bound is part of the comparison, and carries
wait for each other at every plane, so that nothing ripples before the end. On a Cortex-M4 a tap takes some 18 bytes of
code in place of two bytes of list.
"""

from dataclasses import dataclass

from codegen import taps
from codegen.lanes import planes

ADD = {4: "bnn_add_four", 2: "bnn_add_two", 1: "bnn_add_one"}


@dataclass(frozen=True, slots=True)
class Unrolled:
    """A function of two output channels.

    name     of the function
    about    for its comment
    planes   of the counters, without the lowest, which no word changes
    both     statements that count the taps of both channels, on p0, p1 and so on
    first    those of the first alone
    second   those of the second alone, on q0, q1 and so on
    values   expressions of what either channel yields at a position
    """

    name: str
    about: str
    planes: int
    both: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    values: tuple[str, str]


@dataclass(frozen=True, slots=True)
class PairCode:
    """The functions of a layer's pairs, and the array called `name` that holds them."""

    name: str
    functions: tuple[Unrolled, ...]


def unrolled(name: str, pair: taps.Pair, bounds: tuple[int, int], n_in: int, row: int, count: int) -> Unrolled:
    """The function of a pair.

    bounds  of acc, of either channel
    n_in    input channels; row: words of one; count: taps of a convolution
    """
    n = planes(count)
    words = [sorted(int(tap) % n_in * row + int(tap) // n_in for tap in part) for part in pair.parts]
    flips = [pair.flip & 1, pair.flip >> 1]
    least = [least_count(*of, n) for of in zip(bounds, pair.balance, flips, strict=True)]
    values = tuple(
        ("~" if flip else "") + at_least(bound, [f"{letter}{i}" for i in range(n)])
        for flip, bound, letter in zip(flips, least, "pq", strict=True)
    )
    counted = [adders(part, prefix, plane, n) for part, prefix, plane in zip(words, "bfs", "ppq", strict=True)]
    return Unrolled(name, f"channels {pair.channels[0]} and {pair.channels[1]}", n, *map(tuple, counted), values)


def least_count(bound: int, balance: int, flip: int, n: int) -> int:
    """The least D for acc >= bound or, flipped, for acc < bound; as bound_of() in bnn_lanes_conv.c."""
    v = bound + balance
    least = (-v // 2 + 1 if flip else (v + 1) // 2) + (1 << n) - 1
    return min(max(least, 0), (2 << n) - 1)


def at_least(bound: int, high: list[str]) -> str:
    """Where counters, the lowest plane in start[0], are at least a bound: the carry of D + ~bound + 1."""
    text = "start[0]" if bound & 1 else "0xFFFFFFFFu"
    for i, plane in enumerate(high, 1):
        text = f"({text} {'&' if bound >> i & 1 else '|'} {plane})"
    return text


def adders(words: list[int], prefix: str, plane: str, n: int) -> list[str]:
    """Statements that add words of x to counters; carries of one weight wait until there are four to add."""
    network = _Network(prefix, plane, n)
    for i in range(0, len(words), 2):
        two = words[i : i + 2]
        names = [f"x[{k}]" for k in two]
        network.add(0, network.two(*names) if len(names) == 2 else tuple(names))
    network.flush()
    return network.statements


class _Network:
    """Statements so far, and for each plane the carries that wait: (names, how many bits they are)."""

    def __init__(self, prefix: str, plane: str, n: int):
        self.statements: list[str] = []
        self._prefix, self._plane, self._n = prefix, plane, n
        self._waiting: list[str | None] = [None] * n
        self._single: list[str | None] = [None] * n
        self._made = 0

    def two(self, x: str, y: str) -> str:
        return self._new("bnn_two", f"{{{x}, {x} ^ {y}}}")

    def add(self, k: int, bits: str | tuple[str]) -> None:
        """Two bits of weight 2^k, or one in a tuple."""
        if k == self._n:
            return  # counters are wide enough: nothing is ever carried so far
        if isinstance(bits, tuple):
            if self._single[k] is None:
                self._single[k] = bits[0]
                return
            bits, self._single[k] = self.two(self._single[k], bits[0]), None
        if self._waiting[k] is None:
            self._waiting[k] = bits
            return
        first, self._waiting[k] = self._waiting[k], None
        self.add(k + 1, self._adder(4, k, first, bits))

    def flush(self) -> None:
        """What waits, the lowest plane first."""
        for k in range(self._n):
            if bits := self._waiting[k]:
                self.add(k + 1, (self._adder(2, k, bits),))
            if bit := self._single[k]:
                self.add(k + 1, (self._adder(1, k, bit),))

    def _adder(self, bits: int, k: int, *carries: str) -> str:
        call = f"{ADD[bits]}(&{self._plane}{k}, {', '.join(carries)})"
        if k == self._n - 1:
            self.statements.append(f"(void){call};")
            return ""
        return self._new("bnn_two" if bits == 4 else "uint32_t", call)

    def _new(self, ctype: str, value: str) -> str:
        name, self._made = f"{self._prefix}{self._made}", self._made + 1
        self.statements.append(f"const {ctype} {name} = {value};")
        return name
