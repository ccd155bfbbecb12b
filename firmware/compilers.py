"""Finding a C compiler for a target, and calling it."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import util
from pathlib import Path

from bnn.errors import ToolError
from firmware.targets import Target

KINDS = ("zig", "gcc", "clang")
LAST_LINES = 12  # of a failed compiler's message, quoted in the error


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler that is installed. `command` starts it; `kind` is one of KINDS."""

    kind: str
    command: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"


def find_compiler(target: Target, prefer: str | None = None) -> Compiler:
    """The compiler for `target`: zig for a microcontroller; gcc, clang or else zig for the host.

    prefer   one of KINDS, to have that one or an error

    Raises ToolError, with the line that installs one, if there is none.
    """
    if prefer is not None and prefer not in KINDS:
        raise ToolError(f"compiler {prefer!r} is unknown; choose one of {', '.join(KINDS)}")
    for kind in (prefer,) if prefer else _order(target):
        command = _command(kind, target)
        if command:
            return Compiler(kind, command, version_of(command, kind))
    wanted = f"compiler {prefer}" if prefer else "C compiler"
    advice = "" if prefer in ("gcc", "clang") else "; pip install 'bnn-wearables[mcu]' brings one (ziglang)"
    sought = ", ".join(_program(kind, target) for kind in ((prefer,) if prefer else _order(target)))
    raise ToolError(f"no {wanted} for {target.name} was found (looked for {sought}){advice or '; install it'}")


def run(compiler: Compiler, arguments: Sequence[str], *, what: str, cwd: Path | None = None) -> None:
    """Call the compiler. Raises ToolError with the end of its own message if it fails; `what` names the task."""
    done = subprocess.run([*compiler.command, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:]
        said = "\n".join(lines) or f"nothing, and left with code {done.returncode}"
        raise ToolError(f"{what}: {compiler} failed; it said:\n{said}")


def _order(target: Target) -> tuple[str, ...]:
    return ("gcc", "clang", "zig") if target.is_host else ("zig", "gcc")


def _program(kind: str, target: Target) -> str:
    return target.gcc if kind == "gcc" else "ziglang" if kind == "zig" else "clang"


def _command(kind: str, target: Target) -> tuple[str, ...]:
    """How to start that kind of compiler for `target`; () if it is not there."""
    if kind == "zig":
        return _zig()
    if kind == "clang" and not target.is_host:
        return ()
    found = shutil.which(_program(kind, target))
    return (found,) if found else ()


def _zig() -> tuple[str, ...]:
    """The program inside the wheel, called without the Python process of `python -m ziglang`.

    Its cache is the user's (~/.cache/zig, or ZIG_GLOBAL_CACHE_DIR), never the working tree.
    """
    spec = util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        return ()
    folder = Path(spec.origin).parent
    for program in (folder / "zig", folder / "zig.exe"):
        if program.is_file():
            return (str(program), "cc")
    return ()


@lru_cache
def version_of(command: tuple[str, ...], kind: str) -> str:
    """What the compiler that `command` starts says of itself."""
    arguments = [command[0], "version"] if kind == "zig" else [command[0], "-dumpfullversion", "-dumpversion"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.stdout.split()[0] if done.returncode == 0 and done.stdout.split() else "of unknown version"
