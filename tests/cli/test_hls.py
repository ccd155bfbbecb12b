"""bnn generate --target hls and bnn verify --on hls, as a shell would run them."""

import ast
import json
import re

import numpy as np
import pytest

from bnn import zoo
from bnn.cli import hls, verify
from bnn.graph import save
from codegen.folding import Folding
from hw.cxx import HEADERS
from hw.manifest import read_manifest
from tests.graphs import Builder
from tests.hw.projects import needs_csim

FILES = ["README.md", "build_prj.tcl", "ecg5.json", "hls_config.cfg", "host/ecg5_pynq.py"]
FILES += ["src/bnn_bits.h", "src/bnn_conv.h", "src/bnn_stats.h", "src/bnn_stream.h", "src/bnn_sum.h"]
FILES += ["src/ecg5.cpp", "src/ecg5.h", "src/ecg5_weights.h", "tb/ecg5_golden.h", "tb/ecg5_test.cpp"]
OPTIONS = ("--target", "hls", "--part", "xc7z020clg400-1", "--clock", "100MHz", "--latency-us", "100")


def files_of(folder) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def small_file(tmp_path):
    """A graph on windows of 3600 samples that compiles soon."""
    b = Builder(np.random.default_rng(0), 3600).signal_conv("acc1", 2, 5, stride=8).threshold("bits1").or_pool("pool1")
    save(b.conv("acc2", 2, 3, stride=3, pad=1).prelu_sum().graph(), tmp_path / "small.graph")
    return tmp_path / "small.graph"


def test_a_project_is_complete_and_the_same_every_time(bnn, tmp_path):
    folding = ("--folding", "block2.acc=8,28")
    ran = [bnn("generate", "ecg5", *OPTIONS, *folding, "--out", tmp_path / name) for name in ("a", "b")]
    assert [r.code for r in ran] == [0, 0] and ran[0].out.replace("/a", "/b") == ran[1].out
    first, second = files_of(tmp_path / "a"), files_of(tmp_path / "b")
    assert sorted(first) == sorted(FILES) and first == second
    command = "bnn generate ecg5.graph --target hls --part xc7z020clg400-1 --clock 100MHz --latency-us 100"
    for name in ("src/ecg5.cpp", "build_prj.tcl", "README.md", "host/ecg5_pynq.py", "tb/ecg5_golden.h"):
        assert f"{command} --folding block2.acc=8,28" in first[name]
    assert "binary_conv<8, 898, 16, 7, 1, 5, 8, 28, ap_int<7>>" in first["src/ecg5.cpp"]
    assert all(not line.rstrip("\n").endswith(" ") for text in first.values() for line in text.splitlines())


def test_the_table_and_the_readme_say_the_same_and_what_was_not_done(bnn, tmp_path):
    ran = bnn("generate", "ecg5", *OPTIONS, "--out", tmp_path / "p")
    readme = (tmp_path / "p" / "README.md").read_text()
    assert "**C synthesis has not been run on this project**" in readme and "(estimates)" in ran.out
    rows = [line.split() for line in ran.out.splitlines() if line.startswith(" ")]
    total = next(row for row in rows if row[:1] == ["all"])
    assert f"| all |  | {' | '.join(total[1:])} |" in readme
    estimate = json.loads((tmp_path / "p" / "ecg5.json").read_text())["estimate"]
    assert f"({estimate['latency_cycles']:,} cycles)" in ran.out and estimate["latency_cycles"] <= 10_000


def test_the_host_script_is_python_that_knows_the_network(bnn, tmp_path):
    bnn("generate", "ecg5", "--target", "hls", "--out", tmp_path / "p")
    tree = ast.parse((tmp_path / "p" / "host" / "ecg5_pynq.py").read_text())
    values = {
        t.id: n.value for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)
    }
    assert ast.literal_eval(values["CLASSES"]) == ["N", "S", "V", "F", "Q"]
    assert ast.literal_eval(values["SAMPLES"]) == 3600


def test_golden_windows_name_their_source(bnn, tmp_path, small_file):
    bnn("generate", small_file, "--target", "hls", "--out", tmp_path / "p")
    assert "/* a synthetic signal */" in (tmp_path / "p" / "tb" / "small_golden.h").read_text()


def test_real_golden_windows(bnn, tmp_path, mitdb):
    bnn("generate", "ecg5", "--target", "hls", "--out", tmp_path / "p")
    assert re.search(r"/\* ecg5: 7740 windows of 10 s .* \*/", (tmp_path / "p" / "tb" / "ecg5_golden.h").read_text())


