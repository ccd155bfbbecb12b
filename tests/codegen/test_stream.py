"""The streaming form equals the simulator on every row of every tensor, however the samples come."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.errors import GraphError, ToolError
from bnn.graph import Graph, check, ops
from bnn.sim import simulate
from codegen import Options, plan, stream_plan
from codegen.c.stream import ENGINE, ROWS
from codegen.c.weights import columns, planes, signs
from codegen.files import INTEGERS, KERNELS
from codegen.stream import HEAD
from firmware.runners import open_runner, open_sanitized
from tests.codegen.models import CORNERS, ecg_graph, lanes_graph, pooled_integers, seeded, tiny_graph, write
from tests.codegen.test_equality import raw_windows
from tests.graphs import by_the_past, graphs
from tests.graphs import signs as random_signs
from tests.runtime.kernels import RUNTIME

STREAM = Options(stream=True)
PIECES = ((1,), (7,), (360,), (5000,), (1, 7, 360), (59, 2, 3600))


def uneven() -> Graph:
    """What meets in AndNot comes from kernels of other lengths, so one side waits in its line buffer; pads differ."""
    b = seeded(90).signal_conv("acc1", 9, 5, stride=1, pad=2).threshold("bits1")
    b.conv("long", 6, 7, pad=4).threshold("long.bits").or_pool("long.pool", 3, 1)
    b.top = "bits1"
    b.conv("short", 6, 3, pad=1).threshold("short.bits")
    b.add(ops.AndNot("both", ("long.pool", "short.bits")))
    b.conv("last", 40, 2, stride=2, pad=1, pad_value=random_signs(b.rng, 6)).threshold("wide").or_pool("pool", 2, 3)
    return b.conv("end", 3, 3, pad=2).prelu_sum().graph("uneven")


STREAMED = (uneven, lanes_graph, *CORNERS)


def assert_equal(graph, result, x) -> None:
    want = simulate(graph, {graph.signals[0].name: x}, keep="all")
    made = stream_plan(graph)
    assert list(result.tensors) == [made.stats.name, *(line.name for line in made.lines[1:])]
    for name, got in result.tensors.items():
        np.testing.assert_array_equal(got, want.tensors[name], err_msg=f"{graph.name}: {name}")
    np.testing.assert_array_equal(result.logits, want.logits)
    np.testing.assert_array_equal(result.classes, want.classes)


@settings(max_examples=60)
@given(graphs(), st.integers(0, 2**32), st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_any_graph_in_any_pieces(bench, graph, seed, pieces):
    with tempfile.TemporaryDirectory() as folder:
        model = bench.load(write(graph, Path(folder) / "out", options=STREAM))
    x = raw_windows(graph, seed)
    assert_equal(graph, model.run(x, pieces), x)
    assert model.known_answer() == 0


@pytest.mark.parametrize("make", STREAMED, ids=lambda make: make.__name__)
def test_corners_of_the_dialect(bench, make, tmp_path):
    graph = make()
    x = raw_windows(graph, 3)
    assert_equal(graph, bench.load(write(graph, tmp_path / "out", options=STREAM)).run(x, (11, 1, 64)), x)


@pytest.fixture(scope="module")
def ecg(bench, tmp_path_factory):
    graph = ecg_graph()
    return graph, bench.load(write(graph, tmp_path_factory.mktemp("ecg") / "out", options=STREAM))


@pytest.mark.parametrize("pieces", PIECES, ids=str)
def test_pieces_of_any_size_over_several_windows(ecg, pieces):
    graph, model = ecg
    x = raw_windows(graph, 4)
    assert_equal(graph, model.run(x, pieces), x)


def test_a_stream_may_begin_anew_within_a_window(ecg):
    graph, model = ecg
    x = raw_windows(graph, 5)[:2]
    for cut in (1, 1799, 3599):
        model.begin()
        assert model.push(x[1, :cut]) == cut and model.result()[0] == -1
        assert_equal(graph, model.run(x[:1]), x[:1])


def test_a_push_ends_with_the_window(ecg):
    graph, model = ecg
    x = raw_windows(graph, 6)[:2]
    model.begin()
    assert model.push(np.empty(0)) == 0 and model.result()[0] == -1
    assert model.push(x.ravel()[:3599]) == 3599 and model.result()[0] == -1
    assert model.push(x.ravel()[3599:]) == 1
    first = model.result()
    assert first[0] >= 0 and model.push(np.empty(0)) == 0
    assert model.result()[0] == first[0], "a push of nothing changes nothing"
    assert model.push(x[1, :10]) == 10 and model.result()[0] == -1


WHOLE_WINDOWS = ("window_stats", "exit_entropy")
"""Kernels that a stream does not have: it has statistics of its own, and no exits."""


def test_every_kernel_is_used():
    kernels = {line.step.kernel for make in STREAMED for line in stream_plan(make()).lines[1:]}
    others = {*WHOLE_WINDOWS, *INTEGERS, "alias"}
    assert kernels == {name for name in KERNELS if not name.startswith("lanes") and name not in others}
    assert set(ROWS) < kernels
    assert {path.name for path in RUNTIME.glob("bnn_stream*.c")} == {
        name
        for name in {*ENGINE, "bnn_stream_kept.c", "bnn_stream_past.c", *(files[1] for files in ROWS.values())}
        if name.startswith("bnn_stream")
    }


def test_only_what_waits_is_copied():
    """In a chain all that is kept is what the next layer reads, from a word on; where paths meet, one waits."""
    made = stream_plan(ecg_graph())
    assert [line.rows for line in made.lines] == [7] * 12 + [1, 0]
    assert made.view_at == made.other_at == made.words
    made = stream_plan(uneven())
    waiting = {line.name: line.rows for line in made.lines}
    assert waiting["short.bits"] > 1 and waiting["long.pool"] == 1
    assert made.words > made.other_at > made.view_at


def test_the_layout_is_the_runtimes():
    text = (RUNTIME / "bnn_stream.h").read_text()
    assert int(re.search(r"#define BNN_STREAM_HEAD (\d+)u", text)[1]) == HEAD
    assert int(re.search(r"#define BNN_ROW_PLANES (\d+)", text)[1]) == planes(32766) + 1


@given(st.integers(0, 2**32), st.integers(1, 70), st.integers(1, 9))
def test_counters_begin_where_the_bound_asks_for(seed, n_out, n_in):
    """Of every channel and every number of mismatches, the last plane says what the comparison says."""
    rng = np.random.default_rng(seed)
    w = random_signs(rng, n_out, n_in, 3)
    taps = 3 * n_in
    t = rng.integers(-taps - 2, taps + 3, n_out)
    t = np.where(rng.random(n_out) < 0.1, rng.choice([-32768, 32767], n_out), t).astype(np.int16)
    n, words = planes(taps), columns(w, t)
    groups = words.reshape(-(-n_out // 32), -1)
    assert groups.shape[1] == n + -(-taps // 16) * 16
    bits = (groups[:, :, None] >> np.arange(32, dtype=np.uint32)) & 1  # (group, plane or tap, channel)
    begin = (bits[:, :n] << np.arange(n)[:, None]).sum(axis=1).ravel()[:n_out]
    for mismatches in range(taps + 1):
        enough = taps - 2 * mismatches >= t
        np.testing.assert_array_equal(begin + mismatches < 1 << (n - 1), enough)
        assert (begin + mismatches < 1 << n).all()
    order = w.transpose(0, 2, 1).reshape(n_out, taps) > 0
    np.testing.assert_array_equal(bits[:, n : n + taps].transpose(0, 2, 1).reshape(-1, taps)[:n_out], order)


def test_signs_of_four_taps_a_byte():
    w = np.array([[1, -1, 1, 1, -1, 1], [-1, -1, -1, -1, 1, -1]], np.int8)
    assert signs(w).tolist() == [0b1101, 0, 0b10, 0b01]


PAST = (ecg_graph, uneven, *CORNERS)


def pairs(stream: np.ndarray) -> np.ndarray:
    """Consecutive windows (n, length) -> (n - 1, 2 * length), each with the one before it."""
    return np.concatenate([stream[:-1], stream[1:]], axis=1)


@settings(max_examples=30)
@given(graphs(), st.integers(0, 2**32), st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_any_graph_by_the_past_in_any_pieces(bench, graph, seed, pieces):
    """Of windows one after the other the first has no class; each is the simulator's of it and the one before."""
    past = by_the_past(graph)
    with tempfile.TemporaryDirectory() as folder:
        model = bench.load(write(past, Path(folder) / "out", options=STREAM))
    x = raw_windows(graph, seed)
    assert_equal(past, model.run(x, pieces, warm_up=1), pairs(x))
    assert model.known_answer() == 0


