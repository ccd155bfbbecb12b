"""Generated C equals the simulator on every tensor that it stores."""

import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.graph import gate, ops
from bnn.sim import simulate
from codegen import KERNELS, Choice, Options, make_plan
from firmware.runners import open_sanitized
from tests.codegen.models import CORNERS, LANES, PLAIN, answer_of, ecg_graph, lanes_graph, write
from tests.graphs import gated_graph, graphs, windows


def raw_windows(graph, seed: int) -> np.ndarray:
    """Wandering, noise over all of int16, a constant, a square wave between both ends."""
    rng, length = np.random.default_rng(seed), graph.signals[0].length
    noise = rng.integers(-32768, 32768, (2, length)).astype(np.int16)
    flat = np.full((1, length), -7, np.int16)
    square = np.where(np.arange(length) // 5 % 2, 32767, -32768).astype(np.int16)[None]
    return np.concatenate([windows(rng, 3, length), noise, flat, square])


def before_pools(graph) -> set[str]:
    """Bits that only a pool reads: a convolution that pools as it goes never stores them."""
    pooled = {node.inputs[0] for node in graph.nodes() if isinstance(node, ops.OrPool)}
    return {name for name in pooled if sum(name in node.inputs for node in graph.nodes()) == 1}


def assert_equal(graph, result, x) -> None:
    want = simulate(graph, {graph.signals[0].name: x}, keep="all")
    stored = [step.output for step in make_plan(graph).traced]
    assert list(result.tensors) == [name for name in stored if name in result.tensors]
    assert set(stored) - set(result.tensors) <= before_pools(graph)
    for name, got in result.tensors.items():
        np.testing.assert_array_equal(got, want.tensors[name], err_msg=f"{graph.name}: {name}")
    np.testing.assert_array_equal(result.logits, want.logits)
    np.testing.assert_array_equal(result.classes, want.classes)


@settings(max_examples=75)
@given(graphs(), st.integers(0, 2**32), st.sampled_from([Options(kernels) for kernels in KERNELS]))
def test_any_graph(bench, graph, seed, options):
    with tempfile.TemporaryDirectory() as folder:
        model = bench.load(write(graph, Path(folder) / "out", options=options))
    x = raw_windows(graph, seed)
    assert_equal(graph, model.run(x), x)
    assert model.known_answer() == 0


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("make", [*CORNERS, lanes_graph], ids=lambda make: make.__name__)
def test_corners_of_the_dialect(bench, make, kernels, tmp_path):
    graph = make()
    x = raw_windows(graph, 3)
    assert_equal(graph, bench.load(write(graph, tmp_path / "out", options=Options(kernels))).run(x), x)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("classes", [2, 17])
def test_a_gate_and_what_leaves(bench, classes, kernels, tmp_path):
    """The entropy lies beside the arena, and NAME_leaves compares it with a speed."""
    graph = gated_graph(classes, classes)
    model = bench.load(write(graph, tmp_path / "out", options=Options(kernels)))
    x = raw_windows(graph, 3)
    result = model.run(x)
    assert_equal(graph, result, x)
    doubt = result.tensors["gate"]
    for speed in (0, gate.even_speed(doubt), gate.SPEED_ONE):
        for window, wanted in zip(x, gate.leaves(doubt, speed), strict=True):
            model.run(window[None])
            assert model.leaves(speed) == wanted
    assert model.known_answer() == 0


def test_corners_use_every_kernel():
    kernels = {step.kernel for make in CORNERS for step in make_plan(make()).steps}
    everything = [node.name for make in (*CORNERS, lanes_graph) for node in make().nodes()]
    kernels |= {step.kernel for make in (*CORNERS, lanes_graph) for step in make_plan(make(), everything).steps}
    kernels |= {step.kernel for step in make_plan(lanes_graph(), ["bits1"]).steps}
    header = (Path(__file__).resolve().parents[2] / "firmware" / "runtime" / "bnn_runtime.h").read_text()
    declared = set(re.findall(r"^void bnn_(\w+)\(", header, re.MULTILINE))
    assert kernels == declared - {"trace", "resolve_bounds", "sums_to_stats"}


@pytest.mark.parametrize("classes", [5, 17])
@pytest.mark.parametrize("options", [*map(Options, KERNELS), Options(max_ram=3500), Options(max_flash=65536)], ids=str)
def test_ecg_network(bench, classes, options, tmp_path):
    graph = ecg_graph(classes)
    x = raw_windows(graph, 4)
    assert_equal(graph, bench.load(write(graph, tmp_path / "out", options=options)).run(x), x)


@given(st.sets(st.sampled_from([node.name for node in ecg_graph().nodes()])))
@settings(max_examples=6)
def test_any_steps_may_be_in_lanes(bench, chosen):
    """Copies between layouts go in wherever two neighbours differ."""
    graph = ecg_graph()
    x = raw_windows(graph, 6)[:2]
    with tempfile.TemporaryDirectory() as folder:
        choice = Choice(make_plan(graph, chosen), {}, 0)
        assert_equal(graph, bench.load(write(graph, Path(folder) / "out", choice=choice)).run(x), x)


@pytest.mark.parametrize("make", [ecg_graph, lanes_graph, *CORNERS], ids=lambda make: make.__name__)
def test_whole_models_are_clean_under_the_sanitizers(make, tmp_path):
    if not (shutil.which("gcc") or shutil.which("clang")):
        pytest.skip("neither gcc nor clang, which bring the sanitizers, is installed")
    graph = make()
    x = raw_windows(graph, 5)
    for options in (PLAIN, LANES):
        generated = write(graph, tmp_path / options.kernels / "out", options=options)
        runner = open_sanitized(generated, tmp_path / options.kernels / "build", traced=True)
        assert_equal(graph, runner.run(x), x)


def numbers(text: str, array: str) -> tuple[int, int]:
    """Where the initialiser of an array begins and ends in a source."""
    start = text.index("{", re.search(rf"\b{array}\[\d+\] = ", text).start())
    return start + 1, text.index("}", start)


@pytest.mark.parametrize(
    "array, old, new",
    [
        ("block2_acc_weights", r"0x(\w+)", lambda m: f"0x{int(m[1], 16) ^ 1 << 17:08X}"),
        ("block6_acc_weights", r"0x(\w+)", lambda m: f"0x{int(m[1], 16) ^ 1:08X}"),
        ("block1_bits_t", r"-?\d+", lambda m: str(int(m[0]) + 300)),
        ("block4_bits_limits", r"\d+", lambda m: str(int(m[0]) - 1)),
        ("logits_rise", r"-?\d+", lambda m: str(int(m[0]) + 1)),
        ("logits_bias", r"-?\d+", lambda m: str(int(m[0]) + 1)),
    ],
)
def test_known_answer_notices_a_changed_constant(bench, tmp_path, array, old, new):
    """One bit of a weight, or one bound, of the first row that matters for the window."""
    generated = write(ecg_graph(), tmp_path / "out", options=Options(max_flash=13600))
    assert bench.load(generated).known_answer() == 0
    source = generated / "toy.c"
    text = source.read_text()
    start, end = numbers(text, array)
    source.write_text(text[:start] + re.sub(old, new, text[start:end], count=1) + text[end:])
    assert bench.load(generated).known_answer() in (1, 2)


def test_known_answer_notices_a_changed_kernel(tmp_path):
    """The folder stands alone: its own copy of the runtime is what runs."""
    generated = write(ecg_graph(), tmp_path / "out", options=PLAIN)
    source = generated / "bnn_conv.c"
    text = source.read_text()
    assert "w.words) < limit" in text
    source.write_text(text.replace("w.words) < limit", "w.words) <= limit"))
    x = answer_of(ecg_graph()).signals["ecg"][None]
    got = open_sanitized(generated, tmp_path / "build", traced=False).run(x)
    assert not np.array_equal(got.logits, simulate(ecg_graph(), {"ecg": x}).logits)
