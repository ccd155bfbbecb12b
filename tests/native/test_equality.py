"""The native engine equals the simulator on every tensor that it stores, at every width and number of windows."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn import zoo
from bnn.errors import GraphError
from bnn.graph import load
from bnn.sim import simulate
from codegen.c.native import emit_native
from codegen.native import counter_planes
from codegen.plan import make_plan
from tests.codegen.models import first_layer_logits, lanes_graph, plain_bounds, pooled_integers, tiny_graph
from tests.codegen.test_equality import raw_windows
from tests.golden import NAMES, load_golden
from tests.graphs import Builder, graphs
from tests.native.harness import NativeBench, compilers


def assert_equal(graph, runner, x) -> None:
    want = simulate(graph, {graph.signals[0].name: x}, keep="all")
    shown = runner.run(x, tensors=True)
    assert list(shown.tensors) == [step.output for step in make_plan(graph).steps]
    for name, got in shown.tensors.items():
        np.testing.assert_array_equal(got, want.tensors[name], err_msg=f"{graph.name}: {name}")
    for result in (shown, runner.run(x)):
        np.testing.assert_array_equal(result.logits, want.logits)
        np.testing.assert_array_equal(result.classes, want.classes)


@settings(max_examples=6)
@given(graphs(), st.integers(0, 2**32))
def test_any_graph(bench, graph, seed):
    assert_equal(graph, bench.load(graph), raw_windows(graph, seed))


def stored_integers():
    """Sums of a convolution that are pooled, compared and summed; counters of more planes than a compiler unrolls."""
    b = Builder(np.random.default_rng(5)).signal_conv("acc1", 33, 9, stride=3, pad=8).threshold("bits1")
    b.conv("acc2", 31, 16, pad=15, pad_value=np.where(np.arange(33) % 3, 1, -1)).max_pool("max2").threshold("bits2")
    return b.conv("acc3", 3, 2, stride=2).prelu_sum().graph("stored_integers")


def extreme_bounds():
    """Bounds that all and that no sums reach, on stored sums: beyond what their planes hold, too."""
    b = Builder(np.random.default_rng(6)).signal_conv("acc1", 5, 3).threshold("bits1")
    b.conv("acc2", 6).max_pool("max2").threshold("bits2", np.array([-32768, 32767, -15, 16, 1, 17], np.int16))
    return b.conv("acc3", 2).prelu_sum().graph("extreme_bounds")


@pytest.mark.parametrize("make", [tiny_graph, lanes_graph, stored_integers, extreme_bounds], ids=lambda m: m.__name__)
def test_corners(bench, make):
    graph = make()
    assert_equal(graph, bench.load(graph), raw_windows(graph, 3))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("raw_sum", "ties")])
def test_golden_vectors(bench, name):
    """All but the two that store sums of the first layer."""
    case = load_golden(name)
    shown = bench.load(case.graph).run(np.ascontiguousarray(case.tensors["ecg"][:, 0]), tensors=True)
    for tensor, got in shown.tensors.items():
        np.testing.assert_array_equal(got, case.tensors[tensor], err_msg=tensor)
    np.testing.assert_array_equal(shown.classes, case.classes)


def test_any_number_of_windows(bench):
    """Batches that are short by one, whole, and longer by one, and the same windows at other places in them."""
    graph = tiny_graph()
    runner = bench.load(graph)
    x = np.random.default_rng(2).integers(-32768, 32768, (2 * runner.lanes + 1, 8)).astype(np.int16)
    want = simulate(graph, {"ecg": x})
    for n in (0, 1, 63, 64, 65, runner.lanes - 1, runner.lanes, runner.lanes + 1, 2 * runner.lanes + 1):
        np.testing.assert_array_equal(runner.run(x[:n]).logits, want.logits[:n])
        np.testing.assert_array_equal(runner.run(x[len(x) - n :]).logits, want.logits[len(x) - n :])


@pytest.mark.parametrize("compiler", compilers(), ids=lambda command: command[0])
def test_the_zoo_on_this_processor(tmp_path, compiler):
    """With the instructions that this processor has, as users build it."""
    for name in zoo.names("ecg"):
        graph = load(zoo.graph_path(name))
        bench = NativeBench(tmp_path, 512, compiler, "-march=native")
        assert_equal(graph, bench.load(graph), raw_windows(graph, 4))


@pytest.mark.parametrize("make", [pooled_integers, plain_bounds, first_layer_logits], ids=lambda m: m.__name__)
def test_what_has_no_kernel_is_refused(make):
    with pytest.raises(GraphError, match="the native engine .*; use the numpy engine"):
        emit_native(make())


def test_counters_hold_every_sum():
    """D = 2 P - S + 2^(n - 1) - 1 is in 0 .. 2^n - 1 for every P <= S <= taps; n is the least, from 5 on."""
    for taps in (*range(1, 70), 127, 128, 32766):
        n = counter_planes(taps)
        middle = 2 ** (n - 1) - 1
        assert -taps + middle >= 0 and taps + middle < 2**n
        assert n == 5 or 2 ** (n - 2) - 1 < taps


DRIVER = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
extern unsigned long long bnn_native_context_bytes(void);
extern void bnn_native_run(void *, const short *, unsigned long long, int *, int *, void *const *);
int main(int argc, char **argv)
{
    const size_t windows = (size_t)atoi(argv[1]), samples = (size_t)atoi(argv[2]), classes = (size_t)atoi(argv[3]);
    short *x = malloc(windows * samples * sizeof *x);
    int *logits = malloc(windows * classes * sizeof *logits), *winners = malloc(windows * sizeof *winners);
    void *context = NULL;
    if (argc != 4 || posix_memalign(&context, 64, bnn_native_context_bytes()) != 0) return 2;
    memset(context, 0xA5, bnn_native_context_bytes());
    if (fread(x, sizeof *x, windows * samples, stdin) != windows * samples) return 2;
    bnn_native_run(context, x, windows, logits, winners, NULL);
    fwrite(logits, sizeof *logits, windows * classes, stdout);
    return 0;
}
"""


def ecg5():
    return load(zoo.graph_path("ecg5"))


@pytest.mark.parametrize(
    "make, lanes", [(stored_integers, 64), (lanes_graph, 128), (stored_integers, 512), (ecg5, 512)]
)
def test_clean_under_the_sanitizers(make, lanes, tmp_path):
    """Every array is exactly as large as its contract says, and the context full of a pattern."""
    if compilers()[0] != ["gcc"]:
        pytest.skip("gcc, whose sanitizers are used, is not installed")
    graph = make()
    for name, text in (emit_native(graph) | {"driver.c": DRIVER}).items():
        (tmp_path / name).write_text(text)
    flags = ["-std=gnu11", "-O1", "-g", "-Wno-psabi", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [str(path) for path in sorted(Path(tmp_path).glob("*.c"))]
    program = str(tmp_path / "program")
    subprocess.run(["gcc", *flags, f"-DBNN_NATIVE_LANES={lanes}", *sources, "-o", program], check=True)
    x = raw_windows(graph, 8)
    sizes = [len(x), x.shape[1], len(graph.classes)]
    environment = {"ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([program, *map(str, sizes)], input=x.tobytes(), capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    got = np.frombuffer(done.stdout, np.int32).reshape(len(x), -1)
    np.testing.assert_array_equal(got, simulate(graph, {"ecg": x}).logits)
