"""Graphs for the generator's tests: the ECG network with random weights, a tiny one, and corners of the dialect."""

import numpy as np

from bnn.graph import Graph, Signal, Stage, ops
from bnn.sim import simulate
from codegen import KnownAnswer, Options, generate
from tests.graphs import Builder, int16, windows

CHANNELS = (8, 16, 32, 32, 64)


def ecg_graph(classes: int = 5, seed: int = 0) -> Graph:
    """The six blocks of the ECG network, random weights, bounds that the largest of seven reaches now and then."""
    rng = np.random.default_rng(seed)
    b = Builder(rng, 3600).signal_conv("block1.acc", CHANNELS[0], 7, stride=2, pad=5)
    b.threshold("block1.bits", frac=12).or_pool("block1", 7)
    for i, n_out in enumerate(CHANNELS[1:], 2):
        t = rng.uniform(0.8, 2, n_out) * (7 * b.shape[0]) ** 0.5
        b.conv(f"block{i}.acc", n_out, 7, pad=5).threshold(f"block{i}.bits", int16(np.rint(t))).or_pool(f"block{i}", 7)
    return b.conv("block6.acc", classes, 7, pad=5).max_pool("block6", 7).prelu_sum().graph("toy")


def tiny_graph() -> Graph:
    """Constants that a person can follow: 8 samples, 2 channels, 2 classes."""
    w1 = np.array([[1, 1, -1], [-1, 1, 1]], np.int8)
    w2 = np.array([[[1, -1], [1, 1]], [[-1, 1], [-1, -1]]], np.int8)
    nodes = (
        ops.WindowStats("stats", ("ecg",)),
        ops.SignalConv("acc1", ("ecg", "stats"), w1, 1, 1),
        ops.Threshold("bits1", ("acc1", "stats"), np.array([0, -300], np.int16), 8),
        ops.OrPool("pool1", ("bits1",), 2, 2),
        ops.BinaryConv("acc2", ("pool1",), w2, np.array([1, -1], np.int8), 1, 1),
        ops.PReluSum(
            "logits",
            ("acc2",),
            np.array([3, 2], np.int16),
            np.array([1, -1], np.int16),
            np.array([-5, 7], np.int32),
            0,
        ),
    )
    signal = Signal("ecg", 1, 8, 360.0, 200.0)
    return Graph("tiny", ("calm", "wild"), (signal,), (Stage("main", ("ecg",), nodes, "logits"),))


def seeded(length: int = 60) -> Builder:
    return Builder(np.random.default_rng(5), length)


def pooled_integers() -> Graph:
    """Thresholds after max-pooling, on int32 and int16, with statistics and without."""
    b = seeded().signal_conv("acc1", 33, stride=2, pad=4).max_pool("max1").threshold("bits1")
    b.conv("acc2", 31, 4, pad=3).max_pool("max2").threshold("bits2")
    return b.conv("acc3", 3, 2).prelu_sum().graph("pooled_integers")


def plain_bounds() -> Graph:
    """The first layer compared with fixed bounds, fused and after pooling."""
    b = seeded().signal_conv("acc1", 5, pad=2)
    b.add(ops.Threshold("low", ("acc1",), np.array([0, 900, -900, 32767, -32768], np.int16)))
    b.top = "acc1"
    b.max_pool("max1", 3, 1).add(ops.Threshold("high", ("max1",), np.array([9, -9, 700, 32767, -32768], np.int16)))
    b.or_pool("high.pool", 1, 1)
    b.top = "low"
    b.or_pool("low.pool", 3, 1).add(ops.AndNot("both", ("low.pool", "high.pool")))
    return b.conv("acc2", 2, 3).prelu_sum().graph("plain_bounds")


def shared_accumulators() -> Graph:
    """Accumulators that are stored, since not all of their readers compare; a map that two convolutions pad unlike."""
    b = seeded().signal_conv("acc1", 8, 7, pad=5).threshold("bits1")
    b.conv("wide", 8, 7, pad=5).threshold("wide.bits").or_pool("wide.pool", 5, 1)
    b.top = "wide"
    b.max_pool("wide.max", 5, 1).threshold("wide.max.bits")
    b.top = "bits1"
    b.conv("narrow", 8, 3, pad=1).threshold("narrow.bits")
    b.add(ops.AndNot("some", ("wide.pool", "narrow.bits"))).add(ops.AndNot("few", ("some", "wide.max.bits")))
    return b.conv("last", 4, 3).prelu_sum().graph("shared_accumulators")


def first_layer_logits() -> Graph:
    """Logits straight from the first layer's accumulators, in int32."""
    b = seeded(40).signal_conv("acc1", 3, 4, stride=3)
    n = np.array([1, -1, 2], np.int16)
    b.add(ops.PReluSum("logits", ("acc1",), n, -n, np.array([5, -5, 0], np.int32), 2))
    return b.graph("first_layer_logits")


def answer_of(graph: Graph, seed: int = 1) -> KnownAnswer:
    x = windows(np.random.default_rng(seed), 1, graph.signals[0].length)
    result = simulate(graph, {graph.signals[0].name: x})
    return KnownAnswer({graph.signals[0].name: x[0]}, result.logits[0], int(result.classes[0]))


def write(graph: Graph, out, **options):
    """Generate into `out` with plain head lines; returns `out`."""
    options = {"command": "bnn generate", "graph_sha256": "0123456789ab", "tool_version": "0.1.0"} | options
    options = {"known_answer": answer_of(graph)} | options
    generate(graph, out, **options)
    return out


PLAIN, LANES = Options("plain"), Options("lanes")


def lanes_graph() -> Graph:
    """What works in lanes: two-sided bounds, pads of both signs, pools of stride 1 and 3, accumulators."""
    b = seeded(150).signal_conv("acc1", 7, 6, stride=2, pad=3).threshold("bits1")
    b.conv("left", 9, 4, pad=3, pad_value=[1, -1, 1, 1, -1, -1, 1]).threshold("left.low").or_pool("left.pool", 3, 1)
    b.top = "left"
    b.threshold("left.high").or_pool("left.high.pool", 3, 1).add(ops.AndNot("both", ("left.pool", "left.high.pool")))
    return b.or_pool("pool", 5, 3).conv("last", 3, 3, pad=1).max_pool("max").prelu_sum().graph("lanes_graph")


CORNERS = (tiny_graph, pooled_integers, plain_bounds, shared_accumulators, first_layer_logits)
"""Small graphs that together use every kernel."""
