"""The benchmark of microcontrollers: its peers say what they should, its tables hold what was measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import results
from benchmarks.mcu import grid, picture, run, section
from benchmarks.mcu.int8 import compile_int8, reference, write_int8
from benchmarks.mcu.textbook import take_apart, words_of, write_textbook
from bnn import graph as graphs
from bnn import zoo
from bnn.data.synthetic import synthetic_set
from bnn.errors import GraphError
from bnn.report import plots
from bnn.sim import simulate
from codegen import KERNELS
from firmware.profile import Histogram
from firmware.runners import open_runner
from firmware.targets import TARGETS
from tests.firmware.conftest import lab  # noqa: F401
from tests.graphs import Builder


@pytest.fixture(scope="module", params=["ecg5", "ecg17"])
def network(request):
    return graphs.load(zoo.graph_path(request.param))


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    """Synthetic windows, and the extremes of int16."""
    windows = synthetic_set("ecg5", per_class=2, seed=1).x
    square = np.where(np.arange(windows.shape[1]) // 40 % 2, 32767, -32768).astype(np.int16)
    return np.concatenate([windows, [square, np.full_like(square, -32768)]])


def test_the_textbook_network_is_the_simulator_on_every_tensor(network, x, tmp_path):
    sources = write_textbook(network, tmp_path / "c")
    got = open_runner(sources, "host", tmp_path, traced=True).run(x)
    wanted = simulate(network, {"ecg": x}, keep="all")
    np.testing.assert_array_equal(got.logits, wanted.logits)
    np.testing.assert_array_equal(got.classes, wanted.classes)
    assert len(got.tensors) == 14
    for name, tensor in got.tensors.items():
        if tensor.dtype == np.int32 and tensor.shape[1] > 2 and name != "logits":  # bits, step by step in words
            steps = wanted.tensors[name].transpose(0, 2, 1)
            np.testing.assert_array_equal(tensor.view(np.uint32), words_of(steps).reshape(len(x), -1), err_msg=name)
        else:
            np.testing.assert_array_equal(tensor, wanted.tensors[name], err_msg=name)


def test_the_textbook_network_on_a_core(lab, network, x, tmp_path):  # noqa: F811
    got = open_runner(write_textbook(network, tmp_path / "c"), "cortex-m0", tmp_path, traced=False).run(x[:3])
    np.testing.assert_array_equal(got.logits, simulate(network, {"ecg": x[:3]}).logits)


def test_the_textbook_network_refuses_other_topologies():
    rng = np.random.default_rng(0)
    other = Builder(rng, 200).signal_conv("a.acc", 5, 7, stride=2, pad=3).threshold("a.bits").or_pool("a", 3)
    other = other.conv("b.acc", 6, 3, pad=1).max_pool("c", 3).prelu_sum().graph("other")
    with pytest.raises(GraphError, match="graph other: the textbook network takes one kernel, pad and pool"):
        take_apart(other)


def test_the_int8_network_is_its_own_reference(network, x, tmp_path):
    pytest.importorskip("bakenn", reason="bakenn is not installed: pip install bakenn==1.0.0")
    chain = take_apart(network)
    wanted = reference(chain, x[:1], compile_int8(chain, tmp_path / "reference"))
    got = open_runner(write_int8(network, tmp_path / "c"), "cortex-m4", tmp_path, traced=False).run(x[:1])
    np.testing.assert_array_equal(got.logits, wanted)
    assert len(np.unique(wanted)) > 2  # neither vanished nor saturated


def test_the_grid_takes_cores_and_kernels_from_the_code(lab):  # noqa: F811
    made = list(grid.pieces())
    assert {piece.target.name for piece in made} == {t.name for t in TARGETS.values() if not t.is_host}
    assert {piece.variant.label for piece in made} >= {"", grid.TEXTBOOK, grid.INT8}
    assert {f"--kernels {name}" for name in KERNELS if name != "auto"} <= {piece.variant.label for piece in made}
    assert {piece.level for piece in made} == set(grid.LEVELS)
    assert not any(piece.variant.arm_only and not piece.target.is_arm for piece in made)
    quick = list(grid.pieces(quick=True))
    assert {piece.build for piece in quick} < {piece.build for piece in made}
    assert {(piece.level, piece.compiler) for piece in quick} == {("-Os", "zig")}


class Counted:
    """Stands for a measurement; every one counts one instruction more than the one before."""

    made = 0

    @classmethod
    def measure(cls, *_, **__) -> "Counted":
        cls.made += 1
        return cls()

    def as_dict(self) -> dict:
        return {"instructions": self.made}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Nothing is compiled or emulated, but all sources are written, and what is kept goes to this folder."""
    monkeypatch.setattr(run, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(run, "measure", Counted.measure)
    monkeypatch.setattr(run, "profile", lambda *_, **__: Histogram({"alu": 5}, registers=0))
    monkeypatch.setattr(run, "check_textbook", lambda network: None)
    monkeypatch.setattr(Counted, "made", 0)
    return tmp_path / "kept"


def piece_of(label: str, target: str = "cortex-m0") -> grid.Piece:
    variant = next(variant for variant in grid.VARIANTS if variant.label == label)
    return grid.Piece("ecg5", variant, TARGETS[target], "-Os", "zig")


def test_what_was_measured_is_kept_and_what_changed_is_measured_again(lab, kept, tmp_path):  # noqa: F811
    piece = piece_of(grid.TEXTBOOK)
    for again, wanted in ((piece, 1), (piece, 1), (replace(piece, level="-O2"), 2), (piece, 1), (piece_of(""), 3)):
        assert run.measured(again, tmp_path)["instructions"] == wanted
    assert len(list(kept.iterdir())) == Counted.made == 3


def test_a_limit_that_changes_nothing_makes_no_row(lab, kept):  # noqa: F811
    figures = run.run([piece_of(""), piece_of("--max-flash 16384"), piece_of("--kernels plain")], jobs=1)
    assert [row["build"] for row in figures.rows] == ["-Os", "-Os --kernels plain"]
    assert [row["kinds"] for row in figures.rows] == [{"alu": 5}] * 2


def test_what_cannot_be_measured_is_named_with_its_reason(kept, monkeypatch):
    def refuse(*_):
        raise GraphError("it failed; it said:\nmuch\nno such kernels")

    broken = replace(piece_of(""), variant=grid.Variant("broken", refuse))
    figures = run.run([broken], jobs=1)
    assert figures.left_out == {"ecg5 -Os broken, zig, cortex-m0": "it failed; it said: no such kernels"}
    assert "- 1 of them: it failed; it said: no such kernels" in section.remarks(figures)


ROW = {
    "network": "ecg5", "kind": "zig", "compiler": "zig 1.2", "target": "cortex-m4", "opt": "-Os", "build": "-Os",
    "label": "", "flash": 1000, "ram": 200, "stack": 30, "instructions": 2_500_000, "registers": 0,
    "per_layer": {"block1.stats": 100_912, "block1.bits": 100_912, "block2": 808_192, "block3.bits": 809_984,
                  "block4": 0, "block5": 0, "block6": 0, "logits": 66_080, "decision": 66_080},
    "kinds": {"alu": 2_500_000},
}  # fmt: skip


def test_tables_hold_the_figures_and_say_what_they_are():
    textbook = ROW | {"label": "textbook", "build": "-Os textbook", "instructions": 9_000_000, "flash": 4000}
    text = section.section(run.Figures([ROW, textbook, textbook | {"opt": "-O2", "instructions": 8_000_000}]))
    assert text.startswith("## Microcontrollers\n")
    assert "counts of instructions in emulation, not cycles and not time" in text
    assert "| default | 2.50 M | 1,000 | 200 |" in text and "| `textbook` | 8.00 M | 4,000 | 200 |" in text
    assert "### ecg5, zig 1.2" in text and "| cortex-m4 | -Os | 1,000 | 200 | 30 | 2,500,000 |" in text
    assert "| nRF52840 | Cortex-M4 | default | 2,500,000 | 39.1 | 390 | 13.00 |" in text
    header = next(line for line in text.splitlines() if line.startswith("| chip |"))
    assert header.count("(estimate)") == 4 and "**Estimates**, nothing was measured on a chip" in text


def test_instructions_per_mac_hold_every_instruction():
    macs = picture.macs_by_block("ecg5")
    assert sum(macs.values()) == 5_937_008
    shown = picture.per_mac(ROW, macs)
    assert shown["block1"] == pytest.approx(2) and shown["block2"] == 1 and shown["block3"] == 0.5
    assert shown["block6"] == pytest.approx(1)  # with what follows the last block
    assert sum(shown[block] * macs[block] for block in macs) == sum(ROW["per_layer"].values())


def test_the_picture_has_a_panel_a_core(tmp_path):
    rows = [ROW | {"target": core} for core in ("cortex-m0", "cortex-m4")]
    figure = picture.draw(run.Figures(rows))
    assert [axis.get_title("left") for axis in figure.axes if axis.axison] == ["cortex-m0", "cortex-m4"]
    plots.save(figure, tmp_path / "p.png", force=True)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_section_replaces_its_own_and_no_other(tmp_path):
    path = tmp_path / "R.md"
    for part in ("## A\n\none\n", "## B\n\ntwo\n\n### B1\n\nthree\n", "## A\n\nfour\n"):
        results.write_section(part, path)
    text = path.read_text()
    assert text.startswith("# Results\n\nWritten by `make bench`")
    assert text.split("Do not edit.\n\n")[1] == "## A\n\nfour\n\n## B\n\ntwo\n\n### B1\n\nthree\n"


def test_the_committed_picture_is_there():
    assert (Path(plots.__file__).parents[2] / "docs" / "images" / "mcu-instructions.png").exists()
