"""From a recording of any rate and gain to the windows of ADC integers that the networks take."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnn.data.records import Recording
from bnn.errors import DataError, ToolError

RATES = (50.0, 100_000.0)  # samples per second: below, an ECG's QRS is lost; above, no ECG is recorded
ADC_ZERO = 1024  # the ADC value at 0 mV of the MIT-BIH records, which the networks were trained on


def to_adc(recording: Recording, fs: float = 360.0, gain: float = 200.0, adc_zero: int = ADC_ZERO) -> Recording:
    """The recording at `fs` samples per second and `gain` units per mV, 0 mV at `adc_zero`: int16, saturating.

    The rate is changed by a polyphase filter (scipy.signal.resample_poly) with the ratio as a fraction whose
    denominator is at most 1000; the ends are continued with their own value. A recording that fits already is
    returned as it is, bit for bit.

    Raises DataError for a rate outside 50 Hz to 100 kHz.
    """
    if not RATES[0] <= recording.fs <= RATES[1]:
        raise DataError(
            f"{recording.name}: {recording.fs:g} samples per second, wanted {RATES[0]:g} to {RATES[1]:g}; "
            "check the sampling rate"
        )
    here = (recording.fs, recording.gain, recording.adc_zero)
    if here == (fs, gain, adc_zero) and recording.signal.dtype == np.int16:
        return recording
    millivolts = (recording.signal.astype(np.float64) - recording.adc_zero) / recording.gain
    values = _resample(millivolts, recording.fs, fs) * gain + adc_zero
    limits = np.iinfo(np.int16)
    signal = np.clip(np.rint(values), limits.min, limits.max).astype(np.int16)
    return replace(recording, signal=signal, fs=fs, gain=gain, adc_zero=adc_zero)


def _resample(signal: np.ndarray, source: float, target: float) -> np.ndarray:
    if source == target:
        return signal
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise ToolError(
            f"scipy is not installed, and resampling from {source:g} to {target:g} Hz needs it; "
            "pip install 'bnn-wearables[records]'"
        ) from error
    ratio = Fraction(target / source).limit_denominator(1000)
    return resample_poly(signal, ratio.numerator, ratio.denominator, padtype="edge")


def windows(signal: np.ndarray, length: int = 3600, step: int = 3600, name: str = "recording") -> np.ndarray:
    """The windows (n, length) that begin at 0, step, 2 step ... and lie wholly inside `signal` (samples,).

    Raises DataError if the signal is shorter than one window.
    """
    if len(signal) < length:
        raise DataError(f"{name}: {len(signal)} samples, too short for one window of {length}; give a longer recording")
    return np.lib.stride_tricks.sliding_window_view(signal, length)[::step].copy()


def check_windows(x: np.ndarray, name: str = "recording", step: int = 3600) -> None:
    """Raise DataError if a window of x (n, length) is constant (a lead fell off) or holds NaN or infinities.

    Window i begins at sample i * step of the recording.
    """
    span = np.ptp(x.astype(np.float64), axis=1)
    for bad, what in ((~np.isfinite(span), "holds NaN or infinite samples"), (span == 0, "is constant")):
        found = np.flatnonzero(bad)
        if len(found):
            i = found[0]
            value = f" at {x[i, 0]}" if what == "is constant" else ""
            raise DataError(
                f"{name}: the window from sample {i * step} {what}{value}, wanted a signal; "
                f"{len(found)} of {len(x)} windows are affected, cut that stretch off or take another lead"
            )
