"""Noise of ambulatory recordings, mixed into windows at a stated signal-to-noise ratio.

The noise is that of the MIT-BIH Noise Stress Test Database, and the ratio that of the program `nst` by which that
database was made (Moody, Muldrow, Mark 1984, "A noise stress test for arrhythmia detectors", Computers in Cardiology
11; nst(1) and sigamp(1) of the WFDB Applications Guide):

    SNR = 10 log10(S / (a^2 N))    dB, for noise multiplied by a
    S   = A^2 / 8                  A: peak-to-peak amplitude of a normal QRS, within 50 ms of its annotation;
                                   S is the power of a sine of that amplitude
    N   = R^2                      R: RMS of one second of noise about its own mean

A and R are trimmed means of the first 300 beats or seconds of their record: 5 % are dropped at either end. So S belongs
to a record and a lead, and does not depend on the heart rate, as a mean power would.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from bnn.data import mitdb
from bnn.data.annotations import CLASS_OF_BEAT
from bnn.data.records import read_annotations, read_record
from bnn.data.windows import WindowSet
from bnn.errors import DataError

KINDS = {"bw": "baseline wander", "em": "electrode motion", "ma": "muscle artefact"}
SNRS = (24.0, 18.0, 12.0, 6.0, 0.0)  # dB: those of the database's own records, but for -6
MEASUREMENTS = 300  # of sigamp
QRS_SECONDS = 0.05  # of sigamp, to either side
ABNORMAL = "VEF"  # beats that sigamp does not measure (map1 of the WFDB library)
ADC_TOP = 2047  # the recordings' ADC has 11 bits


def load_noise(kind: str, signal: str = "noise1") -> np.ndarray:
    """A signal of the noise record bw, em or ma: (650000,) float64, 360 samples per second, in its own units.

    Figures are measured with noise1, and networks trained with noise2, the other electrodes of the same recording.
    Found, or fetched, as the arrhythmia records are. Raises DataError for another kind.
    """
    if kind not in KINDS:
        raise DataError(f"{kind}: no such noise, wanted one of {', '.join(KINDS)}")
    return read_record(mitdb.locate("nstdb") / kind, signal).signal.astype(np.float64)


def noise_power(noise: np.ndarray, fs: float = 360.0) -> float:
    """N of the module's docstring, in squared units of `noise` (n,), n at least one second."""
    second = round(fs)
    count = min(len(noise) // second, MEASUREMENTS)
    return _trimmed_mean(noise[: count * second].reshape(count, second).std(axis=1)) ** 2


def signal_power(signal: np.ndarray, sample: np.ndarray, symbol: np.ndarray, fs: float = 360.0) -> float:
    """S of the module's docstring, in squared ADC units, from the annotated beats of a lead's `signal`.

    Raises DataError if no annotation is a normal beat.
    """
    reach = round(QRS_SECONDS * fs)
    normal = [s in CLASS_OF_BEAT and s not in ABNORMAL for s in symbol.tolist()]
    inside = (sample >= reach) & (sample < len(signal) - reach)
    beats = sample[inside & np.array(normal)][:MEASUREMENTS]
    if not len(beats):
        raise DataError("no annotation is a normal beat, so the signal has no size to set noise against")
    return _trimmed_mean(np.ptp(signal[beats[:, None] + np.arange(-reach, reach + 1)], axis=1)) ** 2 / 8


def signal_powers(windows: WindowSet) -> np.ndarray:
    """(n,) float64: S of the record and lead that each window was cut from."""
    folder = mitdb.locate()
    sources = zip(windows.record.tolist(), windows.lead.tolist(), strict=True)
    return np.array([_power_of(folder, record, lead) for record, lead in sources])


@lru_cache(maxsize=128)
def _power_of(folder: Path, record: str, lead: str) -> float:
    recording = read_record(folder / record, lead)
    return signal_power(recording.signal, *read_annotations(folder / record), recording.fs)


def add_noise(
    x: np.ndarray, power: np.ndarray, noise: np.ndarray, snr: float | np.ndarray, start: np.ndarray
) -> np.ndarray:
    """The windows (n, length) int16 with noise at `snr` dB, one or (n,), as the recordings' ADC would have given them.

    power  (n,) the windows' S
    noise  (m,) a whole noise record; window i gets what begins at its sample start[i], less its mean there
    """
    scale = np.sqrt(power / (noise_power(noise) * 10 ** (snr / 10)))
    stretch = np.lib.stride_tricks.sliding_window_view(noise, x.shape[1])[start]
    return saturate(x + scale[:, None] * (stretch - stretch.mean(axis=1, keepdims=True)))


def saturate(values: np.ndarray) -> np.ndarray:
    """Rounded to steps of the ADC and clipped at its 11 bits, 0 to 2047: int16."""
    return np.clip(np.rint(values), 0, ADC_TOP).astype(np.int16)


def _trimmed_mean(values: np.ndarray) -> float:
    dropped = len(values) // 20
    return float(np.sort(values)[dropped : len(values) - dropped].mean())
