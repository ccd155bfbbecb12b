"""The graph file: what is written comes back, and whatever is damaged ends in one clear error."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from safetensors import safe_open
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as to_bytes

from bnn.errors import FileError, GraphError
from bnn.graph import Graph, load, save, to_text
from bnn.graph.node import constants
from tests.graphs import by_the_past, graphs, small_graph


def assert_equal(a: Graph, b: Graph) -> None:
    assert (a.name, a.classes, a.signals, a.about) == (b.name, b.classes, b.signals, b.about)
    assert [(s.name, s.signals, s.logits) for s in a.stages] == [(s.name, s.signals, s.logits) for s in b.stages]
    assert to_text(a) == to_text(b)
    for node, other in zip(a.nodes(), b.nodes(), strict=True):
        for (spec, array), (_, loaded) in zip(constants(node), constants(other), strict=True):
            np.testing.assert_array_equal(array, loaded, err_msg=f"{node.name} {spec.name}", strict=True)


def parts(path: Path) -> tuple[dict, dict]:
    """Topology and tensors of a graph file."""
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["bnn-graph"]), read_tensors(path.read_bytes())


def write(path: Path, topology, tensors) -> Path:
    text = topology if isinstance(topology, str) else json.dumps(topology)
    path.write_bytes(to_bytes(tensors, {"bnn-graph": text}))
    return path


@pytest.fixture
def small(tmp_path) -> Path:
    save(replace(small_graph("logical"), about={"data": "synthetic", "recipe": "none"}), tmp_path / "small.graph")
    return tmp_path / "small.graph"


@settings(max_examples=40)
@given(graphs("logical"))
def test_what_was_saved_is_loaded_and_saved_again_byte_by_byte(tmp_path_factory, graph):
    path = tmp_path_factory.mktemp("graph") / "a.graph"
    save(graph, path)
    loaded = load(path)
    assert_equal(graph, loaded)
    save(loaded, path.with_name("b.graph"))
    assert path.read_bytes() == path.with_name("b.graph").read_bytes()


def test_a_file_is_as_old_as_its_ops_allow(tmp_path):
    """Readers of version 1 go on reading all graphs that they understand."""
    for version, graph in ((1, small_graph()), (2, by_the_past(small_graph()))):
        save(graph, tmp_path / "a.graph")
        assert parts(tmp_path / "a.graph")[0]["version"] == version
        assert_equal(load(tmp_path / "a.graph"), graph)


def test_a_binary_weight_takes_one_bit(small):
    topology, tensors = parts(small)
    assert tensors["block1.acc:w"].dtype == np.uint8 and tensors["block1.acc:w"].shape == (4,)  # 25 bits
    w = next(n for n in small_graph("logical").nodes() if n.name == "block1.acc").w
    bits = [tensors["block1.acc:w"][i // 8] >> i % 8 & 1 for i in range(25)]
    assert bits == [int(v > 0) for v in w.ravel()]


def test_an_existing_file_is_kept_unless_forced(small):
    before = small.read_bytes()
    other = small_graph(seed=1)
    with pytest.raises(FileError, match="exists already; pass --force to replace it"):
        save(other, small, force=False)
    assert small.read_bytes() == before
    save(other, small)
    assert_equal(load(small), other)


def test_a_wrong_graph_is_not_written(tmp_path):
    with pytest.raises(GraphError, match="at least two classes"):
        save(replace(small_graph(), classes=()), tmp_path / "wrong.graph")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file(tmp_path):
    with pytest.raises(FileError, match="no.graph: no such graph file; `bnn lower` makes one"):
        load(tmp_path / "no.graph")
    with pytest.raises(FileError, match="no such graph file"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100, b"\xff" * 16, struct.pack("<Q", 2) + b"{}"])
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "other.graph"
    path.write_bytes(content)
    with pytest.raises(
        GraphError, match="other.graph: (not a graph file, or damaged|a safetensors file, but not a graph)"
    ):
        load(path)


def test_a_safetensors_file_that_is_no_graph(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(to_bytes({"w": np.zeros(3)}, {"format": "pt"}))
    with pytest.raises(
        GraphError, match="a safetensors file, but not a graph; a trained model is lowered by `bnn lower`"
    ):
        load(path)


def test_element_types_that_numpy_does_not_know(tmp_path):
    header = json.dumps({"w": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "bf16.graph").write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")
    with pytest.raises(GraphError, match="bf16.graph: "):
        load(tmp_path / "bf16.graph")


def edit(path: Path, change) -> Path:
    """The file with `change(topology, tensors)` carried out on its parts."""
    topology, tensors = parts(path)
    change(topology, tensors)
    return write(path, topology, tensors)


def node(topology, name):
    return next(n for n in topology["stages"][0]["nodes"] if n["name"] == name)


EDITS = {
    "graph format 5, but this bnn reads up to 4; update bnn-wearables": lambda t, a: t.update(version=5),
    "the topology has no version": lambda t, a: t.update(version="1"),
    "graph: field name is None, wanted str": lambda t, a: t.pop("name"),
    "graph: field classes is 3, wanted list": lambda t, a: t.update(classes=3),
    "graph: field classes is 7, wanted str": lambda t, a: t.update(classes=["a", 7]),
    "graph: field stages is 'x', wanted dict": lambda t, a: t.update(stages=["x"]),
    "graph: unknown field speed": lambda t, a: t.update(speed=1),
    "about: field data is 5, wanted str": lambda t, a: t.update(about={"data": 5}),
    "signal: field gain is '200', wanted int or float": lambda t, a: t["signals"][0].update(gain="200"),
    "signal: field length is 60.0, wanted int": lambda t, a: t["signals"][0].update(length=60.0),
    "signal: unknown field lead": lambda t, a: t["signals"][0].update(lead="MLII"),
    "stage: field logits is 1, wanted str or NoneType": lambda t, a: t["stages"][0].update(logits=1),
    "stage: unknown field exit": lambda t, a: t["stages"][0].update(exit="yes"),
    "node: field name is None, wanted str": lambda t, a: node(t, "stats").pop("name"),
    "block1: unknown op Dense; this bnn knows WindowStats": lambda t, a: node(t, "block1").update(op="Dense"),
    "block1: field inputs is 'ecg', wanted list": lambda t, a: node(t, "block1").update(inputs="ecg"),
    "block1.max: field stride is True, wanted int": lambda t, a: node(t, "block1.max").update(stride=True),
    "block1.max: field kernel is None, wanted int": lambda t, a: node(t, "block1.max").pop("kernel"),
    "block1.max: unknown field pad": lambda t, a: node(t, "block1.max").update(pad=0),
    "tensor block1.acc:w is missing from the file": lambda t, a: a.pop("block1.acc:w"),
    "tensor block9:w belongs to no node": lambda t, a: a.update({"block9:w": np.zeros(1, np.uint8)}),
    "tensor block1.acc:w is uint8 (4,), which does not hold (5, 9) bits": lambda t, a: node(t, "block1.acc").update(
        w=[5, 9]
    ),
    "does not hold (-5, -5) bits": lambda t, a: node(t, "block1.acc").update(w=[-5, -5]),
    "does not hold () bits": lambda t, a: node(t, "block1.acc").update(w=[]),
    "tensor block1.acc:w is int8 (4,), which": lambda t, a: a.update({"block1.acc:w": np.zeros(4, np.int8)}),
    "the unused bits of the last byte are not 0": lambda t, a: a.update({"block1.acc:w": np.full(4, 255, np.uint8)}),
    "logits: rise is int32 (3,), wanted int16": lambda t, a: a.update({"logits:rise": np.zeros(3, np.int32)}),
    "kernel 0, stride 2, pad 0 do not fit": lambda t, a: node(t, "block1.max").update(kernel=0),
}


@pytest.mark.parametrize("words", EDITS)
def test_a_damaged_topology_is_named_by_place(small, words):
    edit(small, EDITS[words])
    with pytest.raises(GraphError) as error:
        load(small)
    assert str(error.value).startswith(f"{small}: ") and words in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '"x"', "{}", "[" * 100_000, '{"version": NaN}', "1" * 5000]
)
def test_a_topology_that_is_no_topology(tmp_path, text):
    with pytest.raises(GraphError, match="x.graph: the topology "):
        load(write(tmp_path / "x.graph", text, {}))


def loads_or_refuses(path: Path) -> bool:
    """True if the file loads as a graph that can be saved again; False if it is refused as the contract says."""
    try:
        graph = load(path)
    except (GraphError, FileError) as error:
        assert str(error).startswith(str(path)) and len(str(error)) < 1000
        return False
    save(graph, path.with_name("again.graph"))
    assert_equal(load(path.with_name("again.graph")), graph)
    return True


def test_a_truncated_file_is_refused_wherever_it_ends(small):
    content = small.read_bytes()
    for end in range(0, len(content), 7):
        small.write_bytes(content[:end])
        assert not loads_or_refuses(small), f"cut at {end} of {len(content)}"


def test_flipped_bytes_are_refused_or_make_another_valid_graph(small):
    """One byte at a time, all over header and constants: no other exception escapes."""
    content = small.read_bytes()
    rng = np.random.default_rng(0)
    loaded = 0
    for place in range(int(rng.integers(2)), len(content), 2):
        damaged = bytearray(content)
        damaged[place] ^= int(rng.integers(1, 256))
        small.write_bytes(damaged)
        loaded += loads_or_refuses(small)
    assert 0 < loaded < len(content) / 4  # flips within constants make other valid graphs
