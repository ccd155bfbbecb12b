"""What one binarised sleep network is."""

from dataclasses import dataclass
from typing import ClassVar

from bnn.errors import ModelError
from bnn.models.sleep.config import D_MODEL, LARGE, SIGNALS, SMALL, BranchShape, check_shared


@dataclass(frozen=True)
class BinarySleepConfig:
    """One binarised DynamicSleepNet, with an exit for each signal.

    classes, channels, scales, samples    see SleepConfig; pools do not pad, so 3000 samples leave 21 steps, not 24
    features      rows of a map
    attention     False leaves out CBAM, the weighing of maps and the transformers: all is bits after the first layer
    hidden        bits of the classifier's hidden layer, where there is no attention
    feed_forward  width of the transformers' inner layer
    heads         of the last exit's attention, student_heads of those before it; both divide 96

    Raises ModelError where these make no network.
    """

    classes: tuple[str, ...]
    channels: tuple[int, ...]
    scales: tuple[int, ...]
    samples: int = 3000
    features: int = 32
    attention: bool = True
    hidden: int = 64
    feed_forward: int = 96
    heads: int = 6
    student_heads: int = 3

    binary: ClassVar[bool] = True

    def __post_init__(self):
        check_shared(self)
        if self.features < 2 or self.features % 2:
            raise ModelError(f"features are {self.features}, wanted an even number above 0")
        if self.attention and self.features * self.steps % D_MODEL:
            raise ModelError(
                f"an epoch of {self.samples} samples leaves maps of {self.features} x {self.steps}, which tokens of "
                f"{D_MODEL} do not divide; take a multiple of 32 features, and 3000 samples"
            )

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals, and of the exits after them."""
        return SIGNALS[: len(self.channels)]

    @property
    def steps(self) -> int:
        """Time steps of a map: 21 for 3000 samples."""
        return sum(branch_steps(branch, self.samples) for branch in (SMALL, LARGE))

    @property
    def tokens(self) -> int:
        """Tokens of one map."""
        return self.features * self.steps // D_MODEL


def branch_steps(branch: BranchShape, samples: int) -> int:
    """Time steps that `samples` leave after a branch whose pools do not pad."""
    for kernel, stride, padding in (branch.first, branch.pool, *[branch.conv] * 3, branch.last_pool):
        padding = 0 if (kernel, stride, padding) in (branch.pool, branch.last_pool) else padding
        samples = (samples + 2 * padding - kernel) // stride + 1
    return samples
