"""bnn inspect: storage in the linked image against the graph's own arrays, and the paper's count."""

import json

import pytest

from bnn import graph as graphs
from bnn import zoo
from bnn.errors import ToolError
from bnn.graph.ops import BinaryConv, SignalConv


def stored(bnn, name) -> dict:
    ran = bnn("inspect", name, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["storage"]


@pytest.mark.parametrize("name", zoo.names("ecg"))
def test_the_image_holds_the_graph(bnn, name):
    """Every array of the graph, once, and weights in whole words a layer."""
    network, storage = graphs.load(zoo.graph_path(name)), stored(bnn, name)
    image, nodes = storage["image"], list(network.nodes())
    convolutions = [node for node in nodes if isinstance(node, SignalConv | BinaryConv)]
    assert image["weights"] == sum(4 * -(-node.w.size // 32) for node in convolutions)
    thresholds = [node for node in nodes if hasattr(node, "t")]
    # Those of block 1, scaled by the window's std, take two bytes; all others are limits on mismatches, of one.
    assert image["thresholds"] == sum(len(node.t) * len(node.inputs) for node in thresholds)
    assert image["network"] <= {"ecg5": 3.76, "ecg5-plus": 3.76, "ecg17": 4.45, "ecg-aami": 3.76}[name] * 1024
    last = nodes[-1]
    assert image["factors"] == sum(
        getattr(last, key).nbytes for key in ("rise", "fall", "bias", "scale") if hasattr(last, key)
    )
    assert image["tables"] == 0 and image["pads"] % 4 == 0 and 0 <= image["alignment"] < 16
    parts = ("weights", "thresholds", "factors", "pads", "tables")
    assert image["network"] == sum(image[part] for part in parts)
    assert image["code"] > 1000 and image["descriptors"] > 0 and storage["note"] == ""


def test_the_parts_are_all_of_the_constants(bnn):
    """bnn bench reads the same image by its sections."""
    image = stored(bnn, "ecg17")["image"]
    ran = bnn("bench", "ecg17", "--on", "cortex-m4", "--kernels", "plain", "--windows", 1, "--json")
    cost = json.loads(ran.out)[0]
    assert cost["code"] == image["code"]
    assert cost["constants"] == image["network"] + image["descriptors"] + image["alignment"]


@pytest.mark.parametrize(("name", "published"), [("ecg5", 3849), ("ecg17", 4545)])
def test_the_paper_counts_a_bit_a_weight(bnn, name, published):
    """3.76 and 4.45 KB in the paper, by its own count."""
    assert stored(bnn, name)["paper"]["network"] == published
    assert f"{published / 1024:.2f} KB" in bnn("inspect", name).out


def test_without_a_compiler(bnn, monkeypatch):
    def missing(*_):
        raise ToolError("no compiler for cortex-m4 was found")

    monkeypatch.setattr("firmware.build.find_compiler", missing)
    storage = stored(bnn, "ecg17")
    assert storage["image"] is None and storage["paper"]["network"] == 4545
    shown = bnn("inspect", "ecg17").out
    assert "need the extra `lab`: no compiler for cortex-m4 was found" in shown and "4.44 KB" in shown
