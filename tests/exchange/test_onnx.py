"""ONNX files compute the simulator's logits, in onnxruntime, for any graph."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx", reason="no ONNX: pip install 'bnn-wearables[peers]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="no ONNX runtime: pip install 'bnn-wearables[peers]'")

from bnn import zoo  # noqa: E402
from bnn.errors import GraphError  # noqa: E402
from bnn.exchange.onnx import to_onnx  # noqa: E402
from bnn.graph import load  # noqa: E402
from bnn.sim import simulate  # noqa: E402
from tests.cli.conftest import bnn, refused  # noqa: E402, F401
from tests.codegen.models import CORNERS, lanes_graph, pooled_integers  # noqa: E402
from tests.codegen.test_equality import raw_windows  # noqa: E402
from tests.graphs import Builder, graphs, small_graph  # noqa: E402


def assert_equal(graph, x) -> None:
    session = onnxruntime.InferenceSession(to_onnx(graph), providers=["CPUExecutionProvider"])
    logits, classes = session.run(None, {graph.signals[0].name: x[:, None]})
    want = simulate(graph, {graph.signals[0].name: x})
    np.testing.assert_array_equal(logits, want.logits)
    np.testing.assert_array_equal(classes, want.classes)


@settings(max_examples=40)
@given(graphs(), st.integers(0, 2**32))
def test_any_graph(graph, seed):
    assert_equal(graph, raw_windows(graph, seed))


@pytest.mark.parametrize("make", [*CORNERS, lanes_graph], ids=lambda make: make.__name__)
def test_corners(make):
    assert_equal(make(), raw_windows(make(), 3))


@pytest.mark.parametrize("name", zoo.names("ecg"))
def test_the_zoo(name):
    graph = load(zoo.graph_path(name))
    assert_equal(graph, raw_windows(graph, 1))
    assert to_onnx(graph) == to_onnx(graph)


def test_what_is_not_exact_is_refused():
    def network(length, kernel):
        b = Builder(np.random.default_rng(0), length).signal_conv("acc", 2, kernel).threshold("bits")
        return b.conv("last", 2).prelu_sum(0).graph()

    wide = network(60, 17)
    with pytest.raises(GraphError, match="acc: sums reach 17825792, which no float32 holds exactly"):
        to_onnx(wide)
    long = network(8192, 3)
    with pytest.raises(GraphError, match="stats: 8192 samples with 4 fraction bits overflow int64"):
        to_onnx(long)
    with pytest.raises(GraphError, match="target"):
        to_onnx(small_graph("logical"))
    assert to_onnx(pooled_integers())


def test_the_command_compares(bnn, refused, tmp_path, monkeypatch):  # noqa: F811
    target = tmp_path / "ecg5.onnx"
    ran = bnn("export", "ecg5", "--out", target, "--windows", 20, "--json")
    assert ran.code == 0, ran.err
    summary = json.loads(ran.out)
    assert (summary["equal_classes"], summary["windows"], summary["logit_difference"]) == (20, 20, 0.0)
    assert "exists already; pass --force" in refused("export", "ecg5", "--out", target)
    assert "wanted one of onnx, lce" in refused("export", "ecg5", "--format", "tf", "--out", tmp_path / "x")
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "pip install 'bnn-wearables[peers]'" in refused("export", "ecg5", "--out", tmp_path / "x")


def test_the_command_leaves_with_code_1_where_logits_differ(bnn, tmp_path, monkeypatch):  # noqa: F811
    import bnn.cli.export as export

    original = export._onnx
    monkeypatch.setattr(export, "_onnx", lambda graph, x: (original(graph, x)[0], -original(graph, x)[1]))
    assert bnn("export", "ecg5", "--out", tmp_path / "wrong.onnx", "--windows", 3).code == 1
