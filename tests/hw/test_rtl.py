"""Generated Verilog, simulated: every stream of every module against the simulator."""

import shutil

import numpy as np
import pytest

from bnn import zoo
from bnn.data.synthetic import synthetic_set
from bnn.errors import DataError, ToolError
from bnn.graph import gate, load
from codegen.folding import Folding
from codegen.rtl import make_plan
from hw.rtl_sim import RtlSimulation, Stalls
from hw.rtl_tools import find_simulator, yosys
from tests.golden import load_golden
from tests.graphs import gated_graph, small_graph
from tests.hw.rtl import SLOW, STALLS, differences, fastest, write

CASES = [
    ("extremes", "fast"),  # the largest sums, spreads of 0, bounds that always and never hold
    ("odd_words", "slow"),  # windows out of memories, part by part
    ("raw_sum", "fast"),  # int32 sums straight into the logits
    ("two_sided", "fast"),  # forks, AND-NOT, pads of either sign
    ("word_edges", "fast"),  # many lanes, strides, a scatter before the sum
]


@pytest.mark.parametrize(("name", "speed"), CASES)
def test_every_stream_equals_the_simulator(simulator, tmp_path, name, speed):
    """On the golden windows and 40 more, back to back, with and without stalls."""
    case = load_golden(name)
    plan = fastest(case.graph) if speed == "fast" else make_plan(case.graph, SLOW)
    simulation = RtlSimulation(write(plan, tmp_path / "v"), tmp_path / "build", simulator=simulator, opt="-O0")
    golden = np.ascontiguousarray(case.tensors["ecg"][:, 0])
    rng = np.random.default_rng(3)
    narrow = 1 if plan.cycles > 10_000 else 40
    spread = 2.0 ** rng.integers(0, 16, (narrow, 1))
    more = np.clip(rng.normal(0, spread, (narrow, golden.shape[1])), -32768, 32767).astype(np.int16)
    for stalls in STALLS:
        assert differences(simulation, case.graph, np.concatenate([golden, more]), stalls) == []


@pytest.mark.parametrize("classes", [2, 17])
def test_a_graph_with_a_gate(simulator, tmp_path, classes):
    """The gate's tensor, and whether windows leave at a speed that parts them."""
    graph = gated_graph(classes, classes)
    simulation = RtlSimulation(
        write(fastest(graph), tmp_path / "v"), tmp_path / "build", simulator=simulator, opt="-O0"
    )
    for stalls in STALLS:
        assert differences(simulation, graph, ties(graph), stalls) == []
    assert simulation.run(ties(graph), speed=gate.SPEED_ONE).leaves.any()
    assert not simulation.run(ties(graph), speed=0).leaves.any()


FOLDINGS = {"block1.acc": Folding(5, 5), "block2.acc": Folding(2, 5), "block3.acc": Folding(3, 3)}


@pytest.fixture(scope="module")
def small(simulator, tmp_path_factory) -> RtlSimulation:
    """A small graph with foldings given by hand, simulated."""
    folder = tmp_path_factory.mktemp("small")
    plan = make_plan(small_graph(), 400, FOLDINGS)
    assert {name: layer.folding for name, layer in plan.layers.items()} == FOLDINGS
    return RtlSimulation(write(plan, folder / "v"), folder / "build", simulator=simulator, opt="-O0")


def test_a_reset_at_any_time_leaves_nothing_behind(small):
    """In the middle of samples, statistics, convolutions and results."""
    x = np.random.default_rng(1).integers(-2000, 2000, (3, 60)).astype(np.int16)
    for reset_at in range(1, 420, 19):
        assert differences(small, small_graph(), x, Stalls(30, 60, seed=reset_at, reset_at=reset_at)) == []


def test_a_flipped_weight_and_a_shifted_bound_are_found(small):
    """Images are read when the simulation starts, so one program serves. Sums of 15 taps are odd, so t moves by two."""
    if small.simulator != "verilator":
        pytest.skip("CXXRTL has the images within the program")
    graph = small_graph()
    x = ties(graph)
    assert differences(small, graph, x) == []
    for image, change, tensor in (("small_block2_acc_w.hex", 1, "block2.acc"), ("small_block2_t.hex", 2, "block2")):
        path = small.folder / image
        good = path.read_text()
        path.write_text(f"{int(good.split()[0], 16) ^ change:x}\n" + good.partition("\n")[2])
        assert differences(small, graph, x)[:1] == [tensor]
        path.write_text(good)


def test_windows_that_do_not_fit_are_refused(small):
    with pytest.raises(DataError, match=r"windows are int16 \(2, 59\), wanted int16 \(n, 60\)"):
        small.run(np.zeros((2, 59), np.int16))