@pytest.mark.parametrize("make", PAST, ids=lambda make: make.__name__)
def test_the_past_under_the_sanitizers(make, tmp_path):
    if not (shutil.which("gcc") or shutil.which("clang")):
        pytest.skip("neither gcc nor clang, which bring the sanitizers, is installed")
    graph = by_the_past(make())
    x = pairs(raw_windows(make(), 5))
    runner = open_sanitized(write(graph, tmp_path / "out", options=STREAM), tmp_path / "build", traced=True)
    assert_equal(graph, runner.run(x), x)


@pytest.mark.parametrize(
    "file, old, new",
    [
        ("bnn_stream_past.c", "samples[i])", "samples[0])"),
        ("bnn_stream_past.c", "if (head->known) {", "if (head->known && taken > 1u) {"),
        ("bnn_stream.c", "head->sum += samples[i]", "head->sum += samples[i] + 1"),
        ("bnn_stream.c", "append(layer, state, pad);", "append(layer, state, i > 0u ? pad : NULL);"),
    ],
)
def test_mistakes_in_a_stream_by_the_past_are_noticed(file, old, new, tmp_path):
    graph = by_the_past(uneven())
    x = pairs(raw_windows(uneven(), 5))
    folder = write(graph, tmp_path / "out", options=STREAM)
    text = (folder / file).read_text()
    assert old in text, f"{file} has changed; mend the mutant"
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises((AssertionError, ToolError), match=r"not equal|was traced \d+ times"):
        assert_equal(graph, open_runner(folder, "host", tmp_path / "build", traced=True).run(x), x)


