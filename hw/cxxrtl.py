"""Verilog as a shared library: Yosys' CXXRTL and any C++ compiler, driven pin by pin from Python."""

import ctypes
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from hw.cxx import find_cxx
from hw.rtl_tools import call, cxxrtl_headers
from hw.synth.tools import fail, require, run

# A clock is a falling and a rising edge. Beside it: until a pin of one bit is 1, or `most` clocks have passed.
SHIM = """\
#include <cxxrtl/capi/cxxrtl_capi.cc>

extern "C" uint64_t bnn_run(cxxrtl_handle handle, uint32_t *clock, const uint32_t *until, uint64_t most)
{
    for (uint64_t done = 0; done < most; done++) {
        if (until && *until)
            return done;
        *clock = 0;
        cxxrtl_step(handle);
        *clock = 1;
        cxxrtl_step(handle);
    }
    return most;
}
"""


class _Object(ctypes.Structure):
    """The head of struct cxxrtl_object (cxxrtl_capi.h)."""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("type", "flags")),
        *((name, ctypes.c_size_t) for name in ("width", "lsb_at", "depth", "zero_at")),
        ("curr", ctypes.POINTER(ctypes.c_uint32)),
        ("next", ctypes.POINTER(ctypes.c_uint32)),
    ]


class Pin:
    """A port of the design, as an unsigned number."""

    def __init__(self, thing: _Object):
        self.width = thing.width
        self.curr = thing.curr
        self._next = thing.next or thing.curr  # an input that is a register of its own takes its value at the next step
        self._words = range(-(-thing.width // 32))

    @property
    def value(self) -> int:
        return sum(self.curr[i] << 32 * i for i in self._words)

    @value.setter
    def value(self, number: int) -> None:
        for i in self._words:
            self._next[i] = number >> 32 * i & (1 << min(32, self.width - 32 * i)) - 1


class Design:
    """A simulated module with one clock, i_clk. Registers begin at 0 where the Verilog says nothing else."""

    def __init__(self, library: Path):
        self._library = ctypes.CDLL(str(library))
        for name, result, arguments in (
            ("cxxrtl_design_create", ctypes.c_void_p, ()),
            ("cxxrtl_create", ctypes.c_void_p, (ctypes.c_void_p,)),
            ("cxxrtl_destroy", None, (ctypes.c_void_p,)),
            ("cxxrtl_get_parts", ctypes.POINTER(_Object), (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)),
            ("cxxrtl_step", ctypes.c_size_t, (ctypes.c_void_p,)),
            ("bnn_run", ctypes.c_uint64, (*[ctypes.c_void_p] * 3, ctypes.c_uint64)),
        ):
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._handle = self._library.cxxrtl_create(self._library.cxxrtl_design_create())
        self._pins: dict[str, Pin] = {}

    def __getitem__(self, name: str) -> Pin:
        """The port of that name; KeyError if the module has none."""
        if name not in self._pins:
            found = self._library.cxxrtl_get_parts(self._handle, name.encode(), ctypes.byref(ctypes.c_size_t()))
            if not found:
                raise KeyError(name)
            self._pins[name] = Pin(found.contents)
        return self._pins[name]

    @cached_property
    def _clock(self) -> ctypes.c_void_p:
        return ctypes.cast(self["i_clk"].curr, ctypes.c_void_p)

    def settle(self) -> None:
        """Let outputs follow inputs that have changed since the last clock."""
        self._library.cxxrtl_step(self._handle)

    def clock(self, count: int = 1) -> None:
        """That many clocks; inputs keep still."""
        self._library.bnn_run(self._handle, self._clock, None, count)

    def clock_until(self, pin: str, most: int) -> int:
        """Clock until the pin is 1, at most `most` times; how many clocks that took."""
        until = ctypes.cast(self[pin].curr, ctypes.c_void_p)
        return self._library.bnn_run(self._handle, self._clock, until, most)

    def close(self) -> None:
        if self._handle:
            self._library.cxxrtl_destroy(self._handle)
            self._handle = None


def compile_design(folder: Path, files: Iterable[str], top: str, *, optimise: str = "-O1") -> Path:
    """Make the module `top` of Verilog files in `folder` a library for Design; return its path.

    Raises ToolError if there is no Yosys or no C++ compiler, or one of them refuses its input.
    """
    require("yosys")
    folder = Path(folder)
    script = f"read_verilog {' '.join(files)}; hierarchy -check -top {top}; write_cxxrtl -O6 {top}.cc"
    if run("yosys", ("-p", script), folder / "cxxrtl.log", cwd=folder):
        raise fail("yosys", f"simulation of {top}", folder / "cxxrtl.log")
    (folder / "shim.cc").write_text(SHIM, encoding="utf-8")
    # NDEBUG: it reads memories at all times, also outside of them while nobody takes what was read.
    flags = [optimise, "-DCXXRTL_NDEBUG", "-std=c++14", "-shared", "-fPIC", "-I", str(cxxrtl_headers())]
    call(
        [*find_cxx().command, *flags, f"{top}.cc", "shim.cc", "-o", f"{top}.so"],
        what=f"simulation of {top}",
        cwd=folder,
    )
    return folder / f"{top}.so"
