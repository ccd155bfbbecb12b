"""A dataflow of kernels cycle by cycle, with streams that fill up: what the closed formulas are held against.

Each kernel is a generator that follows the loops of hw/hls and yields once a turn, and once a cycle where it waits.
"""

from collections import deque
from dataclasses import dataclass, field

from bnn.graph.integer_ops import Concat, SignConv
from bnn.graph.node import Node
from bnn.graph.ops import AndNot, BinaryConv, PReluSum, SignalConv, Threshold, WindowStats
from codegen.folding import Folding, turns
from codegen.hls.cost import STATS_TAIL
from codegen.hls.model import SMALL
from codegen.hls.network import ARGMAX, Network, Reader, fork_depths, lanes


@dataclass
class Clock:
    now: int = 0
    progress: bool = False


@dataclass
class Stream:
    """Words that are to be read `hop` cycles after they were written; those under way take no room."""

    clock: Clock
    depth: int
    hop: int
    words: deque = field(default_factory=deque)

    def read(self):
        while not self.words or self.words[0] > self.clock.now:
            yield
        self.words.popleft()
        self.clock.progress = True

    def write(self):
        while len(self.words) >= self.depth + self.hop:
            yield
        self.words.append(self.clock.now + self.hop)
        self.clock.progress = True


class Dataflow:
    """Runs `windows` windows; `results` has the cycle of each window's last word. `stuck` if kernels wait for ever."""

    def __init__(
        self, network: Network, foldings: dict[str, Folding], windows: int, hop: int, depths: dict | None = None
    ):
        self.net, self.foldings, self.windows, self.hop = network, foldings, windows, hop
        self.clock, self.results, self.pe = Clock(), [], lanes(network, foldings)
        self.into: dict[Reader, Stream] = {}
        self.out: dict[str, list[Stream]] = {}
        for tensor, readers in network.readers.items():
            held = (depths or fork_depths)(network, tensor) if len(readers) > 1 else {}
            a_step = self.words(tensor)
            for reader in readers:
                waits = self.net.length(tensor) * a_step if self.behind_a_join(reader) else 0
                self.into[reader] = Stream(self.clock, SMALL + held.get(reader, 0) * a_step + waits, hop)
            self.out[tensor] = [self.into[reader] for reader in readers]
        kernels = [self.source(), self.argmax(), *(self.kernel(node) for node in network.nodes)]
        self.stuck = not self.run(kernels)

    def behind_a_join(self, reader: Reader) -> bool:
        """Whether what it reads waits until the map before it has been joined."""
        return reader[1] > 0 and any(isinstance(n, Concat) and n.name == reader[0] for n in self.net.nodes)

    def words(self, tensor: str) -> int:
        channels = self.net.channels(tensor)
        return channels // self.pe.get(tensor, channels)

    def run(self, kernels: list, patience: int = STATS_TAIL + 2000) -> bool:
        idle = 0
        while kernels and idle < patience:
            self.clock.progress = False
            kernels = [kernel for kernel in kernels if next(kernel, "done") != "done"]
            idle = 0 if self.clock.progress else idle + 1
            self.clock.now += 1
        return not kernels

    def write(self, tensor: str):
        for stream in self.out[tensor]:
            yield from stream.write()

    def source(self):
        for _ in range(self.windows * self.net.signal.length):
            for _ in range(self.net.signal.channels - 1):
                yield
            yield from self.write(self.net.signal.name)
            yield

    def argmax(self):
        for _ in range(self.windows):
            for _ in self.net.graph.classes:
                yield from self.into[ARGMAX].read()
                yield
            yield
            self.results.append(self.clock.now + self.hop)

    def kernel(self, node: Node):
        x = [self.into[node.name, i] for i in range(len(node.inputs))]
        length, channels = self.net.length(node.inputs[0]), self.net.channels(node.inputs[0])
        for _ in range(self.windows):
            if isinstance(node, SignalConv):
                yield from x[1].read()
            if isinstance(node, Threshold) and len(x) > 1:
                yield from x[1].read()
                for _ in range(channels):
                    yield
            if isinstance(node, SignalConv | SignConv | BinaryConv):
                yield from self.conv(node, x[0], length)
            elif isinstance(node, Concat):
                for source, stream in zip(node.inputs, x, strict=True):
                    for _ in range(self.net.length(source)):
                        yield from stream.read()
                        yield from self.write(node.name)
                        yield
            else:
                yield from self.others(node, x, length)

    def conv(self, node: SignalConv | SignConv | BinaryConv, x: Stream, length: int):
        a_word = turns(self.net.works[node.name], self.foldings[node.name]) // self.words(node.name)
        kernel = node.w.shape[-1]
        for step in range(length + 2 * node.pad):
            if node.pad <= step < node.pad + length:
                yield from x.read()
            if step >= kernel - 1 and (step - kernel + 1) % node.stride == 0:
                for _ in range(self.words(node.name)):
                    for turn in range(a_word):
                        if turn == a_word - 1:
                            yield from self.write(node.name)
                        yield
            else:
                yield

    def others(self, node: Node, x: list[Stream], length: int):
        words = self.words(node.inputs[0])
        kernel, stride = getattr(node, "kernel", 1), getattr(node, "stride", 1)
        ends = isinstance(node, WindowStats | PReluSum)
        for step in range(length):
            for _ in range(words):
                yield from x[0].read()
                if isinstance(node, AndNot):
                    yield from x[1].read()
                gathered = not isinstance(node, Threshold) or _ == words - 1
                if not ends and gathered and step >= kernel - 1 and (step - kernel + 1) % stride == 0:
                    yield from self.write(node.name)
                yield
        if isinstance(node, WindowStats):
            for _ in range(STATS_TAIL):
                yield
            yield from self.write(node.name)
        for _ in range(self.net.channels(node.name) if isinstance(node, PReluSum) else 0):
            yield from self.write(node.name)
            yield
