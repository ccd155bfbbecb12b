"""The runtime, built once with each compiler that there is."""

import os
import platform
import shutil
import sys
from pathlib import Path

import pytest

from tests.runtime.kernels import Runtime, build

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


def _popcount_instruction() -> bool:
    facts = Path("/proc/cpuinfo")
    return platform.machine() == "x86_64" and facts.exists() and " popcnt " in facts.read_text()


def builds() -> list[tuple[str, ...]]:
    """Commands of the compilers, the first of each kind; under the sanitizers GCC alone, whose library is preloaded.

    With BNN_VECTORS kernels take the vectors that only cores with MVE take by themselves.
    """
    if os.environ.get("BNN_SANITIZED"):
        return [("gcc", "-O1", *SANITIZERS), ("gcc", "-O1", "-DBNN_VECTORS", *SANITIZERS)]
    found = [(name, level) for name, level in (("gcc", "-O1"), ("clang", "-O2")) if shutil.which(name)]
    found += [(*command, "-DBNN_VECTORS") for command in found]
    if found and _popcount_instruction():
        found.append((found[0][0], "-O3", "-mpopcnt"))
    return found or [(sys.executable, "-m", "ziglang", "cc", "-O2", "-fno-sanitize=all")]


@pytest.fixture(scope="session", params=builds(), ids=lambda command: " ".join(command[:3]))
def runtime(request, tmp_path_factory) -> Runtime:
    return Runtime(build(request.param, tmp_path_factory.mktemp("runtime") / "runtime.so"))
