"""Run a graph over whole batches of windows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from bnn.errors import DataError
from bnn.graph import Graph, check, stage_gate
from bnn.graph.gate import leaves
from bnn.sim import integer_ops  # noqa: F401  registers its ops
from bnn.sim.ops import evaluate

CHUNK = 32
"""Windows simulated at once: small enough that the first layers stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What came out for n windows.

    classes  (n,) int64, the first of the largest logits
    logits   (n, k) int32
    tensors  the tensors that were asked for, (n, *shape); bits are uint8 0 or 1
    """

    classes: np.ndarray
    logits: np.ndarray
    tensors: dict[str, np.ndarray]


def simulate(
    graph: Graph,
    signals: dict[str, np.ndarray],
    keep: Iterable[str] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Simulation:
    """Simulate every window.

    signals   one int16 array a signal, (n, channels, length), or (n, length) for one channel
    keep      names of tensors to return, or "all" of them
    progress  called with the number of windows done after each chunk
    Raises DataError if a signal is missing or has another shape or type.
    """
    types = check(graph)
    wanted = set(types) if keep == "all" else set(keep)
    if unknown := wanted - set(types):
        raise DataError(f"graph {graph.name} has no tensor {sorted(unknown)[0]}; it has {', '.join(types)}")
    batch = _batch(graph, signals)
    n = len(next(iter(batch.values())))
    parts = []
    for start in range(0, n, CHUNK):
        parts.append(_run(graph, {name: x[start : start + CHUNK] for name, x in batch.items()}, wanted))
        progress(min(start + CHUNK, n))
    last = graph.stages[-1].logits
    kept = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    logits = kept[last]
    return Simulation(logits.argmax(axis=1), logits, {name: kept[name] for name in types if name in wanted})


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What n windows of a graph with exits got at a speed.

    classes  (n,) int64, the first of the largest logits of the exit that was taken
    exits    (n,) int64, the number of that exit's stage in the graph
    logits   (n, k) int32, of that exit
    """

    classes: np.ndarray
    exits: np.ndarray
    logits: np.ndarray


def simulate_exits(graph: Graph, signals: dict[str, np.ndarray], speed: int) -> Taken:
    """Run a stage only for the windows that no gate before it has let leave.

    signals  as for `simulate`
    speed    0 (never leave early) to 2**15, as gate.leaves takes it
    Raises DataError as `simulate` does, and ValueError for a speed out of range.
    """
    check(graph)
    batch = _batch(graph, signals)
    n = len(next(iter(batch.values())))
    taken = Taken(*(np.zeros(shape, np.int64) for shape in (n, n)), np.zeros((n, len(graph.classes)), np.int32))
    for start in range(0, n, CHUNK):
        rows = np.arange(start, min(start + CHUNK, n))
        _take(graph, {name: x[rows] for name, x in batch.items()}, speed, rows, taken)
    return taken


def _take(graph: Graph, tensors: dict[str, np.ndarray], speed: int, rows: np.ndarray, taken: Taken) -> None:
    """Fill the entries `rows` of `taken`, whose tensors these are."""
    for k, stage in enumerate(graph.stages):
        for node in stage.nodes:
            tensors[node.name] = evaluate(node, *(tensors[source] for source in node.inputs))
        gate = stage_gate(stage)
        last = k == len(graph.stages) - 1
        if not last and gate is None:
            continue
        leaving = np.ones(len(rows), bool) if last else leaves(tensors[gate.name], speed)
        logits = tensors[stage.logits][leaving]
        taken.exits[rows[leaving]], taken.logits[rows[leaving]] = k, logits
        taken.classes[rows[leaving]] = logits.argmax(axis=1)
        rows, tensors = rows[~leaving], {name: x[~leaving] for name, x in tensors.items()}
        if not len(rows):
            return


def _batch(graph: Graph, signals: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    batch = {}
    for signal in graph.signals:
        if signal.name not in signals:
            raise DataError(f"graph {graph.name} reads signal {signal.name}, but only {list(signals)} were given")
        x = np.asarray(signals[signal.name])
        x = x[:, None] if x.ndim == 2 else x
        if x.dtype != np.int16 or x.ndim != 3 or x.shape[1:] != (signal.channels, signal.length) or not len(x):
            raise DataError(
                f"signal {signal.name}: got {x.dtype} {x.shape}, wanted int16 windows of "
                f"{signal.channels} x {signal.length} samples; cut and rescale the recording first"
            )
        batch[signal.name] = x
    if len({len(x) for x in batch.values()}) > 1:
        raise DataError(f"signals have different numbers of windows: { ({k: len(v) for k, v in batch.items()}) }")
    return batch


def _run(graph: Graph, tensors: dict[str, np.ndarray], wanted: set[str]) -> dict[str, np.ndarray]:
    """One chunk; tensors are dropped after their last reader unless they are wanted."""
    nodes = list(graph.nodes())
    last_use = {source: i for i, node in enumerate(nodes) for source in node.inputs}
    keep = wanted | {stage.logits for stage in graph.stages if stage.logits}
    for i, node in enumerate(nodes):
        tensors[node.name] = evaluate(node, *(tensors[source] for source in node.inputs))
        for source in set(node.inputs):
            if last_use[source] == i and source not in keep:
                del tensors[source]
    return {name: x for name, x in tensors.items() if name in keep}
