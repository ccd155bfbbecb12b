"""What a user sees when generated code does what it must not."""

import shutil

import pytest

from bnn.errors import ToolError
from firmware import machine
from firmware.runners import open_runner, open_sanitized
from tests.firmware.conftest import EMULATED
from tests.firmware.toy import toy_windows, twin, write_toy

WILD_WRITE = ("acc[2 * t] =", "*(volatile int16_t *)0x60000000 = 1; acc[2 * t] =")
UNDEFINED = ("acc[2 * t] =", "if (t == 7) __builtin_trap(); acc[2 * t] =")
UNALIGNED = (
    "acc[2 * t] =",
    "*(volatile uint32_t *)(uintptr_t)((uintptr_t)acc + 1 + t); acc[2 * t] =",
)
ENDLESS = ("acc[2 * t] =", "for (volatile int i = 0; i < 1; ) {} acc[2 * t] =")
DEEP = ("acc[2 * t] =", "volatile char pit[6000]; for (int i = 0; i < 6000; i++) pit[i] = 1; acc[2 * t] =")


def failing(tmp_path, change, target, **options):
    """The error of one window on the toy with `change` in its last kernel."""
    generated = write_toy(tmp_path / "toy", {"toy_runtime.c": change})
    runner = open_runner(generated, target, tmp_path / "out", traced=False, opt="-O1", **options)
    with pytest.raises(ToolError) as error:
        runner.run(toy_windows(1))
    return str(error.value)


@pytest.mark.parametrize("target", EMULATED)
def test_a_wild_write_is_placed(lab, target, tmp_path):
    said = failing(tmp_path, WILD_WRITE, target)
    assert f"toy-{target}.elf: stopped at 0x" in said and "(toy_count + 0x" in said
    assert "write" in said and "at address 0x60000000" in said and "sanitize=True" in said
    assert "stack" not in said


@pytest.mark.parametrize("target", EMULATED)
def test_a_wrong_instruction_is_placed(lab, target, tmp_path):
    assert "(toy_count + 0x" in failing(tmp_path, UNDEFINED, target)


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m33", "rv32imc"])
def test_a_stack_overflow_is_named(lab, target, tmp_path):
    said = failing(tmp_path, DEEP, target)
    assert "the stack of 4096 bytes has overflowed" in said and "(toy_count + 0x" in said


@pytest.mark.parametrize("target", ["cortex-m0", "rv32imc"])
def test_an_unaligned_word_is_a_fault_where_the_core_has_none(lab, target, tmp_path):
    said = failing(tmp_path, UNALIGNED, target)
    assert "(toy_count + 0x" in said and "access of 4 bytes at address 0x" in said and "this core cannot do" in said


def test_an_unaligned_word_is_none_elsewhere(lab, tmp_path):
    generated = write_toy(tmp_path / "toy", {"toy_runtime.c": UNALIGNED})
    result = open_runner(generated, "cortex-m4", tmp_path / "out", traced=False, opt="-O1").run(toy_windows(1))
    assert result.classes.tolist() == twin(toy_windows(1))["classes"].tolist()


@pytest.mark.parametrize("target", ["cortex-m4", "rv32imc"])
def test_a_model_that_does_not_return_is_stopped(lab, target, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "SECONDS", 0.3)
    said = failing(tmp_path, ENDLESS, target)
    assert "no return within 0.3 s" in said and "(toy_count + 0x" in said


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4", "cortex-m33", "rv32imc"])
def test_qemu_places_a_fault_too(lab, target, tmp_path):
    program = "qemu-system-riscv32" if target == "rv32imc" else "qemu-system-arm"
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    said = failing(tmp_path, UNDEFINED, target, emulator="qemu")
    assert "left with code 1: the core faulted at 0x" in said and "(toy_count + 0x" in said


def test_the_sanitizers_name_function_and_line(sanitizers, tmp_path):
    for change, words in (
        (
            {"toy_runtime.c": ("i < n; i++) {\n        stats", "i <= n; i++) {\n        stats")},
            "global-buffer-overflow",
        ),
        ({"toy_runtime.c": ("stats[1] = 0;", "stats[1] = 2147483647;")}, "signed integer overflow"),
    ):
        generated = write_toy(tmp_path / words, change)
        runner = open_sanitized(generated, tmp_path / words / "out", traced=False)
        with pytest.raises(ToolError) as error:
            runner.run(toy_windows(3))
        assert words in str(error.value) and "toy_runtime.c" in str(error.value)
