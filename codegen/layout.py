"""How a tensor lies in memory: time-major, bits packed without gaps, margins for the convolution that reads it."""

from dataclasses import dataclass

import numpy as np

from bnn.errors import GraphError
from bnn.graph.ops import BinaryConv, Node
from bnn.graph.types import BITS, TensorType


def words_of(bits: int) -> int:
    """32-bit words that hold so many bits."""
    return -(-bits // 32)


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor that is stored.

    margin  time steps of padding before and after the data; bits only
    pad     (channels,) uint8, the bits of one step of padding; None where all are 1
    """

    name: str
    type: TensorType
    margin: int = 0
    pad: np.ndarray | None = None

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
