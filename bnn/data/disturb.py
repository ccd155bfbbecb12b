"""The same windows under other conditions: noise, another lead, gain, sampling rate, and a clock that is off.

What a device does to its wearer's ECG that the training recordings did not show. Every condition gives the same
windows of the same records, in the same order, so that one accuracy can be set against another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from bnn.data import mitdb
from bnn.data.noise import KINDS, SNRS, add_noise, load_noise, saturate, signal_powers
from bnn.data.records import Recording, lead_names, read_record
from bnn.data.signals import to_adc
from bnn.data.windows import WindowSet
from bnn.errors import DataError

GAINS = (0.25, 0.5, 0.75, 1.5, 2.0, 4.0)
RATES = (250.0, 500.0, 1000.0)  # Hz
CLOCKS = (-2.0, -1.0, -0.5, -0.1, 0.1, 0.5, 1.0, 2.0)  # percent


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to disturb windows.

    group   bw, em or ma (noise), lead, gain, rate, or clock
    level   SNR in dB, factor, Hz, percent; 0 for the lead
    unit    of the level
    make    make(repeat) -> (n, length) int16; repeats differ where `random`
    """

    group: str
    level: float
    unit: str
    make: Callable[[int], np.ndarray]
    random: bool = False


def conditions(windows: WindowSet, seed: int = 0) -> Iterator[Condition]:
    """All conditions, group by group. `seed` decides where in the noise records each window's noise begins.

    Raises DataError if the windows were cut from no records.
    """
    if windows.lead is None:
        raise DataError(f"{windows.name}: its windows were cut from no records, and only records can be disturbed")
    power = signal_powers(windows)
    for kind in KINDS:
        noise = load_noise(kind)
        for snr in SNRS:
            yield Condition(kind, snr, "dB", partial(_with_noise, windows, power, noise, snr, seed), random=True)
    yield Condition("lead", 0.0, "", lambda _: other_lead(windows))
    for factor in GAINS:
        yield Condition("gain", factor, "x", lambda _, factor=factor: change_gain(windows, factor))
    for rate in RATES:
        yield Condition("rate", rate, "Hz", lambda _, rate=rate: change_rate(windows, rate))
    for percent in CLOCKS:
        yield Condition("clock", percent, "%", lambda _, percent=percent: skew_clock(windows, percent / 100))


def _with_noise(windows: WindowSet, power, noise, snr: float, seed: int, repeat: int) -> np.ndarray:
    """Each window gets noise from a place of its own; the places of a repeat are the same for every kind and SNR."""
    places = np.random.default_rng((seed, repeat)).integers(0, len(noise) - windows.length + 1, len(windows))
    return add_noise(windows.x, power, noise, snr, places)


def change_gain(windows: WindowSet, factor: float) -> np.ndarray:
    """The windows at `factor` times the gain, 0 mV staying where it is: rounded to steps, saturating at 11 bits."""
    return saturate((windows.x.astype(np.float64) - windows.adc_zero) * factor + windows.adc_zero)


def other_lead(windows: WindowSet) -> np.ndarray:
    """What the other lead of the same record shows at the same time: MLII gives V1, V2, V4 or V5, and the reverse."""
    folder = mitdb.locate()

    def other(recording: Recording) -> Recording:
        names = lead_names(folder / recording.name)
        return _read(folder, recording.name, next(name for name in names if name != recording.lead))

    return _recut(windows, other)


def change_rate(windows: WindowSet, rate: float) -> np.ndarray:
    """The windows as if recorded at `rate` Hz, same gain, and brought back to the network's rate by `to_adc`."""

    def through(recording: Recording) -> Recording:
        there = to_adc(recording, rate, recording.gain, recording.adc_zero)
        return to_adc(there, recording.fs, recording.gain, recording.adc_zero)

    return _recut(windows, through)


def skew_clock(windows: WindowSet, error: float) -> np.ndarray:
    """The windows as a clock gives them that runs fast by the share `error`: 360 Hz are (1 + error) 360 Hz in truth."""

    def skewed(recording: Recording) -> Recording:
        return to_adc(recording, recording.fs * (1 + error), recording.gain, recording.adc_zero)

    return _recut(windows, skewed, 1 + error)


def _recut(windows: WindowSet, change: Callable[[Recording], Recording], stretch: float = 1.0) -> np.ndarray:
    """The windows, cut at `stretch` times their start from recordings that `change` has made of theirs."""
    folder, x = mitdb.locate(), np.empty_like(windows.x)
    for record, lead in sorted(set(zip(windows.record.tolist(), windows.lead.tolist(), strict=True))):
        signal = change(_read(folder, record, lead)).signal
        rows = np.flatnonzero((windows.record == record) & (windows.lead == lead))
        start = np.minimum(np.rint(windows.start[rows] * stretch).astype(np.int64), len(signal) - windows.length)
        x[rows] = np.lib.stride_tricks.sliding_window_view(signal, windows.length)[start]
    return x


@lru_cache(maxsize=100)  # both leads of all records: 125 MB
def _read(folder: Path, record: str, lead: str) -> Recording:
    return read_record(folder / record, lead)
