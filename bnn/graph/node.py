"""What every op of the integer graph has: a name, inputs, constants, and the check of its types."""

from dataclasses import Field, dataclass, field, fields

import numpy as np

from bnn.errors import GraphError
from bnn.graph.types import TensorType


def binary(rank: int = 1):
    """A field of -1 and +1, kept at one bit each in files and images."""
    return field(metadata={"binary": True, "dtype": np.dtype(np.int8), "rank": rank})


def numbers(dtype: type, rank: int = 1):
    """A field of integers, by default one a channel."""
    return field(metadata={"dtype": np.dtype(dtype), "rank": rank})


STATS = "int32 (2,)"
"""What `expect` calls the output of WindowStats."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Base of all ops. `name` is the tensor it defines, `inputs` the tensors it reads."""

    name: str
    inputs: tuple[str, ...]

    def infer(self, *types: TensorType) -> TensorType:
        """Type of the output; GraphError if the inputs or the constants break the op's contract."""
        raise NotImplementedError

    def macs(self, *types: TensorType) -> int:
        """Multiply-accumulates per inference, as the literature counts them."""
        return 0

    def storage_bits(self) -> int:
        """Bits that the constants take in an image."""
        return sum(
            array.size * (1 if spec.metadata.get("binary") else array.itemsize * 8) for spec, array in constants(self)
        )

    def fail(self, text: str):
        raise GraphError(f"{self.name}: {text}")

    def expect(self, types: tuple[TensorType, ...], *kinds: str) -> None:
        """GraphError unless there are as many inputs as `kinds`, each STATS or a map of a kind that its entry names."""
        if len(types) != len(kinds):
            self.fail(f"{type(self).__name__} reads {len(kinds)} tensors, got {len(types)}: {', '.join(self.inputs)}")
        for source, got, want in zip(self.inputs, types, kinds, strict=True):
            if str(got) != want and (got.kind not in want.split("|") or len(got.shape) != 2):
                shape = "" if want == STATS else " (channels, length)"
                self.fail(f"{source} is {got}, but {type(self).__name__} reads {want}{shape} here")


def arrays(op: type[Node]) -> list[Field]:
    """The fields of an op that are tensors."""
    return [spec for spec in fields(op) if spec.type is np.ndarray]


def attributes(op: type[Node]) -> list[Field]:
    """The fields of an op that are whole numbers."""
    return [spec for spec in fields(op) if spec.type is int]


def constants(node: Node) -> list[tuple[Field, np.ndarray]]:
    """(field, array) of every tensor that belongs to the node."""
    return [(spec, getattr(node, spec.name)) for spec in arrays(type(node))]


def conv_length(length: int, kernel: int, stride: int, pad: int) -> int:
    return (length + 2 * pad - kernel) // stride + 1


def check_signs(node: Node, w: np.ndarray, what: str) -> None:
    """GraphError unless all of `w` is -1 or +1."""
    bad = np.argwhere(np.abs(w.astype(np.int64)) != 1)
    if len(bad):
        place = ", ".join(map(str, bad[0]))
        node.fail(
            f"{what}[{place}] is {w[tuple(bad[0])]}, but a binary value is -1 or +1; "
            f"{len(bad)} of {w.size} are affected: was the model exported before binarisation?"
        )


def check_flip(node: Node, flip: np.ndarray, x: TensorType) -> None:
    """GraphError unless there is one -1 or +1 a channel."""
    check_signs(node, flip, "flip")
    if flip.shape != x.shape[:1]:
        node.fail(f"flip has {flip.size} entries for {x.shape[0]} channels")


def check_window(node: Node, length: int, kernel: int, stride: int, pad: int = 0) -> None:
    if min(kernel, stride) < 1 or pad < 0 or pad >= kernel or length + 2 * pad < kernel:
        node.fail(f"kernel {kernel}, stride {stride}, pad {pad} do not fit a length of {length}")
