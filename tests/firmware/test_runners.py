"""The toy on the host and on every core equals its twin, tensor by tensor."""

import shutil

import numpy as np
import pytest

from bnn.errors import ToolError
from firmware.build import build_library
from firmware.compilers import find_compiler
from firmware.emulate import EmulatedRunner
from firmware.host import HostRunner
from firmware.qemu import QemuRunner
from firmware.runners import open_runner, open_sanitized
from firmware.targets import TARGETS
from tests.firmware.conftest import EMULATED
from tests.firmware.toy import toy_windows, twin, write_toy

TENSORS = ["stats", "bits", "pooled", "acc", "logits"]


def assert_is_twin(result, expected, traced):
    assert list(result.tensors) == (TENSORS if traced else [])
    for name, tensor in result.tensors.items():
        np.testing.assert_array_equal(tensor, expected[name], err_msg=name)
    np.testing.assert_array_equal(result.classes, expected["classes"])
    np.testing.assert_array_equal(result.logits, expected["logits"])


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("target", EMULATED)
def test_an_emulated_core_is_the_twin(target, traced, image, manifest, windows, expected):
    runner = EmulatedRunner(image(target, traced), manifest, target, traced=traced)
    assert_is_twin(runner.run(windows), expected, traced)


@pytest.mark.parametrize("target", [*EMULATED, "cortex-m55"])
def test_qemu_is_the_twin(target, image, manifest, windows, expected):
    program = TARGETS[target].qemu.program
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    runner = QemuRunner(image(target, True), manifest, target, traced=True)
    assert_is_twin(runner.run(windows), expected, traced=True)


@pytest.mark.parametrize("target", EMULATED)
def test_gcc_is_the_twin(target, lab, toy, tmp_path, windows, expected):
    if not shutil.which(TARGETS[target].gcc):
        pytest.skip(f"{TARGETS[target].gcc} is not installed")
    compiler = find_compiler(TARGETS[target], "gcc")
    runner = open_runner(toy, target, tmp_path, traced=True, compiler=compiler, opt="-Os")
    assert_is_twin(runner.run(windows), expected, traced=True)


@pytest.mark.parametrize("traced", [False, True])
def test_the_host_is_the_twin(traced, toy, tmp_path, windows, expected):
    runner = open_runner(toy, "host", tmp_path, traced=traced)
    assert_is_twin(runner.run(windows), expected, traced)


def test_the_sanitized_host_is_the_twin(sanitizers, toy, tmp_path, windows, expected):
    assert_is_twin(open_sanitized(toy, tmp_path, traced=True).run(windows), expected, traced=True)


def test_no_windows_give_no_results(image, toy, manifest, tmp_path):
    none = toy_windows(0)
    emulated = EmulatedRunner(image("cortex-m0", True), manifest, "cortex-m0", traced=True)
    for runner in (emulated, open_runner(toy, "host", tmp_path, traced=True)):
        result = runner.run(none)
        assert result.logits.shape == (0, 4) and result.tensors["bits"].shape == (0, 3, 64)


def test_a_run_does_not_remember_the_one_before(image, manifest, windows, expected):
    runner = EmulatedRunner(image("cortex-m4", True), manifest, "cortex-m4", traced=True)
    runner.run(windows[::-1])
    assert_is_twin(runner.run(windows), expected, traced=True)


@pytest.mark.parametrize("target", ["host", "cortex-m4"])
def test_a_mistake_in_a_kernel_shows_in_its_own_tensor_first(target, lab, tmp_path, windows, expected):
    wrong = write_toy(tmp_path / "toy", {"toy_runtime.c": ("left + 3", "left + 4")})
    result = open_runner(wrong, target, tmp_path / "out", traced=True).run(windows)
    equal = {name: np.array_equal(result.tensors[name], expected[name]) for name in TENSORS}
    assert equal["stats"] and equal["bits"] and not equal["pooled"]


def test_a_library_that_was_built_anew_is_loaded_anew(tmp_path, toy, manifest, windows, expected):
    """The loader of the operating system keeps a library by its path."""
    wrong = write_toy(tmp_path / "toy", {"toy_runtime.c": (">>= 4", ">>= 5")})
    stats = [
        HostRunner(build_library(folder, tmp_path / "out", traced=True), manifest, traced=True).run(windows)
        for folder in (wrong, toy)
    ]
    assert not np.array_equal(stats[0].tensors["stats"], expected["stats"])
    np.testing.assert_array_equal(stats[1].tensors["stats"], expected["stats"])


@pytest.mark.parametrize("target", EMULATED)
def test_variables_get_their_initial_values(target, lab, tmp_path, windows, expected):
    """Start-up code copies .data and clears .bss: a volatile 4 and a volatile 0 change nothing."""
    change = {
        "toy_runtime.c": ("stats[1] >>= 4;", "stats[1] = (stats[1] >> four) + zero;"),
        "toy_runtime.h": ("#include <stdint.h>", "#include <stdint.h>\nextern volatile int four, zero;"),
        "toy.c": ("static const int32_t offsets", "volatile int four = 4, zero;\nstatic const int32_t offsets"),
    }
    generated = write_toy(tmp_path / "toy", change)
    runner = open_runner(generated, target, tmp_path / "out", traced=True)
    assert_is_twin(runner.run(windows), expected, traced=True)


def test_signals_are_handed_over_one_after_another(lab, tmp_path, windows, expected):
    """Two signals of 24 and 40 samples are put together again by the model."""
    header = "const int16_t *ecg, int32_t *logits);"
    change = {
        "toy.h": (header, "const int16_t *first, const int16_t *second, int32_t *logits);"),
        "toy.c": (
            "const int16_t *ecg, int32_t *logits)\n{",
            "const int16_t *first, const int16_t *second, int32_t *logits)\n{\n"
            "    int16_t ecg[64];\n    memcpy(ecg, first, 24 * 2);\n    memcpy(ecg + 24, second, 40 * 2);\n",
        ),
    }
    signals = [{"name": "first", "samples": 12, "channels": 2}, {"name": "second", "samples": 40, "channels": 1}]
    generated = write_toy(tmp_path / "toy", change, signals=signals)
    for target in ("cortex-m4", "host"):
        runner = open_runner(generated, target, tmp_path / "out", traced=True)
        assert_is_twin(runner.run(windows), expected, traced=True)


def test_an_unknown_emulator_is_refused(toy, tmp_path):
    with pytest.raises(ToolError, match=r"emulator 'renode' is unknown; choose one of unicorn, qemu"):
        open_runner(toy, "cortex-m4", tmp_path, traced=False, emulator="renode")


def test_missing_qemu_is_said(image, manifest, monkeypatch):
    built = image("cortex-m4", True)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match=r"qemu-system-arm was not found; install QEMU, or use Unicorn"):
        QemuRunner(built, manifest, "cortex-m4", traced=True)


def test_the_twin_tells_windows_apart():
    """Else the comparisons above would prove little."""
    tensors = twin(toy_windows(20))
    assert len(np.unique(tensors["classes"])) > 1
    assert 0.05 < tensors["bits"].mean() < 0.95 and 0.05 < tensors["pooled"].mean() < 0.95