def test_what_is_there_stays(bnn, refused, tmp_path):
    (tmp_path / "p" / "src").mkdir(parents=True)
    (tmp_path / "p" / "src" / "ecg5.h").write_text("mine")
    line = refused("generate", "ecg5", "--target", "hls", "--out", tmp_path / "p")
    assert "ecg5.h: exists already; pass --force" in line
    assert files_of(tmp_path / "p") == {"src/ecg5.h": "mine"}
    assert bnn("generate", "ecg5", "--target", "hls", "--force", "--out", tmp_path / "p").code == 0
    assert sorted(files_of(tmp_path / "p")) == sorted(FILES)


@pytest.mark.parametrize(
    "words, said",
    [
        (("--part", "xc9"), "part 'xc9' is unknown"),
        (("--clock", "fast"), "clock 'fast' is not from 1MHz"),
        (("--latency-us", "20"), "a latency of 20 us at 100 MHz cannot be met"),
        (("--folding", "block2.acc=3,8"), "PE is 3, which does not divide the 16 output channels"),
        (("--folding", "nothing.toml"), "nothing.toml: cannot be read"),
        (("--kernels", "plain"), "chooses kernels in C, but the target is hls"),
        (("--target", "cortex-m4", "--part", "xc7z020clg400-1"), "--part xc7z020clg400-1 is of a design in HLS C++"),
        (
            ("--target", "cortex-m4", "--folding", "a=1,1"),
            "--folding a=1,1 is of hardware, but the target is cort",
        ),
    ],
)
def test_options_that_do_not_fit(refused, tmp_path, words, said):
    assert said in refused("generate", "ecg5", "--target", "hls", *words, "--out", tmp_path / "p")
    assert not (tmp_path / "p").exists()


@needs_csim()
def test_verify_on_hls(bnn, small_file):
    ran = bnn("verify", small_file, "--on", "hls", "--set", "ecg17", "--windows", 3, "--json")
    assert ran.code == 0, ran
    (proof,) = json.loads(ran.out)["targets"]
    assert proof["target"] == "hls" and proof["difference"] is None and proof["unseen"] == ["ecg"]
    shipped = ["logits (as shipped)", "class (as shipped)"]
    assert proof["tensors"] == ["stats", "acc1", "bits1", "pool1", "acc2", "logits", *shipped]


@needs_csim()
def test_verify_takes_the_foldings_of_generate(bnn, small_file, monkeypatch):
    """What was written into the project is what was asked for."""
    written = []
    write = hls.write_project

    def spy(opened, folder, options, design, **how):
        written.append(design.foldings)
        return write(opened, folder, options, design, **how)

    monkeypatch.setattr(hls, "write_project", spy)
    folding = ("--folding", "acc1=1,5", "--folding", "acc2=2,3", "--latency-us", 1000)
    ran = bnn("verify", small_file, "--on", "hls", "--set", "ecg17", "--windows", 2, *folding)
    assert ran.code == 0 and "equal" in ran.out
    assert written == [{"acc1": Folding(1, 5), "acc2": Folding(2, 3)}]


@pytest.mark.parametrize(
    "words, said",
    [
        (("--on", "hls", "--folding", "acc2=2,4"), "folding of acc2: SIMD is 4, which does not divide the 6 taps"),
        (
            ("--on", "rtl", "--folding", "acc2=3,6"),
            "folding of acc2: PE is 3, which does not divide the 2 output channels",
        ),
        (
            ("--on", "rtl", "--folding", "acc1=1,1"),
            "in Verilog the first layer adds all of its 5 taps at once; choose 1,5",
        ),
        (("--on", "hls", "--folding", "x=1,1"), "folding of x: no such convolution; there are acc1, acc2"),
        (("--on", "host", "--folding", "acc2=1,1"), "--folding acc2=1,1 is of hls, rtl or netlist, but --on says host"),
        (("--on", "rtl", "--latency-us", "90"), "--latency-us 90 is of hls, but --on says rtl; add it"),
        (("--on", "hls", "--cycles", "90"), "--cycles 90 is of rtl or netlist, but --on says hls"),
        (("--on", "rtl", "--board", "icebreaker"), "--board icebreaker is of netlist, but --on says rtl"),
        (("--on", "netlist", "--board", "arty"), "--board 'arty' is unknown; choose one of ulx3s"),
    ],
)
def test_verify_refuses_what_does_not_fit(refused, small_file, words, said):
    assert said in refused("verify", small_file, "--set", "ecg17", "--windows", 1, *words)


