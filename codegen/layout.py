"""How a tensor lies in memory: time-major or in lanes, with margins for the convolution that reads it."""

from dataclasses import dataclass

import numpy as np

from bnn.errors import GraphError
from bnn.graph.node import Node
from bnn.graph.ops import BinaryConv
from bnn.graph.types import BITS, TensorType


def words_of(bits: int) -> int:
    """32-bit words that hold so many bits."""
    return -(-bits // 32)


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor that is stored.

    margin   time steps of padding before and after the data; bits only. In lanes: words before a row's first
    pad      (channels,) uint8, the bits of one step of padding; None where all are 1
    segment  0: time-major. Else bits in lanes: word margin + i of a channel's row has in bit j the step j * segment + i
    behind   in lanes: words of a row behind its `segment` words
    zeros    in lanes: whether a row of zeros follows the last channel's
    """

    name: str
    type: TensorType
    margin: int = 0
    pad: np.ndarray | None = None
    segment: int = 0
    behind: int = 0
    zeros: bool = False

    @property
    def in_lanes(self) -> bool:
        return self.segment > 0

    @property
    def row(self) -> int:
        """Words of a row, in lanes."""
        return self.margin + self.segment + self.behind

    @property
    def steps(self) -> tuple[int, int]:
        """In lanes: time steps in a row's first words, and the number of such words; the others hold one less."""
        full = -(-self.length // self.segment)
        return full, (self.length - 1) % self.segment + 1

    @property
    def channels(self) -> int:
        return self.type.shape[0]

    @property
    def length(self) -> int:
        """Time steps without margins; a vector is one step."""
        return self.type.shape[1] if len(self.type.shape) > 1 else 1

    @property
    def first_bit(self) -> int:
        """Bit of the storage where element (0, 0) lies."""
        return self.margin * self.channels * BITS[self.type.kind]

    @property
    def words(self) -> int:
        if self.in_lanes:
            return (self.channels + self.zeros) * self.row
        return words_of((self.length + 2 * self.margin) * self.channels * BITS[self.type.kind])


def lay_out(name: str, kind: TensorType, readers: list[Node]) -> Tensor:
    """The tensor with the margin that the convolutions among its readers need.

    Raises GraphError where two of them continue the map by different values.
    """
    padded = [node for node in readers if isinstance(node, BinaryConv) and node.pad > 0]
    if not padded:
        return Tensor(name, kind)
    first = padded[0]
    for other in padded[1:]:
        if not np.array_equal(first.pad_value, other.pad_value):
            raise GraphError(
                f"{name}: {first.name} pads it with other values than {other.name} does, but one map has one margin; "
                "give both the same pad_value, or let each read a map of its own"
            )
    bits = (first.pad_value > 0).astype(np.uint8)
    return Tensor(name, kind, max(node.pad for node in padded), None if bits.all() else bits)


def lay_out_lanes(name: str, kind: TensorType, readers: list[Node], segment: int) -> Tensor:
    """The map in lanes with the words before and behind its rows that the convolutions among its readers need."""
    flat = lay_out(name, kind, readers)
    convolutions = [node for node in readers if isinstance(node, BinaryConv)]
    behind = max((node.w.shape[2] - 1 - node.pad for node in convolutions), default=0)
    return Tensor(name, kind, flat.margin, flat.pad, segment, behind, bool(convolutions))
