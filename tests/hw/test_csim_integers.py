"""A first layer of several channels, batch norm to int8 and branches joined in time, as HLS C++ and as a dataflow."""

import numpy as np
import pytest

from bnn.errors import GraphError
from bnn.graph import gate
from bnn.sim import simulate
from codegen.folding import Folding, check_foldings, foldings_of
from codegen.hls import Golden, generate, make_network
from codegen.hls.folding import make_design
from codegen.hls.network import fork_depths
from codegen.hls.schedule import HOP, timing
from hw import csim
from hw.manifest import read_manifest
from tests.codegen.dataflow import Dataflow
from tests.hw.projects import PART, needs_csim
from tests.staged import bits_graph, staged_graph

GRAPH = bits_graph()


def noise(n: int) -> np.ndarray:
    """(n, 2, 70) int16 of many levels; the first jumps over all of int16, the second is constant."""
    rng = np.random.default_rng(8)
    x = np.clip(rng.normal(size=(n, 2, 70)) * rng.uniform(10, 9000, (n, 1, 1)), -32768, 32767).astype(np.int16)
    x[0] = rng.choice([-32768, 32767, 0], (2, 70))
    x[1] = -300
    return x


def drawn(seed: int) -> dict[str, Folding]:
    rng = np.random.default_rng(seed)
    options = {name: foldings_of(work) for name, work in make_network(GRAPH).works.items()}
    return {name: some[rng.integers(len(some))] for name, some in options.items()}


@needs_csim()
def test_every_tensor_and_who_leaves(tmp_path):
    """Three drawn sets of foldings, all windows in one call."""
    x = noise(12)
    wanted = simulate(GRAPH, {"eeg": x}, keep="all")
    flat = x.transpose(0, 2, 1).reshape(len(x), -1)
    speed = gate.even_speed(wanted.tensors["doubt"])
    left = gate.leaves(wanted.tensors["doubt"], speed)
    assert 2 < left.sum() < 10
    for seed in range(3):
        design = make_design(make_network(GRAPH), drawn(seed), PART, 100.0)
        golden = Golden(flat, wanted.logits, wanted.classes, "noise", left, speed)
        project = tmp_path / str(seed)
        generate(design, project, golden=golden, command="test", graph_sha256="0" * 64, tool_version="0")
        program = csim.build([project], tmp_path / f"program{seed}", traced=True, opt="-O0")
        got = csim.simulate(program, read_manifest(project), flat, traced=True, speed=speed)
        for name, values in got.tensors.items():
            np.testing.assert_array_equal(values, wanted.tensors[name], err_msg=f"{name}, foldings {seed}")
        np.testing.assert_array_equal(got.logits, wanted.logits)
        np.testing.assert_array_equal(got.leaves, left)


def test_simd_of_a_window_in_a_ring_divides_its_steps():
    works = make_network(GRAPH).works
    assert {folding.simd for folding in foldings_of(works["small.acc"])} == {
        2,
        4,
    }  # 12 taps, moving on by 8 values, 2 a step
    with pytest.raises(GraphError, match=r"SIMD is 3, which does not divide the 12 taps; choose one of 2, 4"):
        check_foldings(works, {"small.acc": Folding(1, 3)})


@pytest.mark.parametrize("seed", range(4))
def test_branches_do_not_wait_for_each_other_for_ever(seed):
    network, foldings = make_network(GRAPH), drawn(seed)
    ran = Dataflow(network, foldings, windows=3, hop=HOP)
    assert not ran.stuck
    assert timing(network, foldings).interval == pytest.approx(ran.results[2] - ran.results[1], rel=0.05)
    assert timing(network, foldings).latency == pytest.approx(ran.results[0], rel=0.1, abs=30)
    assert set(fork_depths(network, "eeg").values()) == {2}  # what waits, waits before the join


def test_what_no_kernel_does():
    with pytest.raises(GraphError, match="has 2 stages and 2 signals; .* cut it with --until eeg"):
        make_network(staged_graph())
