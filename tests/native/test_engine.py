"""Where the native engine comes from and goes to: its cache, what the commands say, and mistakes that must be found."""

import json

import numpy as np
import pytest

from bnn import zoo
from bnn.cli import engine, verify
from bnn.cli.common import open_graph
from bnn.cli.compare import compare
from bnn.data.synthetic import synthetic_set
from bnn.errors import ToolError
from bnn.graph import load
from bnn.sim import simulate
from codegen.c.native import emit_native
from firmware import native
from firmware.compilers import Compiler, find_compiler
from firmware.targets import HOST
from tests.cli.conftest import bnn, refused  # noqa: F401
from tests.codegen.models import pooled_integers, tiny_graph
from tests.runtime.kernels import RUNTIME

FAST = ("-std=gnu11", "-O1", "-Wno-psabi", "-fPIC", "-shared")


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    """Builds that take little time."""
    monkeypatch.setattr(native, "FLAGS", FAST)


@pytest.fixture
def calls(monkeypatch):
    """How often a compiler was called."""
    seen = []
    run = native.run
    monkeypatch.setattr(native, "run", lambda *a, **k: (seen.append(a), run(*a, **k)))
    return seen


def test_a_library_is_built_once(calls, cache, monkeypatch):
    files = emit_native(tiny_graph())
    native.open_native(files)
    (kept,) = (cache / "native").iterdir()
    native.open_native(files)
    assert len(calls) == 1 and [kept] == list((cache / "native").iterdir())
    native.open_native(files | {"bnn_stats.c": files["bnn_stats.c"] + "\n"})
    native.open_native(files, lanes=64)
    monkeypatch.setattr(native, "processor", lambda: "another one")
    native.open_native(files)
    compiler = find_compiler(HOST)
    native.open_native(files, compiler=Compiler(compiler.kind, compiler.command, "0.0.1"))
    assert len(calls) == 5


def test_what_fails_its_check_is_not_kept(calls, cache):
    def check(runner):
        raise ToolError("no good")

    for _ in range(2):
        with pytest.raises(ToolError, match="no good"):
            native.open_native(emit_native(tiny_graph()), check=check)
    assert len(calls) == 2 and not (cache / "native").exists()


def test_errors_say_what_to_do(calls, cache, tmp_path):
    files = emit_native(tiny_graph())
    with pytest.raises(ToolError, match="vectors of 96 bits: the native engine has 64, 128, 256, 512"):
        native.open_native(files, lanes=96)
    with pytest.raises(ToolError, match="tiny for the native engine: .* failed; it said:"):
        native.open_native(files | {"bnn_stats.c": "no C"})
    native.open_native(files)
    (kept,) = (cache / "native").iterdir()
    (tmp_path / kept.name).write_bytes(b"no library")
    with pytest.raises(ToolError, match="cannot be loaded .*; delete it, and it is built again"):
        native.open_native(files, cache=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="cannot be written, .*; let BNN_CACHE name a folder"):
        native.open_native(files, cache=tmp_path / "file" / "native")


@pytest.mark.parametrize("kind", ["gcc", "clang", "zig"])
def test_every_compiler(kind):
    try:
        compiler = find_compiler(HOST, kind)
    except ToolError:
        pytest.skip(f"{kind} is not installed")
    graph = tiny_graph()
    x = np.random.default_rng(0).integers(-999, 999, (600, 8)).astype(np.int16)
    runner = native.open_native(emit_native(graph), compiler=compiler)
    np.testing.assert_array_equal(runner.run(x).logits, simulate(graph, {"ecg": x}).logits)


MUTANTS = {
    "bnn_native_signal.h": [
        ("acc <= bounds[first + o]", "acc < bounds[first + o]", "block1.bits"),
        ("same ? acc + sum : acc - sum", "acc + sum", "block1.bits"),
        ("phases[i] = stats[1];", "phases[i] = 0;", "block1.bits"),
        (" - mean;", ";", "block1.bits"),
    ],
    "bnn_native_turn.c": [
        ("* 8u + j][byte / 8u]", "* 8u + j][0]", "block1.bits"),
        ("mask << size", "mask", "block1.bits"),
    ],
    "bnn_native_count.h": [
        ("bnn_carry(planes[0], most, h)", "bnn_carry(planes[0], most, g)", "block2.bits"),
        ("bnn_native_all(~bits[p]));", "bnn_native_all(bits[p]));", "block2.bits"),
        ("planes[2] = bnn_odd(planes[2], f0, f1);", "planes[2] = bnn_odd(planes[2], f0, f0);", "block2.bits"),
    ],
    "bnn_native_conv.h": [
        ("pair->flip >> 1", "pair->flip & 1u", "block2.bits"),
        ("? 0u : ~(uint64_t)0);", "? 0u : 0u);", "block2.bits"),
        ("(p > 0u ? d[p - 1u] : bnn_native_all(0)) ^ invert", "(p > 0u ? d[p - 1u] : bnn_native_all(0))", "block6.acc"),
    ],
    "bnn_native_map.c": [
        (
            "j < layer->kernel; j++) {\n                any",
            "j + 1u < layer->kernel; j++) {\n                any",
            "block1.pool",
        ),
        ("^ flip), larger);", "), larger);", "block6"),
        ("& 1u) : ~(uint64_t)0);", "& 1u) : 0u);", "block3.bits"),
    ],
    "bnn_native_prelu_sum.c": [("p < n ? p : n - 1u", "p < n ? p : 0u", "logits")],
    "bnn_argmax.c": [("> ", "< ", "class (as shipped)")],
}


