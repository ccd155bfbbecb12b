"""The folder that is written: bytes, names, safety of what was there, and that a compiler and `make` accept it."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnn.errors import DataError, FileError, GraphError
from codegen import make_plan
from codegen.c.targets import FLAGS
from firmware.manifest import read_manifest
from tests.codegen.harness import manifest_of
from tests.codegen.models import LANES, PLAIN, answer_of, ecg_graph, tiny_graph, write
from tests.graphs import Builder
from tests.runtime.kernels import RUNTIME, STRICT

GOLDEN = Path(__file__).parent / "golden" / "tiny.c"
ODD_CLASSES = ("N", 'say "hi"', "names", "n", "a*/b", "what??/", "Vorhofflimmern (groß)", "日本", "\\")


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_generating_twice_gives_the_same_bytes(tmp_path):
    first, second = (files_of(write(ecg_graph(), tmp_path / name)) for name in ("a", "b"))
    assert first == second
    assert sorted(first) == sorted(
        ["toy.h", "toy.c", "toy_kat.h", "toy_kat.c", "main.c", "Makefile", "toy.json", "bnn_runtime.h", "bnn_bits.h"]
        + ["bnn_bits.c", "bnn_bounds.c", "bnn_stats.c", "bnn_lanes.h", "bnn_lanes.c", "bnn_lanes_signal.c"]
        + [
            "bnn_lanes_adders.h",
            "bnn_lanes_vectors.h",
            "bnn_lanes_vectors.c",
            "bnn_lanes_signal_vectors.c",
            "bnn_lanes_conv.c",
            "bnn_lanes_count.c",
            "bnn_lanes_taps.c",
            "bnn_lanes_listed.c",
            "bnn_lanes_pool.c",
            "bnn_max_pool.c",
            "bnn_prelu_sum.c",
            "bnn_argmax.c",
        ]
    )


def test_only_the_runtime_that_is_needed_goes_along(tmp_path):
    files = files_of(write(tiny_graph(), tmp_path / "out"))
    assert "bnn_max_pool.c" not in files and "bnn_threshold.c" not in files and "bnn_and_not.c" not in files
    assert all(files[name] == (RUNTIME / name).read_bytes() for name in files if name.startswith("bnn_"))


def test_text_of_a_small_model(tmp_path):
    """To accept a change: `python -m tests.codegen.test_generate`, and read the difference."""
    assert (write(tiny_graph(), tmp_path / "out") / "tiny.c").read_text() == GOLDEN.read_text()


def test_every_generated_file_says_where_it_comes_from(tmp_path):
    folder = write(tiny_graph(), tmp_path / "out", command="bnn generate tiny.graph --out */ x", tool_version="1.2.3")
    for name in ("tiny.h", "tiny.c", "tiny_kat.h", "tiny_kat.c", "main.c", "Makefile"):
        head = (folder / name).read_text()[:500]
        assert "bnn 1.2.3; do not edit" in head and "tiny (sha256 0123456789ab)" in head
        assert "bnn generate tiny.graph --out * / x" in head
        assert "32 B of constants, 40 B of RAM, 88 multiply-accumulates" in head


def test_the_manifest_describes_memory(tmp_path):
    manifest = manifest_of(write(tiny_graph(), tmp_path / "out"))
    assert manifest["trace"] == [
        {"id": 0, "name": "stats", "type": "int32", "shape": [2]},
        {"id": 1, "name": "bits1", "type": "bit", "shape": [2, 8], "layout": "time-major", "first_bit": 0},
        {"id": 2, "name": "pool1", "type": "bit", "shape": [2, 4], "layout": "time-major", "first_bit": 2},
        {"id": 3, "name": "acc2", "type": "int16", "shape": [2, 5]},
        {"id": 4, "name": "logits", "type": "int32", "shape": [2]},
    ]
    assert manifest["arena_bytes"] == manifest["context_bytes"] == make_plan(tiny_graph()).arena_bytes
    assert manifest["signals"] == [{"name": "ecg", "samples": 8, "channels": 1}]


def test_the_manifest_describes_lanes(tmp_path):
    manifest = manifest_of(write(tiny_graph(), tmp_path / "out", options=LANES))
    in_lanes = {"type": "bit", "layout": "lanes", "first_word": 0}
    assert manifest["kernels"] == "lanes from bits1 to acc2, 0 copies between layouts"
    assert manifest["trace"][1:3] == [
        {"id": 1, "name": "bits1", "shape": [2, 8], "segment": 2, "row": 2} | in_lanes,
        {"id": 2, "name": "pool1", "shape": [2, 4], "segment": 1, "row": 2} | in_lanes | {"first_word": 1},
    ]


def test_existing_files_are_kept_unless_forced(tmp_path):
    out = write(tiny_graph(), tmp_path / "out")
    (out / "mine.txt").write_text("mine")
    before = files_of(out)
    with pytest.raises(FileError, match=r"out/tiny.h: exists already; pass --force to replace it"):
        write(tiny_graph(), out, tool_version="2")
    assert files_of(out) == before
    write(tiny_graph(), out, tool_version="2", force=True)
    after = files_of(out)
    assert after["mine.txt"] == b"mine" and b"bnn 2;" in after["tiny.c"]


def test_files_of_others_are_no_obstacle(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write(tiny_graph(), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine" and (tmp_path / "tiny.c").exists()


def test_nothing_is_left_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FileError, match=r"file: cannot be written \(.+\); choose another --out"):
        write(tiny_graph(), tmp_path / "file")
    with pytest.raises(FileError, match=r"choose another --out"):
        write(tiny_graph(), tmp_path / "file" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_refused_graph_writes_nothing(tmp_path):
    with pytest.raises(
        GraphError, match=r"^graph name 'main' would collide with the file main.c of the runtime or the"
    ):
        write(replace(tiny_graph(), name="main"), tmp_path / "out")
    with pytest.raises(GraphError, match=r"^graph name 'bnn_conv' would collide"):
        write(replace(tiny_graph(), name="bnn_conv"), tmp_path / "out")
    with pytest.raises(GraphError, match=r"^target 'z80': the C backend knows host, cortex-m0, .*; pass one of them"):
        write(tiny_graph(), tmp_path / "out", target="z80")
    assert not list(tmp_path.iterdir())


def test_a_known_answer_of_another_graph_is_refused(tmp_path):
    answer = answer_of(tiny_graph())
    with pytest.raises(
        DataError, match=r"^known answer: signal ecg is int16 \(7,\), wanted int16 \(8,\); take one window"
    ):
        write(tiny_graph(), tmp_path / "out", known_answer=replace(answer, signals={"ecg": np.zeros(7, np.int16)}))
    with pytest.raises(
        DataError, match=r"^known answer: class . is not the largest of 2 logits for 2 classes; simulate"
    ):
        write(tiny_graph(), tmp_path / "out", known_answer=replace(answer, class_index=1 - answer.class_index))


def odd_graph():
    """Names that C could not take as they are."""
    b = Builder(np.random.default_rng(0), 40).signal_conv("int", 4).threshold("a.b").conv("a_b", 9).prelu_sum()
    signal = replace(b.graph().signals[0], unit="m*/V??/")
    return replace(b.graph("odd"), classes=ODD_CLASSES, signals=(signal,))


def test_tensors_may_have_any_name(bench, tmp_path):
    """Keywords, names of the runtime and of built-in functions, and two that differ in a dot alone."""
    b = Builder(np.random.default_rng(0), 40).signal_conv("int", 4).threshold("bnn_map").or_pool("exp", 2, 1)
    b.conv("context", 3).threshold("a.b").conv("a_b", 4).threshold("main").or_pool("int32_t", 1, 1)
    b.conv("odd_classify", 2).max_pool("index", 1, 1)
    graph = b.prelu_sum().graph("odd")
    rename = {"ecg": "register", "stats": "memcpy"}

    def renamed(nodes):
        for node in nodes:
            inputs = tuple(rename.get(name, name) for name in node.inputs)
            yield replace(node, name=rename.get(node.name, node.name), inputs=inputs)

    graph = replace(
        graph.with_nodes(renamed),
        signals=(replace(graph.signals[0], name="register"),),
    )
    graph = replace(graph, stages=(replace(graph.stages[0], signals=("register",)),))
    model = bench.load(write(graph, tmp_path / "out"))
    assert model.known_answer() == 0


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("make", [tiny_graph, odd_graph, ecg_graph], ids=lambda make: make.__name__)
def test_make_check(make, compiler, tmp_path):
    """The example prints every class by its name, and the self-test passes; C99, warnings are errors."""
    if not (shutil.which("make") and shutil.which(compiler)):
        pytest.skip(f"make or {compiler} is not installed")
    folder = write(make(), tmp_path / "out", target="host")
    done = subprocess.run(
        ["make", "-s", "-C", str(folder), "check", "lib", f"CC={compiler}", f"TARGET_CC={compiler}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    classes = make().classes
    assert [line[2:].rsplit(None, 1)[0].strip() for line in lines[: len(classes)]] == list(classes)
    assert lines[-1] == "known-answer test: passed"
    assert sum(line.startswith("*") for line in lines) == 1
    assert (folder / f"lib{make().name}.a").exists()


def test_make_check_fails_with_the_self_test(tmp_path):
    if not shutil.which("make") or not shutil.which("cc"):
        pytest.skip("make or cc is not installed")
    folder = write(tiny_graph(), tmp_path / "out")
    source = folder / "tiny_kat.c"
    source.write_text(source.read_text().replace("!= known_logits[i]", "!= known_logits[i] + 1"))
    done = subprocess.run(["make", "-s", "-C", str(folder), "check"], capture_output=True, text=True)
    assert done.returncode != 0 and "known-answer test: FAILED" in done.stdout


def test_the_example_needs_no_library_on_bare_metal(tmp_path):
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    folder = write(tiny_graph(), tmp_path / "out")
    command = ["gcc", *STRICT, "-ffreestanding", "-fsyntax-only", "main.c", "tiny_kat.c"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    printed = subprocess.run(["gcc", "-ffreestanding", "-E", "main.c"], cwd=folder, capture_output=True, text=True)
    assert "tiny_known_answer(&context)" in printed.stdout and "printf" not in printed.stdout


def test_a_runtime_of_another_abi_is_refused(tmp_path):
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    folder = write(tiny_graph(), tmp_path / "out")
    header = folder / "bnn_runtime.h"
    header.write_text(header.read_text().replace("#define BNN_RUNTIME_ABI 4", "#define BNN_RUNTIME_ABI 5"))
    done = subprocess.run(["gcc", "-fsyntax-only", "tiny.c"], cwd=folder, capture_output=True, text=True)
    assert "tiny.c was generated for runtime ABI 4; take bnn_runtime.h and the bnn_*.c files" in done.stderr


def test_the_header_serves_cpp(tmp_path):
    if not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    folder = write(odd_graph(), tmp_path / "out")
    source = '#include "odd_kat.h"\nconst char *const names[] = ODD_CLASS_NAMES;\nint main() { return ODD_CLASS_N; }\n'
    (folder / "use.cpp").write_text(source)
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "use.cpp"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_classes_become_identifiers_of_their_own(tmp_path):
    header = (write(odd_graph(), tmp_path / "out") / "odd.h").read_text()
    names = header[header.index("enum {") : header.index("};")].split()[2::3]
    assert len(set(names)) == len(ODD_CLASSES) and "ODD_CLASS_N" in names and "ODD_CLASS_N_2" in names
    assert "ODD_CLASS_NAMES" not in names and "ODD_CLASS_NAMES_2" in names


def test_the_header_states_what_is_wanted(tmp_path):
    header = (write(ecg_graph(), tmp_path / "out", options=PLAIN) / "toy.h").read_text()
    for words in (
        "#define TOY_SAMPLES 3600",
        "#define TOY_CLASSES 5",
        "#define TOY_ARENA_BYTES 2720",
        "#define TOY_LOGIT_FRAC 8",
        "TOY_SAMPLES samples of `ecg` at 360 samples a second, 10 s.",
        "200 ADC steps per mV",
        "int toy_classify(toy_context *context, const int16_t *ecg, int32_t *logits);",
    ):
        assert words in header


def test_the_laboratory_reads_the_manifest(tmp_path):
    manifest = read_manifest(write(odd_graph(), tmp_path / "out"))
    assert manifest.classes == ODD_CLASSES and manifest.sources[0] == "odd.c"


def sources_of(folder: Path) -> list[str]:
    return [str(folder / name) for name in manifest_of(folder)["sources"]]


def test_generated_code_names_no_float_and_no_library(tmp_path):
    for source in sources_of(write(ecg_graph(), tmp_path / "out")):
        text = Path(source).read_text()
        for word in ("float", "double", "malloc", "<string.h>", "<math.h>", "goto"):
            assert word not in text, (source, word)


def test_objects_hold_code_and_constants_alone(tmp_path):
    """Nothing at file level can be written to, and nothing is linked but the runtime itself."""
    if not (shutil.which("gcc") and shutil.which("nm")):
        pytest.skip("gcc or nm is not installed")
    flags = ["-std=c99", "-Os", "-ffreestanding", "-fno-pie"]
    subprocess.run(["gcc", *flags, "-c", *sources_of(write(ecg_graph(), tmp_path / "out"))], cwd=tmp_path, check=True)
    objects = [str(path) for path in tmp_path.glob("*.o")]
    lines = subprocess.run(["nm", *objects], capture_output=True, text=True, check=True).stdout.splitlines()
    symbols = [line.split()[-2:] for line in lines if len(line.split()) > 1]
    assert {kind for kind, name in symbols} == set("TtRrU") - {"R"}
    undefined = {name for kind, name in symbols if kind == "U"}
    assert undefined and all(name.startswith("bnn_") or name in ("memcpy", "memset") for name in undefined)


def test_targets_differ_in_the_build_file_alone(tmp_path):
    folders = {
        target: files_of(write(tiny_graph(), tmp_path / target, target=target, options=PLAIN)) for target in FLAGS
    }
    for target, files in folders.items():
        assert {k: v for k, v in files.items() if k != "Makefile"} == {
            k: v for k, v in folders["host"].items() if k != "Makefile"
        }
        assert FLAGS[target] in files["Makefile"].decode()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        GOLDEN.write_text((write(tiny_graph(), Path(scratch) / "out") / "tiny.c").read_text())
    sys.exit(0)
