import shutil
import sys

import pytest

from tests.codegen.harness import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory) -> Bench:
    """A compiler of this computer, or else zig, with the runtime built; skips where there is neither."""
    for name in ("gcc", "clang", "cc"):
        if shutil.which(name):
            return Bench(tmp_path_factory.mktemp("bench"), [name])
    pytest.importorskip("ziglang", reason="no C compiler for this computer: pip install 'bnn-wearables[mcu]'")
    return Bench(tmp_path_factory.mktemp("bench"), [sys.executable, "-m", "ziglang", "cc", "-fno-sanitize=all"])
