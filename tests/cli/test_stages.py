"""bnn generate, verify, bench and inspect for graphs of several stages."""

import json

import pytest

pytest.importorskip("ziglang", reason="no cross compiler: pip install 'bnn-wearables[mcu]'")
pytest.importorskip("unicorn", reason="no emulator: pip install 'bnn-wearables[mcu]'")

from bnn.cli.common import open_graph  # noqa: E402
from bnn.cli.generate import temporary_sources  # noqa: E402
from bnn.cli.inputs import noise, open_inputs  # noqa: E402
from bnn.data.sleep import sets  # noqa: E402
from bnn.data.sleep.synthetic import synthetic_nights  # noqa: E402
from bnn.graph import gate, save  # noqa: E402
from bnn.sim import simulate, simulate_exits  # noqa: E402
from firmware.build import build_image  # noqa: E402
from firmware.emulate import EmulatedRunner  # noqa: E402
from firmware.manifest import read_manifest  # noqa: E402
from firmware.measure import count_model  # noqa: E402
from tests.staged import staged_graph  # noqa: E402

TARGET = "cortex-m4"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("staged") / "staged.graph"
    save(staged_graph(), path)
    return path


@pytest.fixture(scope="module")
def sources(path):
    with temporary_sources(open_graph(str(path)), TARGET) as folder:
        yield folder


def test_verify_compares_every_stage_and_the_exits(bnn, path):
    ran = bnn("verify", path, "--on", f"host,{TARGET}", "--windows", 8)
    assert ran.code == 0, ran
    assert "staged on 8 windows of SYNTHETIC noise, no recording" in ran.out
    proofs = json.loads(bnn("verify", path, "--on", "host", "--windows", 8, "--json").out)["targets"]
    tensors = proofs[0]["tensors"]
    assert {"eeg.map", "eeg.logits", "eog.logits", "eog.doubt"} <= set(tensors)
    assert sum(name.startswith("exit (at speed ") for name in tensors) == 1


def test_an_exit_that_is_wrong_is_named(bnn, path, monkeypatch):
    import bnn.cli.generate as generate

    original = generate.write_sources

    def with_mistake(*arguments, **options):
        folder = original(*arguments, **options)
        source = folder / "bnn_gate.c"
        source.write_text(source.read_text().replace("y[0] << 15)", "y[0] << 14)"))
        return folder

    monkeypatch.setattr(generate, "write_sources", with_mistake)
    ran = bnn("verify", path, "--on", "host", "--windows", 8)
    assert ran.code == 1 and "DIFFERS" in ran.out and "exit (at speed" in ran.out


def test_bench_counts_by_exit(bnn, path):
    ran = bnn("bench", path, "--on", TARGET, "--windows", 1, "--json")
    (cost,) = json.loads(ran.out)
    assert list(cost["per_stage"]) == ["eeg", "eog"] and sum(cost["per_stage"].values()) == cost["instructions"]
    shown = bnn("bench", path, "--on", TARGET, "--windows", 1).out
    assert (
        "leaves at exit" in shown and f"{cost['per_stage']['eeg']:,}" in shown and f"{cost['instructions']:,}" in shown
    )


def test_a_stage_that_is_left_out_costs_nothing(sources, tmp_path):
    """A window that leaves at the first exit runs what the first stage takes, and enters no other."""
    graph = staged_graph()
    inputs = noise(graph, 8)
    speed = gate.even_speed(simulate(graph, inputs.signals, keep=["eeg.doubt"]).tensors["eeg.doubt"])
    exits = simulate_exits(graph, inputs.signals, speed).exits
    assert 0 < exits.sum() < 8
    image = build_image(sources, TARGET, tmp_path, traced=False)
    runner = EmulatedRunner(image, read_manifest(sources), TARGET, traced=False)
    counter, entered = count_model(runner.machine), {"staged_leaves": [], "staged_eog": []}
    for function, marks in entered.items():
        runner.machine.on_entry(function, lambda marks=marks: marks.append(counter.value))
    for window, left in zip(inputs.flat, exits, strict=True):
        for marks in entered.values():
            marks.clear()
        runner.run(window[None], speed)
        assert len(entered["staged_eog"]) == left and len(entered["staged_leaves"]) == 1
        assert left or counter.value - entered["staged_leaves"][0] < 60  # instructions behind the first stage


def test_inspect_counts_what_is_stored(bnn, path):
    storage = json.loads(bnn("inspect", path, "--json").out)["storage"]
    scales = [node for node in staged_graph().nodes() if hasattr(node, "m") and hasattr(node.m, "nbytes")]
    last = [node for node in staged_graph().nodes() if hasattr(node, "rise")]
    factors = sum(node.m.nbytes + node.b.nbytes for node in scales)
    factors += sum(node.rise.nbytes + node.fall.nbytes + node.bias.nbytes for node in last)
    assert storage["image"]["factors"] == factors and storage["note"] == ""
    assert storage["image"]["weights"] > storage["paper"]["weights"] > 0


def test_generate_says_what_it_predicts(bnn, path, tmp_path):
    ran = bnn("generate", path, "--out", tmp_path / "c")
    assert ran.code == 0 and "predicted without the ops on integers:" in ran.out
    assert (tmp_path / "c" / "bnn_sign_conv.c").exists() and not (tmp_path / "c" / "bnn_stats.c").exists()


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setitem(sets.LOADERS, sets.SYNTHETIC, lambda: synthetic_nights(2, 1, 16))


def test_nights_by_their_signals(few, path):
    """Epochs of a set, each signal by its name, channels side by side in what a bench takes."""
    inputs = open_inputs(open_graph(str(path)), "sleep-synthetic", 6)
    assert inputs.synthetic and "SYNTHETIC" in inputs.about and list(inputs.signals) == ["eeg", "eog"]
    eeg, eog = inputs.signals.values()
    assert inputs.flat.shape == (6, eeg[0].size + eog[0].size)
    assert (inputs.flat[:, : eeg.shape[1]] == eeg[:, :, 0]).all()
    assert (inputs.flat[:, eeg[0].size : eeg[0].size + eog.shape[1]] == eog[:, :, 0]).all()


def test_what_does_not_fit_is_refused(refused, few, path, tmp_path):
    said = refused("verify", path, "--on", "host", "--set", "sleep-synthetic", "--windows", 2)
    assert "signal eeg: got int16 (2, " in said and "wanted int16 windows of 2 x 70 samples" in said
    for arguments in (
        ("generate", path, "--out", tmp_path / "c", "--stream"),
        ("generate", path, "--out", tmp_path / "c", "--target", "hls"),
        ("generate", path, "--out", tmp_path / "c", "--target", "rtl"),
        ("verify", path, "--on", "native", "--windows", 2),
        ("simulate", path, "--engine", "native"),
    ):
        assert "backend runs graphs of a single stage with one signal" in refused(*arguments)
    assert not (tmp_path / "c").exists()
