"""Who may import whom: the table of docs/DESIGN.md, held against every module by its syntax tree and by running it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMON = {"bnn", "bnn.errors", "bnn.files"}
"""Common ground: `bnn` itself holds the version alone."""

ROOMS = {
    "bnn.graph": set(),
    "bnn.sim": {"bnn.graph"},
    "bnn.data": set(),
    "bnn.models": set(),
    "bnn.train": {"bnn.data", "bnn.exits", "bnn.models", "bnn.metrics", "bnn.graph.arith"},
    "bnn.lower": {"bnn.graph", "bnn.models"},
    "bnn.exchange": {"bnn.graph"},
    "bnn.metrics": set(),
    "bnn.exits": {"bnn.metrics"},
    "bnn.rejection": {"bnn.metrics"},
    "bnn.report": set(),
    "bnn.zoo": set(),
    "bnn.cli": {
        "bnn.cli",
        "bnn.data",
        "bnn.exchange",
        "bnn.exits",
        "bnn.graph",
        "bnn.lower",
        "bnn.metrics",
        "bnn.models",
        "bnn.rejection",
        "bnn.report",
        "bnn.sim",
    }
    | {"bnn.train", "bnn.zoo", "codegen", "firmware", "hw"},
    "codegen": {"bnn.graph"},
    "firmware": set(),
    "hw": {"firmware.compilers", "firmware.targets"},
}
"""Of our own modules, what each room may import besides itself and the common ground."""

OUTSIDE = {
    "bnn.graph": {"numpy", "safetensors"},
    "bnn.sim": {"numpy"},
    "bnn.data": {"numpy", "scipy", "wfdb", "edfio", "rich"},
    "bnn.metrics": {"numpy", "rich"},
    "bnn.exits": {"numpy"},
    "bnn.rejection": {"numpy"},
    "bnn.report": {"numpy", "jinja2", "markupsafe", "matplotlib"},
    "bnn.zoo": set(),
    "codegen": {"numpy", "jinja2"},
    "firmware": {"numpy", "unicorn", "elftools"},
    "hw": {"numpy", "jinja2"},
}
"""Of others' packages, all that a room may import; rooms that are not named here may import any."""

LAYERS = {
    "torch",
    "brevitas",
    "lightning",
    "torchmetrics",
    "wfdb",
    "scipy",
    "edfio",
    "matplotlib",
    "unicorn",
    "elftools",
    "hls4ml",
    "onnx",
    "onnxruntime",
    "tensorflow",
    "larq",
}
"""What only the extras `train`, `records`, `sleep`, `lab` and `peers` install, and what no extra does."""


def belongs(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def room_of(path: Path) -> str | None:
    """The room of a source file; None for the common ground."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    if module in COMMON:
        return None
    return next((room for room in ROOMS if belongs(module, room)), module)


def imports(path: Path) -> set[str]:
    """Full names of what a file imports, at its top or within functions; `from a import b` is both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names if node.module == "bnn"}
    return found


SOURCES = sorted(path for top in ("bnn", "codegen", "firmware", "hw") for path in (ROOT / top).rglob("*.py"))


def test_all_rooms_are_found():
    """So that no test below passes because a folder was moved."""
    rooms = [room_of(path) for path in SOURCES]
    assert set(ROOMS) == {room for room in rooms if room}
    assert rooms.count(None) == len(COMMON)
    assert {"numpy", "safetensors", "bnn.errors"} <= set().union(*(imports(p) for p in SOURCES if "graph" in p.parts))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may(path):
    room = room_of(path)
    ours = {name for name in imports(path) if name.split(".")[0] in ("bnn", "codegen", "firmware", "hw")}
    allowed = COMMON - {"bnn"} | (ROOMS[room] | {room} if room else set())
    for name in ours - {"bnn"} - {"bnn.__version__"}:
        assert any(belongs(name, base) for base in allowed), f"{room or 'common ground'} must not import {name}"
    if room in OUTSIDE:
        others = {name.split(".")[0] for name in imports(path) - ours} - sys.stdlib_module_names
        assert others <= OUTSIDE[room], f"{room} must not import {sorted(others - OUTSIDE[room])}"


def test_the_test_can_fail(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("import torch.nn\ndef f():\n    from bnn.cli.app import main\n    from bnn import train\n")
    assert imports(file) == {"torch.nn", "bnn.cli.app", "bnn", "bnn.train"}


@pytest.mark.parametrize(
    "module",
    ["bnn.graph", "bnn.sim", "bnn.metrics", "bnn.zoo", "bnn.cli", "bnn.cli.app", "bnn.data.ecg", "bnn.data.sleep.sets"]
    + [
        "bnn.lower.passes",
        "codegen.generate",
        "codegen.hls",
        "codegen.rtl",
        "firmware.runners",
        "hw.csim",
        "hw.rtl_sim",
    ],
)
def test_the_core_runs_without_the_extras(module):
    """Importing it, in a fresh interpreter, loads no package of an extra."""
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(result.stdout.split())
    assert module.split(".")[0] in loaded
    assert not loaded & LAYERS
