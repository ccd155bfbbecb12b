"""The C runtime called from Python: its structs, buffers with guard words, tensors in and out of memory."""

import ctypes
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codegen.layout import Tensor, words_of

RUNTIME = Path(__file__).resolve().parents[2] / "firmware" / "runtime"
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
FILL, GUARD = 0xDEADBEEF, 8

u8, u16, u32, pointer = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_void_p


class Map(ctypes.Structure):
    _fields_ = [("length", u32), ("channels", u16), ("margin", u16), ("pad", pointer)]


class Bounds(ctypes.Structure):
    _fields_ = [("t", pointer), ("scaled", u8), ("frac", u8)]


class SignalConv(ctypes.Structure):
    _fields_ = [("y", pointer), ("weights", pointer), ("bounds", Bounds), ("samples", u32)]
    _fields_ += [(name, u16) for name in ("kernel", "stride", "pad", "frac")]


class Conv(ctypes.Structure):
    _fields_ = [(name, pointer) for name in ("x", "y", "weights", "limits")]
    _fields_ += [(name, u16) for name in ("kernel", "stride", "pad")]


class Threshold(ctypes.Structure):
    _fields_ = [("x", pointer), ("y", pointer), ("bounds", Bounds)]


class Pool(ctypes.Structure):
    _fields_ = [("x", pointer), ("y", pointer), ("kernel", u16), ("stride", u16)]


class Pair(ctypes.Structure):
    _fields_ = [("a", pointer), ("b", pointer), ("y", pointer)]


class PReluSum(ctypes.Structure):
    _fields_ = [("x", pointer), ("rise", pointer), ("fall", pointer), ("bias", pointer)]


class Lanes(ctypes.Structure):
    _fields_ = [("length", u32), ("channels", u16), ("margin", u16), ("pad", pointer)]
    _fields_ += [(name, u16) for name in ("segment", "row", "full", "longer", "zeros")]


class LanesSignal(ctypes.Structure):
    _fields_ = SignalConv._fields_


class Taps(ctypes.Structure):
    _fields_ = [("channel", u16 * 2)] + [(name, u16) for name in ("both", "first", "second", "flip")]
    _fields_ += [("balance", ctypes.c_int16 * 2)]


class LanesConv(ctypes.Structure):
    _fields_ = [(name, pointer) for name in ("x", "y", "sums", "limits", "source", "weights", "order")]
    _fields_ += [(name, pointer) for name in ("taps", "lists", "pairs")]
    _fields_ += [(name, u16) for name in ("kernel", "pad", "positions", "pool", "stride", "crossing")]


class LanesCopy(ctypes.Structure):
    _fields_ = [("map", pointer), ("lanes", pointer)]


