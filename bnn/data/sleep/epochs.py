"""Labelled 30-second epochs of several signals, in raw ADC units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bnn.errors import DataError

STAGES = ("W", "N1", "N2", "N3", "REM")  # AASM; `stage` counts in this order
EPOCH = 30  # seconds


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One kind of signal ("eeg", "eog" or "emg") over n epochs. A value v stands for v / gain of `unit`.

    x         (n, channels, samples) int16, raw ADC units, not standardised
    channels  names of the channels
    fs        samples per second; samples = 30 fs
    gain      ADC units per `unit`
    unit      "uV", or "" where the source does not tell it
    """

    x: np.ndarray
    channels: tuple[str, ...]
    fs: float
    gain: float
    unit: str = "uV"

    def like(self, other: "Signal") -> bool:
        """True if epochs of both can stand in one set: same channels, rate, gain and unit."""
        return (self.channels, self.fs, self.gain, self.unit) == (other.channels, other.fs, other.gain, other.unit)


@dataclass(frozen=True, slots=True, eq=False)
class EpochSet:
    """n epochs of 30 s, each with its sleep stage and the place it was cut from.

    name       of the set, for the screen and for reports
    signals    by name, in the order in which a network asks for them: eeg, eog, emg
    stage      (n,) int64 in [0, 5): W N1 N2 N3 REM
    subject    (n,) str, who slept
    night      (n,) str, the recording; a night has one subject, a subject may have several nights
    position   (n,) int64, the epoch's number in its recording: it begins 30 position seconds after the start
    synthetic  True when the signals were computed, not recorded

    Raises DataError if the arrays do not fit together, a label is no stage, or a night has two subjects.
    """

    name: str
    signals: dict[str, Signal]
    stage: np.ndarray
    subject: np.ndarray
    night: np.ndarray
    position: np.ndarray
    synthetic: bool = False

    def __post_init__(self):
        if not self.signals:
            raise DataError(f"{self.name}: has no signal, wanted at least one of eeg, eog, emg")
        for key in self.signals:
            self._check_signal(key)
        self._check_columns()
        self._check_stages()
        self._check_nights()

    def _check_signal(self, key: str) -> None:
        signal = self.signals[key]
        x = signal.x
        wanted = (len(self.stage), len(signal.channels), round(EPOCH * signal.fs))
        if x.shape != wanted or 0 in wanted[1:]:
            raise DataError(
                f"{self.name}, {key}: x has shape {x.shape}, wanted {wanted} (epochs, channels, samples of {EPOCH} s "
                f"at {signal.fs:g} Hz)"
            )
        if x.dtype != np.int16:
            raise DataError(f"{self.name}, {key}: x holds {x.dtype}, wanted int16 ADC units; do not scale the epochs")
        if not signal.gain > 0:
            raise DataError(
                f"{self.name}, {key}: gain is {signal.gain}, wanted a positive number of ADC units per unit"
            )

    def _check_columns(self) -> None:
        for field, kind in (("stage", "int64"), ("position", "int64"), ("subject", "names"), ("night", "names")):
            values = getattr(self, field)
            if values.shape != (len(self),):
                raise DataError(f"{self.name}: {field} has shape {values.shape}, wanted ({len(self)},), one per epoch")
            if not (values.dtype.kind == "U" if kind == "names" else values.dtype == np.int64):
                raise DataError(f"{self.name}: {field} holds {values.dtype}, wanted {kind}")

    def _check_stages(self) -> None:
        bad = np.flatnonzero((self.stage < 0) | (self.stage >= len(STAGES)))
        if len(bad):
            i = bad[0]
            raise DataError(
                f"{self.name}: epoch {self.position[i]} of night {self.night[i]} has stage {self.stage[i]}, wanted 0 "
                f"to {len(STAGES) - 1} ({' '.join(STAGES)}); {len(bad)} of {len(self)} epochs are affected, "
                "leave out what was not scored"
            )

    def _check_nights(self) -> None:
        owner: dict[str, str] = {}
        for night, subject in sorted(set(zip(self.night.tolist(), self.subject.tolist(), strict=True))):
            if owner.setdefault(night, subject) != subject:
                raise DataError(
                    f"{self.name}: night {night} belongs to subjects {owner[night]} and {subject}, wanted one subject; "
                    "give each recording a name of its own"
                )

    def __len__(self) -> int:
        return len(self.stage)

    @property
    def classes(self) -> tuple[str, ...]:
        """STAGES, as a WindowSet has its own."""
        return STAGES

    @property
    def x(self) -> dict[str, np.ndarray]:
        """Raw samples of each signal, (n, channels, samples) int16."""
        return {key: signal.x for key, signal in self.signals.items()}

    @property
    def y(self) -> np.ndarray:
        """The stages, under the name that a WindowSet gives its labels."""
        return self.stage

    def subset(self, indices: np.ndarray) -> "EpochSet":
        """The epochs at `indices` (integers or a mask), in that order."""
        signals = {key: replace(signal, x=signal.x[indices]) for key, signal in self.signals.items()}
        columns = {field: getattr(self, field)[indices] for field in ("stage", "subject", "night", "position")}
        return replace(self, signals=signals, **columns)

    def only(self, *names: str) -> "EpochSet":
        """The same epochs with the named signals alone. Raises DataError for a signal that is not there."""
        missing = [name for name in names if name not in self.signals]
        if missing:
            raise DataError(f"{self.name}: no signal {', '.join(missing)}, the set has {', '.join(self.signals)}")
        return replace(self, signals={name: self.signals[name] for name in names})

    def counts(self) -> dict[str, int]:
        """Number of epochs of each stage, in the order of STAGES, zeros included."""
        return dict(zip(STAGES, np.bincount(self.stage, minlength=len(STAGES)).tolist(), strict=True))

    def describe(self) -> str:
        """One line for the screen."""
        people = f"{len(np.unique(self.subject))} subjects, {len(np.unique(self.night))} nights"
        origin = f"SYNTHETIC signals, no patient ({people})" if self.synthetic else people
        signals = ", ".join(f"{len(s.channels)} {key.upper()} at {s.fs:g} Hz" for key, s in self.signals.items())
        return f"{self.name}: {len(self)} epochs of {EPOCH} s, {signals}, {origin}"


def join(name: str, parts: Sequence[EpochSet]) -> EpochSet:
    """One set of all the parts' epochs, in their order.

    Raises DataError for no parts, or where two differ in signals, channels, rate, gain or unit.
    """
    if not parts:
        raise DataError(f"{name}: no night to make a set of; check the folder of the recordings")
    first = parts[0]
    for part in parts[1:]:
        alike = part.signals.keys() == first.signals.keys() and part.synthetic == first.synthetic
        if not alike or not all(part.signals[key].like(first.signals[key]) for key in first.signals):
            raise DataError(f"{name}: {part.describe()} cannot be joined to {first.describe()}; the signals differ")
    signals = {
        key: replace(signal, x=np.concatenate([part.signals[key].x for part in parts]))
        for key, signal in first.signals.items()
    }
    columns = {
        field: np.concatenate([getattr(part, field) for part in parts])
        for field in ("stage", "subject", "night", "position")
    }
    return EpochSet(name, signals, synthetic=first.synthetic, **columns)
