"""Taps as code: the functions of pairs against plain counting, and whole networks of them against the simulator."""

import ctypes
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from bnn.graph import ops
from codegen import Choice
from codegen.c.text import pack
from codegen.c.unrolled import PairCode, least_count, unrolled
from codegen.lanes import faster_sources, planes
from codegen.plan import RAM, draft, finish, outline, with_ram
from codegen.printing import environment
from codegen.taps import Pair
from tests.codegen.models import ecg_graph, lanes_graph, write
from tests.codegen.test_equality import assert_equal, raw_windows
from tests.runtime.kernels import RUNTIME, STRICT

SIZES = [
    (0, 0, 0),
    (1, 0, 2),
    (3, 4, 5),
    (7, 8, 9),
    (15, 16, 17),
    (31, 1, 33),
    (40, 50, 63),
    (64, 100, 0),
    (90, 90, 90),
]
POSITIONS, WORDS = 5, 300


def pair(sizes: tuple[int, int, int], flip: int, rng) -> Pair:
    """Taps of one input channel: tap k is word k."""
    chosen = np.split(rng.permutation(WORDS - POSITIONS)[: sum(sizes)], np.cumsum(sizes)[:2])
    return Pair((0, 1), tuple(chosen), flip, (3, -2))


@pytest.fixture(scope="module")
def cases():
    rng = np.random.default_rng(0)
    return [(pair(sizes, number % 4, rng), (int(rng.integers(-9, 9)), 5)) for number, sizes in enumerate(SIZES)]


@pytest.fixture(scope="module")
def library(cases, tmp_path_factory):
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    made = [unrolled(f"pair{i}", p, bounds, 1, WORDS, WORDS) for i, (p, bounds) in enumerate(cases)]
    template = environment(str(RUNTIME.parents[1] / "codegen" / "c" / "emit.py")).get_template("pairs.j2")
    text = template.module.pair_code(PairCode("all", tuple(made))).replace("static ", "")
    folder = tmp_path_factory.mktemp("unrolled")
    (folder / "pairs.c").write_text(f'#include "bnn_runtime.h"\n#include "bnn_lanes_adders.h"\n{text}')
    command = ["gcc", *STRICT, "-Wno-missing-prototypes", f"-I{RUNTIME}", "-shared", "-fPIC", "-O1"]
    done = subprocess.run([*command, "pairs.c", "-o", "pairs.so"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(folder / "pairs.so"))


@pytest.mark.parametrize("number", range(len(SIZES)), ids=[str(s) for s in SIZES])
def test_a_pair_counts_and_compares(library, cases, number):
    """D begins anywhere it can, and at its largest; each tap that is 1 adds 2; each channel is compared on its own."""
    (p, bounds), n = cases[number], planes(WORDS)
    rng = np.random.default_rng(number)
    bits = rng.random((WORDS, 32)) < rng.choice([0.1, 0.5, 0.9])
    begin = rng.integers(0, 2 ** (n + 1) - 2 * WORDS, (POSITIONS, 32))
    begin[0] = 2**n - 1  # no bit is set in any map of zeros
    x = pack(bits)
    start = pack((begin[:, None, :] >> np.arange(n + 1)[None, :, None]) & 1)
    got = np.zeros((2, POSITIONS), np.uint32)
    addresses = [ctypes.c_void_p(array.ctypes.data) for array in (start, got[0], got[1])]
    getattr(library, f"pair{number}")(ctypes.c_void_p(x.ctypes.data), POSITIONS, *addresses)
    for channel in range(2):
        counted = np.concatenate([p.parts[0], p.parts[1 + channel]])
        d = begin + 2 * np.stack([bits[counted + i].sum(axis=0) for i in range(POSITIONS)])
        flip = p.flip >> channel & 1
        want = (d >= least_count(bounds[channel], p.balance[channel], flip, n)) != flip
        np.testing.assert_array_equal(got[channel], pack(want))


def test_the_least_count_is_that_of_the_derivation():
    """acc = 4 P+ - 2 S - W >= t, or with P-, for every count that there can be; D = 2 P - S + 2^n - 1."""
    n, taps = 4, 7
    plus, minus = np.meshgrid(np.arange(taps + 1), np.arange(taps + 1))
    for ones in range(taps + 1):
        can = (plus <= ones) & (minus <= taps - ones)
        acc, s, balance = 2 * (plus - minus) - (2 * ones - taps), plus + minus, 2 * ones - taps
        for t in range(-taps - 2, taps + 3):
            upright = 2 * plus - s + 2**n - 1 >= least_count(t, balance, 0, n)
            flipped = ~(2 * minus - s + 2**n - 1 >= least_count(t, balance, 1, n))
            np.testing.assert_array_equal(upright[can], (acc >= t)[can])
            np.testing.assert_array_equal(flipped[can], (acc >= t)[can])


@pytest.mark.parametrize("make", [ecg_graph, lambda: ecg_graph(17), lanes_graph], ids=["ecg5", "ecg17", "lanes"])
def test_networks_of_unrolled_taps(bench, make, tmp_path):
    graph = make()
    everything = [node.name for node in graph.nodes() if isinstance(node, ops.Node)]
    item = draft(outline(graph), everything)
    steps = tuple(replace(s, taps="unrolled") if "unrolled" in faster_sources(s) else s for s in item.steps)
    choice = Choice(finish(with_ram(replace(item, steps=steps), RAM)), {}, 0)
    assert sum(step.taps == "unrolled" for step in choice.plan.steps) >= 2
    x = raw_windows(graph, 7)
    assert_equal(graph, bench.load(write(graph, tmp_path / "out", choice=choice)).run(x), x)