def test_a_stream_by_the_past_keeps_no_samples(bench, tmp_path):
    graph = by_the_past(ecg_graph())
    made = stream_plan(graph)
    assert made.kept_bytes == 0 and made.state_bytes == stream_plan(ecg_graph()).state_bytes
    folder = write(graph, tmp_path / "out", options=STREAM)
    header = (folder / "toy.h").read_text()
    assert "int16_t samples" not in header and "#define TOY_SAMPLES 3600" in header
    assert "it takes the previous window's mean and standard deviation out" in header
    model = bench.load(folder)
    x = raw_windows(ecg_graph(), 6)
    for cut in (1800, 3600, 5400):  # begin anew, in the past and in the window
        model.begin()
        samples = x[:2].ravel()[:cut]
        while len(samples):
            samples = samples[model.push(samples) :]
        assert model.result()[0] == -1
        assert_equal(graph, model.run(x[:3], (100,), warm_up=1), pairs(x[:3]))


def test_slices_that_are_no_past():
    graph = by_the_past(tiny_graph())
    before, now = graph.stages[0].nodes[:2]

    def with_slices(*parts):
        return graph.with_nodes(lambda nodes: [*parts, *nodes[2:]])

    with pytest.raises(GraphError, match=r"^acc1: reads window with 4 fraction bits, but stats holds the stat"):
        check(with_slices(before, replace(now, first=7)))
    with pytest.raises(GraphError, match=r"^window: samples 9 to 16 are not all among 0 to 15"):
        check(with_slices(before, replace(now, first=9)))
    longer = replace(with_slices(before, now), signals=(replace(graph.signals[0], length=17),))
    with pytest.raises(GraphError, match=r"^past: a stream takes two Slices, the first half of the signal for"):
        stream_plan(longer)
    with pytest.raises(GraphError, match=r"^past: the graph normalises by the past, .*; generate with --stream"):
        plan(graph, "host")


def two_statistics() -> Graph:
    b = seeded()
    b.signal_conv("acc1", 4).threshold("bits1")
    b.add(ops.WindowStats("other", ("ecg",), 2))
    b.add(ops.SignalConv("acc2", ("ecg", "other"), random_signs(b.rng, 4, 5), 1, 0, 2))
    b.add(ops.Threshold("bits2", ("acc2", "other"), np.zeros(4, np.int16), 8))
    return b.add(ops.AndNot("both", ("bits1", "bits2"))).conv("acc3", 3).prelu_sum().graph("two_statistics")


