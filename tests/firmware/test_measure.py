import gc
import weakref

import numpy as np
import pytest

from bnn.errors import DataError, ToolError
from firmware.build import build_image
from firmware.emulate import EmulatedRunner
from firmware.image import read_image
from firmware.machine import Machine
from firmware.measure import AFTER, count_model, measure
from firmware.targets import TARGETS
from tests.firmware.conftest import EMULATED
from tests.firmware.tiny import ARMV6M, RISCV, WITH_IT_BLOCK, write_tiny
from tests.firmware.toy import write_toy


@pytest.mark.parametrize("target", EMULATED)
def test_what_a_person_counts_is_what_is_measured(lab, target, tmp_path):
    """Loops, an IT block with a failing condition, and the stack, on code of a few instructions."""
    assembly, instructions, stack = {"cortex-m0": ARMV6M, "rv32imc": RISCV}.get(target, WITH_IT_BLOCK)
    cost = measure(write_tiny(tmp_path, assembly), target, np.zeros((3, 1), np.int16))
    assert cost.instructions == cost.instructions_least == instructions
    assert cost.stack == stack
    assert cost.per_layer == {AFTER: instructions}


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4", "rv32imc"])
def test_the_native_count_is_that_of_a_hook_in_python(target, image, manifest, windows):
    import unicorn

    runner = EmulatedRunner(image(target, False), manifest, target, traced=False)
    machine = runner.machine
    first, end = (machine.image.address(f"model_text_{side}") for side in ("start", "end"))
    counter, seen = count_model(machine), []
    machine.uc.hook_add(unicorn.UC_HOOK_CODE, lambda uc, address, size, data: seen.append(address), begin=1, end=0)
    runner.run(windows[:4])
    assert counter.value == sum(first <= address < end for address in seen) > 10_000
    assert any(not first <= address < end for address in seen)  # the bench, which is not counted


def test_what_a_counter_writes_to_lives_as_long_as_the_engine(image, manifest, windows):
    runner = EmulatedRunner(image("cortex-m4", False), manifest, "cortex-m4", traced=False)
    count = weakref.ref(count_model(runner.machine)._count)
    gc.collect()
    assert count() is not None
    runner.run(windows[:1])
    assert count().value > 1000


def test_counting_changes_no_result(image, manifest, windows, expected):
    runner = EmulatedRunner(image("cortex-m4", True), manifest, "cortex-m4", traced=True)
    count_model(runner.machine)
    np.testing.assert_array_equal(runner.run(windows).tensors["acc"], expected["acc"])


def test_layers_and_total_agree(lab, toy, manifest, windows):
    cost = measure(toy, "cortex-m4", windows)
    assert list(cost.per_layer) == [*(trace.name for trace in manifest.traces), AFTER]
    assert min(cost.per_layer.values()) > 0
    assert 0 <= sum(cost.per_layer.values()) - cost.instructions <= 12 * len(cost.per_layer)
    assert cost.instructions_least < cost.instructions  # the toy's work depends on its windows
    assert measure(toy, "cortex-m4", windows) == cost


def test_more_work_in_one_layer_shows_in_that_layer(lab, toy, tmp_path, windows):
    change = {"toy.c": ("toy_pool(", "toy_pool(context->bits, context->pooled);\n    toy_pool(")}  # OR twice is OR
    plain = measure(toy, "cortex-m0", windows[:2]).per_layer
    twice = measure(write_toy(tmp_path, change), "cortex-m0", windows[:2]).per_layer
    changed = {name: twice[name] - plain[name] for name in plain if abs(twice[name] - plain[name]) > 8}
    assert list(changed) == ["pooled"] and changed["pooled"] > 0.9 * plain["pooled"]


def test_sizes_are_those_of_the_model(lab, toy, tmp_path, windows):
    """400 constants and 100 variables more cost 1600 bytes of flash and 400 of RAM, and an initial value costs both."""
    plain = measure(toy, "cortex-m4", windows[:1])
    change = {
        "toy.c": (
            "    int best = 0;\n",
            "    static const volatile int32_t table[400] = {1}; static volatile int32_t scratch[100];\n"
            "    static volatile int32_t state[5] = {1};\n"
            "    int best = 0;\n    scratch[7] = table[3] + state[1];\n",
        )
    }
    more = measure(write_toy(tmp_path, change), "cortex-m4", windows[:1])
    assert more.sizes.constants - plain.sizes.constants == 1600 + 20
    assert more.ram - plain.ram == 400 + 20
    assert (plain.sizes.context, plain.sizes.samples, plain.ram, plain.flash) == (
        176,
        128,
        176,
        plain.sizes.code + plain.sizes.constants,
    )
    assert plain.sizes.image_flash > plain.flash and plain.sizes.image_ram >= plain.ram + 128 + 4096


def test_the_model_is_all_code_but_the_bench(image, manifest):
    """Every function of generated code lies in the measured part, and no function of the bench does."""
    loaded = read_image(image("cortex-m4", False))
    first, end = loaded.address("model_text_start"), loaded.address("model_text_end")
    inside = {f.name for f in loaded.functions if first <= f.address < end}
    assert {"toy_classify", "toy_stats", "toy_threshold", "toy_pool", "toy_count"} <= inside
    assert inside.isdisjoint({"bench_window", "main", "port_reset", "files_read", "bench_prepare"})
    assert loaded.sizes().code == pytest.approx(end - first, abs=3)


def test_the_result_is_ready_for_json(lab, toy, windows):
    fields = measure(toy, "cortex-m0", windows[:1], opt="-Os").as_dict()
    assert {"target", "compiler", "opt", "instructions", "per_layer", "flash", "ram", "stack", "samples"} <= set(fields)
    assert fields["opt"] == "-Os" and fields["samples"] == 128 and "sizes" not in fields


def test_the_host_is_not_measured(toy, windows):
    with pytest.raises(ToolError, match="target host is not emulated, so nothing can be counted"):
        measure(toy, "host", windows)


def test_measuring_takes_a_window(toy, windows):
    with pytest.raises(DataError, match="toy: no window was given"):
        measure(toy, "cortex-m4", windows[:0])


def test_a_place_is_named_by_its_function(image):
    loaded = read_image(image("cortex-m4", False))
    start = loaded.address("toy_pool")
    assert loaded.place(start + 6) == f"{start + 6:#x} (toy_pool + 0x6)"
    assert loaded.place(0x3000_0000) == "0x30000000 (no function)"


def test_start_up_alone_runs_no_model_code(lab, tmp_path):
    built = build_image(write_tiny(tmp_path, WITH_IT_BLOCK[0]), "cortex-m3", tmp_path / "out", traced=False)
    machine = Machine(read_image(built), TARGETS["cortex-m3"])
    counter = count_model(machine)
    machine.start()
    machine.call("bench_prepare")
    assert counter.value == 0
