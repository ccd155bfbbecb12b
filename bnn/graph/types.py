"""What a named tensor holds: kind, shape and the range of its values."""

from dataclasses import dataclass
from math import prod

from bnn.errors import GraphError

BITS = {"bit": 1, "int8": 8, "int16": 16, "int32": 32}
"""Kinds of tensor and the bits one element takes. A `bit` is 1 for +1 and 0 for -1."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """Kind, shape and inclusive range of a tensor.

    Feature maps are (channels, length), vectors are (n,). The range is what the checker proves,
    not what was observed; it decides the kind.
    """

    kind: str
    shape: tuple[int, ...]
    lo: int
    hi: int

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def bits(self) -> int:
        """Bits that the values take, packed."""
        return self.size * BITS[self.kind]

    @property
    def signed_bits(self) -> int:
        """Bits of the smallest two's complement that holds the range."""
        return max(self.lo, self.hi, -self.lo - 1, -self.hi - 1).bit_length() + 1

    def __str__(self) -> str:
        return f"{self.kind} {self.shape}"


def bits(*shape: int) -> TensorType:
    """A tensor of bits."""
    return TensorType("bit", shape, 0, 1)


def integers(shape: tuple[int, ...], lo: int, hi: int, name: str) -> TensorType:
    """An accumulator or logit: int16 where the range allows it, else int32; GraphError beyond that."""
    for kind in ("int16", "int32"):
        top = 1 << (BITS[kind] - 1)
        if -top <= lo and hi < top:
            return TensorType(kind, shape, lo, hi)
    raise GraphError(f"{name}: values reach [{lo}, {hi}], which no int32 holds; use smaller factors or fewer inputs")