@pytest.fixture(scope="module")
def expected():
    graph = load(zoo.graph_path("ecg5"))
    x = synthetic_set("ecg5", per_class=2, seed=5).x
    return graph, x, simulate(graph, {"ecg": x}, keep="all")


@pytest.mark.parametrize("file, old, new, tensor", [(file, *m) for file, found in MUTANTS.items() for m in found])
def test_mistakes_in_kernels_are_named(file, old, new, tensor, expected, monkeypatch):
    """Through the proof that `bnn verify --on native` gives."""
    graph, x, wanted = expected
    files = emit_native(graph)
    assert old in files[file], f"{file} has changed; mend the mutant"
    import codegen.c.native as emitter

    monkeypatch.setattr(emitter, "emit_native", lambda graph: files | {file: files[file].replace(old, new, 1)})
    difference = verify.compare_run(wanted, *engine.run_native(open_graph("ecg5"), x)).difference
    assert difference is not None and difference.tensor == tensor
    assert difference.got != difference.wanted


def test_a_build_that_differs_is_refused(monkeypatch, cache):
    import codegen.c.native as emitter

    graph = tiny_graph()
    files = emit_native(graph)
    wrong = files | {"bnn_native_turn.c": files["bnn_native_turn.c"].replace("mask << size", "mask")}
    monkeypatch.setattr(emitter, "emit_native", lambda graph: wrong)
    with pytest.raises(
        ToolError, match="tiny: this compiler's build .* differs from the simulator; use --engine numpy"
    ):
        engine.open_engine(graph, "native")
    assert not cache.exists()
    assert engine.open_engine(graph, "auto").name == "numpy"


def test_auto_takes_the_simulator_where_nothing_else_can(monkeypatch, capsys):
    assert engine.open_engine(pooled_integers(), "auto").name == "numpy"
    assert "no kernel" in capsys.readouterr().err

    def none(*arguments):
        raise ToolError("no C compiler for host was found")

    monkeypatch.setattr(native, "find_compiler", none)
    assert engine.open_engine(tiny_graph(), "auto").name == "numpy"
    with pytest.raises(ToolError, match="no C compiler"):
        engine.open_engine(tiny_graph(), "native")


def test_both_engines_say_the_same(bnn, tmp_path):  # noqa: F811
    x = synthetic_set("ecg5", per_class=30, seed=1).x
    np.save(tmp_path / "x.npy", x)
    said = []
    for name in ("numpy", "native"):
        target = tmp_path / f"{name}.npz"
        ran = bnn("simulate", "ecg5", "--input", tmp_path / "x.npy", "--engine", name, "--out", target, "--json")
        assert ran.code == 0, ran.err
        said.append(json.loads(ran.out))
    assert [summary["engine"] for summary in said] == ["numpy", "native"]
    assert said[0]["predicted"] == said[1]["predicted"] and sum(said[0]["predicted"].values()) == len(x)
    with np.load(tmp_path / "numpy.npz") as one, np.load(tmp_path / "native.npz") as other:
        np.testing.assert_array_equal(one["logits"], other["logits"])
        np.testing.assert_array_equal(one["classes"], other["classes"])


def test_verify_and_evaluate_know_the_engine(bnn, refused):  # noqa: F811
    ran = bnn("verify", "ecg17", "--on", "native", "--windows", 20)
    assert ran.code == 0 and "native      equal    16 tensors" in ran.out
    assert "wanted one of numpy, native, auto" in refused("evaluate", "ecg5", "--synthetic", "--engine", "gpu")
    assert "does not store every tensor" in refused("simulate", "ecg5", "--engine", "native", "--tensors")
    figures = [
        json.loads(bnn("evaluate", "ecg5", "--synthetic", "--engine", name, "--json").out) for name in ("numpy", "auto")
    ]
    assert figures[0] == figures[1]


def test_runtime_files_are_all_used():
    """No kernel lies in the folder that no graph's build takes along."""
    assert {path.name for path in (RUNTIME / "native").iterdir()} <= set(emit_native(tiny_graph()))


def test_compare_knows_the_trace():
    """The engine shows every tensor that the simulator names but those that only a threshold reads."""
    graph = tiny_graph()
    x = np.zeros((3, 8), np.int16)
    want = simulate(graph, {"ecg": x}, keep="all").tensors
    got = native.open_native(emit_native(graph)).run(x, tensors=True).tensors
    assert compare(want, got).unseen == ("ecg", "acc1")