class Buffer:
    """Words with guard words around them; under AddressSanitizer touching a guard ends the process."""

    def __init__(self, words: int, content: np.ndarray | None = None):
        self._raw = np.full(words + 2 * GUARD + 2, FILL, np.uint32)
        start = GUARD + (-(self._raw.ctypes.data // 4 + GUARD)) % 2  # on 8 bytes, as the sanitizer's shadow wants it
        self.words = self._raw[start : start + words]
        self.guards = self._raw[start - GUARD : start], self._raw[start + words : start + words + GUARD]
        if content is not None:
            self.words[:] = content
        self._poison("__asan_poison_memory_region")

    def _poison(self, how: str) -> None:
        if os.environ.get("BNN_SANITIZED"):
            function = getattr(ctypes.CDLL(None), how)
            for guard in self.guards:
                function(pointer(guard.ctypes.data), ctypes.c_size_t(guard.nbytes))

    @property
    def address(self) -> int:
        return self.words.ctypes.data

    def close(self) -> np.ndarray:
        """The words; fails if a guard was written to."""
        self._poison("__asan_unpoison_memory_region")
        for guard in self.guards:
            assert (guard == FILL).all(), "written outside the buffer"
        return self.words


class Runtime:
    """One build of the runtime; call() takes structs, arrays, buffers and integers, and keeps them alive meanwhile."""

    def __init__(self, library: Path):
        self._library = ctypes.CDLL(str(library))

    def address(self, function: str) -> int:
        """Of a function, for a struct that points to it."""
        return ctypes.cast(getattr(self._library, function), pointer).value

    def call(self, kernel: str, *arguments) -> int:
        function = getattr(self._library, kernel)
        function.restype = u32
        return function(*(self._convert(argument) for argument in arguments))

    @staticmethod
    def _convert(argument):
        if isinstance(argument, ctypes.Structure):
            return ctypes.byref(argument)
        if isinstance(argument, Buffer):
            return pointer(argument.address)
        if isinstance(argument, np.ndarray):
            return pointer(argument.ctypes.data)
        return pointer(None) if argument is None else u32(argument)


def build(compiler: Sequence[str], out: Path) -> Path:
    """Compile the whole runtime into one shared library."""
    sources = [str(path) for path in sorted(RUNTIME.glob("*.c"))]
    command = [*compiler, *STRICT, "-fPIC", "-shared", *sources, "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def descriptor(kind: type[ctypes.Structure], **fields) -> ctypes.Structure:
    """A struct that points to its arrays and structs, and keeps them alive."""
    item = kind()
    item.keep = fields
    for name, value in fields.items():
        if isinstance(value, ctypes.Structure) and not isinstance(value, Bounds):
            value = ctypes.addressof(value)
        elif isinstance(value, np.ndarray):
            value = value.ctypes.data
        elif isinstance(value, ctypes.Array):
            value = ctypes.addressof(value)
        setattr(item, name, value)
    return item


def map_of(tensor: Tensor) -> Map | Lanes:
    pad = None if tensor.pad is None else words(tensor.pad)
    fields = {} if pad is None else {"pad": pad}
    if tensor.in_lanes:
        full, longer = tensor.steps
        fields |= {"segment": tensor.segment, "row": tensor.row, "full": full, "longer": longer}
        fields |= {"zeros": int(tensor.zeros)}
        return descriptor(Lanes, length=tensor.length, channels=tensor.channels, margin=tensor.margin, **fields)
    return descriptor(Map, length=tensor.length, channels=tensor.channels, margin=tensor.margin, **fields)


def words(bits: np.ndarray) -> np.ndarray:
    """Bits one after the other, by the definition: bit i is bit i % 32 of word i / 32."""
    packed, i = np.zeros(words_of(bits.size), np.uint32), np.arange(bits.size, dtype=np.uint32)
    np.bitwise_or.at(packed, i // 32, bits.ravel().astype(np.uint32) << (i % 32))
    return packed


def stored(tensor: Tensor, x: np.ndarray) -> np.ndarray:
    """The words in which a tensor of the value x, (channels, length), lies, with its margins; unused bits are 0."""
    if tensor.in_lanes:
        return in_lanes(tensor, np.asarray(x))
    data = np.asarray(x).T.ravel()
    if tensor.type.kind == "int32":
        return data.astype(np.int64).astype(np.uint32)
    if tensor.type.kind == "int16":
        bits = (data.astype(np.int64)[:, None] >> np.arange(16)) & 1
        return words(bits)
    if tensor.type.kind == "int8":
        return words((data.astype(np.int64)[:, None] >> np.arange(8)) & 1)
    step = np.ones(tensor.channels, np.uint8) if tensor.pad is None else tensor.pad
    margin = np.tile(step, tensor.margin)
    return words(np.concatenate([margin, data, margin]))


def in_lanes(tensor: Tensor, x: np.ndarray) -> np.ndarray:
    """The words of a map in lanes, by the definition: bit j of word margin + i is step j * segment + i."""
    pads = np.zeros(tensor.channels, np.uint8)
    if tensor.margin:
        pads = np.ones(tensor.channels, np.uint8) if tensor.pad is None else tensor.pad
    step = np.arange(32)[None, :] * tensor.segment + np.arange(tensor.row)[:, None] - tensor.margin  # (row, 32)
    known = (step >= 0) & (step < tensor.length)
    bits = np.where(known, x[:, np.clip(step, 0, tensor.length - 1)], pads[:, None, None])
    rows = (bits.astype(np.uint64) << np.arange(32, dtype=np.uint64)).sum(axis=2).astype(np.uint32)
    return np.concatenate([rows.ravel(), np.zeros(tensor.row * tensor.zeros, np.uint32)])
