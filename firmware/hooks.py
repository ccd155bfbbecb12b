"""Hooks of Unicorn at native speed: counting instructions, one by one too, and watching the alignment of accesses.

A hook in Python for every instruction is some hundred times slower than the emulation, so these are C functions of a
few lines, compiled when they are first needed.
"""

import ctypes
import tempfile
from functools import lru_cache
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from bnn.errors import ToolError
from firmware.compilers import find_compiler, run
from firmware.targets import HOST

SOURCE = Path(__file__).parent / "ports" / "hooks.c"
_HELD: WeakKeyDictionary = WeakKeyDictionary()
"""By engine, what its hooks write to: Unicorn knows the address alone, and may go on when whoever asked is gone."""
EVERYWHERE = (1, 0)  # Unicorn takes a range that ends before it begins for all addresses


class Counter:
    """Counts the instructions that the Unicorn engine `uc` executes from address `first` up to, without, `end`.

    An instruction of a Thumb IT block whose condition fails is not executed, and not counted.
    Make it before they first run: Unicorn looks for hooks when it translates code, which it does once.
    """

    def __init__(self, uc, first: int, end: int):
        import unicorn

        self._count = ctypes.c_uint64(0)
        _add(uc, unicorn.UC_HOOK_CODE, _library().count_instruction, self._count, (first, end - 1))

    @property
    def value(self) -> int:
        return self._count.value


class _Profile(ctypes.Structure):
    """struct profile of ports/hooks.c."""

    _fields_ = (
        ("first", ctypes.c_uint64),
        ("before", ctypes.c_uint64),
        ("behind", ctypes.c_uint64),
        ("visits", ctypes.c_void_p),
        ("jumps", ctypes.c_void_p),
    )


class Profiler:
    """Counts every instruction of `first` up to, without, `end` on its own.

    visits, jumps   (n,) uint64, entry i for the instruction at first + 2 i: how often it ran, and how often another
                    than the one behind it ran next. Jumps mean something for branches alone: where an IT block is
                    left out, or a call leaves the range, code that does not branch jumps too.
    """

    def __init__(self, uc, first: int, end: int):
        import unicorn

        self.visits, self.jumps = (np.zeros((end - first + 1) // 2, np.uint64) for _ in range(2))
        self._state = _Profile(first, 0, 0, self.visits.ctypes.data, self.jumps.ctypes.data)
        _add(uc, unicorn.UC_HOOK_CODE, _library().profile_instruction, self._state, (first, end - 1))


class _Watch(ctypes.Structure):
    """struct watch of ports/hooks.c."""

    _fields_ = (("stop", ctypes.c_void_p), ("address", ctypes.c_uint64), ("bytes", ctypes.c_uint64))


class AlignmentWatch:
    """Stops the engine at the first load or store of n bytes at an address that is no multiple of n.

    Some cores fault there, but Unicorn lets it pass. Watching makes a Cortex-M0 about 15 times slower.
    """

    def __init__(self, uc):
        import unicorn
        from unicorn.unicorn_py3.unicorn import uclib

        self._found = _Watch(stop=ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p).value)
        kinds = unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE
        _add(uc, kinds, _library().watch_alignment, self._found, EVERYWHERE)

    @property
    def finding(self) -> str:
        """What was found, as a person reads it; "" for nothing."""
        if not self._found.bytes:
            return ""
        return f"access of {self._found.bytes} bytes at address {self._found.address:#x}, which this core cannot do"


def _add(uc, kind: int, callback, data, addresses: tuple[int, int]) -> None:
    """Unicorn's uc_hook_add, which its Python package only offers for callbacks in Python."""
    import unicorn
    from unicorn.unicorn_py3.arch.types import uc_hook_h
    from unicorn.unicorn_py3.unicorn import uclib

    status = uclib.uc_hook_add(
        uc._uch,
        ctypes.byref(uc_hook_h()),
        ctypes.c_int(kind),
        ctypes.cast(callback, ctypes.c_void_p),
        ctypes.byref(data),
        *map(ctypes.c_uint64, addresses),
    )
    if status != unicorn.UC_ERR_OK:
        raise ToolError(f"unicorn refused a native hook ({unicorn.UcError(status)}); install version 2.1.4")
    _HELD.setdefault(uc, []).append(data)


@lru_cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory(prefix="bnn-hooks-") as folder:
        path = Path(folder) / "hooks.so"
        compiler = find_compiler(HOST)
        run(compiler, ["-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(path)], what="the hooks of the emulator")
        return ctypes.CDLL(str(path))
