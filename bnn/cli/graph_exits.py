"""The exits of an integer graph, run by the simulator."""

from collections.abc import Iterator, Sequence

import numpy as np

from bnn.exits import Answers, Signals, Staged, check_speed
from bnn.graph import Graph, Stage, check, stage_gate
from bnn.graph.gate import SPEED_ONE, leaves
from bnn.graph.node import constants
from bnn.sim import simulate, simulate_exits


class GraphExits(Staged):
    """A graph of several stages with a gate each. A stage that runs does so whole, its exit included."""

    def __init__(self, graph: Graph):
        self.graph, self._types = graph, check(graph)
        self.names, self.classes = tuple(stage.name for stage in graph.stages), graph.classes
        fracs = {node.name: getattr(node, "frac", 0) for node in graph.nodes()}
        self._units = [2.0 ** fracs[stage.logits] for stage in graph.stages]

    def logits(self, x: Signals) -> np.ndarray:
        names = [stage.logits for stage in self.graph.stages]
        tensors = simulate(self.graph, self._own(x), keep=names).tensors
        return np.stack([tensors[name] / unit for name, unit in zip(names, self._units, strict=True)]).astype("f4")

    def answer(self, x: Signals, speed: float) -> Answers:
        check_speed(speed)
        taken = simulate_exits(self.graph, self._own(x), round(speed * SPEED_ONE))
        return Answers((taken.logits / np.take(self._units, taken.exits)[:, None]).astype("f4"), taken.exits)

    def answers(self, x: Signals, speeds: Sequence[float]) -> Iterator[Answers]:
        gates = [stage_gate(stage).name for stage in self.graph.stages[:-1]]
        names = [stage.logits for stage in self.graph.stages]
        tensors = simulate(self.graph, self._own(x), keep=[*names, *gates]).tensors
        logits = [tensors[name] / unit for name, unit in zip(names, self._units, strict=True)]
        for speed in speeds:
            check_speed(speed)
            sure = [leaves(tensors[name], round(speed * SPEED_ONE)) for name in gates]
            chosen = np.argmax([*sure, np.ones(len(logits[0]), bool)], axis=0)
            yield Answers(np.choose(chosen[:, None], logits).astype("f4"), chosen)

    def cut_off(self, exit: int) -> tuple[int, int]:
        """Constants for parameters; exits before are counted, too, since their stages hold them."""
        stages = self.graph.stages[: exit + 1]
        return sum(map(_constants, stages)), sum(map(self._stage_macs, stages))

    def macs(self, reached: Sequence[float], early: bool) -> float:
        return sum(share * self._stage_macs(stage) for share, stage in zip(reached, self.graph.stages, strict=True))

    def _own(self, x: Signals) -> Signals:
        return {signal.name: x[signal.name] for signal in self.graph.signals if signal.name in x}

    def _stage_macs(self, stage: Stage) -> int:
        return sum(node.macs(*(self._types[source] for source in node.inputs)) for node in stage.nodes)


def _constants(stage: Stage) -> int:
    """Numbers that training or lowering decided, a bit counting as one."""
    return sum(array.size for node in stage.nodes for _, array in constants(node))
