"""Graphs of several stages, signals and channels in C: every tensor, who leaves where, and what is refused."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnn.errors import GraphError
from bnn.exchange import lce, onnx
from bnn.graph import Graph, Signal, Stage, gate, ops
from bnn.graph.types import TensorType
from bnn.sim import simulate, simulate_exits
from codegen import KERNELS, KnownAnswer, Options, generate, make_plan, stream_plan
from codegen.hls.network import make_network
from codegen.native import make_native
from codegen.overlap import leads
from codegen.plan import blocks_of
from codegen.rtl.plan import make_plan as make_rtl_plan
from firmware.manifest import read_manifest
from firmware.runners import open_runner, open_sanitized
from tests.codegen.test_memory import assert_kept_apart
from tests.sim.test_exits import nights
from tests.staged import StagedBuilder, staged_graph

GRAPH = staged_graph()
X = nights(12)
WANTED = simulate(GRAPH, X, keep="all")
RUNTIME = Path(__file__).resolve().parents[2] / "firmware" / "runtime"


def flat(x: dict[str, np.ndarray]) -> np.ndarray:
    """(n, values) as a bench takes them: signals one after the other, the channels of a sample side by side."""
    return np.concatenate([a.transpose(0, 2, 1).reshape(len(a), -1) for a in x.values()], axis=1)


def write(graph: Graph, out: Path, x: dict[str, np.ndarray], kernels: str = "auto") -> Path:
    first = {name: a[0] for name, a in x.items()}
    answer = simulate(graph, {name: a[:1] for name, a in x.items()})
    known = KnownAnswer(first, answer.logits[0], int(answer.classes[0]))
    fields = {"command": "bnn generate", "graph_sha256": "0123456789ab", "tool_version": "0.1.0"}
    generate(graph, out, known_answer=known, options=Options(kernels), **fields)
    return out


def bits_of_both(seed: int = 1) -> Graph:
    """One stage of two signals, which joins maps of bits, reshapes bits with margins, and compares int16 and int8."""
    b = StagedBuilder(np.random.default_rng(seed))
    rng, both = b.rng, []
    for name, channels in (("eog", 1), ("emg", 3)):
        b.types[name] = TensorType("int16", (channels, 60), -32768, 32767)
        w = (2 * rng.integers(0, 2, (5, channels, 9)) - 1).astype(np.int8)
        value = b.scaled(f"{name}.value", b.add(ops.OPS["SignConv"], f"{name}.acc", (name,), w, 2, 4))
        both.append(b.add(ops.Threshold, f"{name}.bits", (value,), rng.integers(-5, 6, 5).astype(np.int16)))
    wide = b.add(ops.OPS["Concat"], "wide", tuple(both), axis=0)
    long = b.add(ops.OPS["Concat"], "long", tuple(both), axis=1)
    for name, source in (("wide", wide), ("long", long)):
        n_in = b.types[source].shape[0]
        w = (2 * rng.integers(0, 2, (4, n_in, 3)) - 1).astype(np.int8)
        pads = (2 * rng.integers(0, 2, n_in) - 1).astype(np.int8)
        acc = b.add(ops.BinaryConv, f"{name}.conv", (source,), w, pads, 1, 1)
        b.add(ops.Threshold, f"{name}.out", (acc,), np.zeros(4, np.int16))
    tokens = b.add(ops.OPS["Reshape"], "tokens", ("wide.out",), 24)  # no margins on either side
    folded = b.add(ops.OPS["Reshape"], "folded", ("long.out",), 3)
    w = [(2 * rng.integers(0, 2, (3, n, k)) - 1).astype(np.int8) for n, k in ((24, 1), (3, 5))]
    ones = [np.ones(n, np.int8) for n in (24, 3)]
    left = b.add(ops.BinaryConv, "left", (tokens,), w[0], ones[0], 1, 0)
    right = b.add(ops.BinaryConv, "right", (folded,), w[1], ones[1], 1, 2)
    sums = [b.add(ops.OPS["GlobalSum"], f"{name}.sum", (name,), axis=1) for name in (left, right)]
    answer = b.add(ops.OPS["Add"], "answer", tuple(sums), 1, 0)
    one = np.ones(3, np.int16)
    b.add(ops.PReluSum, "logits", (answer,), one, one, np.array([0, 3, -3], np.int32), 4)
    signals = Signal("eog", 1, 60, 100.0, 1.0, "uV"), Signal("emg", 3, 60, 100.0, 1.0, "uV")
    return Graph("bits_of_both", ("w", "n", "r"), signals, (Stage("main", ("eog", "emg"), tuple(b.nodes), "logits"),))


def noise(graph: Graph, n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    return {s.name: rng.integers(-999, 1000, (n, s.channels, s.length)).astype(np.int16) for s in graph.signals}


def assert_all_equal(graph: Graph, result, wanted) -> None:
    stored = {step.output for step in make_plan(graph).traced}
    assert set(result.tensors) == stored
    for name, got in result.tensors.items():
        np.testing.assert_array_equal(got, wanted.tensors[name], err_msg=name)
    np.testing.assert_array_equal(result.logits, wanted.logits)
    np.testing.assert_array_equal(result.classes, wanted.classes)


def speeds() -> list[int]:
    return [0, gate.even_speed(WANTED.tensors["eeg.doubt"]), gate.SPEED_ONE]


def assert_leaves_alike(runner) -> None:
    for speed in speeds():
        got, want = runner.run(flat(X), speed), simulate_exits(GRAPH, X, speed)
        for part in ("exits", "logits", "classes"):
            np.testing.assert_array_equal(getattr(got, part), getattr(want, part), err_msg=f"{part} at {speed}")


@pytest.mark.parametrize("kernels", KERNELS)
def test_every_tensor_and_every_exit(kernels, tmp_path):
    generated = write(GRAPH, tmp_path / "c", X, kernels)
    result = open_runner(generated, "host", tmp_path / "traced", traced=True, opt="-O1").run(flat(X))
    assert_all_equal(GRAPH, result, WANTED)
    assert_leaves_alike(open_runner(generated, "host", tmp_path / "plain", traced=False, opt="-O1"))


def test_the_windows_part_in_two(tmp_path):
    """Else the comparison of exits would prove little."""
    assert 2 < (simulate_exits(GRAPH, X, speeds()[1]).exits == 0).sum() < 10


@pytest.mark.parametrize("kernels", ["plain", "lanes"])
def test_one_stage_of_several_signals(kernels, tmp_path):
    graph = bits_of_both()
    x = noise(graph, 5)
    wanted = simulate(graph, x, keep="all")
    assert len(set(wanted.classes)) > 1
    generated = write(graph, tmp_path / "c", x, kernels)
    text = (generated / "bits_of_both.h").read_text()
    declaration = (
        "int bits_of_both_classify(bits_of_both_context *context, const int16_t *eog, const int16_t *emg, int32"
    )
    assert declaration in text and "leaves" not in text
    assert "stages" not in (generated / "bits_of_both.json").read_text()
    result = open_runner(generated, "host", tmp_path / "b", traced=True, opt="-O1").run(flat(x))
    assert_all_equal(graph, result, wanted)


@pytest.mark.parametrize("make", [staged_graph, bits_of_both])
def test_clean_under_the_sanitizers(make, tmp_path):
    if not (shutil.which("gcc") or shutil.which("clang")):
        pytest.skip("neither gcc nor clang, which bring the sanitizers, is installed")
    graph = make()
    x = X if graph.name == "staged" else noise(graph, 3)
    generated = write(graph, tmp_path / "c", x, "plain")
    traced = open_sanitized(generated, tmp_path / "b", traced=True)
    assert_all_equal(graph, traced.run(flat(x)), simulate(graph, x, keep="all"))
    if graph.name == "staged":
        assert_leaves_alike(open_sanitized(generated, tmp_path / "b", traced=False))


def test_known_answer_and_text(bench, tmp_path):
    """The header says how the stages follow each other; the known-answer test runs them all."""
    generated = write(GRAPH, tmp_path / "c", X)
    assert bench.load(generated).known_answer() == 0
    header = (generated / "staged.h").read_text()
    assert "int staged_eeg(staged_context *context, const int16_t *eeg, int32_t *logits);" in header
    assert "int staged_eog(staged_context *context, const int16_t *eog, int32_t *logits);" in header
    assert "int staged_leaves(const staged_context *context, uint32_t speed);" in header
    assert " *     if (!staged_leaves(&context, speed)) {\n *         fetch eog;\n" in header
    manifest = read_manifest(generated)
    assert [(s.name, s.signals) for s in manifest.stages] == [("eeg", ("eeg",)), ("eog", ("eog",))]
    assert manifest.entries == ("staged_eeg", "staged_eog") and manifest.values == 3 * 70


def test_every_kernel_of_the_header_is_used():
    """By graphs whose every tensor is compared above."""
    used = {step.kernel for graph in (GRAPH, bits_of_both()) for step in make_plan(graph).steps}
    text = (RUNTIME / "bnn_integers.h").read_text()
    declared = set(re.findall(r"^void bnn_(\w+)\(", text, re.MULTILINE))
    assert declared - used == {"get_row", "get_window", "put_row", "scale_row"}


@pytest.mark.parametrize("graph", [GRAPH, bits_of_both()], ids=lambda graph: graph.name)
def test_no_two_live_tensors_share_memory(graph):
    """Tensors that a later stage reads live until then; a second name keeps its tensor alive."""
    plan = make_plan(graph)
    exits = {stage.logits for stage in graph.stages}
    items = blocks_of(plan.steps, plan.tensors, exits)
    assert_kept_apart(items, leads(plan.steps, plan.tensors), plan.memory)
    if graph is GRAPH:
        lives = {block.name: block for block in items}
        first_of_eog = next(i for i, step in enumerate(plan.steps) if step.output.startswith("eog"))
        assert lives["eeg.map"].last > first_of_eog


def rearranged(**stage) -> Graph:
    """The graph with its first stage changed."""
    return replace(GRAPH, stages=(replace(GRAPH.stages[0], **stage), GRAPH.stages[1]))


EEG, EOG = GRAPH.stages
REREAD = ops.OPS["GlobalSum"]("again", ("eeg",), 1)


@pytest.mark.parametrize(
    "graph, words",
    [
        (rearranged(logits=None), "stage eeg: has no exit, but in C each stage ends in logits; join it to the next"),
        (rearranged(nodes=EEG.nodes[:-1]), "stage eeg: has no ExitGate, so nothing says whether eog is to run"),
        (rearranged(name="e.g"), "stage 'e.g': its function would be called staged_e.g, which C cannot have"),
        (rearranged(name="leaves"), "stage 'leaves': its function would be called staged_leaves, which C cannot have"),
        (
            replace(GRAPH, stages=(EEG, replace(EOG, nodes=(*EOG.nodes, REREAD)))),
            "again: reads eeg, but in C signals and logits are gone with the call of their stage",
        ),
        (
            rearranged(nodes=(*EEG.nodes, replace(EEG.nodes[-1], name="twice"))),
            "twice: reads eeg.logits; in C a gate is the one of its stage's logits",
        ),
    ],
    ids=["no exit", "no gate", "no name", "a name of the header", "a signal that is gone", "two gates"],
)
def test_what_no_function_in_c_can_be(graph, words, tmp_path):
    with pytest.raises(GraphError, match=f"^{re.escape(words)}"):
        write(graph, tmp_path / "c", X)
    assert not (tmp_path / "c").exists()


def test_a_last_stage_without_a_gate_always_leaves(tmp_path):
    graph = replace(GRAPH, stages=(EEG, replace(EOG, nodes=EOG.nodes[:-1])))
    generated = write(graph, tmp_path / "c", X)
    assert "Stage eog has no gate: a window that has come so far leaves there." in (generated / "staged.h").read_text()
    assert_leaves_alike(open_runner(generated, "host", tmp_path / "b", traced=False, opt="-O1"))


@pytest.mark.parametrize(
    "refuse",
    [stream_plan, make_native, make_network, make_rtl_plan, onnx.to_onnx, lce.describe],
    ids=lambda f: f.__module__,
)
def test_other_backends_refuse(refuse):
    if refuse is onnx.to_onnx:
        pytest.importorskip("onnx")
    with pytest.raises(
        GraphError, match=r"^graph staged: has 2 stages .* runs graphs of a single stage with one signal"
    ):
        refuse(GRAPH)
    b = StagedBuilder(np.random.default_rng(0))
    nodes, logits = b.stage("main", b.extractor("ecg", 1))
    signal = Signal("ecg", 1, 70, 100.0, 1.0)
    single = Graph("single", ("w", "n", "r"), (signal,), (Stage("main", ("ecg",), nodes, logits),))
    with pytest.raises(
        GraphError, match=r"^ecg.small.*: the .* backend has no (SignConv|GlobalSum); C that classifies whole win"
    ):
        refuse(single)


MISTAKES = {
    "bnn_sign_conv.c": [
        ("sums[2] = sums[0] + 2 * x[1];", "sums[2] = sums[0] + x[1];"),
        ("(p < positions ? p : positions - 1u) * apart", "p * 0u * apart"),
        ("n + (positions - 1u) * step", "n"),
    ],
    "bnn_rows.c": [
        ("first + i < size", "first + i <= size"),
        ("words[i / 2u] | half << 16", "half << 16"),
        ("+ factors->b[c] + half", "+ factors->b[c] - half"),
    ],
    "bnn_pointwise.c": [
        ("x[i] + 128", "x[i] + 127"),
        ("* g[c * next] + half", "* g[c * next] - half"),
        ("other[c] * (1 << layer->left_b)", "other[c]"),
    ],
    "bnn_global.c": [("uint32_t c = 1; c < channels", "uint32_t c = 2; c < channels")],
    "bnn_concat.c": [("x[p][t * n + i]", "x[p][i]")],
    "bnn_attention.c": [("+ half) >> layer->shift", "- half) >> layer->shift"), ("+ (1 << 29)", "")],
    "bnn_layer_norm.c": [("std > 0u ? std : 1u", "std + 1u"), ("channels * squares", "squares")],
    "bnn_int8.c": [("j < layer->kernel", "j + 1u < layer->kernel"), (">= layer->bounds", "> layer->bounds")],
}
"""Planted in the runtime's files. Each shows in some tensor of the staged graph."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return write(GRAPH, tmp_path_factory.mktemp("mutants") / "c", X, "plain")


@pytest.mark.parametrize("file, old, new", [(file, *found) for file, pairs in MISTAKES.items() for found in pairs])
def test_a_mistake_is_found(bench, sources, tmp_path, file, old, new):
    folder = tmp_path / "c"
    shutil.copytree(sources, folder)
    text = (folder / file).read_text()
    assert old in text, f"{file} has changed; mend the mutant"
    (folder / file).write_text(text.replace(old, new))
    result = open_runner(folder, "host", tmp_path / "b", traced=True, opt="-O1").run(flat(X))
    assert any(not np.array_equal(got, WANTED.tensors[name]) for name, got in result.tensors.items())
