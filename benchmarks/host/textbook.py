"""textbook.c for a network of the zoo: its constants packed as textbooks pack them."""

import ctypes
from pathlib import Path

import numpy as np

from bnn.graph import Graph, ops
from firmware.compilers import find_compiler, run
from firmware.targets import HOST

SOURCE = Path(__file__).parent / "textbook.c"
POINTER = ctypes.c_void_p


class Block(ctypes.Structure):
    _fields_ = (
        ("n_in", ctypes.c_int64),
        ("n_out", ctypes.c_int64),
        ("pad", ctypes.c_uint64),
        ("w", POINTER),
        ("t", POINTER),
    )


class Network(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("samples", "channels", "stats_frac", "bound_frac", "blocks")),
        *((name, ctypes.c_int64) for name in ("last_pool", "last_stride")),
        *((name, POINTER) for name in ("w", "t", "block", "rise", "fall", "bias")),
    )


class Textbook:
    """run(x) -> logits, by textbook.c as the host's compiler makes it with -O3 -march=native."""

    def __init__(self, graph: Graph, folder: Path):
        library = folder / f"textbook-{graph.name}.so"
        flags = ["-std=c99", "-O3", "-march=native", "-shared", "-fPIC", str(SOURCE), "-lm", "-o", str(library)]
        run(find_compiler(HOST), flags, what="the textbook network")
        self._run = ctypes.CDLL(str(library)).textbook_run
        self._run.argtypes, self._run.restype = (POINTER, POINTER, ctypes.c_int64, POINTER), None
        self._kept: list[np.ndarray] = []
        self._classes = len(graph.classes)
        self._network = self._describe(graph)

    def run(self, x: np.ndarray) -> np.ndarray:
        x, logits = np.ascontiguousarray(x), np.empty((len(x), self._classes), np.int32)
        self._run(ctypes.byref(self._network), x.ctypes.data, len(x), logits.ctypes.data)
        return logits

    def _pointer(self, values: np.ndarray, dtype=np.int64) -> int:
        self._kept.append(np.ascontiguousarray(values, dtype))
        return self._kept[-1].ctypes.data

    def _describe(self, graph: Graph) -> Network:
        nodes = list(graph.nodes())
        first, last = (next(n for n in nodes if isinstance(n, kind)) for kind in (ops.SignalConv, ops.PReluSum))
        convs = [node for node in nodes if isinstance(node, ops.BinaryConv)]
        bounds = {node.inputs[0]: node for node in nodes if isinstance(node, ops.Threshold)}
        self._blocks = (Block * len(convs))(*(self._block(conv, bounds.get(conv.name)) for conv in convs))
        factors = (self._pointer(values) for values in (last.rise, last.fall, last.bias))
        pool = next(node for node in nodes if isinstance(node, ops.MaxPool))
        sizes = (graph.signals[0].length, len(first.w), first.frac, bounds[first.name].frac, len(convs))
        sizes += (pool.kernel, pool.stride)
        pointers = (self._pointer(first.w, np.int8), self._pointer(bounds[first.name].t))
        return Network(*sizes, *pointers, ctypes.addressof(self._blocks), *factors)

    def _block(self, conv: ops.BinaryConv, threshold: ops.Threshold | None) -> Block:
        n_out, n_in, _ = conv.w.shape
        places = np.arange(n_in, dtype=np.uint64)
        words = ((conv.w > 0).astype(np.uint64) << places[:, None]).sum(axis=1)
        pad = int(((conv.pad_value > 0).astype(np.uint64) << places).sum())
        t = threshold.t if threshold else np.zeros(n_out)
        return Block(n_in, n_out, pad, self._pointer(words, np.uint64), self._pointer(t))
