"""What the HLS templates print: streams, constants and calls of the top function."""

from dataclasses import dataclass

import numpy as np

from bnn.graph.integer_ops import Concat, Scale, SignConv
from bnn.graph.node import Node
from bnn.graph.ops import AndNot, BinaryConv, ExitGate, MaxPool, OrPool, PReluSum, SignalConv, Threshold, WindowStats
from codegen.c.text import Names
from codegen.hls.folding import Design
from codegen.hls.network import ARGMAX, EXIT, Reader, fork_depths, lanes, sum_width
from codegen.hls.text import bit_rows, literal, number_rows

SMALL = 4
"""Words that a stream between two kernels holds."""

OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant array: `declaration` is what stands before the `=`."""

    declaration: str
    body: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A stream of the top function. `word` is the type of its words, `depth` how many it holds."""

    word: str
    name: str
    depth: int


@dataclass(frozen=True, slots=True)
class Call:
    """One kernel, or a fork: with the tensor that it leaves, its stream and its number in the trace.

    number  None for what leaves no tensor of the graph
    """

    text: str
    comment: str
    stream: str = ""
    number: int | None = None


class Model:
    """Names, constants, streams and calls of a design, in the order in which they are printed."""

    def __init__(self, design: Design):
        self._network = design.network
        self._design = design
        self._lanes = lanes(design.network, design.foldings)
        self._names = Names({"windows", "speed", "samples", "results", "bnn", "hls", "main", design.network.graph.name})
        self._links: dict[Reader, str] = {}
        self.constants: list[Constant] = []
        self.channels: list[Channel] = []
        self.calls: list[Call] = []
        self._add_all()

    @property
    def word_limit(self) -> int:
        """AP_INT_MAX_W: bits of the widest word, in steps of 1024."""
        wide = [work.taps for work in self._network.works.values() if work.width == 1]
        wide += [kind.shape[0] for kind in self._network.types.values()]
        return 1024 * -(-max(wide) // 1024)

    @property
    def gated(self) -> bool:
        return self._network.gate is not None

    @property
    def has_integers(self) -> bool:
        """Whether kernels of bnn_integers.h are called."""
        return any(isinstance(node, SignConv | Scale | Concat) for node in self._network.nodes)

    @property
    def results(self) -> int:
        """Words of a window's result: logits, class, and whether it leaves where there is a gate."""
        return len(self._network.graph.classes) + 1 + self.gated

    def _add_all(self) -> None:
        net = self._network
        signal = self._tensor(net.signal.name)
        call = f"from_axi<{net.signal.length}, {net.signal.channels}>(samples, {signal}, windows)"
        self.calls.append(Call(call, f"{net.signal.name}: {net.types[net.signal.name]}"))
        self._fork(net.signal.name, signal)
        for number, node in enumerate(net.nodes):
            text = self._call(node)
            stream = self._tensor(node.name)
            comment = f"{node.name}: {type(node).__name__} -> {net.types[node.name]}"
            self.calls.append(Call(text.replace(OUTPUT, stream), comment, stream, number))
            self._fork(node.name, stream)
        classes = len(net.graph.classes)
        verdict = self._channel("ap_int<32>", "verdict", SMALL)
        logits = self._links[ARGMAX]
        self.calls.append(Call(f"argmax<{classes}>({logits}, {verdict}, windows)", "logits, then the class"))
        if net.gate:
            result, verdict = verdict, self._channel("ap_int<32>", "result", SMALL)
            call = f"exit_verdict<{classes + 1}>({result}, {self._links[EXIT]}, {verdict}, speed, windows)"
            self.calls.append(Call(call, "whether it leaves"))
        self.calls.append(Call(f"to_axi<{self.results}>({verdict}, results, windows)", "one packet a batch"))

    def _channel(self, word: str, wish: str, depth: int) -> str:
        name = self._names.new(wish)
        self.channels.append(Channel(word, name, depth))
        return name

    def _tensor(self, tensor: str) -> str:
        """The stream that the tensor's kernel writes. It is its reader's too, unless there are several."""
        readers = self._network.readers[tensor]
        name = self._channel(self._word(tensor), tensor, SMALL + self._held(tensor, readers))
        if len(readers) == 1:
            self._links[readers[0]] = name
        return name

    def _held(self, tensor: str, readers: tuple[Reader, ...]) -> int:
        """Words that wait before a join in time until the map in front of them is through."""
        joins = (node for node in self._network.nodes if isinstance(node, Concat))
        behind = any((node.name, i) in readers for node in joins for i in range(1, len(node.inputs)))
        return self._words(tensor) if behind else 0

    def _is_numbers(self, tensor: str) -> bool:
        """Whether a vector comes a number a word, as logits and gate do; statistics come in one."""
        return tensor == self._network.logits or self._network.readers[tensor] == (EXIT,)

    def _word(self, tensor: str) -> str:
        kind = self._network.types[tensor]
        if len(kind.shape) == 1:
            return "ap_int<32>" if self._is_numbers(tensor) else "Stats"
        if kind.kind == "bit":
            return f"ap_uint<{kind.shape[0]}>"
        return f"Lanes<ap_int<{kind.signed_bits}>, {self._lanes[tensor]}>"

    def _words(self, tensor: str) -> int:
        """Words of the tensor's stream in a window."""
        kind = self._network.types[tensor]
        if len(kind.shape) == 1:
            return kind.shape[0] if self._is_numbers(tensor) else 1
        return kind.shape[1] * kind.shape[0] // self._lanes.get(tensor, kind.shape[0])

    def _fork(self, tensor: str, stream: str) -> None:
        """Copies for several readers: of two at a time, one for a reader and one for those that are left."""
        readers = self._network.readers[tensor]
        if len(readers) == 1:
            return
        words, word, depths = self._words(tensor), self._word(tensor), fork_depths(self._network, tensor)
        a_step = words // self._network.length(tensor)
        for i, reader in enumerate(readers[:-1]):
            left = readers[i + 1 :]
            mine = self._channel(word, f"{tensor}_to_{reader[0]}", SMALL + depths[reader] * a_step)
            wish = f"{tensor}_to_{left[0][0]}" if len(left) == 1 else f"{tensor}_rest"
            rest = self._channel(word, wish, SMALL + depths[left[0]] * a_step if len(left) == 1 else SMALL)
            self._links[reader] = mine
            self.calls.append(Call(f"branch<{words}>({stream}, {mine}, {rest}, windows)", f"{tensor} to {reader[0]}"))
            stream = rest
        self._links[readers[-1]] = stream

    def _constant(self, word: str, wish: str, size: str, body: str) -> str:
        name = self._names.new(f"{self._network.graph.name}_{wish}")
        self.constants.append(Constant(f"{word} {name}{size}", body))
        return name

    def _call(self, node: Node) -> str:
        """The call of a node's kernel, with OUTPUT for the stream that it writes."""
        net = self._network
        given = [self._links[node.name, i] for i in range(len(node.inputs))]
        channels, length = net.channels(node.inputs[0]), net.length(node.inputs[0])
        after: tuple[str, ...] = ()
        match node:
            case WindowStats():
                kernel, sizes = "window_stats", (length, node.frac)
            case SignalConv():
                shape = (length, *node.w.shape, node.stride, node.pad, node.frac)
                kernel, sizes, after = "signal_conv", shape + self._folding(node), (self._weights(node),)
            case BinaryConv():
                shape = (channels, length, len(node.w), node.w.shape[2], node.stride, node.pad)
                pad = f"ap_uint<{channels}>({literal(node.pad_value > 0)})"
                kernel, sizes, after = "binary_conv", shape + self._folding(node), (self._weights(node), pad)
            case Threshold():
                after = (self._numbers(node, "t", node.t.reshape(-1, self._lanes[node.inputs[0]])),)
                kernel, sizes = "threshold", (channels, length)
                if len(given) > 1:
                    kernel, sizes = "scaled_threshold", (channels, length, node.frac)
            case OrPool() | MaxPool():
                kernel = "or_pool" if isinstance(node, OrPool) else "max_pool"
                sizes = (channels, length, node.kernel, node.stride)
            case AndNot():
                kernel, sizes = "and_not", (channels, length)
            case SignConv():
                shape = (channels, length, len(node.w), node.w.shape[2], node.stride, node.pad)
                kernel, sizes, after = "sign_conv", shape + self._folding(node)[:2], (self._weights(node),)
            case Scale():
                kernel, sizes = "scale", (channels, length, node.shift, node.lo, node.hi)
                rows = (a.reshape(-1, self._lanes[node.name]) for a in (node.m, node.b))
                after = tuple(self._numbers(node, field, row) for field, row in zip("mb", rows, strict=True))
            case Concat():
                kernel, sizes = "join", tuple(self._words(source) for source in node.inputs)
            case PReluSum():
                sums = f"ap_int<{sum_width(net, node)}>"
                kernel, sizes = "prelu_sum", (channels, length, self._lanes[node.inputs[0]], sums)
                after = tuple(self._numbers(node, field, getattr(node, field)) for field in ("rise", "fall", "bias"))
            case ExitGate():
                kernel, sizes = "exit_gate", (channels, node.frac, len(node.exp) - 1)
                after = tuple(self._numbers(node, field, getattr(node, field)) for field in ("exp", "log"))
            case _:
                node.fail(f"the HLS backend has no kernel for {type(node).__name__}")
        return f"{kernel}<{', '.join(map(str, sizes))}>({', '.join((*given, OUTPUT, *after, 'windows'))})"

    def _folding(self, node: SignalConv | SignConv | BinaryConv) -> tuple[int, int, str]:
        """The last three sizes of a convolution: PE, SIMD, and the type of its accumulators."""
        folding = self._design.foldings[node.name]
        return folding.pe, folding.simd, f"ap_int<{self._network.types[node.name].signed_bits}>"

    def _weights(self, node: SignalConv | SignConv | BinaryConv) -> str:
        """weights[p][f * turns + s]: of channel f * PE + p, from tap s * SIMD on, channels of a step together."""
        fold = self._design.foldings[node.name]
        w = node.w if node.w.ndim == 2 else node.w.transpose(0, 2, 1)
        turns = self._network.works[node.name].taps // fold.simd
        bits = (w.reshape(-1, fold.pe, turns, fold.simd) > 0).transpose(1, 0, 2, 3)
        bits = bits.reshape(fold.pe, -1, fold.simd)
        size = f"[{fold.pe}][{bits.shape[1]}]"
        return self._constant(f"ap_uint<{fold.simd}>", f"{node.name}_weights", size, bit_rows(bits))

    def _numbers(self, node: Node, field: str, values: np.ndarray) -> str:
        size = "".join(f"[{n}]" for n in values.shape)
        word = f"ap_int<{8 * values.itemsize}>"
        return self._constant(word, f"{node.name}_{field}", size, number_rows(values))