def test_a_difference_is_named_and_fails(bnn, small_file, monkeypatch):
    from bnn.sim import simulate

    def wrong(opened, x, speed, **how):
        right = simulate(opened.graph, {"ecg": x}, keep="all")
        right.tensors["pool1"][1, 0, 2] ^= 1
        return right, right.tensors

    monkeypatch.setattr(verify, "run_csim", wrong)
    ran = bnn("verify", small_file, "--on", "hls", "--set", "ecg17", "--windows", 2)
    assert ran.code == 1 and re.search(r"hls +DIFFERS +window 1: pool1\[0, 2\] is \d", ran.out)


def test_targets_that_there_are(refused):
    line = refused("verify", "ecg5", "--on", "host,hsl")
    assert re.fullmatch(
        r"bnn: target 'hsl' is unknown; choose one of host, cortex-m0, .*, native, hls, rtl, netlist", line
    )
    assert refused("bench", "ecg5", "--on", "hls").startswith("bnn: target 'hls' is unknown")


def test_headers_that_are_missing(refused, small_file, monkeypatch, tmp_path):
    monkeypatch.setenv(HEADERS, str(tmp_path))
    line = refused("verify", small_file, "--on", "hls", "--set", "ecg17", "--windows", 1)
    assert f"{HEADERS} is {tmp_path}, but there is no ap_int.h in it" in line
    monkeypatch.delenv(HEADERS)
    monkeypatch.setattr("hw.cxx.util.find_spec", lambda name: None)
    line = refused("verify", small_file, "--on", "hls", "--set", "ecg17", "--windows", 1)
    assert "pip install 'bnn-wearables[fpga]' brings it (hls4ml)" in line


@pytest.fixture
def gated_file(tmp_path):
    """The small graph with the gate of an exit behind its logits."""
    b = Builder(np.random.default_rng(0), 3600).signal_conv("acc1", 2, 5, stride=8).threshold("bits1").or_pool("pool1")
    save(b.conv("acc2", 2, 3, stride=3, pad=1).prelu_sum().gate().graph(), tmp_path / "small.graph")
    return tmp_path / "small.graph"


@needs_csim()
def test_verify_compares_the_gate_and_what_leaves(bnn, gated_file, monkeypatch):
    ran = bnn("verify", gated_file, "--on", "hls", "--set", "ecg17", "--windows", 4, "--json")
    assert ran.code == 0, ran
    (proof,) = json.loads(ran.out)["targets"]
    assert proof["tensors"][-4:] == ["gate", "logits (as shipped)", "class (as shipped)", "leaves (as shipped)"]
    monkeypatch.setattr(verify, "exits", lambda graph, wanted: (0, np.ones(len(wanted.classes), bool)))
    ran = bnn("verify", gated_file, "--on", "hls", "--set", "ecg17", "--windows", 1)
    assert ran.code == 1 and "window 0: leaves (as shipped)[] is 0, the simulator says 1" in ran.out.replace("\n", " ")


def test_a_gate_is_refused_where_there_is_none(refused, gated_file, tmp_path):
    for words, who in (
        (("generate", gated_file, "--stream", "--out", tmp_path / "c"), "a stream"),
        (("verify", gated_file, "--on", "native", "--set", "ecg17", "--windows", 1), "the native engine"),
    ):
        assert f"gate: {who} has no ExitGate; C that classifies" in refused(*words)
    assert not (tmp_path / "c").exists()


def test_a_folder_that_is_no_project(tmp_path):
    from bnn.errors import FileError

    with pytest.raises(FileError, match="holds 0 manifests .none., but a project has one NAME.json"):
        read_manifest(tmp_path)
    (tmp_path / "x.json").write_text('{"backend": "hls", "format": 99}')
    with pytest.raises(FileError, match="is hls in format 99, wanted hls in format 2; generate again"):
        read_manifest(tmp_path)
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(FileError, match="is not the manifest of a project"):
        read_manifest(tmp_path)


@pytest.mark.full
@needs_csim()
@pytest.mark.parametrize("name", ["ecg5", "ecg17"])
def test_the_zoo_over_fifty_windows(bnn, name):
    ran = bnn("verify", zoo.graph_path(name), "--on", "hls", "--windows", 50)
    assert ran.code == 0 and "over 50 windows" in ran.out
