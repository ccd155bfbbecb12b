"""Golden vectors: small graphs with windows and every tensor, which simulator and backends must reproduce.

    NAME.graph                 a graph in the target dialect, one signal `ecg`, one stage; `staged` has two of each
    NAME.vectors.safetensors   each of its tensors, the signal included, as (n, *shape): bits are uint8 0 or 1,
                               the rest int8, int16 or int32 as their kind says; and `class` (n,) int32

`python -m tests.golden.make` writes them, by the plain loops of tests/plain.py: no backend defines what is right.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from bnn.graph import Graph, load

HERE = Path(__file__).parent
STAGED = "staged"
NAMES = tuple(sorted(path.stem for path in HERE.glob("*.graph") if path.stem != STAGED))


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """One case. `tensors` holds the signal too; bits are uint8 0 or 1."""

    name: str
    path: Path
    graph: Graph
    tensors: dict[str, np.ndarray]
    classes: np.ndarray

    @property
    def signals(self) -> dict[str, np.ndarray]:
        """What simulate() takes."""
        return {signal.name: self.tensors[signal.name] for signal in self.graph.signals}


def load_golden(name: str) -> Golden:
    path = HERE / f"{name}.graph"
    tensors = load_file(HERE / f"{name}.vectors.safetensors")
    classes = tensors.pop("class")
    return Golden(name, path, load(path), tensors, classes)
