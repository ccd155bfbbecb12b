"""Every kernel equals the simulator on every tensor: golden graphs, all foldings of small layers, random graphs."""

from itertools import product

import numpy as np
from hypothesis import given, settings

from bnn.cli.compare import compare
from bnn.graph import Graph, ops
from codegen.folding import Folding, divisors
from hw import csim
from hw.manifest import read_manifest
from tests.golden import NAMES, load_golden
from tests.graphs import Builder, graphs, int16, windows
from tests.hw.projects import differences, needs_csim, some_foldings, write

pytestmark = needs_csim()
FAST_TO_COMPILE = "-O0"


def noise(rng: np.random.Generator, length: int) -> np.ndarray:
    """Windows that wander, one that jumps over all of int16, a constant one, and the first again behind it."""
    x = windows(rng, 4, length)
    x[1] = rng.choice([-32768, 32767, 0], length)
    x[2] = -300
    x[3] = x[0]
    return x


def test_golden_vectors(tmp_path):
    """All tensors of all golden graphs, which plain loops computed; foldings are drawn."""
    rng = np.random.default_rng(1)
    cases = [load_golden(name) for name in NAMES]
    projects = [write(case.graph, tmp_path / case.name, some_foldings(case.graph, rng)) for case in cases]
    program = csim.build(projects, tmp_path, traced=True, opt=FAST_TO_COMPILE)
    for case, project in zip(cases, projects, strict=True):
        got = csim.simulate(program, read_manifest(project), case.tensors["ecg"][:, 0], traced=True)
        tensors = {name: values for name, values in case.tensors.items() if name != "ecg"} | {"class": case.classes}
        proof = compare(tensors, got.tensors | {"class": got.classes})
        assert proof.difference is None, f"{case.name}: {proof.difference}"
        assert proof.unseen == () and proof.windows == 5


def layers(name: str, seed: int) -> Graph:
    """Four first layers of 6 x 6, joined by AND-NOT, and six convolutions of 6 channels and 12 taps."""
    b = Builder(np.random.default_rng(seed), 40).stats()
    sides = []
    for i in range(4):
        w = (2 * b.rng.integers(0, 2, (6, 6)) - 1).astype(np.int8)
        b.add(ops.SignalConv(f"first{i}", ("ecg", "stats"), w, 1, 2)).threshold(f"bits{i}")
        sides.append(b.top)
    b.add(ops.AndNot("left", tuple(sides[:2]))).add(ops.AndNot("right", tuple(sides[2:])))
    b.add(ops.AndNot("joined", ("left", "right")))
    for i in range(6):
        b.conv(f"conv{i}", 6, 2, stride=1 + (i == 2), pad=i % 2, pad_value=2 * b.rng.integers(0, 2, 6) - 1)
        b.threshold(f"step{i}", int16(b.rng.integers(-3, 4, 6)))
    return b.conv("last", 2, 2).prelu_sum().graph(name)


def test_all_foldings_of_small_layers(tmp_path):
    first = [Folding(*pair) for pair in product(divisors(6), divisors(6))]
    later = [Folding(*pair) for pair in product(divisors(6), divisors(12))]
    cases = []
    for i in range(4):
        graph = layers(f"case{i}", i)
        foldings = {f"first{j}": first[4 * i + j] for j in range(4)} | {f"conv{j}": later[6 * i + j] for j in range(6)}
        cases.append((graph, write(graph, tmp_path / graph.name, foldings | {"last": Folding(2, 3)})))
    program = csim.build([project for _, project in cases], tmp_path, traced=True, opt=FAST_TO_COMPILE)
    for graph, project in cases:
        proof = differences(graph, program, project, noise(np.random.default_rng(2), 40))
        assert proof.difference is None, f"{graph.name}: {proof.difference}"
        assert len(proof.tensors) == 28


def drawn_graphs(count: int) -> list[Graph]:
    """The same on every machine: Hypothesis is told to draw without chance."""
    drawn: list[Graph] = []

    @settings(max_examples=count)
    @given(graphs())
    def draw(graph):
        drawn.append(graph)

    draw()
    return drawn


def test_random_graphs_with_random_foldings(tmp_path):
    rng = np.random.default_rng(3)
    cases = []
    for i, graph in enumerate(drawn_graphs(4)):
        graph = Graph(f"random{i}", graph.classes, graph.signals, graph.stages)
        cases.append((graph, write(graph, tmp_path / graph.name, some_foldings(graph, rng))))
    program = csim.build([project for _, project in cases], tmp_path, traced=True, opt=FAST_TO_COMPILE)
    for graph, project in cases:
        proof = differences(graph, program, project, noise(rng, graph.signals[0].length))
        assert proof.difference is None, f"{graph.name}: {proof.difference}"


def test_one_tensor_read_twice_by_one_node(tmp_path):
    """a and not a is nothing: one fork, both of whose streams go to the same kernel."""
    b = Builder(np.random.default_rng(4), 20).signal_conv("acc1", 3).threshold("a")
    graph = b.add(ops.AndNot("nothing", ("a", "a"))).conv("acc2", 2).prelu_sum().graph("twice")
    project = write(graph, tmp_path / "twice")
    program = csim.build([project], tmp_path, traced=True, opt=FAST_TO_COMPILE)
    assert differences(graph, program, project, noise(b.rng, 20)).difference is None
