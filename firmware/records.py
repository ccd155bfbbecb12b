"""The stream of records that a bench gives (ports/bench.h), and the tensors in it.

Memory is time-major: element (c, t) of a tensor (C, T) is number t * C + c. Bit i of a bit tensor is bit i % 32 of
little-endian word i / 32, which is bit i % 8 of byte i / 8. Maps of bits may lie in lanes instead: see manifest.Lanes.
A stream gives each row of a map, one time step, as a record of its own.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from bnn.errors import DataError, ToolError
from firmware.manifest import Manifest, Trace

RESULT_ID = 0xFFFF_FFFF
FAULT_ID = 0xFFFF_FFFE
HEAD = struct.Struct("<II")  # id, bytes
INTEGERS = {"int8": np.dtype("<i1"), "int16": np.dtype("<i2"), "int32": np.dtype("<i4")}

Record = tuple[int, bytes]


@dataclass(frozen=True)
class Result:
    """What a run gave for n windows.

    classes  (n,)   int32, index of the class
    logits   (n, k) int32
    exits    (n,)   int32, number of the stage at whose exit each left; all 0 where there is one stage
    tensors  name -> (n, *shape): bits as uint8 0 or 1, integers in their own type; empty where nothing was traced
    """

    classes: np.ndarray
    logits: np.ndarray
    exits: np.ndarray
    tensors: dict[str, np.ndarray] = field(default_factory=dict)


def check_windows(windows: np.ndarray, manifest: Manifest) -> np.ndarray:
    """`windows` as (n, values) little-endian int16. Raises DataError for another shape, type or range."""
    windows = np.asarray(windows)
    flat = windows.reshape(len(windows), int(np.prod(windows.shape[1:]))) if windows.ndim > 1 else windows
    if flat.ndim != 2 or flat.shape[1] != manifest.values:
        raise DataError(
            f"{manifest.name}: windows have shape {windows.shape}, but {manifest.values} samples a window are wanted: "
            f"give an array (n, {manifest.values})"
        )
    if flat.dtype.kind not in "iu":
        raise DataError(f"{manifest.name}: windows are {flat.dtype}, but raw ADC integers (int16) are wanted")
    if flat.size and (flat.min() < -32768 or flat.max() > 32767):
        raise DataError(f"{manifest.name}: windows reach from {flat.min()} to {flat.max()}, outside int16")
    return np.ascontiguousarray(flat, dtype="<i2")


def split_records(stream: bytes) -> list[Record]:
    """Cut a stream into records. Raises ToolError if it ends inside one."""
    records, at = [], 0
    while at < len(stream):
        if len(stream) - at < HEAD.size:
            raise ToolError("the bench's output ends inside a record; was the run interrupted?")
        number, size = HEAD.unpack_from(stream, at)
        payload = stream[at + HEAD.size : at + HEAD.size + size]
        if len(payload) != size:
            raise ToolError("the bench's output ends inside a record; was the run interrupted?")
        records.append((number, payload))
        at += HEAD.size + size
    return records


def collect(records: Iterable[Record], n: int, manifest: Manifest, traced: bool) -> Result:
    """Sort the records of `n` windows into a Result.

    Raises ToolError if a window has no result, or if its tensors are not those of the manifest.
    """
    columns: dict[int, list[bytes]] = {}
    for number, payload in records:
        columns.setdefault(number, []).append(payload)
    done = columns.pop(RESULT_ID, [])
    if len(done) != n:
        raise ToolError(f"{manifest.name}: {len(done)} of {n} windows came back; was the run interrupted?")
    last = 1 + len(manifest.classes)
    outputs = np.frombuffer(b"".join(done), "<i4").reshape(n, last + bool(manifest.stages))
    exits = outputs[:, last].copy() if manifest.stages else np.zeros(n, np.int32)
    tensors = {}
    for trace in manifest.traces if traced else ():
        rows = columns.pop(trace.id, [])
        if len(rows) != n * trace.parts:
            wanted = f"{trace.parts} times each" if trace.rows else "once each"
            raise ToolError(f"{manifest.name}: {trace.name} was traced {len(rows)} times in {n} windows, not {wanted}")
        tensors[trace.name] = decode(trace, rows)
    if columns:
        raise ToolError(f"{manifest.name}: trace {min(columns)} is not in the manifest; run bnn generate again")
    return Result(outputs[:, 0].copy(), outputs[:, 1:last].copy(), exits, tensors)


def decode(trace: Trace, rows: list[bytes]) -> np.ndarray:
    """The tensor of n windows, (n, *shape), from its bytes. Raises ToolError if they are too few."""
    if trace.rows:
        row = replace(trace, shape=(trace.shape[0], 1), rows=False)
        times = decode(row, rows).reshape(-1, trace.shape[1], trace.shape[0])
        return np.ascontiguousarray(times.transpose(0, 2, 1))
    if trace.lanes:
        return _decode_lanes(trace, rows)
    count = int(np.prod(trace.shape))
    bits = trace.type == "bit"
    wanted = (trace.first_bit + count + 7) // 8 if bits else count * INTEGERS[trace.type].itemsize
    raw = _bytes(trace, rows, wanted)
    if bits:
        flat = np.unpackbits(raw, axis=1, bitorder="little")[:, trace.first_bit : trace.first_bit + count]
    else:
        flat = raw.view(INTEGERS[trace.type])
    if len(trace.shape) != 2:
        return flat.reshape(len(rows), *trace.shape)
    channels, times = trace.shape
    return np.ascontiguousarray(flat.reshape(len(rows), times, channels).transpose(0, 2, 1))


def _bytes(trace: Trace, rows: list[bytes], wanted: int) -> np.ndarray:
    """The first `wanted` bytes of each row, (n, wanted) uint8."""
    short = min((len(row) for row in rows), default=wanted)
    if short < wanted:
        raise ToolError(f"{trace.name}: {short} bytes were traced, but {trace.shape} {trace.type} take {wanted}")
    return np.frombuffer(b"".join(row[:wanted] for row in rows), np.uint8).reshape(len(rows), wanted)


def _decode_lanes(trace: Trace, rows: list[bytes]) -> np.ndarray:
    """(n, channels, times): bit j of word first_word + i of a row is step j * segment + i."""
    (channels, times), lanes = trace.shape, trace.lanes
    words = _bytes(trace, rows, 4 * channels * lanes.row).view("<u4").reshape(len(rows), channels, lanes.row)
    words = words[:, :, lanes.first_word : lanes.first_word + lanes.segment]
    bits = (words[:, :, None, :] >> np.arange(32, dtype=np.uint32)[:, None]) & 1  # (n, channels, lane, word)
    return np.ascontiguousarray(bits.reshape(len(rows), channels, -1)[:, :, :times].astype(np.uint8))
