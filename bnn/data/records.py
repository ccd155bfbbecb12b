"""Reading one lead of a WFDB record, or the annotations beside it, by wfdb."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import DataError, ToolError

RHYTHM_CHANGE = "+"  # the annotation symbol whose note names a rhythm
MILLIVOLT = {"mV": 1.0, "uV": 1000.0, "V": 0.001}  # one millivolt in other units


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One lead of one recording. The voltage of a value v is (v - adc_zero) / gain millivolts.

    name      of the record
    signal    (n,) ADC units: int16 or int32 from a WFDB record, float64 from a sample file
    fs        samples per second
    gain      ADC units per millivolt
    adc_zero  ADC value at 0 mV
    lead      name of the lead, "" where the file names none
    """

    name: str
    signal: np.ndarray
    fs: float
    gain: float
    adc_zero: int
    lead: str


def read_record(path: str | Path, lead: str = "MLII") -> Recording:
    """Read one lead, looked up by its name, of the WFDB record `path` (without suffix, or with .hea or .dat).

    Raises DataError if a file is missing, truncated, damaged or unreadable, if the record has no such lead,
    if samples of the lead are missing, or if it is no voltage.
    """
    wfdb = wfdb_library()
    path = record_path(path)
    header = _read_header(wfdb, path)
    channel = _find_lead(path, header.sig_name or [], lead)
    per_millivolt = _units_per_millivolt(path, lead, header.units[channel])
    record = _read_channel(wfdb, path, channel, header)
    samples = record.d_signal[:, 0]
    _check_samples(path, lead, record)
    narrow = np.iinfo(np.int16)
    fits = narrow.min <= samples.min() and samples.max() <= narrow.max
    return Recording(
        name=path.name,
        signal=samples.astype(np.int16 if fits else np.int32),
        fs=float(record.fs),
        gain=float(record.adc_gain[0]) * per_millivolt,
        adc_zero=int(record.baseline[0]),
        lead=lead,
    )


def read_annotations(path: str | Path, extension: str = "atr") -> tuple[np.ndarray, np.ndarray]:
    """The annotations of the WFDB record `path`: sample (n,) int64, ascending, and symbol (n,) str.

    Raises DataError if the file is missing or cannot be read.
    """
    annotation = _read_annotation_file(path, extension)
    return annotation.sample.astype(np.int64), np.array(annotation.symbol)


def read_rhythms(path: str | Path, extension: str = "atr") -> tuple[np.ndarray, np.ndarray]:
    """Where a rhythm of the WFDB record `path` begins: sample (n,) int64, ascending, and its name (n,) str, "(AFIB".

    Raises DataError as read_annotations does.
    """
    annotation = _read_annotation_file(path, extension)
    changes = [i for i, symbol in enumerate(annotation.symbol) if symbol == RHYTHM_CHANGE]
    names = [annotation.aux_note[i].rstrip("\0") for i in changes]
    return annotation.sample[changes].astype(np.int64), np.array(names, dtype=str)


def _read_annotation_file(path: str | Path, extension: str):
    wfdb = wfdb_library()
    path = record_path(path)
    file = path.with_name(f"{path.name}.{extension}")
    _require(file, "annotations")
    try:
        annotation = wfdb.rdann(str(path), extension)
    except Exception as error:  # wfdb raises whatever the damaged bytes lead to
        raise DataError(f"{file}: damaged annotations ({_reason(error)}); fetch the file again") from error
    if not len(annotation.sample):
        raise DataError(f"{file}: holds no annotation; fetch the file again")
    return annotation


def wfdb_library():
    """The wfdb module. It is imported late: it takes half a second, and the core works without it."""
    try:
        import wfdb
    except ImportError as error:
        raise ToolError(
            "wfdb is not installed, and reading records needs it; pip install 'bnn-wearables[records]'"
        ) from error
    return wfdb


def lead_names(path: str | Path) -> tuple[str, ...]:
    """The leads of the WFDB record `path`, in order. Raises DataError as `read_record` does."""
    return tuple(_read_header(wfdb_library(), record_path(path)).sig_name or ())


def record_path(path: str | Path) -> Path:
    """`path` as WFDB names a record: with its folder, without .hea or .dat."""
    path = Path(path)
    return path.with_suffix("") if path.suffix in (".hea", ".dat") else path


def _read_header(wfdb, path: Path):
    file = path.with_name(f"{path.name}.hea")
    _require(file, "header")
    try:
        header = wfdb.rdheader(str(path))
    except Exception as error:  # wfdb raises whatever the damaged text leads to
        raise DataError(f"{file}: not a WFDB header ({_reason(error)}); fetch the file again") from error
    if isinstance(header, wfdb.MultiRecord):
        segments = ", ".join(header.seg_name[:3])
        raise DataError(f"{file}: a record of several segments, wanted a single one; give a segment ({segments} ...)")
    return header


def _find_lead(path: Path, leads: list[str], lead: str) -> int:
    if lead not in leads:
        there = ", ".join(leads) or "none"
        raise DataError(f"record {path.name}: no lead {lead}, the record has {there}; choose one of these with --lead")
    return leads.index(lead)


def _units_per_millivolt(path: Path, lead: str, unit: str) -> float:
    """How many of the header's physical units a millivolt is: headers give the gain per such unit."""
    if unit not in MILLIVOLT:
        raise DataError(
            f"record {path.name}, lead {lead}: its unit is {unit}, wanted a voltage ({', '.join(MILLIVOLT)}); "
            "choose an ECG lead with --lead"
        )
    return MILLIVOLT[unit]


def _read_channel(wfdb, path: Path, channel: int, header):
    _require(path.with_name(header.file_name[channel]), "samples")
    try:
        return wfdb.rdrecord(str(path), physical=False, channels=[channel])
    except Exception as error:  # a short file surfaces as a shape error of numpy, and so on
        file = path.with_name(header.file_name[channel])
        size = file.stat().st_size
        raise DataError(
            f"{file}: truncated or damaged, {size} bytes do not hold the {header.sig_len} samples that "
            f"{path.name}.hea promises; fetch the file again"
        ) from error


def _check_samples(path: Path, lead: str, record) -> None:
    """Compare with the header's checksum (the 16-bit sum of all samples; 0 where none was computed), find gaps."""
    wanted = record.checksum[0]
    got = int(record.d_signal[:, 0].sum())
    if wanted and (got - wanted) % 65536:
        raise DataError(
            f"record {path.name}, lead {lead}: the samples' checksum is {got % 65536}, {path.name}.hea says "
            f"{wanted % 65536}; the samples are damaged or truncated, fetch {record.file_name[0]} again"
        )
    gaps = np.flatnonzero(np.isnan(record.dac()[:, 0]))
    if len(gaps):
        raise DataError(
            f"record {path.name}, lead {lead}: {len(gaps)} samples are missing, the first is sample {gaps[0]}; "
            "choose another lead with --lead, or cut the record"
        )


def _require(file: Path, what: str) -> None:
    if not file.is_file():
        raise DataError(f"{file}: no such file, wanted the record's {what}; check the path, or fetch the record again")


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
