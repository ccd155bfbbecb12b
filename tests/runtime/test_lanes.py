"""Kernels on lanes equal the simulator's functions and the plain kernels at all sizes, and write nowhere else."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.graph import ops
from bnn.graph.types import bits
from codegen import taps
from codegen.lanes import PASSES, conv_scratch, signal_scratch
from codegen.layout import Tensor, words_of
from codegen.limits import limits
from codegen.overlap import lanes_lead
from codegen.steps import Step
from tests.graphs import EDGES, signs
from tests.runtime import kernels
from tests.runtime.kernels import Buffer, descriptor, map_of, stored, words
from tests.runtime.test_kernels import (
    bit_tensor,
    conv_layer,
    draw_bounds,
    generators,
    int_tensor,
    one,
    random_bits,
    run,
)
from tests.runtime.test_kernels import conv_scratch as plain_scratch

lengths = st.one_of(st.integers(1, 70), st.sampled_from([*EDGES, 95, 96, 97, 512, 513]))
counts = st.one_of(st.integers(1, 9), st.sampled_from(EDGES))


def lanes(draw, channels: int, length: int, margin: int = 0, behind: int = 0, segment: int | None = None) -> Tensor:
    """A map in lanes with at least that margin and words behind, a pad pattern, a segment that may be too long."""
    segment = segment or words_of(length) + draw(st.sampled_from([0, 0, 1, 3]))
    margin, behind = margin + draw(st.integers(0, 2)), behind + draw(st.integers(0, 2))
    pad = draw(st.none() | st.lists(st.integers(0, 1), min_size=channels, max_size=channels))
    pad = None if pad is None else np.array(pad, np.uint8)
    return Tensor("map", bits(channels, length), margin, pad, segment, behind, draw(st.booleans()))


@given(st.data(), generators)
def test_packing_and_unpacking(runtime, data, rng):
    shape = data.draw(counts), data.draw(lengths)
    flat, rows, value = bit_tensor(data.draw, *shape), lanes(data.draw, *shape), random_bits(rng, *shape)
    layer = descriptor(kernels.LanesCopy, map=map_of(flat), lanes=map_of(rows))
    np.testing.assert_array_equal(run(runtime, "lanes_pack", layer, [stored(flat, value)], rows), stored(rows, value))
    np.testing.assert_array_equal(run(runtime, "lanes_unpack", layer, [stored(rows, value)], flat), stored(flat, value))


def check_overlapped(runtime, step: Step, layer, x: Tensor, value, y: Tensor, want, scratch: int = 0) -> None:
    """The output lies before the input, and over it as far as it may."""
    lead, given = lanes_lead(step, x, y), stored(x, value)
    arena = Buffer(max(y.words, lead + len(given)))
    arena.words[lead : lead + len(given)] = given
    rest = [Buffer(scratch)] if scratch else []
    runtime.call(f"bnn_{step.kernel}", layer, arena.words[lead:], arena, *rest)
    for buffer in rest:
        buffer.close()
    np.testing.assert_array_equal(arena.close()[: y.words], stored(y, want))


@given(st.data(), generators)
def test_or_pool(runtime, data, rng):
    channels, length = data.draw(st.integers(1, 9)), data.draw(lengths)
    kernel, stride = data.draw(st.integers(1, min(9, length))), data.draw(st.integers(1, 3))
    node = ops.OrPool("y", ("x",), kernel, stride)
    value = random_bits(rng, channels, length)
    want = one(node, value)
    segment = max(words_of(want.shape[1]), -(-words_of(length) // stride)) + data.draw(st.integers(0, 2))
    x = lanes(data.draw, channels, length, segment=segment * stride)
    y = lanes(data.draw, *want.shape, segment=segment)
    layer = descriptor(kernels.Pool, x=map_of(x), y=map_of(y), kernel=kernel, stride=stride)
    np.testing.assert_array_equal(run(runtime, "lanes_or_pool", layer, [stored(x, value)], y), stored(y, want))
    check_overlapped(runtime, Step("lanes_or_pool", (node,), ("x",)), layer, x, value, y, want)


@given(st.data(), generators)
def test_and_not(runtime, data, rng):
    shape = data.draw(st.integers(1, 9)), data.draw(lengths)
    segment = words_of(shape[1]) + data.draw(st.integers(0, 2))
    a, b, y = (lanes(data.draw, *shape, segment=segment) for _ in range(3))
    left, right = random_bits(rng, *shape), random_bits(rng, *shape)
    layer = descriptor(kernels.Pair, a=map_of(a), b=map_of(b), y=map_of(y))
    got = run(runtime, "lanes_and_not", layer, [stored(a, left), stored(b, right)], y)
    np.testing.assert_array_equal(got, stored(y, one(ops.AndNot("y", ("a", "b")), left, right)))


def draw_signal_conv(data, rng):
    from bnn.graph.arith import window_stats

    kernel, frac = data.draw(st.integers(1, 7)), data.draw(st.integers(0, 8))
    pad, stride = data.draw(st.integers(0, kernel - 1)), data.draw(st.integers(1, 3))
    length = data.draw(st.integers(max(1, kernel - 2 * pad), 80))
    half = data.draw(st.sampled_from([3, 400, 32768]))
    x = rng.integers(-half, half, length).astype(np.int16)
    node = ops.SignalConv("acc", ("x", "s"), signs(rng, data.draw(counts), kernel), stride, pad, frac)
    return node, x, window_stats(x[None], frac)[0]


@given(st.data(), generators)
def test_signal_threshold(runtime, data, rng):
    node, x, stats = draw_signal_conv(data, rng)
    acc = one(node, x[None], stats)
    scaled, frac = data.draw(st.booleans()), data.draw(st.integers(0, 15))
    t = draw_bounds(data, rng, len(acc), acc, stats if scaled else None, frac)
    threshold = ops.Threshold("y", ("acc", "s") if scaled else ("acc",), t, frac if scaled else 0)
    y = lanes(data.draw, *acc.shape)
    layer = descriptor(
        kernels.LanesSignal,
        y=map_of(y),
        weights=words(node.w > 0),
        bounds=descriptor(kernels.Bounds, t=t, scaled=int(scaled), frac=frac),
        samples=len(x),
        kernel=node.w.shape[1],
        stride=node.stride,
        pad=node.pad,
        frac=node.frac,
    )
    used = [stats, stats if scaled else None]
    got = run(runtime, "lanes_signal_threshold", layer, [x], y, signal_scratch(len(t)), stats=used)
    np.testing.assert_array_equal(got, stored(y, one(threshold, acc, *([stats] if scaled else []))))


def draw_weights(data, rng, *shape: int) -> np.ndarray:
    """Signs, at times all alike or nearly so: then a class of taps is empty, or all of them."""
    share = data.draw(st.sampled_from([0, 0.05, 0.5, 0.5, 0.95, 1]))
    return np.where(rng.random(shape) < share, 1, -1).astype(np.int8)


def draw_conv(data, rng):
    """A binary convolution of stride 1, the map that it reads in lanes, and its value."""
    n_in, kernel = data.draw(counts), data.draw(st.integers(1, 7))
    pad = data.draw(st.integers(0, kernel - 1))
    length = data.draw(st.integers(max(1, kernel - 2 * pad), 70) | st.sampled_from([95, 96, 97, 600]))
    out = length + 2 * pad - kernel + 1
    segment = words_of(max(out, length)) + data.draw(st.sampled_from([0, 0, 1]))
    x = lanes(data.draw, n_in, length, pad, kernel - 1 - pad, segment)
    x = Tensor(x.name, x.type, x.margin, x.pad, x.segment, x.behind, True)
    step = np.ones(n_in) if x.pad is None else x.pad
    w = draw_weights(data, rng, data.draw(st.integers(1, 9)), n_in, kernel)
    value = random_bits(rng, n_in, length)
    if data.draw(st.booleans()):  # a channel's best or worst case: every factor agrees, or none
        value[:] = data.draw(st.integers(0, 1))
    return ops.BinaryConv("acc", ("x",), w, (2 * step - 1).astype(np.int8), 1, pad), value, x


def step_of(node, source: str, *after) -> Step:
    """The step in lanes that runs a convolution, with what follows it."""
    kernel = ("lanes_conv_sum", "lanes_conv_threshold", "lanes_conv_pool")[len(after)]
    return Step(kernel, (node, *after), ("x",), taps=source)


def lanes_conv(runtime, step: Step, x: Tensor, **fields):
    """The descriptor of a step, with what its source of taps reads."""
    node = step.nodes[0]
    fields = {"positions": PASSES[2], "kernel": node.w.shape[2], "pad": node.pad} | fields
    if step.taps == "listed":
        pairs = taps.matched(node)
        given = [
            kernels.Taps((kernels.u16 * 2)(*pair.channels), *pair.quads, pair.flip, (ctypes.c_int16 * 2)(*pair.balance))
            for pair in pairs
        ]
        lists = np.concatenate([taps.offsets(pair, x.channels, x.row) for pair in pairs])
        fields |= {"source": runtime.address("bnn_listed_taps"), "lists": lists}
        fields |= {"taps": (kernels.Taps * len(given))(*given)}
    else:
        fields |= {"source": runtime.address("bnn_decode_taps"), "weights": words(node.w.transpose(0, 2, 1) > 0)}
        fields |= {"order": taps.order(node)} if step.taps == "matched" else {}
    return descriptor(kernels.LanesConv, x=map_of(x), **fields)


def check_conv_sum(runtime, node, value, x: Tensor, source: str = "neighbours") -> None:
    want = one(node, value)
    y, step = int_tensor("int16", *want.shape), step_of(node, source)
    layer = lanes_conv(runtime, step, x, sums=map_of(y))
    got = run(runtime, step.kernel, layer, [stored(x, value)], y, conv_scratch(step, PASSES[2]))
    np.testing.assert_array_equal(got, stored(y, want))


SOURCES = taps.SOURCES[:-1]  # code is tested where it is generated
sources = st.sampled_from(SOURCES)


@given(st.data(), generators, sources)
def test_conv_sum(runtime, data, rng, source):
    check_conv_sum(runtime, *draw_conv(data, rng), source)


def draw_threshold(data, rng, node, value):
    acc = one(node, value)
    threshold = ops.Threshold("bits", ("acc",), draw_bounds(data, rng, len(acc), acc, None, 0))
    return threshold, one(threshold, acc)


@given(st.data(), generators, sources)
def test_conv_threshold(runtime, data, rng, source):
    node, value, x = draw_conv(data, rng)
    threshold, want = draw_threshold(data, rng, node, value)
    y, step = lanes(data.draw, *want.shape, segment=x.segment), step_of(node, source, threshold)
    positions = data.draw(st.integers(1, 20))
    layer = lanes_conv(runtime, step, x, y=map_of(y), limits=limits(node, threshold), positions=positions)
    got = run(runtime, step.kernel, layer, [stored(x, value)], y, conv_scratch(step, positions))
    np.testing.assert_array_equal(got, stored(y, want))


def draw_pooled(data, rng):
    """A convolution with threshold and pool, its input and output: segments are in the ratio of the stride."""
    node, value, x = draw_conv(data, rng)
    threshold, before = draw_threshold(data, rng, node, value)
    kernel = data.draw(st.integers(1, min(9, before.shape[1])) | st.just(min(7, before.shape[1])))
    pool = ops.OrPool("y", ("bits",), kernel, data.draw(st.integers(1, 3)))
    want = one(pool, before)
    segment = -(-x.segment // pool.stride)
    x = Tensor(x.name, x.type, x.margin, x.pad, segment * pool.stride, x.behind, True)
    return (node, threshold, pool), value, x, lanes(data.draw, *want.shape, segment=segment), want


@given(st.data(), generators, sources)
def test_conv_pool(runtime, data, rng, source):
    nodes, value, x, y, want = draw_pooled(data, rng)
    step, pool = step_of(nodes[0], source, *nodes[1:]), nodes[2]
    positions = data.draw(st.integers(1, 20))
    fields = {"pool": pool.kernel, "stride": pool.stride, "crossing": (pool.kernel - 1) // pool.stride}
    layer = lanes_conv(runtime, step, x, y=map_of(y), limits=limits(*nodes[:2]), positions=positions, **fields)
    scratch = conv_scratch(step, positions)
    got = run(runtime, step.kernel, layer, [stored(x, value)], y, scratch)
    np.testing.assert_array_equal(got, stored(y, want))
    check_overlapped(runtime, step, layer, x, value, y, want, scratch)


@pytest.mark.parametrize("n_taps", [1, 7, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024])
@pytest.mark.parametrize("source", SOURCES)
def test_counters_hold_the_worst_case(runtime, n_taps, source):
    """Around every number of planes: all taps agree, or none, or the input has all bits set or none under any signs."""
    w = np.ones((4, n_taps, 1), np.int8)
    w[1], w[2, ::2], w[3, : n_taps // 3] = -1, -1, -1
    node = ops.BinaryConv("acc", ("x",), w, np.ones(n_taps, np.int8), 1, 0)
    x = Tensor("x", bits(n_taps, 33), 0, None, 2, 0, True)
    value = np.zeros((n_taps, 33), np.uint8)
    value[:, 0], value[:, 1], value[:, 2] = w[2, :, 0] > 0, w[3, :, 0] > 0, w[3, :, 0] < 0
    value[:, 20:] = 1
    check_conv_sum(runtime, node, value, x, source)


@pytest.mark.parametrize(
    "n_in, kernel, length, n_out", [(8, 7, 898, 16), (32, 7, 111, 64), (64, 7, 55, 17), (65, 3, 700, 5)]
)
@pytest.mark.parametrize("source", SOURCES)
def test_the_plain_kernel_gives_the_same(runtime, source, n_in, kernel, length, n_out):
    """Two kernels, two layouts, one map of bits."""
    rng = np.random.default_rng(n_in)
    pad, pattern = kernel - 2, rng.integers(0, 2, n_in).astype(np.uint8)
    node = ops.BinaryConv("acc", ("x",), signs(rng, n_out, n_in, kernel), 2 * pattern.astype(np.int8) - 1, 1, pad)
    value, out = random_bits(rng, n_in, length), length + 2 * pad - kernel + 1
    t = rng.integers(-5, 20, n_out).astype(np.int16)
    step = step_of(node, source, ops.Threshold("y", ("acc",), t))
    flat, plain = Tensor("x", bits(n_in, length), pad, pattern), Tensor("y", bits(n_out, out))
    layer = conv_layer(node, flat, plain, t)
    want = run(runtime, "conv_threshold", layer, [stored(flat, value)], plain, plain_scratch(node))
    x = Tensor("x", flat.type, pad, pattern, words_of(out), kernel - 1 - pad, True)
    y = Tensor("y", plain.type, 0, None, words_of(out))
    layer = lanes_conv(runtime, step, x, y=map_of(y), limits=limits(node, step.nodes[1]))
    rows = run(runtime, step.kernel, layer, [stored(x, value)], y, conv_scratch(step, PASSES[2]))
    copy = descriptor(kernels.LanesCopy, map=map_of(plain), lanes=map_of(y))
    np.testing.assert_array_equal(run(runtime, "lanes_unpack", copy, [rows], plain), want)
