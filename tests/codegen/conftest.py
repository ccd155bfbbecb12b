import shutil

import pytest

from tests.codegen.harness import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory) -> Bench:
    """A host compiler with the runtime built; skips where there is none."""
    compiler = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for this computer: install gcc or clang")
    return Bench(tmp_path_factory.mktemp("bench"), compiler)
