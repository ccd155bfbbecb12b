"""Which C++ compiler is taken, and what is said where there is none."""

import numpy as np
import pytest

from bnn.errors import ToolError
from hw import csim, cxx
from tests.graphs import small_graph, windows
from tests.hw.projects import differences, needs_csim, write


def test_the_compiler_of_the_system_comes_first(monkeypatch):
    monkeypatch.setattr(cxx.shutil, "which", lambda program: f"/usr/bin/{program}" if program == "clang++" else None)
    monkeypatch.setattr(cxx, "version_of", lambda command, kind: "1.2")
    found = cxx.find_cxx()
    assert (found.kind, found.command, str(found)) == ("clang", ("/usr/bin/clang++",), "clang 1.2")
    with pytest.raises(ToolError, match=r"C\+\+ compiler g\+\+ was not found; install it, or take zig"):
        cxx.find_cxx("gcc")


def test_an_unknown_compiler():
    with pytest.raises(ToolError, match="compiler 'tcc' is unknown; choose one of zig, gcc, clang"):
        cxx.find_cxx("tcc")


@pytest.mark.full
@needs_csim()
@pytest.mark.parametrize("kind", ["clang", "zig"])
def test_other_compilers(tmp_path, kind):
    """The library of zig is another than GCC's."""
    try:
        compiler = cxx.find_cxx(kind)
    except ToolError as error:
        pytest.skip(str(error))
    graph = small_graph()
    project = write(graph, tmp_path / "small")
    program = csim.build([project], tmp_path, traced=True, compiler=compiler, opt="-O0")
    x = windows(np.random.default_rng(1), 3, 60)
    assert differences(graph, program, project, x).difference is None
