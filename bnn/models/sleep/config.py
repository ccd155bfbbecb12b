"""What one sleep network is."""

from dataclasses import dataclass

from bnn.errors import ModelError

D_MODEL = 96  # values in a token of the transformer
SIGNALS = ("eeg", "eog", "emg")
EPOCH = 30  # seconds
EEG_WIDTH = 2  # the EEG's extractor has twice the channels of the others', so two maps that are fused to one


def check_shared(config) -> None:
    """ModelError unless signals, classes and heads of a config, float or binarised, make a network."""
    if not 1 <= len(config.channels) <= len(SIGNALS) or len(config.channels) != len(config.scales):
        raise ModelError(
            f"channels are {config.channels} and scales {config.scales}, wanted one of each for {', '.join(SIGNALS)}, "
            "or for the first of them"
        )
    if len(config.classes) < 2:
        raise ModelError(f"classes are {config.classes}, but a classifier needs at least two")
    for field in ("heads", "student_heads"):
        if D_MODEL % getattr(config, field):
            raise ModelError(f"{field} are {getattr(config, field)}, wanted a divisor of {D_MODEL}, as 3 or 6")


@dataclass(frozen=True)
class SleepConfig:
    """One DynamicSleepNet (Wang et al., 10.3389/fphys.2023.1171467) with an exit for each signal.

    classes       names of the logits, in order
    channels      of each signal, in the order of SIGNALS: one number makes a network of the EEG alone, two add the EOG
    scales        per signal the ADC units that enter the network as 1, powers of two; a device shifts
    samples       of an epoch; at 100 Hz 3000
    features      rows of a map, a multiple of 8. The paper has 64: its EEG extractor goes from 64 to 128 channels,
                  those of EOG and EMG from 32 to 64
    feed_forward  width of the transformers' inner layer
    dropout       of the extractors, in training alone
    cbam, se      False leaves out the attention within an extractor, or that among the maps of an exit (ablations)
    heads         of the last exit's attention, student_heads of those before it; both divide 96

    Raises ModelError where these make no network.
    """

    classes: tuple[str, ...]
    channels: tuple[int, ...]
    scales: tuple[int, ...]
    samples: int = 3000
    features: int = 64
    feed_forward: int = 2048
    dropout: float = 0.5
    cbam: bool = True
    se: bool = True
    heads: int = 6
    student_heads: int = 3

    def __post_init__(self):
        check_shared(self)
        if self.features % 8 or self.features < 8:
            raise ModelError(f"features are {self.features}, wanted a multiple of 8")
        if self.features * self.steps % D_MODEL:
            raise ModelError(
                f"an epoch of {self.samples} samples leaves maps of {self.features} x {self.steps}, which tokens of "
                f"{D_MODEL} do not divide; resample to 100 Hz, 3000 samples"
            )

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the signals, and of the exits after them."""
        return SIGNALS[: len(self.channels)]

    @property
    def steps(self) -> int:
        """Time steps of a map: 24 for 3000 samples."""
        return sum(branch.steps(self.samples) for branch in (SMALL, LARGE))

    @property
    def tokens(self) -> int:
        """Tokens of one map."""
        return self.features * self.steps // D_MODEL


@dataclass(frozen=True)
class BranchShape:
    """A branch of an extractor: first -> pool -> conv, three times -> last pool; (kernel, stride, padding) of each."""

    first: tuple[int, int, int]
    pool: tuple[int, int, int]
    conv: tuple[int, int, int]
    last_pool: tuple[int, int, int]

    def steps(self, samples: int) -> int:
        """Time steps that `samples` leave."""
        for kernel, stride, padding in (self.first, self.pool, self.conv, self.conv, self.conv, self.last_pool):
            samples = (samples + 2 * padding - kernel) // stride + 1
        return samples


SMALL = BranchShape((64, 8, 24), (8, 8, 4), (8, 1, 4), (4, 4, 2))
LARGE = BranchShape((512, 64, 24), (4, 4, 2), (6, 1, 4), (2, 2, 1))
"""At 100 Hz, kernels of 0.64 s for alpha and theta waves, and of 5.12 s for delta waves."""
