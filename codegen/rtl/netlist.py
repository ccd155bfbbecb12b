"""What a top level is made of: streams between parts, and parts as instances of the modules in hw/rtl."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Stream:
    """One tensor of the graph on its way: `steps` time steps a window, each in `fold` beats of `lanes` values.

    Value l of beat f belongs to channel f * lanes + l and lies at bit l * width of the data.
    wire    prefix of its three wires: valid, data, ready
    signed  whether the values are two's complement
    """

    tensor: str
    wire: str
    lanes: int
    fold: int
    steps: int
    width: int
    signed: bool

    @property
    def bits(self) -> int:
        """Of one beat."""
        return self.lanes * self.width

    @property
    def beats(self) -> int:
        """Of one window."""
        return self.steps * self.fold


@dataclass(frozen=True, slots=True)
class Part:
    """An instance of a module: parameters, and what is wired to its ports, in order. All have i_clk and i_rst but those
    that have no state."""

    module: str
    name: str
    params: dict[str, int | str]
    ports: dict[str, str]
    clocked: bool = True


@dataclass(frozen=True, slots=True)
class Wire:
    name: str
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Contents of one memory: words of `width` bits as Python integers."""

    file: str
    width: int
    words: tuple[int, ...]

    def text(self) -> str:
        """For $readmemh."""
        digits = -(-self.width // 4)
        return "".join(f"{word:0{digits}x}\n" for word in self.words)


@dataclass(slots=True)
class Netlist:
    """Parts, wires, images and the streams that a trace shows, in the order in which they were added."""

    parts: list[Part] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)


def pack(values: np.ndarray, width: int) -> int:
    """Integers as one word, the first one lowest, each in `width` bits of two's complement."""
    mask = (1 << width) - 1
    return sum((int(value) & mask) << (i * width) for i, value in enumerate(values))


def pack_bits(signs: np.ndarray) -> int:
    """-1 and +1 as one word of bits 0 and 1, the first one lowest."""
    return pack(np.asarray(signs).ravel() > 0, 1)
