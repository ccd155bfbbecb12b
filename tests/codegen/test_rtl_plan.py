"""Folding by the cost model, its errors, and what is written."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from bnn import zoo
from bnn.errors import FileError, GraphError
from bnn.graph import Graph, Signal, Stage, load
from codegen.folding import Folding, Work, foldings_of, turns, window_cycles
from codegen.rtl import generate_rtl, make_plan
from codegen.rtl.cost import choose_folding, cycles, logic
from codegen.rtl.netlist import pack, pack_bits
from tests.graphs import Builder, small_graph

WORK = Work("conv", rows=32, taps=112, kernel=7, positions=452, steps=458)


def test_cycles_are_those_of_all_positions_and_the_first_window():
    assert cycles(WORK, Folding(32, 112)) == 458  # one step enters a cycle
    assert cycles(WORK, Folding(4, 112)) == 452 * 8 + 6
    assert cycles(WORK, Folding(1, 1)) == 452 * 32 * 112 + 6


def test_steps_that_enter_alone_take_cycles_of_their_own():
    """With a stride of 1 there are none but in the first window; with 2 every other one."""
    twos = replace(WORK, positions=226)
    for folding in (Folding(32, 112), Folding(4, 112), Folding(1, 1)):
        assert window_cycles(WORK, folding, overlapped=True) == window_cycles(WORK, folding, overlapped=False)
        assert window_cycles(twos, folding, overlapped=False) == 226 * turns(WORK, folding) + 458 - 226
    assert window_cycles(twos, Folding(4, 112), overlapped=True) == 226 * 8 + 6


def test_the_chosen_folding_is_the_cheapest_that_is_fast_enough():
    for limit in (458, 1000, 4000, 100_000, 10**7):
        chosen = choose_folding(WORK, limit)
        assert cycles(WORK, chosen) <= limit
        fast = [folding for folding in foldings_of(WORK) if cycles(WORK, folding) <= limit]
        assert logic(WORK, chosen).luts <= min(logic(WORK, folding).luts + 200 for folding in fast)
    assert choose_folding(WORK, 10**7) == Folding(1, 1)


@pytest.mark.parametrize(
    ("foldings", "words"),
    [
        (
            {"block2.acc": Folding(3, 5)},
            "block2.acc: PE is 3, which does not divide the 4 output channels; choose one",
        ),
        (
            {"block2.acc": Folding(2, 4)},
            "block2.acc: SIMD is 4, which does not divide the 15 taps; choose one of 1, 3",
        ),
        ({"block2.acc": Folding(0, 5)}, "block2.acc: PE is 0, which does not divide the 4 output channels"),
        (
            {"block1.acc": Folding(1, 1)},
            "block1.acc: SIMD is 1, but in Verilog the first layer adds all of its 5 taps at once; choose 1,5",
        ),
        ({"block2": Folding(1, 1)}, "block2: no such convolution; there are block1.acc, block2.acc, block3.acc"),
    ],
)
def test_foldings_that_do_not_fit_are_refused(foldings, words):
    with pytest.raises(GraphError, match=re.escape(f"folding of {words}")):
        make_plan(small_graph(), 500, foldings)


def test_cycles_that_cannot_be_met_are_refused():
    with pytest.raises(GraphError, match="one sample a cycle and the statistics take 3662 cycles a window, but 3000"):
        make_plan(load(zoo.graph_path("ecg5")), 3000)
    wide = Builder(np.random.default_rng(0), 30).signal_conv("acc", 4, 3, pad=2).threshold("bits")
    slow = wide.conv("deep", 3, kernel=3, pad=2).prelu_sum().graph()
    assert make_plan(slow, 100).cycles <= 100
    with pytest.raises(GraphError, match="conv: takes at least 458 cycles a window, but 457 were asked for"):
        choose_folding(WORK, 457)


def test_graphs_that_have_no_modules_are_refused():
    graph = small_graph()
    stage = graph.stages[0]
    two = Graph("two", graph.classes, (*graph.signals, Signal("eeg", 1, 60, 360.0, 200.0)), (stage,))
    with pytest.raises(GraphError):
        make_plan(two)
    early = Stage("early", stage.signals, stage.nodes, stage.logits)
    with pytest.raises(GraphError, match="the Verilog backend runs graphs of a single stage"):
        make_plan(Graph("two", graph.classes, graph.signals, (early, Stage("late", (), (), stage.logits))))
    with pytest.raises(GraphError, match="does not run on a target"):
        make_plan(small_graph("logical"))


def test_words_are_packed_from_the_low_end():
    assert pack(np.array([1, -1, 2]), 4) == 0x2F1
    assert pack_bits(np.array([1, -1, -1, 1])) == 0b1001


def test_the_folder_says_what_is_in_it_and_equal_arguments_give_equal_bytes(tmp_path):
    plan = make_plan(small_graph())
    how = {"command": "bnn generate x", "graph_sha256": "ab" * 32, "tool_version": "0"}
    for name in ("a", "b"):
        generate_rtl(plan, tmp_path / name, **how)
    a, b = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert a == b
    manifest = json.loads(a["small.json"])
    assert set(a) == {*manifest["sources"], *manifest["images"], "small.json"}
    assert manifest["top"] == "small_top" and manifest["backend"] == "rtl"
    top = a["small_top.v"].decode()
    used = set(re.findall(r"^ {4}(bnn_\w+) #", top, re.M)) | {"bnn_bank", "bnn_rom"}
    assert {f"{module}.v" for module in used} <= set(manifest["sources"])
    assert f"sha256 {'ab' * 32}" in top
    with pytest.raises(FileError, match="exists already; pass --force"):
        generate_rtl(plan, tmp_path / "a", **how)


def test_first_layer_weights_lie_in_the_image_as_the_module_reads_them(tmp_path):
    graph = small_graph()
    plan = make_plan(graph, 500, {"block2.acc": Folding(2, 5)})
    generate_rtl(plan, tmp_path, command="c", graph_sha256="0" * 64, tool_version="0")
    w = next(node for node in graph.nodes() if node.name == "block2.acc").w  # (4, 5, 3)
    words = [int(line, 16) for line in (tmp_path / "small_block2_acc_w.hex").read_text().split()]
    for f, p, lane, b in np.ndindex(2, 3, 2, 5):
        k, c = divmod(p * 5 + b, 5)
        assert (words[f * 3 + p] >> (lane * 5 + b) & 1) == (w[f * 2 + lane, c, k] > 0)
