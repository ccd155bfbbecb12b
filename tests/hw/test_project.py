"""What lies in a project: it compiles without a warning, its test bench judges, mistakes in it are found and named."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from bnn.errors import ToolError
from hw import csim
from hw.csim import OPTIONS
from hw.cxx import find_ap_types, find_cxx
from tests.golden import load_golden
from tests.graphs import gated_graph, small_graph, windows
from tests.hw.projects import differences, needs_csim, write

pytestmark = needs_csim()
CSIM = csim.HERE / "csim"
# GCC takes ap_int's way of clearing bits of a member for a use of what is not initialised.
STRICT = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"]
STRICT += ["-Wno-uninitialized", "-Wno-maybe-uninitialized"]


def test_bench(project, folder) -> subprocess.CompletedProcess:
    """Compile the test bench that a project brings, without help from outside but for the headers, and run it."""
    compiler = find_cxx()
    options = [*(option for option in OPTIONS if option != "-w"), *STRICT, "-O0"]
    folders = ["-Isrc", "-Itb", f"-I{CSIM}", "-isystem", str(find_ap_types())]
    sources = [str(path.relative_to(project)) for part in ("src", "tb") for path in (project / part).glob("*.cpp")]
    program = folder / "bench"
    command = [*compiler.command, *options, *folders, *sources, "-o", str(program)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return subprocess.run([str(program)], capture_output=True, text=True, check=False)


test_bench.__test__ = False


@pytest.mark.parametrize("graph", [small_graph(), gated_graph()], ids=lambda graph: graph.name)
def test_the_test_bench_passes_and_can_fail(tmp_path, graph):
    name = graph.name
    x = windows(np.random.default_rng(0), 2, graph.signals[0].length)
    project = write(graph, tmp_path / name, windows=x)
    ran = test_bench(project, tmp_path)
    assert ran.returncode == 0 and ran.stdout == f"{name}: 2 windows, 0 words differ\n"
    golden = project / "tb" / f"{name}_golden.h"
    head, results = golden.read_text().rsplit(f"{name}_results", 1)
    number = re.search(r"-?\d{3,}", results)
    golden.write_text(head + f"{name}_results" + results.replace(number[0], str(int(number[0]) + 1), 1))
    ran = test_bench(project, tmp_path)
    assert ran.returncode == 1 and "1 words differ" in ran.stdout


FLIP = r"(small_block2_acc_weights\[.*?\n.*?\n\s+0x)(\w+)"
MISTAKES = [
    ("bnn_conv.h", "2 * ap_int<18>(agree[p])", "ap_int<18>(agree[p])", "block2.acc"),
    ("bnn_conv.h", "inside ? x.read() : pad", "inside ? x.read() : ap_uint<IN>(0)", "block2.acc"),
    ("bnn_bits.h", "value.lane[p] >= t[fold][p]", "value.lane[p] > t[fold][p]", "block2"),
    ("bnn_sum.h", "v > 0 ? SUM(0) : SUM(v)", "SUM(v)", "logits"),
    ("small_weights.h", FLIP, "flip", "block2.acc"),
]
MORE = [
    ("bnn_conv.h", "Centred next = stats.std;", "Centred next = 0;", "block1.acc"),
    ("bnn_stats.h", "(FRAC + 1)) + n", "(FRAC + 1))", "stats"),
    ("bnn_stats.h", "if (rest >= trial)", "if (rest > trial)", "stats"),
    ("bnn_bits.h", "-(less >> FRAC)", "(scaled * std) >> FRAC", "block1.bits"),
    ("bnn_bits.h", "int j = 1; j < KERNEL; j++", "int j = 2; j < KERNEL; j++", "block1"),
    ("bnn_sum.h", "other > most.lane[p] ?", "other < most.lane[p] ?", "block3"),
    ("bnn_sum.h", "i == 0 || logit > most", "i == 0 || logit < most", "class"),
]
MISTAKES += [pytest.param(*mistake, marks=pytest.mark.full) for mistake in MORE]


@pytest.mark.parametrize(
    "old, new, tensor", [("+ 8) >> 4", ") >> 4", "gate"), ("full) * speed", "full) * (speed / 2)", "leaves")]
)
def test_a_planted_mistake_of_the_gate_is_found(tmp_path, old, new, tensor):
    graph = gated_graph(classes=17)
    project = write(graph, tmp_path / "gated")
    path = project / "src" / "bnn_gate.h"
    assert path.read_text().count(old) == 1
    x = windows(np.random.default_rng(1), 12, graph.signals[0].length)
    program = csim.build([project], tmp_path, traced=True, opt="-O0")
    assert differences(graph, program, project, x).difference is None
    path.write_text(path.read_text().replace(old, new))
    program = csim.build([project], tmp_path, traced=True, opt="-O0")
    assert differences(graph, program, project, x).difference.tensor == tensor


@pytest.mark.parametrize("file, old, new, tensor", MISTAKES)
def test_a_planted_mistake_is_found(tmp_path, file, old, new, tensor):
    graph = small_graph()
    project = write(graph, tmp_path / "small")
    path = project / "src" / file
    text = path.read_text()
    if new == "flip":  # the lowest bit of the first weights of a layer
        text, count = re.subn(old, lambda m: f"{m[1]}{int(m[2].removesuffix('ULL'), 16) ^ 1:x}ULL", text, count=1)
    else:
        count, text = text.count(old), text.replace(old, new)
    assert count == 1
    path.write_text(text)
    program = csim.build([project], tmp_path, traced=True, opt="-O0")
    x = windows(np.random.default_rng(1), 12, graph.signals[0].length)
    assert differences(graph, program, project, x).difference.tensor == tensor


def test_the_first_of_equal_logits_wins(tmp_path):
    """The mistake that only ties show."""
    case = load_golden("ties")
    project = write(case.graph, tmp_path / "ties")
    path = project / "src" / "bnn_sum.h"
    path.write_text(path.read_text().replace("logit > most", "logit >= most"))
    program = csim.build([project], tmp_path, traced=True, opt="-O0")
    assert differences(case.graph, program, project, case.tensors["ecg"][:, 0]).difference.tensor == "class"


def test_a_kernel_that_reads_too_much_is_reported(tmp_path):
    project = write(small_graph(), tmp_path / "small")
    path = project / "src" / "bnn_bits.h"
    path.write_text(path.read_text().replace("i < LENGTH; i++", "i < LENGTH + 1; i++"))
    program = csim.build([project], tmp_path, traced=False, opt="-O0")
    x = windows(np.random.default_rng(1), 2, 60)
    with pytest.raises(ToolError, match="block1_bits was read while it was empty"):
        csim.simulate(program, csim.read_manifest(project), x, traced=False)


@pytest.mark.skipif(not shutil.which("tclsh"), reason="no tclsh")
@pytest.mark.parametrize("switches, wanted", [({}, ["csim", "csynth"]), ({"BNN_CSYNTH": "0", "BNN_COSIM": "1"}, None)])
def test_the_build_script_is_tcl(tmp_path, switches, wanted):
    """Run with stand-ins for the tool's commands: it finds its files and obeys its switches."""
    project = write(small_graph(), tmp_path / "small")
    commands = "open_project set_top add_files open_solution set_part create_clock csim_design csynth_design".split()
    commands += ["cosim_design", "export_design"]
    stubs = "".join(f"proc {name} {{args}} {{ puts [list {name} {{*}}$args] }}\n" for name in commands)
    (tmp_path / "run.tcl").write_text(stubs + f"source {project}/build_prj.tcl\n")
    ran = subprocess.run(["tclsh", "run.tcl"], cwd=tmp_path, env=switches, capture_output=True, text=True, check=True)
    lines = ran.stdout.splitlines()
    designs = [line.split()[0].removesuffix("_design") for line in lines if line.split()[0].endswith("_design")]
    assert designs == (wanted or ["csim", "cosim"])
    files = [word for line in lines if line.startswith("add_files") for word in line.split() if word.endswith(".cpp")]
    assert len(files) == 2 and all((tmp_path / file).is_file() for file in files)
    assert "set_top small_top" in lines and "set_part xc7z020clg400-1" in lines