@pytest.mark.skipif(not yosys(), reason="no Yosys: pip install 'bnn-wearables[lab]'")
def test_cxxrtl_gives_what_verilator_gives(tmp_path, monkeypatch):
    """The way that needs wheels alone, in many pieces, as large designs are."""
    monkeypatch.setattr("hw.cxxrtl.PIECE", 5)
    case = load_golden("ties")
    folder = write(fastest(case.graph), tmp_path / "v")
    x = np.ascontiguousarray(case.tensors["ecg"][:, 0])
    simulation = RtlSimulation(folder, tmp_path / "build", simulator="cxxrtl", opt="-O0")
    assert differences(simulation, case.graph, x, STALLS[1]) == []
    assert not [path for path in folder.iterdir() if path.suffix in (".cpp", ".cc")]
    assert (tmp_path / "build" / "top.cpp").read_text().count("noinline") > 20


MUTANTS = [
    ("bnn_stats.v", "+ {{(MW-NW){1'b0}}, HALF[NW-1:0]}", "", "stats"),
    ("bnn_root.v", "next >= trial", "next > trial", "stats"),
    ("bnn_standardise.v", "pad_r ? i_std", "pad_r ? 21'd0", "block1.acc"),
    ("bnn_scaled_threshold.v", "x >= t", "x > t", "block1.bits"),
    ("bnn_pool.v", "opens ? newer : kept", "kept", "block1"),
    ("bnn_slide.v", "pad_r ? PAD_VALUE", "pad_r ? {W{1'b0}}", "block2.acc"),
    ("bnn_threshold.v", "x >= t", "x > t", "block2"),
    ("bnn_prelu_sum.v", "first2_r ? bias2_r", "first2_r ? 32'd0", "logits"),
]


@pytest.mark.parametrize(("file", "old", "new", "tensor"), MUTANTS, ids=[f"{m[0]}-{m[3]}" for m in MUTANTS])
def test_a_planted_mistake_is_found_where_it_is(simulator, tmp_path, file, old, new, tensor):
    graph = small_graph()
    folder = write(fastest(graph), tmp_path / "v")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    x = ties(graph)
    found = differences(RtlSimulation(folder, tmp_path / "build", simulator=simulator, opt="-O0"), graph, x)
    assert found[:1] == [tensor]


def ties(graph) -> np.ndarray:
    """Windows of few values, constant ones among them, so that sums meet bounds."""
    rng = np.random.default_rng(11)
    x = rng.integers(-2, 3, (120, graph.signals[0].length)) * rng.choice([1, 16, 500], (120, 1))
    return np.concatenate([x, np.full((1, x.shape[1]), 7)]).astype(np.int16)


def run_network(name: str, windows: int, folder, cycles: int, opt: str) -> None:
    graph = load(zoo.graph_path(name))
    plan = make_plan(graph, cycles)
    simulation = RtlSimulation(write(plan, folder / "v"), folder / "build", opt=opt)
    x = synthetic_set(name, per_class=-(-windows // len(graph.classes)), seed=4).x[:windows]
    assert differences(simulation, graph, x, Stalls(64, 192, seed=9, reset_at=plan.cycles)) == []
    assert simulation.run(x).cycles == pytest.approx(plan.cycles, rel=0.1)


def test_ecg5_equals_the_simulator_and_takes_the_estimated_cycles(simulator, tmp_path):
    run_network("ecg5", 3, tmp_path, 4000, "-O0")


@pytest.mark.full
@pytest.mark.parametrize("cycles", [4000, 120_000])
@pytest.mark.parametrize("name", ["ecg5", "ecg17"])
def test_whole_networks_over_50_windows(simulator, tmp_path, name, cycles):
    run_network(name, 50, tmp_path, cycles, "-O1")


def test_tools_and_windows_that_do_not_fit(simulator, tmp_path, monkeypatch):
    with pytest.raises(ToolError, match="simulator 'modelsim' is unknown; choose one of verilator, cxxrtl"):
        find_simulator("modelsim")
    with pytest.raises(ToolError, match="holds no generated Verilog; run `bnn generate GRAPH --target rtl"):
        RtlSimulation(tmp_path, tmp_path / "build")
    (tmp_path / "old.json").write_text('{"backend": "rtl", "format": 1}')
    with pytest.raises(ToolError, match="old.json: is of format 1, wanted 2; generate the Verilog again"):
        RtlSimulation(tmp_path, tmp_path / "build")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr("hw.rtl_tools.util.find_spec", lambda name: None)
    with pytest.raises(ToolError, match="no simulator of Verilog was found .*pip install 'bnn-wearables"):
        find_simulator()


def test_a_design_that_gets_stuck_is_named_as_such(simulator, tmp_path):
    graph = small_graph()
    folder = write(make_plan(graph, 400), tmp_path / "v")
    path = folder / "bnn_fold.v"
    text = path.read_text()
    assert "assign o_valid = i_valid;" in text
    path.write_text(text.replace("assign o_valid = i_valid;", "assign o_valid = 1'b0 & i_valid;"))
    simulation = RtlSimulation(folder, tmp_path / "build", simulator=simulator, opt="-O0")
    x = np.zeros((2, 60), np.int16)
    with pytest.raises(ToolError, match="0 of 2 windows are done, and no more come"):
        simulation.run(x)
