"""Folding by the cost model, its errors, and what is written."""

import json
import re

import numpy as np
import pytest

from bnn import zoo
from bnn.errors import FileError, GraphError
from bnn.graph import Graph, Signal, Stage, load
from codegen.fold_cost import Fold, Work, choose_fold, divisors, logic, window_cycles
from codegen.rtl import generate_rtl, make_plan
from codegen.rtl.netlist import pack, pack_bits
from tests.graphs import Builder, small_graph

WORK = Work("conv", rows=32, taps=112, kernel=7, positions=452, steps=458)


def test_cycles_are_those_of_all_positions_and_the_first_window():
    assert window_cycles(WORK, Fold(32, 112)) == 458  # one step enters a cycle
    assert window_cycles(WORK, Fold(4, 112)) == 452 * 8 + 6
    assert window_cycles(WORK, Fold(1, 1)) == 452 * 32 * 112 + 6


def test_the_chosen_fold_is_the_cheapest_that_is_fast_enough():
    for cycles in (458, 1000, 4000, 100_000, 10**7):
        chosen = choose_fold(WORK, cycles)
        assert window_cycles(WORK, chosen) <= cycles
        fast = [Fold(a, b) for a in divisors(32) for b in divisors(112) if window_cycles(WORK, Fold(a, b)) <= cycles]
        assert logic(WORK, chosen).luts <= min(logic(WORK, fold).luts + 200 for fold in fast)
    assert choose_fold(WORK, 10**7) == Fold(1, 1)


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        ({"block2.acc": Fold(3, 5)}, "block2.acc: 3 lanes do not divide its 4; choose one of 1, 2, 4"),
        ({"block2.acc": Fold(2, 4)}, "block2.acc: 4 bits do not divide its 15; choose one of 1, 3, 5, 15"),
        ({"block2.acc": Fold(0, 5)}, "block2.acc: 0 lanes do not divide its 4"),
        (
            {"block1.acc": Fold(1, 1)},
            "block1.acc: the first layer adds all of its 5 taps at once; fold its lanes alone",
        ),
        ({"block2": Fold(1, 1)}, "block2 is no convolution; it has block1.acc, block2.acc, block3.acc"),
    ],
)
def test_folds_that_do_not_fit_are_refused(folds, words):
    with pytest.raises(GraphError, match=re.escape(words)):
        make_plan(small_graph(), 500, folds)


def test_cycles_that_cannot_be_met_are_refused():
    with pytest.raises(GraphError, match="one sample a cycle and the statistics take 3662 cycles a window, but 3000"):
        make_plan(load(zoo.graph_path("ecg5")), 3000)
    wide = Builder(np.random.default_rng(0), 30).signal_conv("acc", 4, 3, pad=2).threshold("bits")
    slow = wide.conv("deep", 3, kernel=3, pad=2).prelu_sum().graph()
    assert make_plan(slow, 100).cycles <= 100
    with pytest.raises(GraphError, match="conv: takes at least 458 cycles a window, but 457 were asked for"):
        choose_fold(WORK, 457)


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
    plan = make_plan(graph, 500, {"block2.acc": Fold(2, 5)})
    generate_rtl(plan, tmp_path, command="c", graph_sha256="0" * 64, tool_version="0")
    w = next(node for node in graph.nodes() if node.name == "block2.acc").w  # (4, 5, 3)
    words = [int(line, 16) for line in (tmp_path / "small_block2_acc_w.hex").read_text().split()]
    for f, p, lane, b in np.ndindex(2, 3, 2, 5):
        k, c = divmod(p * 5 + b, 5)
        assert (words[f * 3 + p] >> (lane * 5 + b) & 1) == (w[f * 2 + lane, c, k] > 0)
