"""From the JSON and the tensors of a graph file to a Graph, believing nothing.

Every field is asked for with its type, every tensor with its element type, so that a damaged file ends in a
GraphError that names the place. What the values mean is the checker's business.
"""

from dataclasses import fields
from math import prod

import numpy as np

from bnn.errors import GraphError
from bnn.graph.graph import Graph, Signal, Stage
from bnn.graph.node import Node, arrays, attributes
from bnn.graph.ops import OPS


def decode(topology: dict, tensors: dict[str, np.ndarray]) -> Graph:
    """The graph that `topology` and `tensors` describe, not yet checked; GraphError where they do not fit together."""
    entry = Entry(topology, "graph")
    tensors = dict(tensors)  # each is taken out once, so that what is left over shows
    graph = Graph(
        entry.take("name", str),
        entry.take_list("classes", str),
        tuple(_signal(Entry(signal, "signal")) for signal in entry.take_list("signals", dict)),
        tuple(_stage(Entry(stage, "stage"), tensors) for stage in entry.take_list("stages", dict)),
        _about(entry.take("about", dict)),
    )
    entry.take("version", int)
    entry.close()
    if tensors:
        raise GraphError(f"tensor {min(tensors)} belongs to no node; the file is damaged, fetch or lower it again")
    return graph


class Entry:
    """A JSON object whose fields are taken out one by one, each with the type it must have."""

    def __init__(self, values: dict, where: str):
        self.values = dict(values)
        self.where = where

    def take(self, key: str, *kinds: type):
        value = self.values.pop(key, None)
        if type(value) not in kinds:
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise GraphError(f"{self.where}: field {key} is {value!r:.40}, wanted {wanted}; fetch or lower it again")
        return value

    def take_list(self, key: str, kind: type) -> tuple:
        values = self.take(key, list)
        return tuple(Entry({key: value}, self.where).take(key, kind) for value in values)

    def close(self) -> None:
        """GraphError if a field is left that nobody asked for."""
        if self.values:
            raise GraphError(f"{self.where}: unknown field {min(self.values)}; fetch or lower it again")


def _about(values: dict) -> dict[str, str]:
    return {key: Entry(values, "about").take(key, str) for key in values}


def _signal(entry: Entry) -> Signal:
    values = {
        spec.name: entry.take(spec.name, *((int, float) if spec.type is float else (spec.type,)))
        for spec in fields(Signal)
    }
    entry.close()
    return Signal(**values)


def _stage(entry: Entry, tensors: dict[str, np.ndarray]) -> Stage:
    stage = Stage(
        entry.take("name", str),
        entry.take_list("signals", str),
        tuple(_node(Entry(node, "node"), tensors) for node in entry.take_list("nodes", dict)),
        entry.take("logits", str, type(None)),
    )
    entry.close()
    return stage


def _node(entry: Entry, tensors: dict[str, np.ndarray]) -> Node:
    entry.where = entry.take("name", str)
    op = entry.take("op", str)
    if op not in OPS:
        raise GraphError(f"{entry.where}: unknown op {op}; this bnn knows {', '.join(OPS)}")
    values = {"name": entry.where, "inputs": entry.take_list("inputs", str)}
    for spec in attributes(OPS[op]):
        values[spec.name] = entry.take(spec.name, spec.type)
    for spec in arrays(OPS[op]):
        shape = entry.take_list(spec.name, int) if spec.metadata.get("binary") else None
        values[spec.name] = _constant(f"{entry.where}:{spec.name}", shape, tensors)
    entry.close()
    return OPS[op](**values)


def _constant(key: str, shape: tuple[int, ...] | None, tensors: dict[str, np.ndarray]) -> np.ndarray:
    if key not in tensors:
        raise GraphError(f"tensor {key} is missing from the file; fetch or lower it again")
    array = tensors.pop(key)
    return array if shape is None else _unpack(array, shape, key)


def _unpack(packed: np.ndarray, shape: tuple[int, ...], key: str) -> np.ndarray:
    """Bit i of the row of bytes is element i: 1 is +1, 0 is -1. The unused bits of the last byte are 0."""
    size = prod(shape)
    if min(shape, default=0) < 1 or packed.dtype != np.uint8 or packed.shape != ((size + 7) // 8,):
        raise GraphError(f"tensor {key} is {packed.dtype} {packed.shape}, which does not hold {shape} bits")
    flat = np.unpackbits(packed, bitorder="little").astype(np.int8)
    if flat[size:].any():
        raise GraphError(f"tensor {key}: the unused bits of the last byte are not 0; fetch or lower it again")
    return (2 * flat[:size] - 1).reshape(shape)
