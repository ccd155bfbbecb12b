"""Counts of QEMU are those of Unicorn, for cores that both know."""

import shutil

import numpy as np
import pytest

from codegen import Options
from firmware import measure as measuring
from firmware.build import build_image
from firmware.manifest import read_manifest
from firmware.measure import AFTER, measure
from firmware.steps import count_steps, executes
from firmware.targets import TARGETS
from tests.codegen.models import tiny_graph, write
from tests.firmware.tiny import WITH_IT_BLOCK, write_tiny
from tests.graphs import by_the_past


@pytest.fixture
def qemu(lab):
    if not shutil.which("qemu-system-arm"):
        pytest.skip("qemu-system-arm is not installed")


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4", "cortex-m33"])
def test_counts_stack_and_layers_are_those_of_unicorn(qemu, target, toy, image, manifest, windows):
    found, where = windows[:3], (manifest, TARGETS[target])
    plain, traced = image(target, False), image(target, True)
    assert measuring._count_steps(plain, *where, found) == measuring._count(plain, *where, found)
    assert measuring._count_layer_steps(traced, *where, found[0]) == measuring._count_layers(traced, *where, found[0])


@pytest.mark.parametrize("of", [lambda graph: graph, by_the_past], ids=["window", "past"])
def test_counts_of_a_stream_are_those_of_unicorn(qemu, lab, of, tmp_path):
    graph = of(tiny_graph())
    folder, target = write(graph, tmp_path / "c", options=Options(stream=True)), TARGETS["cortex-m4"]
    manifest = read_manifest(folder)
    x = np.random.default_rng(2).integers(-500, 500, (3, manifest.values)).astype(np.int16)
    plain, traced = (build_image(folder, target, tmp_path, traced=traced, piece=1) for traced in (False, True))
    assert measuring._count_steps(plain, manifest, target, x) == measuring._count(plain, manifest, target, x)
    assert measuring._count_layer_steps(traced, manifest, target, x[0]) == measuring._count_layers(
        traced, manifest, target, x[0]
    )


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m55"])
def test_what_a_person_counts_is_what_qemu_counts(qemu, target, tmp_path):
    """Loops, an IT block with a failing condition, and the stack, on code of a few instructions."""
    assembly, instructions, stack = WITH_IT_BLOCK
    generated = write_tiny(tmp_path, assembly)
    if TARGETS[target].unicorn:
        image = build_image(generated, target, tmp_path, traced=False)
        manifest = measuring.read_manifest(generated)
        steps = count_steps(image, manifest, TARGETS[target], np.zeros((2, 1), np.int16), ["bench_window"])
        assert steps.count == 2 * instructions
        return
    cost = measure(generated, target, np.zeros((3, 1), np.int16))
    assert cost.instructions == cost.instructions_least == instructions
    assert cost.stack == stack
    assert cost.per_layer == {AFTER: instructions}


def status(state: int, flags: int) -> int:
    """A program status register: ITSTATE, and N, Z, C, V from bit 3 down."""
    return flags << 28 | (state & 3) << 25 | (state >> 2) << 10 | 1 << 24


CONDITIONS = {
    "eq": lambda n, z, c, v: z,
    "cs": lambda n, z, c, v: c,
    "mi": lambda n, z, c, v: n,
    "vs": lambda n, z, c, v: v,
    "hi": lambda n, z, c, v: c and not z,
    "ge": lambda n, z, c, v: n == v,
    "gt": lambda n, z, c, v: not z and n == v,
}


@pytest.mark.parametrize(("number", "name"), list(enumerate(CONDITIONS)))
def test_a_condition_and_its_inverse_on_all_flags(number, name):
    for flags in range(16):
        holds = bool(CONDITIONS[name](*(flags >> bit & 1 for bit in (3, 2, 1, 0))))
        assert executes(status(number << 5 | 0x8, flags)) == holds
        assert executes(status(number << 5 | 0x18, flags)) != holds


def test_outside_of_it_blocks_and_under_always_all_executes():
    for flags in range(16):
        assert executes(status(0, flags)) and executes(status(0xE8, flags))
