"""Labelled windows of a one-lead recording, in raw ADC units."""

from dataclasses import dataclass, replace

import numpy as np

from bnn.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class WindowSet:
    """n windows of equal length, each with its class and the place it was cut from.

    name       of the set, for the screen and for reports
    classes    names of the classes; `y` counts in this order
    x          (n, length) int16, raw ADC units, not standardised
    y          (n,) int64 in [0, len(classes))
    record     (n,) str, the record each window was cut from
    start      (n,) int64, sample of the record at which the window begins
    synthetic  True when the signals were computed, not recorded
    fs         samples per second
    gain       ADC units per millivolt
    adc_zero   ADC value at 0 mV
    lead       (n,) str, the lead of its record that each window was cut from; None where no record stands behind it

    Raises DataError if the arrays do not fit together or a label lies outside the classes.
    """

    name: str
    classes: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    record: np.ndarray
    start: np.ndarray
    synthetic: bool = False
    fs: float = 360.0
    gain: float = 200.0
    adc_zero: int = 1024
    lead: np.ndarray | None = None

    def __post_init__(self):
        self._check_signal()
        self._check_labels()

    def _check_signal(self) -> None:
        if self.x.ndim != 2 or self.x.shape[1] == 0:
            raise DataError(f"{self.name}: x has shape {self.x.shape}, wanted (windows, samples per window)")
        if self.x.dtype != np.int16:
            raise DataError(f"{self.name}: x holds {self.x.dtype}, wanted int16 ADC units; do not scale the windows")
        for field in ("y", "record", "start", "lead"):
            values = getattr(self, field)
            if values is not None and values.shape != (len(self.x),):
                raise DataError(f"{self.name}: {field} has shape {values.shape}, wanted ({len(self)},), one per window")
        for field in ("y", "start"):
            dtype = getattr(self, field).dtype
            if dtype != np.int64:
                raise DataError(f"{self.name}: {field} holds {dtype}, wanted int64")
        for field in ("record", "lead"):
            names = getattr(self, field)
            if names is not None and names.dtype.kind != "U":
                raise DataError(f"{self.name}: {field} holds {names.dtype}, wanted names (str)")

    def _check_labels(self) -> None:
        bad = np.flatnonzero((self.y < 0) | (self.y >= len(self.classes)))
        if len(bad):
            i = bad[0]
            raise DataError(
                f"{self.name}: window {i} (record {self.record[i]}, sample {self.start[i]}) has label {self.y[i]}, "
                f"wanted 0 to {len(self.classes) - 1} ({' '.join(self.classes)}); "
                f"{len(bad)} of {len(self)} labels are affected, check the label table"
            )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def length(self) -> int:
        """Samples per window."""
        return self.x.shape[1]

    def subset(self, indices: np.ndarray) -> "WindowSet":
        """The windows at `indices` (integers or a mask), in that order."""
        fields = {name: getattr(self, name) for name in ("x", "y", "record", "start", "lead")}
        return replace(self, **{name: None if values is None else values[indices] for name, values in fields.items()})

    def counts(self) -> dict[str, int]:
        """Number of windows of each class, in the order of the classes, zeros included."""
        return dict(zip(self.classes, np.bincount(self.y, minlength=len(self.classes)).tolist(), strict=True))

    def describe(self) -> str:
        """One line for the screen."""
        origin = "SYNTHETIC signals, no patient" if self.synthetic else f"{len(np.unique(self.record))} records"
        return (
            f"{self.name}: {len(self)} windows of {self.length / self.fs:g} s at {self.fs:g} Hz, "
            f"{len(self.classes)} classes, {origin}"
        )
