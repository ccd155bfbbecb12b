"""The graph file: one safetensors file, constants as tensors, topology as JSON in its metadata.

docs/SPEC.md describes every field. The bytes depend on the graph alone, so saving twice gives no difference.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from bnn.errors import FileError, GraphError
from bnn.files import write_atomic
from bnn.graph.check import check
from bnn.graph.decode import decode
from bnn.graph.graph import Graph
from bnn.graph.integer_ops import INTEGER_OPS
from bnn.graph.node import Node, attributes, constants
from bnn.graph.ops import ExitGate, Slice

KEY = "bnn-graph"
VERSION = 4
"""The newest that is read. A graph is written as the oldest version that knows all of its ops."""

SINCE = {Slice: 2, ExitGate: 3} | dict.fromkeys(INTEGER_OPS, 4)
"""Ops that version 1 did not know, and the first version that does."""


def save(graph: Graph, path: Path, *, force: bool = True) -> None:
    """Check the graph and write it; GraphError or FileError, and then nothing is written."""
    check(graph)
    tensors, stages = {}, []
    for stage in graph.stages:
        nodes = [_encode(node, tensors) for node in stage.nodes]
        stages.append({"name": stage.name, "signals": stage.signals, "logits": stage.logits, "nodes": nodes})
    topology = {
        "version": max(SINCE.get(type(node), 1) for node in graph.nodes()),
        "name": graph.name,
        "classes": graph.classes,
        "signals": [asdict(signal) for signal in graph.signals],
        "stages": stages,
        "about": graph.about,
    }
    # One key only: safetensors writes several in the order of a hash map.
    write_atomic(path, to_bytes(tensors, {KEY: json.dumps(topology, sort_keys=True)}), force=force)


def _encode(node: Node, tensors: dict[str, np.ndarray]) -> dict:
    entry = {"op": type(node).__name__, "name": node.name, "inputs": node.inputs}
    for spec, array in constants(node):
        if spec.metadata.get("binary"):
            entry[spec.name] = array.shape
            array = np.packbits(array.ravel() > 0, bitorder="little")
        tensors[f"{node.name}:{spec.name}"] = np.ascontiguousarray(array)
    return entry | {spec.name: getattr(node, spec.name) for spec in attributes(type(node))}


def load(path: Path) -> Graph:
    """Read and check a graph; FileError if it cannot be read, GraphError if it is damaged, newer or breaks a rule."""
    path = Path(path)
    metadata, tensors = _read(path)
    if KEY not in metadata:
        raise GraphError(f"{path}: a safetensors file, but not a graph; a trained model is lowered by `bnn lower`")
    try:
        topology = json.loads(metadata[KEY])
        _check_version(topology)
        graph = decode(topology, tensors)
        check(graph)
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise GraphError(f"{path}: the topology is damaged ({error}); fetch or lower it again") from error
    return graph


def _read(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Metadata and tensors of a safetensors file."""
    if not path.is_file():
        raise FileError(f"{path}: no such graph file; `bnn lower` makes one from a trained model")
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    except (SafetensorError, AttributeError, TypeError) as error:  # the last two: element types unknown to NumPy
        raise GraphError(f"{path}: not a graph file, or damaged ({error}); fetch or lower it again") from error


def _check_version(topology: object) -> None:
    version = topology.get("version") if isinstance(topology, dict) else None
    if type(version) is not int:
        raise GraphError("the topology has no version; fetch or lower it again")
    if version > VERSION:
        raise GraphError(f"graph format {version}, but this bnn reads up to {VERSION}; update bnn-wearables")
