"""The integer graph: signals, stages of nodes, exits."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bnn.errors import GraphError
from bnn.graph.node import Node


@dataclass(frozen=True, slots=True)
class Signal:
    """One input: raw ADC samples, int16, (channels, length).

    fs     samples per second
    gain   ADC steps per `unit`; what the network was trained on, for whoever has to rescale
    """

    name: str
    channels: int
    length: int
    fs: float
    gain: float
    unit: str = "mV"

    @property
    def values(self) -> int:
        """Samples of a window, those of all channels."""
        return self.channels * self.length


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A row of nodes that reads its own signals and what earlier stages left, and may end in an exit.

    logits  the tensor that the exit reads, int32 (classes,); None where the stage has no exit
    """

    name: str
    signals: tuple[str, ...]
    nodes: tuple[Node, ...]
    logits: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A network in integers.

    name     a C identifier: it prefixes everything that is generated
    classes  names of the classes, in the order of the logits
    about    where it comes from (data, protocol, recipe), for people; no backend reads it
    """

    name: str
    classes: tuple[str, ...]
    signals: tuple[Signal, ...]
    stages: tuple[Stage, ...]
    about: dict[str, str] = field(default_factory=dict)

    def nodes(self) -> Iterator[Node]:
        """All nodes in the order in which they run."""
        for stage in self.stages:
            yield from stage.nodes

    def consumers(self, tensor: str) -> list[Node]:
        """The nodes that read a tensor."""
        return [node for node in self.nodes() if tensor in node.inputs]

    def until(self, name: str) -> "Graph":
        """The graph that ends with the exit of the stage `name`. GraphError where no such stage has an exit."""
        able = [stage.name for stage in self.stages if stage.logits]
        if name not in able:
            raise GraphError(f"graph {self.name}: no stage {name} has an exit; those that do are {', '.join(able)}")
        stages = self.stages[: [stage.name for stage in self.stages].index(name) + 1]
        read = {signal for stage in stages for signal in stage.signals}
        return replace(self, stages=stages, signals=tuple(s for s in self.signals if s.name in read))

    def with_nodes(self, rewrite) -> "Graph":
        """The same graph with every stage's nodes replaced by rewrite(nodes)."""
        stages = tuple(replace(stage, nodes=tuple(rewrite(stage.nodes))) for stage in self.stages)
        return replace(self, stages=stages)
