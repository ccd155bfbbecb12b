"""Cost, schedule and choice of foldings, held against kernels run cycle by cycle; what is refused, by its words."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from bnn import zoo
from bnn.errors import FileError, GraphError
from bnn.graph import load
from codegen.folding import Folding, check_foldings, foldings_of
from codegen.folding_text import parse_foldings
from codegen.hls import choose_foldings, find_part, make_network, parse_clock
from codegen.hls.cost import costs, cycles
from codegen.hls.network import fork_depths
from codegen.hls.schedule import HOP, timing
from tests.codegen.dataflow import Dataflow
from tests.graphs import Builder, graphs

PART = find_part("xc7z020clg400-1")


@pytest.fixture(scope="module")
def ecg5():
    return make_network(load(zoo.graph_path("ecg5")))


def drawn(network, seed: int) -> dict[str, Folding]:
    rng = np.random.default_rng(seed)
    options = {name: foldings_of(work) for name, work in network.works.items()}
    return {name: foldings[rng.integers(len(foldings))] for name, foldings in options.items()}


@pytest.mark.parametrize("latency_us", [76, 150])
def test_latency_and_interval_are_those_of_the_loops(ecg5, latency_us):
    """Of the whole network, within one part in a hundred."""
    design = choose_foldings(ecg5, PART, 100.0, latency_us)
    ran = Dataflow(ecg5, design.foldings, windows=3, hop=HOP)
    assert not ran.stuck
    assert design.timing.latency == pytest.approx(ran.results[0], rel=0.01)
    assert design.timing.interval == pytest.approx(ran.results[2] - ran.results[1], rel=0.01)
    assert design.timing.latency <= 100 * latency_us


def test_the_table_of_the_page(ecg5):
    """docs/FPGA.md shows these figures, run and estimated."""
    page = (Path(__file__).parents[2] / "docs" / "FPGA.md").read_text()
    shown = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in page.splitlines() if "`--lat" in line
    ]
    shown = [row for row in shown if len(row) == 6]
    for us, *cells in shown:
        design = choose_foldings(ecg5, PART, 100.0, float(us.split()[1]))
        ran = Dataflow(ecg5, design.foldings, windows=3, hop=HOP).results
        numbers = (design.timing.latency, ran[0], design.timing.interval, ran[2] - ran[1], design.total.luts)
        assert cells == [f"{number:,}" for number in numbers], us
    assert len(shown) == 3


@settings(max_examples=40)
@given(graphs())
def test_no_network_waits_for_ever(graph):
    """Random graphs with random foldings run three windows through; the latency of the first is as estimated."""
    network = make_network(graph)
    foldings = drawn(network, len(graph.classes))
    ran = Dataflow(network, foldings, windows=3, hop=2)
    assert not ran.stuck and len(ran.results) == 3
    slack = 0.1 * ran.results[0] + 40  # streams that are full for a while: small networks feel them
    assert abs(timing(network, foldings, hop=2).latency - ran.results[0]) <= slack


def test_streams_of_a_fork_must_be_as_deep(ecg5):
    """One sample less than the statistics need, and the convolution that waits for them stops them."""
    foldings = {name: Folding() for name in ecg5.works}
    needed = fork_depths(ecg5, "ecg")
    assert needed == {("block1.stats", 0): 2, ("block1.acc", 0): 3600 - 2 + 2}

    def shallow(network, tensor):
        return {reader: depth - 20 for reader, depth in fork_depths(network, tensor).items()}

    assert Dataflow(ecg5, foldings, windows=1, hop=1, depths=shallow).stuck


def test_cycles_by_hand():
    """Steps that complete no window take one cycle, the others (channels / PE) * (taps / SIMD)."""
    b = Builder(np.random.default_rng(0), 40).signal_conv("acc1", 6, 5, stride=2, pad=3).threshold("bits")
    graph = b.conv("acc2", 4, 3, stride=3, pad=2).prelu_sum().graph()
    network = make_network(graph)
    foldings = {"acc1": Folding(3, 5), "acc2": Folding(2, 9)}
    found = {node.name: cycles(network, node, foldings) for node in network.nodes}
    assert network.length("acc1") == 21 and network.length("acc2") == 8
    assert found["acc1"] == (46 - 21) + 21 * 2 * 1
    assert found["bits"] == 21 * 2 + 6  # two words a step, and a bound a channel
    assert found["acc2"] == (25 - 8) + 8 * 2 * 2
    assert found["logits"] == 8 * 2 + 4


def test_more_lanes_are_never_slower_and_cost_more(ecg5):
    name, rest = list(ecg5.works)[3], {name: Folding() for name in ecg5.works}
    for pe, simd in [(1, 1), (2, 1), (4, 7), (32, 32)]:
        small, large = (costs(ecg5, rest | {name: Folding(pe, s)})[name] for s in (simd, simd * 7))
        assert large.cycles < small.cycles
    one, all_lanes = (costs(ecg5, rest | {name: f})[name] for f in (Folding(), Folding(32, 224)))
    assert all_lanes.luts > one.luts


def test_more_time_never_takes_more_logic(ecg5):
    luts = [choose_foldings(ecg5, PART, 100.0, us).total.luts for us in (76, 90, 150, 500, 5000)]
    assert luts == sorted(luts, reverse=True) and luts[-1] < luts[0] / 2


def test_fixed_foldings_stay(ecg5):
    fixed = {"block3.acc": Folding(32, 112)}
    design = choose_foldings(ecg5, PART, 100.0, 100.0, fixed)
    assert design.foldings["block3.acc"] == Folding(32, 112)
    assert design.foldings["block2.acc"] == choose_foldings(ecg5, PART, 100.0, 100.0).foldings["block2.acc"]


def test_a_folding_must_divide(ecg5):
    with pytest.raises(GraphError, match=r"block2.acc: PE is 3, which does not divide the 16 .* choose one of 1, 2, 4"):
        check_foldings(ecg5.works, {"block2.acc": Folding(3, 8)})
    with pytest.raises(GraphError, match=r"block2.acc: SIMD is 5, which does not divide the 56 taps"):
        choose_foldings(ecg5, PART, 100.0, 100.0, {"block2.acc": Folding(4, 5)})
    with pytest.raises(GraphError, match=r"PE is 0"):
        check_foldings(ecg5.works, {"block2.acc": Folding(0, 8)})
    with pytest.raises(GraphError, match=r"folding of block9: no such convolution; there are block1.acc, "):
        check_foldings(ecg5.works, {"block9": Folding()})


def test_a_latency_that_cannot_be_met(ecg5):
    with pytest.raises(GraphError, match=r"50 us at 100 MHz cannot be met: the fastest .* 36.0 us of them to take in"):
        choose_foldings(ecg5, PART, 100.0, 50.0)
    slow = {"block4.acc": Folding(1, 1)}
    with pytest.raises(GraphError, match=r"cannot be met.*fix fewer foldings"):
        choose_foldings(ecg5, PART, 100.0, 1000.0, slow)


def test_a_design_must_fit_the_part(ecg5):
    everything = {name: Folding(work.rows, work.taps) for name, work in ecg5.works.items()}
    with pytest.raises(GraphError, match=r"takes .* look-up tables as estimated, but xc7z010clg400-1 has 17,600"):
        choose_foldings(ecg5, find_part("xc7z010clg400-1"), 100.0, 100.0, everything)


@pytest.mark.parametrize("name", ["xc7z020clg400-1", "xczu3eg-sbva484-1-e", "xck26-sfvc784-2LV-c", "xc7a35ticsg324-1L"])
def test_parts(name):
    assert find_part(name).luts > 0


@pytest.mark.parametrize("name", ["xc7z020", "xc9z999clg400-1", "ice40", "", "xc7z020clg400"])
def test_unknown_parts(name):
    with pytest.raises(GraphError, match=r"part .* is unknown; wanted a device of xc7z010, .* such as xc7z020clg400-1"):
        find_part(name)


@pytest.mark.parametrize("text, mhz", [("100MHz", 100), ("12.5 mhz", 12.5), ("10ns", 100), ("4 ns", 250)])
def test_clocks(text, mhz):
    assert parse_clock(text) == mhz


@pytest.mark.parametrize("text", ["", "100", "fast", "0MHz", "0ns", "-5MHz", "2GHz", "601MHz", "0.5MHz", "nanMHz"])
def test_bad_clocks(text):
    with pytest.raises(GraphError, match=r"clock .* is not from 1MHz to 600MHz; write it as 100MHz"):
        parse_clock(text)


def test_foldings_of_files_and_words(tmp_path):
    (tmp_path / "f.toml").write_text('block1.acc = [8, 7]\n"block2.acc" = [1, 8]\n')
    (tmp_path / "f.json").write_text(json.dumps({"block3.acc": [2, 4]}))
    found = parse_foldings([str(tmp_path / "f.toml"), str(tmp_path / "f.json"), "block2.acc=4,14"])
    assert found == {"block1.acc": Folding(8, 7), "block2.acc": Folding(4, 14), "block3.acc": Folding(2, 4)}
    assert parse_foldings([]) == {}


@pytest.mark.parametrize("text", ["a=1", "a=1,2,3", "a=x,y", "a="])
def test_foldings_that_are_no_pairs(text):
    with pytest.raises(GraphError, match=r"folding of a: got .* wanted PE and SIMD, two whole numbers, such as a=4,8"):
        parse_foldings([text])


def test_folding_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match=r"nothing.toml: cannot be read .*LAYER=PE,SIMD"):
        parse_foldings([str(tmp_path / "nothing.toml")])
    (tmp_path / "bad.toml").write_text("a = [1,")
    with pytest.raises(FileError, match=r"bad.toml: is not what its suffix says"):
        parse_foldings([str(tmp_path / "bad.toml")])
    (tmp_path / "bad.json").write_text("[1, 2]")
    with pytest.raises(FileError, match=r"bad.json: holds list, wanted a table"):
        parse_foldings([str(tmp_path / "bad.json")])


def test_a_layer_wider_than_a_word_of_the_tool():
    b = Builder(np.random.default_rng(0), 40).signal_conv("acc1", 600).threshold("bits")
    with pytest.raises(GraphError, match=r"acc2: 4200 taps an output, but a word of the HLS tool holds at most 4096"):
        make_network(b.conv("acc2", 2, 7).prelu_sum().graph())
