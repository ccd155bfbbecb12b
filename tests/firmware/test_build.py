import shutil

import pytest

from bnn.errors import ToolError
from firmware import compilers
from firmware.build import build_image, build_library
from firmware.compilers import find_compiler
from firmware.image import read_image
from firmware.targets import HOST, TARGETS
from tests.firmware.tiny import WITH_IT_BLOCK, write_tiny
from tests.firmware.toy import write_toy

M4 = TARGETS["cortex-m4"]


@pytest.fixture
def bare_machine(monkeypatch):
    """A computer with no compiler at all."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(compilers.util, "find_spec", lambda name: None)


def test_without_a_compiler_the_error_says_how_to_get_one(bare_machine):
    for target in (M4, HOST):
        with pytest.raises(ToolError, match=rf"no C compiler for {target.name} was found .*pip install 'bnn-wear.*mcu"):
            find_compiler(target)


def test_a_compiler_that_was_asked_for_is_not_replaced(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match=r"no compiler gcc for cortex-m4 was found \(looked for arm-none-eabi-gcc\)"):
        find_compiler(M4, "gcc")


def test_an_unknown_compiler_is_refused():
    with pytest.raises(ToolError, match=r"compiler 'tcc' is unknown; choose one of zig, gcc, clang"):
        find_compiler(M4, "tcc")


def test_zig_is_the_default_for_a_microcontroller(lab):
    compiler = find_compiler(M4)
    assert compiler.kind == "zig" and compiler.version[0].isdigit()


def test_the_compilers_own_message_is_quoted(lab, tmp_path):
    generated = write_toy(tmp_path / "toy", {"toy_runtime.c": ("uint32_t ones", "undeclared_t ones")})
    with pytest.raises(
        ToolError, match=r"toy for cortex-m4: toy_runtime.c: zig .* failed; it said:\n(.*\n)*.*undeclared_t"
    ):
        build_image(generated, "cortex-m4", tmp_path / "out", traced=False)
    assert not (tmp_path / "out").exists()


def test_a_warning_is_an_error(lab, tmp_path):
    generated = write_toy(tmp_path / "toy", {"toy_runtime.c": ("(int16_t)(2", "(2")})
    for target in ("cortex-m0", "host"):
        with pytest.raises(ToolError, match=r"conversion"):
            build_image(generated, target, tmp_path / "out", traced=False)


def test_a_header_of_another_model_is_noticed(lab, tmp_path):
    generated = write_toy(tmp_path / "toy", {"toy.h": ("TOY_CLASSES 4", "TOY_CLASSES 5")})
    with pytest.raises(ToolError, match=r"toy.h and toy.json disagree on the number of classes"):
        build_image(generated, "cortex-m4", tmp_path / "out", traced=False)


def test_an_unknown_optimisation_is_refused(lab, toy, tmp_path):
    with pytest.raises(ToolError, match=r"optimisation '-O9' is unknown; choose one of -O0"):
        build_image(toy, "cortex-m4", tmp_path, traced=False, opt="-O9")


def test_what_does_not_fit_is_refused(lab, tmp_path):
    generated = write_toy(tmp_path / "toy", {"toy.h": ("uint32_t bits[7]", "uint32_t much[1 << 18]; uint32_t bits[7]")})
    with pytest.raises(ToolError, match=r"toy for cortex-m4: linking: .*\n(.*\n)*.*RAM"):
        build_image(generated, "cortex-m4", tmp_path / "out", traced=False)


def test_sanitizers_need_the_host_and_a_compiler_that_has_them(lab, toy, tmp_path):
    with pytest.raises(ToolError, match="sanitizers run on the host only, not on cortex-m4"):
        build_image(toy, "cortex-m4", tmp_path, traced=False, sanitize=True)
    with pytest.raises(ToolError, match="install gcc or clang for the sanitized build"):
        build_image(toy, "host", tmp_path, traced=False, sanitize=True, compiler=find_compiler(HOST, "zig"))


def test_building_twice_gives_the_same_image(toy, image, tmp_path):
    again = build_image(toy, "cortex-m4", tmp_path, traced=False)
    assert again.read_bytes() == image("cortex-m4", False).read_bytes()


def test_building_leaves_nothing_but_the_image(toy, lab, tmp_path):
    build_image(toy, "cortex-m4", tmp_path, traced=False)
    build_library(toy, tmp_path, traced=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["libtoy-trace.so", "toy-cortex-m4.elf"]


def test_only_a_traced_image_traces(image):
    """bnn_trace itself is always kept for traced builds and never part of others."""
    assert "bnn_trace" in read_image(image("cortex-m4", True)).symbols
    assert "bnn_trace" not in read_image(image("cortex-m4", False)).symbols


def test_the_bench_calls_no_helper_that_the_model_does_not(lab, tmp_path):
    """Else its memset would be measured as the model's."""
    generated = write_tiny(tmp_path / "tiny", WITH_IT_BLOCK[0])
    gcc = shutil.which("arm-none-eabi-gcc") and find_compiler(M4, "gcc")
    for compiler in filter(None, (find_compiler(M4), gcc)):
        built = build_image(generated, M4, tmp_path / "out", traced=True, compiler=compiler, opt="-Os")
        assert {"memset", "memcpy"}.isdisjoint(read_image(built).symbols)
