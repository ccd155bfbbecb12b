"""Counting instructions in Unicorn at native speed.

A hook in Python for every instruction is some hundred times slower than the emulation, so the hook is a C function of
one line, compiled when it is first needed. Unicorn calls it before every instruction that is executed; an instruction
of an IT block whose condition fails is not.
"""

import ctypes
import tempfile
from functools import lru_cache
from pathlib import Path

from bnn.errors import ToolError
from firmware.compilers import find_compiler, run
from firmware.machine import Machine
from firmware.targets import HOST

SOURCE = Path(__file__).parent / "ports" / "count.c"


class Counter:
    """Counts the instructions that `machine` executes from `first` up to, without, `end`.

    Make it before they first run: Unicorn looks for hooks when it translates code, which it does once.
    """

    def __init__(self, machine: Machine, first: int, end: int):
        import unicorn
        from unicorn.unicorn_py3.unicorn import uclib

        self._count = ctypes.c_uint64(0)
        self._library = _library()  # kept, as Unicorn holds only an address in it
        self._machine = machine
        status = uclib.uc_hook_add(
            machine.uc._uch,
            ctypes.byref(ctypes.c_size_t()),
            ctypes.c_int(unicorn.UC_HOOK_CODE),
            ctypes.cast(self._library.count_instruction, ctypes.c_void_p),
            ctypes.byref(self._count),
            ctypes.c_uint64(first),
            ctypes.c_uint64(end - 1),
        )
        if status != unicorn.UC_ERR_OK:
            raise ToolError(f"unicorn refused the counting hook ({unicorn.UcError(status)}); is it version 2.1.4?")

    @property
    def value(self) -> int:
        return self._count.value


@lru_cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory(prefix="bnn-count-") as folder:
        path = Path(folder) / "count.so"
        compiler = find_compiler(HOST)
        run(compiler, ["-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(path)], what="the instruction counter")
        return ctypes.CDLL(str(path))
