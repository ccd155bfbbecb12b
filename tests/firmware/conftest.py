"""The toy model, built once for each target that a test asks for."""

import pytest

from bnn.errors import ToolError
from firmware.build import SANITIZERS, build_image
from firmware.compilers import find_compiler, run
from firmware.manifest import read_manifest
from firmware.targets import HOST, TARGETS
from tests.firmware.toy import toy_windows, twin, write_toy

EMULATED = [name for name, target in TARGETS.items() if target.unicorn]


@pytest.fixture(scope="session")
def lab():
    """Skips where the packages of the laboratory are not installed."""
    for module in ("ziglang", "unicorn", "elftools"):
        pytest.importorskip(module, reason=f"{module} is not installed: pip install 'bnn-wearables[mcu]'")


@pytest.fixture(scope="session")
def sanitizers(tmp_path_factory):
    """Skips where the compiler of this computer has no AddressSanitizer: zig has none, clang may lack its runtime."""
    source = tmp_path_factory.mktemp("sanitizers") / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    compiler = find_compiler(HOST)
    if compiler.kind == "zig":
        pytest.skip("neither gcc nor clang is installed, and zig brings no AddressSanitizer")
    try:
        run(compiler, [*SANITIZERS, str(source), "-o", str(source.with_suffix(".elf"))], what="a sanitized program")
    except ToolError:
        pytest.skip(f"{compiler} cannot link AddressSanitizer here; install gcc")


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    return write_toy(tmp_path_factory.mktemp("generated") / "toy")


@pytest.fixture(scope="session")
def manifest(toy):
    return read_manifest(toy)


@pytest.fixture(scope="session")
def windows():
    return toy_windows(20)


@pytest.fixture(scope="session")
def expected(windows):
    return twin(windows)


@pytest.fixture(scope="session")
def image(lab, toy, tmp_path_factory):
    """image(target, traced): the toy's image, built when first asked for."""
    folder, built = tmp_path_factory.mktemp("images"), {}

    def get(target, traced):
        if (target, traced) not in built:
            built[target, traced] = build_image(toy, target, folder, traced=traced)
        return built[target, traced]

    return get
