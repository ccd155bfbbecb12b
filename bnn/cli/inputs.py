"""The windows on which generated code is tried, whatever signals a graph has."""

from dataclasses import dataclass

import numpy as np

from bnn.cli.common import OpenGraph, load_set, load_windows, spread
from bnn.graph import Graph


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """n windows.

    name       of the set that they come from, "" for noise made here
    about      the set in one line, for the screen
    signals    by name: (n, channels, samples) int16, or (n, samples)
    synthetic  whether they were computed
    """

    name: str
    about: str
    signals: dict[str, np.ndarray]
    synthetic: bool

    def __len__(self) -> int:
        return len(next(iter(self.signals.values())))

    @property
    def flat(self) -> np.ndarray:
        """(n, values) int16 as a bench takes windows: signals one after the other, channels side by side."""
        maps = [x[:, None] if x.ndim == 2 else x for x in self.signals.values()]
        return np.concatenate([x.transpose(0, 2, 1).reshape(len(x), -1) for x in maps], axis=1)


def open_inputs(opened: OpenGraph, set_name: str | None, count: int) -> Inputs:
    """`count` windows or epochs of a set, by default that of the graph's training, classes in turn.

    A graph of several signals or channels that names no set gets synthetic noise.
    """
    from bnn.data.sleep import sets as nights

    graph = opened.graph
    if set_name is None and "set" not in graph.about and (len(graph.signals) > 1 or graph.signals[0].channels > 1):
        return noise(graph, count)
    name = set_name or opened.set_name
    chosen = load_set(name) if name in nights.NAMES else load_windows(name)
    rows = spread(chosen, count)
    if isinstance(chosen.x, dict):
        signals = {signal.name: chosen.x[signal.name][rows] for signal in graph.signals if signal.name in chosen.x}
    else:
        signals = {graph.signals[0].name: chosen.x[rows]}
    return Inputs(chosen.name, chosen.describe(), signals, chosen.synthetic)


def noise(graph: Graph, count: int, seed: int = 0) -> Inputs:
    """Gaussian noise, each window of its own size, from a few ADC steps to most of int16."""
    rng = np.random.default_rng(seed)
    size = 2.0 ** rng.uniform(3, 14, (count, 1, 1))
    signals = {
        signal.name: np.rint(size * rng.normal(size=(count, signal.channels, signal.length)))
        for signal in graph.signals
    }
    signals = {name: x.clip(-32768, 32767).astype(np.int16) for name, x in signals.items()}
    return Inputs("", "SYNTHETIC noise, no recording", signals, True)
