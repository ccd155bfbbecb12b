"""Simulator against a run on a target: tensor by tensor, in the order in which they are computed."""

from dataclasses import asdict, dataclass

import numpy as np

from bnn.errors import ToolError


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a run and the simulator first part: window, tensor, index in it, and both values."""

    window: int
    tensor: str
    index: tuple[int, ...]
    got: int
    wanted: int

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        return f"window {self.window}: {self.tensor}[{place}] is {self.got}, the simulator says {self.wanted}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and the first difference if there is one.

    tensors  names, in order
    unseen   tensors of the simulator that the run does not store, such as sums that are compared at once
    values   how many values were compared, over all windows
    """

    tensors: tuple[str, ...]
    unseen: tuple[str, ...]
    windows: int
    values: int
    difference: Difference | None

    def to_dict(self) -> dict:
        return asdict(self)


def compare(wanted: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> Comparison:
    """Compare every tensor of `got` with the simulator's `wanted`, (windows, *shape) each.

    The first difference is that of the first window that has one, and in it of the tensor computed first.
    Raises ToolError where the run has a tensor that the simulator does not know, or one of another shape.
    """
    for name, values in got.items():
        shape = wanted[name].shape if name in wanted else None
        if values.shape != shape:
            raise ToolError(f"{name}: the run gave {values.shape}, the simulator {shape}; generate the sources again")
    names = tuple(name for name in wanted if name in got)
    windows = len(next(iter(got.values())))
    first: Difference | None = None
    for name in names:
        first = _earlier(first, _first_difference(name, wanted[name], got[name]))
    unseen = tuple(name for name in wanted if name not in got)
    return Comparison(names, unseen, windows, sum(got[name].size for name in names), first)


def _earlier(a: Difference | None, b: Difference | None) -> Difference | None:
    if a is None or b is None:
        return a or b
    return b if b.window < a.window else a


def _first_difference(name: str, wanted: np.ndarray, got: np.ndarray) -> Difference | None:
    wrong = np.flatnonzero(wanted.ravel() != got.ravel())
    if not len(wrong):
        return None
    window, *index = (int(i) for i in np.unravel_index(wrong[0], wanted.shape))
    place = (window, *index)
    return Difference(window, name, tuple(index), int(got[place]), int(wanted[place]))
