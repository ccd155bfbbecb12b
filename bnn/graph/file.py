"""The graph file: one safetensors file, constants as tensors, topology as JSON in its metadata.

docs/SPEC.md describes every field. The bytes depend on the graph alone, so saving twice gives no difference.
"""

import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from bnn.errors import FileError, GraphError
from bnn.files import write_atomic
from bnn.graph.check import check
from bnn.graph.graph import Graph, Signal, Stage
from bnn.graph.ops import OPS, Node, constants

KEY = "bnn-graph"
VERSION = 1


def save(graph: Graph, path: Path, *, force: bool = True) -> None:
    """Check the graph and write it; GraphError or FileError, and then nothing is written."""
    check(graph)
    tensors, stages = {}, []
    for stage in graph.stages:
        nodes = [_encode(node, tensors) for node in stage.nodes]
        stages.append({"name": stage.name, "signals": stage.signals, "logits": stage.logits, "nodes": nodes})
    topology = {
        "version": VERSION,
        "name": graph.name,
        "classes": graph.classes,
        "signals": [asdict(signal) for signal in graph.signals],
        "stages": stages,
        "about": graph.about,
    }
    # One key only: safetensors writes several in the order of a hash map.
    write_atomic(path, to_bytes(tensors, {KEY: json.dumps(topology, sort_keys=True)}), force=force)


def load(path: Path) -> Graph:
    """Read and check a graph; FileError if there is none, GraphError if it is damaged, newer or breaks a rule."""
    path = Path(path)
    if not path.is_file():
        raise FileError(f"{path}: no such graph file; `bnn lower` makes one from a trained model")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}
    except (SafetensorError, OSError) as error:
        raise GraphError(f"{path}: not a graph file, or damaged ({error}); fetch or lower it again") from error
    if KEY not in metadata:
        raise GraphError(f"{path}: a safetensors file, but not a graph; a trained model is lowered by `bnn lower`")
    try:
        topology = json.loads(metadata[KEY])
        _check_version(path, topology["version"])
        graph = _decode(topology, tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise GraphError(f"{path}: the topology is damaged ({error!r}); fetch or lower it again") from error
    check(graph)
    return graph


def _check_version(path: Path, version: int) -> None:
    if version > VERSION:
        raise GraphError(f"{path}: graph format {version}, but this bnn reads up to {VERSION}; update bnn-wearables")


def _encode(node: Node, tensors: dict[str, np.ndarray]) -> dict:
    entry = {"op": type(node).__name__, "name": node.name, "inputs": node.inputs}
    for spec, array in constants(node):
        if spec.metadata.get("binary"):
            entry[spec.name] = array.shape
            array = np.packbits(array.ravel() > 0, bitorder="little")
        tensors[f"{node.name}:{spec.name}"] = np.ascontiguousarray(array)
    for spec in fields(node):
        if spec.type is not np.ndarray:
            entry[spec.name] = getattr(node, spec.name)
    return entry


def _decode(topology: dict, tensors: dict[str, np.ndarray]) -> Graph:
    stages = tuple(
        Stage(
            stage["name"],
            tuple(stage["signals"]),
            tuple(_decode_node(dict(entry), tensors) for entry in stage["nodes"]),
            stage["logits"],
        )
        for stage in topology["stages"]
    )
    signals = tuple(Signal(**signal) for signal in topology["signals"])
    return Graph(topology["name"], tuple(topology["classes"]), signals, stages, dict(topology["about"]))


def _decode_node(entry: dict, tensors: dict[str, np.ndarray]) -> Node:
    name, op = entry["name"], entry.pop("op")
    if op not in OPS:
        raise GraphError(f"{name}: unknown op {op}; this bnn knows {', '.join(OPS)}")
    entry["inputs"] = tuple(entry["inputs"])
    for spec in fields(OPS[op]):
        if spec.type is np.ndarray:
            array = tensors[f"{name}:{spec.name}"]
            entry[spec.name] = _unpack(array, entry[spec.name]) if spec.metadata.get("binary") else array
    return OPS[op](**entry)


def _unpack(packed: np.ndarray, shape: list[int]) -> np.ndarray:
    flat = np.unpackbits(packed, count=int(np.prod(shape)), bitorder="little").astype(np.int8)
    return (2 * flat - 1).reshape(shape)
