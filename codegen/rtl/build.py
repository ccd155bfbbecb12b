"""Nodes of a graph -> parts of a top level. One function an op; each adds the parts and names the stream it makes."""

from functools import singledispatchmethod

import numpy as np

from bnn.graph import Graph, gate
from bnn.graph.integer_ops import Concat, Scale, SignConv
from bnn.graph.node import Node
from bnn.graph.ops import AndNot, BinaryConv, ExitGate, MaxPool, OrPool, PReluSum, SignalConv, Threshold, WindowStats
from bnn.graph.types import TensorType
from codegen.c.text import Names
from codegen.folding import Folding
from codegen.rtl.cost import LOGIC_DEPTH, in_memory
from codegen.rtl.netlist import Image, Netlist, Part, Stream, Wire, pack, pack_bits

GROUP = 28
"""Bits that are counted between two registers: three to four levels of adders."""

RING_BITS = 48
"""Up to so many bits, a ring is a shift register."""

PORTS = {"i", "o", "i_clk", "i_rst", "argmax", "exit"}

ARGMAX = "argmax"
"""Who reads the logits for the class."""


class Builder:
    """Grows a netlist node by node.

    nodes     those that the logits depend on, in order; then the gate, if there is one
    foldings  of every convolution, by name
    cycles    that the slowest part takes for a window: others may be slower than they could be
    """

    def __init__(
        self, graph: Graph, nodes: list[Node], types: dict[str, TensorType], foldings: dict[str, Folding], cycles: int
    ):
        self.graph, self.nodes, self.types, self.foldings, self.cycles = graph, nodes, types, foldings, cycles
        self.net = Netlist()
        self.streams: dict[str, Stream] = {}
        self.readers: dict[str, list[str]] = {}
        self.names = Names(PORTS)
        for node in nodes:
            for source in node.inputs:
                self.readers.setdefault(source, []).append(node.name)
        self.readers.setdefault(graph.stages[0].logits, []).append(ARGMAX)

    def build(self) -> Netlist:
        """All parts, in order of computation."""
        self._signal()
        for node in self.nodes:
            stream = self.add(node)
            self.net.streams.append(stream)
            self._fork(stream)
        self._argmax()
        return self.net

    # What is common to all ops

    def part(self, module: str, name: str, params: dict, ports: dict[str, str], clocked: bool = True) -> None:
        self.net.parts.append(Part(module, self.names.new(f"{name}_part"), params, ports, clocked))

    def wire(self, name: str, width: int = 1) -> str:
        self.net.wires.append(Wire(name, width))
        return name

    def image(self, node: Node, what: str, width: int, words: list[int]) -> str:
        """Adds contents of a memory; the parameter that names them."""
        file = f"{self.graph.name}_{self.streams[node.name].wire}_{what}.hex"
        self.net.images.append(Image(file, width, tuple(words)))
        return f'"{file}"'

    def stream(self, node: Node, lanes: int, fold: int, steps: int, width: int, signed: bool) -> Stream:
        """Declares the stream that a node makes, with wires of its own."""
        made = Stream(
            node.name, self.label(node.name.replace(".", "_"), lanes * width), lanes, fold, steps, width, signed
        )
        self.streams[node.name] = made
        return made

    def label(self, wish: str, bits: int) -> str:
        """A new name with the three wires of a stream behind it."""
        label = self.names.new(wish)
        self.wire(f"{label}_valid")
        self.wire(f"{label}_ready")
        self.wire(f"{label}_data", bits)
        return label

    @staticmethod
    def output(label: str) -> dict[str, str]:
        """The ports of a stream that leaves a part."""
        return {"o_valid": f"{label}_valid", "o_data": f"{label}_data", "i_ready": f"{label}_ready"}

    def input(self, tensor: str, reader: str) -> dict[str, str]:
        """The ports by which `reader`, a node or ARGMAX, reads a tensor; where several do, its branch of the fork."""
        label, readers = self.streams[tensor].wire, self.readers[tensor]
        if len(readers) == 1:
            return stream_in(label)
        branch = readers.index(reader)
        return stream_in(label) | {"i_valid": f"{label}_valids[{branch}]", "o_ready": f"{label}_readys[{branch}]"}

    def _fork(self, stream: Stream) -> None:
        """A fork where several nodes read a tensor."""
        label, n = stream.wire, len(self.readers.get(stream.tensor, ()))
        if n > 1:
            ports = {
                "i_valid": f"{label}_valid",
                "o_ready": f"{label}_ready",
                "o_valid": self.wire(f"{label}_valids", n),
                "i_ready": self.wire(f"{label}_readys", n),
            }
            self.part("bnn_fork", f"{label}_fork", {"N": n}, ports)

    def _signal(self) -> None:
        """The input port as a stream of samples, those of all channels side by side."""
        signal = self.graph.signals[0]
        sample = self.label("sample", 16)
        self.streams[signal.name] = Stream(signal.name, sample, 1, signal.channels, signal.length, 16, True)
        self._fork(self.streams[signal.name])

    def _argmax(self) -> None:
        """The result at the ports; where there is a gate, when both class and gate have it."""
        doubt = next((self.streams[node.name] for node in self.nodes if isinstance(node, ExitGate)), None)
        valid, ready = ("o_valid", "i_ready") if doubt is None else (self.wire("class_valid"), self.wire("class_ready"))
        ports = self.input(self.graph.stages[0].logits, ARGMAX)
        ports |= {"o_valid": valid, "o_class": "o_class", "o_logits": "o_logits", "i_ready": ready}
        self.part("bnn_argmax", "argmax", {"N": len(self.graph.classes)}, ports)
        if doubt:
            ports = {"i_speed": "i_speed", **stream_in(doubt.wire), "i_class_valid": valid, "o_class_ready": ready}
            ports |= {"o_valid": "o_valid", "o_leaves": "o_leaves", "i_ready": "i_ready"}
            self.part("bnn_exit", "exit", {"W": doubt.width, "SPEED": gate.SPEED_BITS}, ports)

    # One function an op

    @singledispatchmethod
    def add(self, node: Node) -> Stream:
        """The parts of a node, and the stream that leaves them."""
        return node.fail(f"the Verilog backend has no module for {type(node).__name__}")

    @add.register
    def _(self, node: WindowStats) -> Stream:
        length = self.types[node.inputs[0]].shape[1]
        bits = max(3, length.bit_length())
        width = 17 + node.frac
        made = self.stream(node, 2, 1, 1, width, True)
        sizes = {"LENGTH": length, "SW": 16 + bits, "QW": 32 + bits}
        sums = self.names.new(f"{made.wire}_sums")
        valid, ready = self.wire(f"{sums}_valid"), self.wire(f"{sums}_ready")
        total, squares = self.wire(f"{sums}_sum", 16 + bits), self.wire(f"{sums}_squares", 32 + bits)
        leave = {"o_valid": valid, "o_sum": total, "o_squares": squares, "i_ready": ready}
        arrive = {"i_valid": valid, "i_sum": total, "i_squares": squares, "o_ready": ready}
        address = {"AW": address_bits(length)}
        self.part("bnn_sums", sums, sizes | address, self.input(node.inputs[0], node.name) | leave)
        data = f"{made.wire}_data"
        values = {"o_mean": f"{data}[{width - 1}:0]", "o_std": f"{data}[{2 * width - 1}:{width}]"}
        leave = {"o_valid": f"{made.wire}_valid", **values, "i_ready": f"{made.wire}_ready"}
        self.part("bnn_stats", f"{made.wire}_stats", sizes | {"FRAC": node.frac, "NW": bits}, arrive | leave)
        return made

    @add.register
    def _(self, node: SignalConv) -> Stream:
        rows, kernel = node.w.shape
        folding, kind = self.foldings[node.name], self.types[node.name]
        made = self.stream(node, folding.pe, rows // folding.pe, kind.shape[1], kind.signed_bits, True)
        source, steps, width = self._standardise(node, made.wire)
        slid = self._slide(made.wire, source, width, steps, kernel, node.stride, rows // folding.pe)
        words = [pack_bits(group) for group in node.w.reshape(-1, folding.pe, kernel)]
        params = {"ROWS": rows, "KERNEL": kernel, "LANES": folding.pe, "DW": width, "W": made.width}
        params["FILE"] = self.image(node, "w", folding.pe * kernel, words)
        self.part("bnn_signal_conv", f"{made.wire}_conv", params, stream_in(slid) | self.output(made.wire))
        return made

    def _standardise(self, node: SignalConv, label: str) -> tuple[str, int, int]:
        """Frame and standardiser: their stream, its steps a window and its width."""
        length, width = self.types[node.inputs[0]].shape[1], 17 + node.frac
        sizes = {"LENGTH": length, "AW": address_bits(length)}
        frame = self.names.new(f"{label}_frame")
        read, done = self.wire(f"{frame}_read"), self.wire(f"{frame}_done")
        address, sample = self.wire(f"{frame}_addr", sizes["AW"]), self.wire(f"{frame}_sample", 16)
        ports = {"i_read": read, "i_addr": address, "o_sample": sample, "i_done": done}
        self.part("bnn_frame", frame, sizes | {"HUGE": "HUGE"}, self.input(node.inputs[0], node.name) | ports)
        made = self.label(f"{label}_d", width)
        stats = self.input(node.inputs[1], node.name)
        data = stats.pop("i_data")
        stats |= {"i_mean": f"{data}[{width - 1}:0]", "i_std": f"{data}[{2 * width - 1}:{width}]"}
        ports = {"o_read": read, "o_addr": address, "i_sample": sample, "o_done": done}
        params = sizes | {"PAD": node.pad, "FRAC": node.frac}
        self.part("bnn_standardise", f"{label}_standardise", params, stats | ports | self.output(made))
        return made, length + 2 * node.pad, width

    def _slide(
        self, label: str, source: str, width: int, steps: int, kernel: int, stride: int, rounds: int, **pad
    ) -> str:
        """Windows of the stream `source`, each worked on for `rounds` cycles: the stream that has them."""
        bits = kernel * width
        slid = self.label(f"{label}_window", bits)
        params = {"W": width, "STEPS": steps, "KERNEL": kernel, "STRIDE": stride} | ({"PAD": 0} | pad)
        self.part("bnn_slide", slid, params, stream_in(source) | self.output(slid))
        total = steps + 2 * pad.get("PAD", 0)
        engine = ((total - kernel) // stride + 1) * rounds
        if stride == 1 or engine + total <= self.cycles:
            return slid
        # Several steps enter for one window: a register lets them while the engine works on the window before.
        held = self.label(f"{slid}_held", bits)
        self.part("bnn_slice", f"{held}_slice", {"W": bits}, stream_in(slid) | self.output(held))
        return held

    @add.register
    def _(self, node: BinaryConv) -> Stream:
        rows, channels, kernel = node.w.shape
        folding, kind = self.foldings[node.name], self.types[node.name]
        made = self.stream(node, folding.pe, rows // folding.pe, kind.shape[1], kind.signed_bits, True)
        source = self._parts(node, made.wire, folding, rows // folding.pe)
        words = weight_words(node, folding)
        params = {"ROWS": rows, "TAPS": channels * kernel, "LANES": folding.pe, "BITS": folding.simd, "W": made.width}
        params |= {"BLOCK": int(len(words) > LOGIC_DEPTH), "GROUP": GROUP}
        params["FILE"] = self.image(node, "w", folding.pe * folding.simd, words)
        self.part("bnn_conv", f"{made.wire}_conv", params, stream_in(source) | self.output(made.wire))
        return made

    @add.register
    def _(self, node: SignConv) -> Stream:
        """Windows out of a memory, as those of bits, each of its words of several whole steps."""
        rows, channels, kernel = node.w.shape
        folding, kind, source = self.foldings[node.name], self.types[node.name], self.streams[node.inputs[0]]
        made = self.stream(node, folding.pe, rows // folding.pe, kind.shape[1], kind.signed_bits, True)
        together, bits = folding.simd // channels, folding.simd * source.width
        words = self._gather(source, node, f"{made.wire}_words", bits, flows=1)
        parts = self.label(f"{made.wire}_parts", bits)
        params = {"BITS": bits, "WORDS": 1, "STEPS": source.steps // together, "KERNEL": kernel // together}
        params |= {"STRIDE": node.stride // together, "PAD": node.pad // together, "PAD_VALUE": f"{bits}'h0"}
        params |= {"ROUNDS": made.fold}
        self.part("bnn_replay", f"{made.wire}_replay", params, stream_in(words) | self.output(parts))
        image = weight_words(node, folding)
        params = {"ROWS": rows, "TAPS": channels * kernel, "LANES": folding.pe, "TAKES": folding.simd}
        params |= {"DW": source.width, "W": made.width, "BLOCK": int(len(image) > LOGIC_DEPTH)}
        params["FILE"] = self.image(node, "w", folding.pe * folding.simd, image)
        self.part("bnn_sign_conv", f"{made.wire}_conv", params, stream_in(parts) | self.output(made.wire))
        return made

    @add.register
    def _(self, node: Scale) -> Stream:
        source, kind = self.streams[node.inputs[0]], self.types[node.name]
        made = self.stream(node, source.lanes, source.fold, source.steps, kind.signed_bits, True)
        factors = zip(node.m, node.b, strict=True)
        values = np.array([pack([m], 16) | pack([b], 32) << 16 for m, b in factors], object)
        words = [pack(word, 48) for word in values.reshape(-1, source.lanes)]
        params = {"LANES": source.lanes, "FOLD": source.fold, "W": source.width, "OW": made.width}
        params |= {"SHIFT": node.shift, "LO": node.lo, "HI": node.hi, "BLOCK": int(len(words) > LOGIC_DEPTH)}
        params["FILE"] = self.image(node, "f", source.lanes * 48, words)
        ports = self.input(source.tensor, node.name) | self.output(made.wire)
        self.part("bnn_scale", f"{made.wire}_scale", params, ports)
        return made

    @add.register
    def _(self, node: Concat) -> Stream:
        """Two maps, one after the other in time, each out of a FIFO that holds its whole window.

        So what feeds one never stands still for want of the other, and with it what feeds the other; nor while a
        layer behind works on the window before.
        """
        a, b = (self.streams[name] for name in node.inputs)
        lanes = a.lanes if a.lanes == b.lanes else a.lanes * a.fold
        made = self.stream(node, lanes, a.lanes * a.fold // lanes, a.steps + b.steps, a.width, a.signed)
        ports = self.output(made.wire)
        for side, source in (("a", a), ("b", b)):
            read = self._branch(node, source, f"{made.wire}_{side}", lanes)
            ports |= {f"i_{side}_valid": read["i_valid"], f"i_{side}": read["i_data"]}
            ports |= {f"o_{side}_ready": read["o_ready"]}
        params = {"W": made.bits, "A": a.steps * made.fold, "B": b.steps * made.fold}
        self.part("bnn_join", f"{made.wire}_join", params, ports)
        return made

    def _branch(self, node: Concat, source: Stream, label: str, lanes: int) -> dict[str, str]:
        """The ports by which a join reads one of its maps, `lanes` channels at a time."""
        ports, width = self.input(source.tensor, node.name), lanes * source.width
        if source.lanes != lanes:
            ports = stream_in(self._gather(source, node, f"{label}_steps", width, flows=0))
        held = self.label(f"{label}_held", width)
        params = {"W": width, "DEPTH": source.beats * source.lanes // lanes}
        self.part("bnn_fifo", f"{held}_fifo", params, ports | self.output(held))
        return stream_in(held)

    def _parts(self, node: BinaryConv, label: str, folding: Folding, rounds: int) -> str:
        """Steps -> windows in parts: out of a memory where a part is a piece of a step, else out of registers."""
        source, (_, channels, kernel) = self.streams[node.inputs[0]], node.w.shape
        made = self.label(f"{label}_parts", folding.simd)
        pad = {"PAD": node.pad, "PAD_VALUE": f"{channels}'h{pack_bits(node.pad_value):x}"}
        if in_memory(channels, folding) and folding.simd % source.lanes == 0 and node.stride <= kernel:
            words = self._gather(source, node, f"{label}_words", folding.simd, flows=1)
            params = {"BITS": folding.simd, "WORDS": channels // folding.simd, "STEPS": source.steps, "KERNEL": kernel}
            params |= {"STRIDE": node.stride, **pad, "ROUNDS": rounds}
            self.part("bnn_replay", f"{label}_replay", params, stream_in(words) | self.output(made))
            return made
        steps = self._gather(source, node, f"{label}_steps", channels, flows=0)
        engine = rounds * channels * kernel // folding.simd
        slid = self._slide(label, steps, channels, source.steps, kernel, node.stride, engine, **pad)
        params = {"TAPS": channels * kernel, "BITS": folding.simd, "ROUNDS": rounds}
        self.part("bnn_fold", f"{label}_fold", params, stream_in(slid) | self.output(made))
        return made

    def _gather(self, source: Stream, node: Node, label: str, width: int, flows: int) -> str:
        """The stream `source` in beats of `width` bits; `flows` where the reader's ready comes out of registers."""
        made = self.label(label, width)
        params = {"W": source.bits, "FOLD": width // source.bits, "FLOWS": flows}
        self.part("bnn_gather", f"{made}_gather", params, self.input(source.tensor, node.name) | self.output(made))
        return made

    @add.register
    def _(self, node: Threshold) -> Stream:
        source = self.streams[node.inputs[0]]
        made = self.stream(node, source.lanes, source.fold, source.steps, 1, False)
        if len(node.inputs) == 2:
            self._scaled_threshold(node, source, made)
            return made
        kind = self.types[source.tensor]
        t = np.clip(node.t.astype(np.int64), kind.lo, kind.hi + 1).reshape(source.fold, source.lanes)
        params = {"LANES": source.lanes, "FOLD": source.fold, "W": source.width}
        params["FILE"] = self.image(
            node, "t", source.lanes * (source.width + 1), [pack(word, source.width + 1) for word in t]
        )
        ports = self.input(source.tensor, node.name) | self.output(made.wire)
        self.part("bnn_threshold", f"{made.wire}_compare", params, ports)
        return made

    def _scaled_threshold(self, node: Threshold, source: Stream, made: Stream) -> None:
        stats = self.input(node.inputs[1], node.name)
        data, bits = stats.pop("i_data"), self.streams[node.inputs[1]].width
        stats["i_std"] = f"{data}[{2 * bits - 1}:{bits}]"
        bound = self.label(f"{made.wire}_bound", source.width + 1)
        params = {"ROWS": len(node.t), "SW": bits, "FRAC": node.frac, "W": source.width}
        params["FILE"] = self.image(node, "t", 16, [int(t) & 0xFFFF for t in node.t])
        self.part("bnn_bounds", f"{made.wire}_bounds", params, stats | self.output(bound))
        word = source.lanes * (source.width + 1)
        bounds = self.label(f"{made.wire}_bounds", word)
        gather = {"W": source.width + 1, "FOLD": source.lanes}
        self.part("bnn_gather", f"{bounds}_gather", gather, stream_in(bound) | self.output(bounds))
        params = {"LANES": source.lanes, "FOLD": source.fold, "STEPS": source.steps, "W": source.width}
        params |= ring(word, source.fold)
        arrive = {"i_bound_valid": f"{bounds}_valid", "i_bounds": f"{bounds}_data", "o_bound_ready": f"{bounds}_ready"}
        ports = arrive | self.input(source.tensor, node.name) | self.output(made.wire)
        self.part("bnn_scaled_threshold", f"{made.wire}_compare", params, ports)

    @add.register
    def _(self, node: MaxPool | OrPool) -> Stream:
        source = self.streams[node.inputs[0]]
        steps = self.types[node.name].shape[1]
        made = self.stream(node, source.lanes, source.fold, steps, source.width, source.signed)
        params = {"LANES": source.lanes, "FOLD": source.fold, "W": source.width, "STEPS": source.steps}
        params |= {"KERNEL": node.kernel, "STRIDE": node.stride}
        params |= ring(((node.kernel - 1) // node.stride + 1) * source.bits, source.fold)
        ports = self.input(source.tensor, node.name) | self.output(made.wire)
        self.part("bnn_pool", f"{made.wire}_pool", params, ports)
        return made

    @add.register
    def _(self, node: AndNot) -> Stream:
        a, b = (self.streams[name] for name in node.inputs)
        if (a.lanes, a.fold) != (b.lanes, b.fold):
            node.fail(
                f"{a.tensor} comes {a.lanes} channels at a time and {b.tensor} {b.lanes}; in Verilog both must come "
                "from one convolution"
            )
        made = self.stream(node, a.lanes, a.fold, a.steps, 1, False)
        ports = self.output(made.wire)
        for side, stream in (("a", a), ("b", b)):
            read = self.input(stream.tensor, node.name)
            ports |= {
                f"i_{side}_valid": read["i_valid"],
                f"i_{side}": read["i_data"],
                f"o_{side}_ready": read["o_ready"],
            }
        self.part("bnn_and_not", f"{made.wire}_join", {"W": a.lanes}, ports, clocked=False)
        return made

    @add.register
    def _(self, node: PReluSum) -> Stream:
        source, rows = self.streams[node.inputs[0]], len(node.rise)
        made = self.stream(node, 1, rows, 1, 32, True)
        ports = self.input(source.tensor, node.name)
        if source.lanes > 1:
            serial = self.label(f"{made.wire}_serial", source.width)
            params = {"W": source.width, "LANES": source.lanes}
            self.part("bnn_scatter", f"{made.wire}_scatter", params, ports | self.output(serial))
            ports = stream_in(serial)
        words = [
            pack([rise, fall], 16) | pack([bias], 32) << 32
            for rise, fall, bias in zip(node.rise, node.fall, node.bias, strict=True)
        ]
        params = {"ROWS": rows, "STEPS": source.steps, "W": source.width, **ring(32, rows)}
        params["FILE"] = self.image(node, "c", 64, words)
        self.part("bnn_prelu_sum", f"{made.wire}_sum", params, ports | self.output(made.wire))
        return made

    @add.register
    def _(self, node: ExitGate) -> Stream:
        (classes,) = self.types[node.inputs[0]].shape
        made = self.stream(node, 2, 1, 1, 32, True)
        params = gate_sizes(node, classes) | ring(32, classes)
        for what, width, words in gate_images(node):
            params[f"{what.upper()}_FILE"] = self.image(node, what, width, words)
        ports = self.input(node.inputs[0], node.name) | self.output(made.wire)
        self.part("bnn_gate", f"{made.wire}_gate", params, ports)
        return made


def weight_words(node: BinaryConv | SignConv, folding: Folding) -> list[int]:
    """Words of a folded convolution's memory of weights: tap k * channels + c, part after part, `pe` rows in each."""
    strings = node.w.transpose(0, 2, 1).reshape(-1, folding.pe, node.w[0].size // folding.simd, folding.simd)
    return [pack_bits(word) for word in strings.transpose(0, 2, 1, 3).reshape(-1, folding.pe * folding.simd)]


def gate_sizes(node: ExitGate, classes: int) -> dict[str, int]:
    """The parameters of bnn_gate that are numbers of the graph."""
    full = int(gate.logarithm(np.array([gate.ONE * classes]), node.log)[0])
    return {
        "N": classes,
        "FRAC": node.frac,
        "ENTRIES": len(node.exp) - 1,
        "OCTAVE": int(node.log[gate.LOG_STEPS]),
        "FULL": full,
    }


def ring(width: int, depth: int) -> dict[str, int]:
    """How a ring is kept: small ones as registers."""
    return {"MEMORY": int(depth > 1 and width * depth > RING_BITS)}


def address_bits(n: int) -> int:
    """Bits that count 0 .. n - 1, at least one."""
    return max(1, (n - 1).bit_length())


def stream_in(label: str) -> dict[str, str]:
    """The ports of a stream that enters a part."""
    return {"i_valid": f"{label}_valid", "i_data": f"{label}_data", "o_ready": f"{label}_ready"}


def gate_images(node: ExitGate) -> list[tuple[str, int, list[int]]]:
    """Memories of bnn_gate, as (name, bits of a word, words): of each entry of a table its value, and above it its
    distance from the next entry. The last logarithm is a parameter."""
    exp, log = node.exp.astype(np.int64), node.log.astype(np.int64)
    tables = {"exp": (exp, -np.diff(exp, append=0)), "log": (log[:-1], np.diff(log))}
    return [(name, 30, [pack(pair, 15) for pair in zip(*table, strict=True)]) for name, table in tables.items()]
