"""Finding what C simulation is compiled with: a C++ compiler, and headers of arbitrary-precision integers."""

import os
import shutil
from importlib import util
from pathlib import Path

from bnn.errors import ToolError
from firmware.compilers import Compiler, find_compiler
from firmware.targets import HOST

PROGRAMS = {"gcc": "g++", "clang": "clang++"}

HEADERS = "BNN_AP_TYPES"
"""Variable that names a folder with ap_int.h, where it is not to be that of the hls4ml package."""


def find_cxx(prefer: str | None = None) -> Compiler:
    """A C++ compiler for this computer: g++, clang++, or else zig's.

    prefer   gcc, clang or zig, to have that one or an error

    Raises ToolError, with the line that installs one, if there is none.
    """
    for kind, program in PROGRAMS.items():
        if prefer in (None, kind) and (found := shutil.which(program)):
            return Compiler(kind, (found,), find_compiler(HOST, kind).version if shutil.which(kind) else "")
    if prefer in PROGRAMS:
        raise ToolError(f"C++ compiler {PROGRAMS[prefer]} was not found; install it, or take zig")
    zig = find_compiler(HOST, prefer or "zig")
    return Compiler(zig.kind, (zig.command[0], "c++"), zig.version)


def find_ap_types() -> Path:
    """The folder of ap_int.h: the one that BNN_AP_TYPES names, or that of the installed hls4ml.

    Raises ToolError, with the line that installs it, if there is none.
    """
    if named := os.environ.get(HEADERS):
        if not (Path(named) / "ap_int.h").is_file():
            raise ToolError(f"{HEADERS} is {named}, but there is no ap_int.h in it; name the folder that has it")
        return Path(named)
    spec = util.find_spec("hls4ml")
    folder = Path(spec.origin).parent / "templates" / "vivado" / "ap_types" if spec and spec.origin else None
    if folder is None or not (folder / "ap_int.h").is_file():
        raise ToolError(
            "no ap_int.h was found for C simulation; pip install 'bnn-wearables[fpga]' brings it (hls4ml), "
            f"or {HEADERS} names the folder that has it"
        )
    return folder