def test_graphs_that_cannot_stream():
    with pytest.raises(GraphError, match=r"^the graph has 2 WindowStats \(stats, other\), but a stream has one mean"):
        stream_plan(two_statistics())
    b = seeded().signal_conv("acc1", 2000).max_pool("max").threshold("bits")
    wide = b.conv("acc2", 3).prelu_sum().graph("wide")
    assert stream_plan(wide).lines[1].bits == 64000
    b = seeded().signal_conv("acc1", 2048).max_pool("max").threshold("bits")
    wider = b.conv("acc2", 3).prelu_sum().graph("wider")
    with pytest.raises(GraphError, match=r"^acc1: a row of int32 \(2048, 56\) takes 65536 bits, but a stream holds at"):
        stream_plan(wider)


def test_statistics_as_logits_cannot_stream():
    b = seeded().signal_conv("acc1", 2).threshold("bits")
    graph = b.conv("acc2", 2).prelu_sum().graph("odd")
    stage = graph.stages[0]
    odd = replace(graph, stages=(replace(stage, logits="stats"),))
    with pytest.raises(GraphError, match=r"^stats: ends the graph, but a stream ends in a PReluSum; generate without"):
        stream_plan(odd)


def test_options_that_a_stream_does_not_have():
    for options in (Options("plain", stream=True), Options(max_flash=9000, stream=True)):
        with pytest.raises(GraphError, match=r"^--stream .*: a stream has kernels of its own and no choice among them"):
            plan(tiny_graph(), "host", options)
    need = stream_plan(tiny_graph()).state_bytes
    assert plan(tiny_graph(), "host", Options(max_ram=need, stream=True)).state_bytes == need
    with pytest.raises(
        GraphError, match=rf"its stream takes {need} B beside the samples, more than --max-ram {need - 1}"
    ):
        plan(tiny_graph(), "host", Options(max_ram=need - 1, stream=True))


@pytest.mark.parametrize("make", [ecg_graph, *STREAMED], ids=lambda make: make.__name__)
def test_streams_are_clean_under_the_sanitizers(make, tmp_path):
    if not (shutil.which("gcc") or shutil.which("clang")):
        pytest.skip("neither gcc nor clang, which bring the sanitizers, is installed")
    graph = make()
    x = raw_windows(graph, 5)[:4]
    runner = open_sanitized(write(graph, tmp_path / "out", options=STREAM), tmp_path / "build", traced=True)
    assert_equal(graph, runner.run(x), x)


def test_the_folder_stands_alone(tmp_path):
    """`make check` builds the example and its known-answer test, in C99 with all warnings; C++ reads the header."""
    if not (shutil.which("gcc") and shutil.which("g++") and shutil.which("make")):
        pytest.skip("gcc, g++ or make is not installed")
    folder = write(pooled_integers(), tmp_path / "out", options=STREAM)
    done = subprocess.run(["make", "-s", "-C", str(folder), "check"], capture_output=True, text=True)
    assert done.returncode == 0 and "known-answer test: passed" in done.stdout, done.stderr
    (folder / "use.cpp").write_text('#include "pooled_integers_kat.h"\nint main() { return 0; }\n')
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "use.cpp"]
    assert subprocess.run(command, cwd=folder, capture_output=True, text=True).stderr == ""
    header = (folder / "pooled_integers.h").read_text()
    assert f"#define POOLED_INTEGERS_STATE_BYTES {stream_plan(pooled_integers()).state_bytes}" in header
    for source in folder.glob("*.c"):
        for word in ("float ", "double ", "malloc", "<string.h>", "<math.h>"):
            assert word not in source.read_text(), (source, word)


def test_objects_hold_code_and_constants_alone(tmp_path):
    if not (shutil.which("gcc") and shutil.which("nm")):
        pytest.skip("gcc or nm is not installed")
    folder = write(uneven(), tmp_path / "out", options=STREAM)
    sources = [str(path) for path in folder.glob("*.c") if path.stem != "main" and not path.stem.endswith("_kat")]
    flags = ["-std=c99", "-Os", "-ffreestanding", "-fno-pie"]
    subprocess.run(["gcc", *flags, "-c", *sources], cwd=tmp_path, check=True)
    objects = [str(path) for path in tmp_path.glob("*.o")]
    lines = subprocess.run(["nm", *objects], capture_output=True, text=True, check=True).stdout.splitlines()
    symbols = [line.split()[-2:] for line in lines if len(line.split()) > 1]
    assert {kind for kind, _ in symbols} <= set("TtrU")
    undefined = {name for kind, name in symbols if kind == "U"}
    assert all(name.startswith("bnn_") or name in ("memcpy", "memset") for name in undefined)
