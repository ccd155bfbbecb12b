"""Verilog as C++ by Yosys' CXXRTL, compiled by any C++ compiler; as a shared library, driven pin by pin from Python."""

import ctypes
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from hw.cxx import find_cxx
from hw.rtl_tools import call, cxxrtl_headers, find_simulator, yosys

PIECE = 90
"""Statements a function: the time that C++ compilers take grows faster than functions do."""

EVAL = re.compile(r"bool (\w+)::eval\(performer \*performer\) \{")
VARIABLE = re.compile(r"\tvalue<\d+> \w+;")
FLAG = re.compile(r"\tbool (\w+) = ")
LOCAL = re.compile(r"\bauto (\w+) = ")
WORD = re.compile(r"\w+")

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


def translate(
    folder: Path, files: Iterable[str], top: str, *, defines: Iterable[str] = (), visible: bool = False
) -> str:
    """The module `top` of Verilog files in `folder` as C++ of CXXRTL: a class p_top, its ports p_NAME with `_` doubled.

    visible  whether ports can be looked up by name as well; otherwise it is in pieces, so that large designs compile

    Raises ToolError if there is no Yosys or it refuses its input.
    """
    find_simulator("cxxrtl")
    # The wheel's Yosys sees the folder that it runs in, so that is where it writes.
    output = Path(folder) / "cxxrtl-output.cc"
    read = " ".join(["read_verilog", *(f"-D{name}" for name in defines), *files])
    write = f"write_cxxrtl -O6 {'' if visible else '-g0'} {output.name}"
    script = f"{read}; hierarchy -check -top {top}; rename {top} top; {write}"
    try:
        call([*yosys(), "-q", "-p", script], what="Yosys", cwd=folder)
        text = output.read_text(encoding="utf-8")
        return text if visible else in_pieces(text)
    finally:
        output.unlink(missing_ok=True)


def in_pieces(text: str) -> str:
    """C++ of CXXRTL with every eval() cut into functions of some PIECE statements; its variables become members."""
    lines = text.splitlines()
    while found := next((i for i, line in enumerate(lines) if EVAL.fullmatch(line)), None):
        end = lines.index("}", found)
        name = EVAL.fullmatch(lines[found])[1]
        members, functions = _pieces(name, lines[found + 1 : end])
        close = lines.index(f"}}; // struct {name}")
        lines[found : end + 1] = functions
        lines[close:close] = members
    return "\n".join(lines) + "\n"


def _pieces(name: str, body: list[str]) -> tuple[list[str], list[str]]:
    """Of the class `name`: members to declare, and the functions that take the place of eval()."""
    body = [line for line in body if not line.lstrip().startswith("//")]
    variables = [line for line in body if VARIABLE.fullmatch(line)]
    flags = [line for line in body if FLAG.match(line)]
    ends = [line for line in body if line.startswith("\treturn ")]
    pieces: list[list[str]] = [[]]
    own: set[str] = set()  # names that the last piece declares for itself
    for statement in _statements([line for line in body if line not in {*variables, *flags, *ends}]):
        if len(pieces[-1]) >= PIECE and not own & set(WORD.findall(statement)):
            pieces.append([])
            own = set()
        pieces[-1].append(statement)
        own |= set(LOCAL.findall(statement))
    names = ["performer", *(FLAG.match(line)[1] for line in flags)]
    given = ", ".join(["performer *performer", *(f"bool &{name}" for name in names[1:])])
    members, functions = list(variables), []
    for i, piece in enumerate(pieces):
        members.append(f"\t__attribute__((noinline)) void piece_{i}({given});")
        functions += [f"void {name}::piece_{i}({given}) {{", *piece, "}"]
    calls = [f"\tpiece_{i}({', '.join(names)});" for i in range(len(pieces))]
    # Written apart from its class, with its brace on a line of its own, so that it is not found again.
    return members, [*functions, f"bool {name}::eval(performer *performer)", "{", *flags, *calls, *ends, "}"]


def _statements(lines: Iterable[str]) -> Iterator[str]:
    """Lines joined to statements, a block with all that is in it."""
    held: list[str] = []
    depth = 0
    for line in lines:
        held.append(line)
        depth += line.count("{") - line.count("}")
        if depth == 0:
            yield "\n".join(held)
            held = []


def compile_cxxrtl(main: Path, out: Path, *, optimise: str, options: Sequence[str] = ()) -> Path:
    """Compile a C++ file that includes what translate() gave; return `out`. ToolError if there is no compiler."""
    # NDEBUG, since it reads memories at all times, also outside of them while nobody takes what was read.
    flags = [optimise, "-std=c++14", "-DCXXRTL_NDEBUG", f"-I{cxxrtl_headers()}", *options]
    call([*find_cxx().command, *flags, str(main), "-o", str(out)], what="simulation")
    return out


def compile_design(folder: Path, files: Iterable[str], top: str, *, optimise: str = "-O1") -> Path:
    """Make the module `top` of Verilog files in `folder` a library for Design; return its path.

    Raises ToolError if there is no Yosys or no C++ compiler, or one of them refuses its input.
    """
    source = Path(folder) / f"{top}.cc"
    source.write_text(translate(folder, files, top, visible=True) + SHIM, encoding="utf-8")
    return compile_cxxrtl(source, source.with_suffix(".so"), optimise=optimise, options=("-shared", "-fPIC"))
