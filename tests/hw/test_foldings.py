"""Both languages of hardware, folded alike: the HLS cost model is held against Verilog in simulation."""

import numpy as np
import pytest

from codegen.folding import Folding
from codegen.hls import make_network
from codegen.hls.schedule import timing
from codegen.rtl import make_plan
from hw.rtl_sim import RtlRun, RtlSimulation
from tests.graphs import Builder, windows
from tests.hw.rtl import write

LENGTH = 900


def graph(stride: int = 1):
    """Two convolutions of 4 and 6 channels; the first moves by `stride`."""
    b = Builder(np.random.default_rng(2), LENGTH).signal_conv("acc1", 4, 5, stride=stride, pad=2).threshold("bits1")
    return b.or_pool("pool1").conv("acc2", 6, 3, pad=1).threshold("bits2").conv("acc3", 3, 3).prelu_sum().graph()


def run(foldings: dict[str, Folding], simulator: str, folder, stride: int = 1) -> tuple[RtlRun, int, int]:
    """The Verilog's run of three windows, and what the HLS model says of interval and latency."""
    made = graph(stride)
    folder.mkdir()
    simulation = RtlSimulation(
        write(make_plan(made, 10**6, foldings), folder / "v"),
        folder / "build",
        simulator=simulator,
        traced=False,
        opt="-O0",
    )
    told = timing(make_network(made), foldings)
    return simulation.run(windows(np.random.default_rng(3), 3, LENGTH)), told.interval, told.latency


@pytest.mark.parametrize(
    "first, second, third",
    [((1, 5), (1, 2), (1, 18)), ((2, 5), (6, 2), (1, 1))],
    ids=["first", "third"],
)
def test_the_hls_estimate_is_within_a_tenth_of_the_verilog(simulator, tmp_path, first, second, third):
    """Whichever layer is the slowest."""
    foldings = {"acc1": Folding(*first), "acc2": Folding(*second), "acc3": Folding(*third)}
    ran, interval, latency = run(foldings, simulator, tmp_path / "x")
    assert interval == pytest.approx(ran.cycles, rel=0.1)
    assert latency == pytest.approx(ran.latency, rel=0.1)


def test_only_a_slow_first_layer_with_a_stride_is_further_off(simulator, tmp_path):
    """It is the one that docs/FPGA.md explains: by so many cycles as steps complete no window, and the statistics."""
    foldings = {"acc1": Folding(1, 5), "acc2": Folding(6, 12), "acc3": Folding(3, 18)}
    ran, interval, _ = run(foldings, simulator, tmp_path / "x", stride=2)
    alone = LENGTH + 4 - LENGTH // 2
    assert interval > 1.1 * ran.cycles
    assert interval - alone - 160 == pytest.approx(ran.cycles, rel=0.05)
