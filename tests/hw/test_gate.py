"""bnn_gate.h in C simulation equals ExitGate of the simulator."""

import subprocess

import numpy as np
import pytest

from bnn.graph import gate, ops
from bnn.graph.types import TensorType
from bnn.sim.ops import evaluate
from firmware.compilers import run
from hw.csim import HERE, OPTIONS
from hw.cxx import find_ap_types, find_cxx
from tests.hw.projects import needs_csim

pytestmark = needs_csim()
TABLES = gate.tables()


def steepest_tables() -> dict[str, np.ndarray]:
    """Near the limits of the checker for 17 classes: logarithms of 13 bits, and an exp that falls late and for long."""
    exp = np.ones(gate.MAX_EXP, np.int16)
    exp[:8], exp[-1] = gate.ONE, 0
    return {"exp": exp, "log": (np.arange(gate.LOG_STEPS + 1) * 28000 // gate.LOG_STEPS).astype(np.int16)}


MAIN = """
#include "bnn_gate.h"
#include <cstdio>
static const ap_int<16> EXP[] = {%(exp)s}, LOG[] = {%(log)s};
int main()
{
    int v;
    unsigned speed;
    hls::stream<ap_int<32>> x("x"), y("y");
    while (std::scanf("%%u", &speed) == 1) {
        for (int c = 0; c < %(classes)d && std::scanf("%%d", &v) == 1; c++) x.write(ap_int<32>(v));
        bnn::exit_gate<%(classes)d, %(frac)d, %(entries)d>(x, y, EXP, LOG, 1);
        const int spread = int(y.read()), full = int(y.read());
        std::printf("%%d %%d %%d\\n", spread, full, int(bnn::exit_leaves(spread, full, speed)));
    }
}
"""


@pytest.mark.parametrize(
    "classes, frac, tables",
    [(2, 0, TABLES), (5, 9, TABLES), (17, 16, TABLES), (32, 31, TABLES), (17, 9, steepest_tables())],
)
def test_the_kernel_equals_the_simulator(classes, frac, tables, tmp_path):
    rng = np.random.default_rng(classes)
    z = rng.normal(size=(500, classes)) * 2.0 ** rng.uniform(frac - 6, min(frac + 4, 29), (500, 1))
    z = z.clip(-(2**31), 2**31 - 1).astype(np.int64)
    z[0], z[1, 0], z[1, 1], z[2] = 7, 2**31 - 1, -(2**31), 0
    z[2, 0] = 2**22
    speeds = rng.integers(0, gate.SPEED_ONE + 1, 500)
    speeds[:4] = gate.SPEED_ONE, 1, 1, 0
    texts = {name: ", ".join(map(str, table)) for name, table in tables.items()}
    main = tmp_path / "main.cpp"
    main.write_text(MAIN % (texts | {"classes": classes, "frac": frac, "entries": len(tables["exp"]) - 1}))
    folders = [f"-I{HERE / 'csim'}", f"-I{HERE / 'hls'}", "-isystem", str(find_ap_types())]
    run(find_cxx(), [*OPTIONS, "-O0", *folders, str(main), "-o", str(tmp_path / "gate")], what="bnn_gate.h")
    said = "\n".join(f"{speed} {' '.join(map(str, row))}" for speed, row in zip(speeds, z, strict=True))
    done = subprocess.run([tmp_path / "gate"], input=said, capture_output=True, text=True, check=True)
    got = np.array(done.stdout.split(), np.int64).reshape(-1, 3)
    node = ops.ExitGate("gate", ("x",), **tables, frac=frac)
    node.infer(TensorType("int32", (classes,), -(2**31), 2**31 - 1))  # the checker takes these tables
    wanted = evaluate(node, z)
    np.testing.assert_array_equal(got[:, :2], wanted)
    left = [gate.leaves(y[None], int(speed))[0] for y, speed in zip(wanted, speeds, strict=True)]
    np.testing.assert_array_equal(got[:, 2], left)
    assert 0 < sum(left) < 500
