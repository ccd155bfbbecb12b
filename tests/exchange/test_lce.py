"""What the Larq Compute Engine is handed, errors, and the engine itself where BNN_LCE_PYTHON names its interpreter."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from bnn import zoo
from bnn.errors import GraphError, ToolError
from bnn.exchange.lce import NEVER_REACHED, describe, to_lce
from bnn.graph import load
from tests.cli.conftest import bnn, refused  # noqa: F401
from tests.codegen.models import lanes_graph, plain_bounds, tiny_graph
from tests.golden import load_golden


def test_everything_is_handed_over():
    graph = load(zoo.graph_path("ecg5"))
    layers, constants = describe(graph)
    assert [entry["name"] for entry in layers["nodes"]] == [node.name for node in graph.nodes()][1:]
    assert set(constants["block2.acc:w"].ravel()) == {-1.0, 1.0}
    by_name = {node.name: node for node in graph.nodes()}
    np.testing.assert_array_equal(constants["block2.bits:t"], by_name["block2.bits"].t - 0.5)
    np.testing.assert_array_equal(
        constants["block1.bits:t"], by_name["block1.bits"].t / 2.0 ** by_name["block1.bits"].frac
    )


def test_bounds_that_all_or_none_reach():
    _, constants = describe(load_golden("extremes").graph)
    bounds = np.concatenate([values for name, values in constants.items() if name.endswith(":t")])
    assert {NEVER_REACHED, -NEVER_REACHED} <= set(bounds.tolist())


def test_fixed_bounds_of_raw_samples_are_refused():
    with pytest.raises(GraphError, match="low: compares sums of raw samples with a fixed bound"):
        describe(plain_bounds())


def test_errors_name_the_way_out(refused, tmp_path):  # noqa: F811
    x = np.zeros((1, 8), np.int16)
    with pytest.raises(ToolError, match="no-python: cannot be started .*pip install numpy==1.26.4"):
        to_lce(tiny_graph(), x, tmp_path / "no-python")
    with pytest.raises(
        ToolError, match=r"lacks what --format lce needs \(ModuleNotFoundError: No module named .*make an env"
    ):
        to_lce(tiny_graph(), x, Path(sys.executable))
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho out of memory >&2\nexit 3\n")
    failing.chmod(0o755)
    with pytest.raises(ToolError, match="the conversion failed; it said:\nout of memory"):
        to_lce(tiny_graph(), x, failing)
    assert "needs an environment of its own" in refused("export", "ecg5", "--format", "lce", "--out", tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.fixture
def python() -> Path:
    if not (named := os.environ.get("BNN_LCE_PYTHON")):
        pytest.skip("BNN_LCE_PYTHON names no interpreter with larq-compute-engine")
    return Path(named)


@pytest.mark.full
@pytest.mark.parametrize("name", zoo.names("ecg"))
def test_classes_are_the_simulators(bnn, python, name, tmp_path):  # noqa: F811
    target = tmp_path / f"{name}.tflite"
    ran = bnn("export", name, "--format", "lce", "--lce-python", python, "--out", target, "--json")
    assert ran.code == 0, ran.err
    summary = json.loads(ran.out)
    assert summary["equal_classes"] >= 0.995 * summary["windows"] and summary["logit_difference"] < 1
    assert target.read_bytes()[4:8] == b"TFL3"


@pytest.mark.full
def test_two_sided_bounds_and_pads_of_both_signs(python):
    from bnn.sim import simulate

    graph = lanes_graph()
    rng = np.random.default_rng(0)
    x = (1024 + 200 * rng.normal(size=(64, graph.signals[0].length))).astype(np.int16)
    want = simulate(graph, {"ecg": x})
    assert (to_lce(graph, x, python).logits.argmax(axis=1) == want.classes).mean() > 0.95
