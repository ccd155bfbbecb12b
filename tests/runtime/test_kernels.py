"""Every kernel equals the simulator's function, whatever the sizes, and writes nowhere else."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bnn.graph import ops
from bnn.graph.arith import ALWAYS, NEVER, scaled_bound, window_stats
from bnn.graph.types import TensorType, bits
from bnn.sim.ops import evaluate
from codegen.layout import Tensor, words_of
from codegen.limits import limits
from tests.graphs import EDGES, int16, signs
from tests.runtime import kernels
from tests.runtime.kernels import Buffer, descriptor, map_of, stored, words

seeds = st.integers(0, 2**32)
counts = st.one_of(st.integers(1, 9), st.sampled_from(EDGES))
generators = seeds.map(np.random.default_rng)


def bit_tensor(draw, channels: int, length: int) -> Tensor:
    """A map of bits with a margin of any width and any pad pattern."""
    margin = draw(st.integers(0, 6))
    pad = draw(st.none() | st.lists(st.integers(0, 1), min_size=channels, max_size=channels))
    return Tensor("map", bits(channels, length), margin, None if pad is None else np.array(pad, np.uint8))


def int_tensor(kind: str, channels: int, length: int) -> Tensor:
    top = 2 ** (int(kind.removeprefix("int")) - 1)
    return Tensor("map", TensorType(kind, (channels, length), -top, top - 1))


def random_bits(rng, *shape: int) -> np.ndarray:
    """0 and 1, where one of them may be rare."""
    return (rng.random(shape) < rng.choice([0.03, 0.5, 0.97])).astype(np.uint8)


def run(runtime, kernel: str, layer, inputs, y: Tensor, scratch: int | None = None, stats=()) -> np.ndarray:
    """Call a kernel on stored inputs; the words of its output. Guards of all buffers are checked."""
    given = [Buffer(len(x), x) if x.dtype == np.uint32 else x for x in inputs]
    out = Buffer(y.words)
    rest = [] if scratch is None else [Buffer(scratch)]
    runtime.call(f"bnn_{kernel}", layer, *given, *stats, out, *rest)
    for buffer, x in zip(given, inputs, strict=True):
        if isinstance(buffer, Buffer):
            np.testing.assert_array_equal(buffer.close(), x)  # inputs are left as they are
    for buffer in rest:
        buffer.close()
    return out.close()


def one(node, *inputs) -> np.ndarray:
    """What the simulator makes of one window."""
    return evaluate(node, *(x[None] for x in inputs))[0]


@given(st.data(), generators)
def test_window_stats(runtime, data, rng):
    frac = data.draw(st.integers(0, 8))
    length = data.draw(st.integers(1, 400) | st.sampled_from([1 << min(16, 17 - frac)]))
    low, high = sorted(data.draw(st.lists(st.integers(-32768, 32767), min_size=2, max_size=2)))
    x = rng.integers(low, high, length, endpoint=True).astype(np.int16)
    stats = Buffer(2)
    runtime.call("bnn_window_stats", x, length, frac, stats)
    np.testing.assert_array_equal(stats.close().view(np.int32), window_stats(x[None], frac)[0])


@pytest.mark.parametrize("frac", [0, 4, 8])
@pytest.mark.parametrize("ends", [(-32768, 32767), (-32768, -32768), (32767, 32767), (0, 0), (0, 1)])
def test_window_stats_at_the_ends_of_int16(runtime, frac, ends):
    x = int16(list(ends) * (1 << min(15, 16 - frac)))
    stats = Buffer(2)
    runtime.call("bnn_window_stats", x, len(x), frac, stats)
    np.testing.assert_array_equal(stats.close().view(np.int32), window_stats(x[None], frac)[0])


@given(st.integers(1, 1 << 23), st.integers(0, 15))
@example(std=1 << 23, frac=0)
@example(std=1, frac=15)
def test_every_bound_there_is(runtime, std, frac):
    """All of int16 at once. Beyond int32, where no accumulator is, a bound stays at its end."""
    t = np.arange(-32768, 32768).astype(np.int16)
    stats = np.array([12345, std], np.int32)
    bounds = descriptor(kernels.Bounds, t=t, scaled=1, frac=frac)
    bound = Buffer(t.size)
    runtime.call("bnn_resolve_bounds", bounds, t.size, stats, bound)
    want = np.clip(scaled_bound(t, np.array([std]), frac)[0], -(2**31), 2**31 - 1)
    np.testing.assert_array_equal(bound.close().view(np.int32), want)


def draw_bounds(data, rng, n: int, acc: np.ndarray, stats: np.ndarray | None, frac: int) -> np.ndarray:
    """Bounds among the values that occur, a few of them special."""
    scale = 1 if stats is None else (1 << frac) / stats[1]
    t = np.array([rng.choice(row) for row in acc], np.float64) * scale
    special = rng.random(n) < data.draw(st.sampled_from([0, 0.3]))
    t = np.where(special, rng.choice([ALWAYS, NEVER, ALWAYS + 1, NEVER - 1], n), np.rint(t))
    return int16(np.clip(t, ALWAYS, NEVER))


def draw_signal_conv(data, rng):
    kernel, frac = data.draw(st.integers(1, 7) | st.sampled_from([31, 32, 33])), data.draw(st.integers(0, 8))
    pad, stride = data.draw(st.integers(0, kernel - 1)), data.draw(st.integers(1, 3))
    length = data.draw(st.integers(max(1, kernel - 2 * pad), 60))
    half = data.draw(st.sampled_from([3, 400, 32768]))
    x = rng.integers(-half, half, length).astype(np.int16)
    node = ops.SignalConv("acc", ("x", "s"), signs(rng, data.draw(counts), kernel), stride, pad, frac)
    return node, x, window_stats(x[None], frac)[0]


def signal_layer(node: ops.SignalConv, x, y: Tensor, bounds=None):
    fields = {"kernel": node.w.shape[1], "stride": node.stride, "pad": node.pad, "frac": node.frac}
    fields |= {"bounds": bounds} if bounds else {}
    weights = words(node.w > 0)
    return descriptor(kernels.SignalConv, y=map_of(y), weights=weights, samples=len(x), **fields)


@given(st.data(), generators)
def test_signal_conv_sum(runtime, data, rng):
    node, x, stats = draw_signal_conv(data, rng)
    want = one(node, x[None], stats)
    y = int_tensor("int32", *want.shape)
    scratch = node.w.shape[1] + words_of(8 * node.w.size)
    got = run(runtime, "signal_conv_sum", signal_layer(node, x, y), [x], y, scratch, stats=[stats])
    np.testing.assert_array_equal(got, stored(y, want))


@given(st.data(), generators)
def test_signal_conv_threshold(runtime, data, rng):
    node, x, stats = draw_signal_conv(data, rng)
    acc = one(node, x[None], stats)
    scaled, frac = data.draw(st.booleans()), data.draw(st.integers(0, 15))
    t = draw_bounds(data, rng, len(acc), acc, stats if scaled else None, frac)
    other = np.array([0, max(1, stats[1] // 2)], np.int32)  # bounds may scale by another window's deviation
    used = data.draw(st.sampled_from([stats, other])) if scaled else None
    threshold = ops.Threshold("y", ("acc", "s") if scaled else ("acc",), t, frac if scaled else 0)
    y = bit_tensor(data.draw, *acc.shape)
    bounds = descriptor(kernels.Bounds, t=t, scaled=int(scaled), frac=frac)
    layer = signal_layer(node, x, y, bounds)
    scratch = node.w.shape[1] + len(acc) + words_of(8 * node.w.size)
    got = run(runtime, "signal_conv_threshold", layer, [x], y, scratch, stats=[stats, used])
    want = one(threshold, acc, *([used] if scaled else []))
    np.testing.assert_array_equal(got, stored(y, want))


def draw_conv(data, rng):
    """A binary convolution, the map that it reads, and how that map is stored."""
    n_in, kernel = data.draw(counts), data.draw(st.integers(1, 7))
    pad, stride = data.draw(st.integers(0, kernel - 1)), data.draw(st.integers(1, 3))
    length = data.draw(st.integers(max(1, kernel - 2 * pad), 20))
    tensor = bit_tensor(data.draw, n_in, length)
    tensor = Tensor("x", tensor.type, pad + data.draw(st.integers(0, 2)), tensor.pad)
    step = np.ones(n_in) if tensor.pad is None else tensor.pad
    w = signs(rng, data.draw(counts), n_in, kernel)
    node = ops.BinaryConv("acc", ("x",), w, (2 * step - 1).astype(np.int8), stride, pad)
    return node, random_bits(rng, n_in, length), tensor


def conv_layer(node: ops.BinaryConv, x: Tensor, y: Tensor, t=None):
    fields = {"kernel": node.w.shape[2], "stride": node.stride, "pad": node.pad}
    fields |= {} if t is None else {"limits": limits(node, ops.Threshold("y", ("acc",), t))}
    weights = words(node.w.transpose(0, 2, 1) > 0)
    return descriptor(kernels.Conv, x=map_of(x), y=map_of(y), weights=weights, **fields)


def conv_scratch(node: ops.BinaryConv) -> int:
    taps = node.w[0].size
    return words_of(taps) * (1 if taps % 32 == 0 else 1 + len(node.w))


@given(st.data(), generators)
def test_conv_sum(runtime, data, rng):
    node, x, tensor = draw_conv(data, rng)
    want = one(node, x)
    y = int_tensor("int16", *want.shape)
    got = run(runtime, "conv_sum", conv_layer(node, tensor, y), [stored(tensor, x)], y, conv_scratch(node))
    np.testing.assert_array_equal(got, stored(y, want))


@given(st.data(), generators)
def test_conv_threshold(runtime, data, rng):
    node, x, tensor = draw_conv(data, rng)
    acc = one(node, x)
    t = draw_bounds(data, rng, len(acc), acc, None, 0)
    y = bit_tensor(data.draw, *acc.shape)
    layer = conv_layer(node, tensor, y, t)
    got = run(runtime, "conv_threshold", layer, [stored(tensor, x)], y, conv_scratch(node))
    np.testing.assert_array_equal(got, stored(y, one(ops.Threshold("y", ("acc",), t), acc)))


@given(st.data(), generators)
def test_threshold16(runtime, data, rng):
    x = int_tensor("int16", data.draw(counts), data.draw(st.integers(1, 20)))
    acc = rng.integers(-32768, 32768, x.type.shape)
    t = draw_bounds(data, rng, x.channels, acc, None, 0)
    y = bit_tensor(data.draw, *x.type.shape)
    bounds = descriptor(kernels.Bounds, t=t, scaled=0, frac=0)
    layer = descriptor(kernels.Threshold, x=map_of(x), y=map_of(y), bounds=bounds)
    got = run(runtime, "threshold16", layer, [stored(x, acc)], y)
    np.testing.assert_array_equal(got, stored(y, one(ops.Threshold("y", ("acc",), t), acc)))


@given(st.data(), generators)
def test_threshold32(runtime, data, rng):
    x = int_tensor("int32", data.draw(counts), data.draw(st.integers(1, 20)))
    top = data.draw(st.sampled_from([2**31 - 2, 40000, 5]))
    acc = rng.integers(-top, top, x.type.shape)
    scaled, frac = data.draw(st.booleans()), data.draw(st.integers(0, 15))
    stats = np.array([7, data.draw(st.integers(1, 1 << 23))], np.int32)
    t = draw_bounds(data, rng, x.channels, acc, stats if scaled else None, frac)
    y = bit_tensor(data.draw, *x.type.shape)
    bounds = descriptor(kernels.Bounds, t=t, scaled=int(scaled), frac=frac)
    layer = descriptor(kernels.Threshold, x=map_of(x), y=map_of(y), bounds=bounds)
    used = [stats] if scaled else [None]
    got = run(runtime, "threshold32", layer, [stored(x, acc)], y, x.channels, stats=used)
    node = ops.Threshold("y", ("acc", "s") if scaled else ("acc",), t, frac if scaled else 0)
    np.testing.assert_array_equal(got, stored(y, one(node, acc, *([stats] if scaled else []))))


@pytest.mark.parametrize("kind", ["bit", "int16", "int32"])
@given(data=st.data(), rng=generators)
def test_pool(runtime, kind, data, rng):
    channels, length = data.draw(counts), data.draw(st.integers(1, 25))
    kernel, stride = data.draw(st.integers(1, min(7, length))), data.draw(st.integers(1, 3))
    op = ops.OrPool if kind == "bit" else ops.MaxPool
    node = op("y", ("x",), kernel, stride)
    if kind == "bit":
        x, value = bit_tensor(data.draw, channels, length), random_bits(rng, channels, length)
        y = bit_tensor(data.draw, *one(node, value).shape)
    else:
        x = int_tensor(kind, channels, length)
        value = rng.integers(x.type.lo, x.type.hi, (channels, length), endpoint=True)
        y = int_tensor(kind, *one(node, value).shape)
    layer = descriptor(kernels.Pool, x=map_of(x), y=map_of(y), kernel=kernel, stride=stride)
    name = "or_pool" if kind == "bit" else kind.replace("int", "max_pool")
    got = run(runtime, name, layer, [stored(x, value)], y)
    np.testing.assert_array_equal(got, stored(y, one(node, value)))


@given(st.data(), generators)
def test_and_not(runtime, data, rng):
    shape = data.draw(counts), data.draw(st.integers(1, 20))
    a, b, y = (bit_tensor(data.draw, *shape) for _ in range(3))
    left, right = random_bits(rng, *shape), random_bits(rng, *shape)
    layer = descriptor(kernels.Pair, a=map_of(a), b=map_of(b), y=map_of(y))
    got = run(runtime, "and_not", layer, [stored(a, left), stored(b, right)], y)
    np.testing.assert_array_equal(got, stored(y, one(ops.AndNot("y", ("a", "b")), left, right)))


@pytest.mark.parametrize("kind", ["int16", "int32"])
@given(data=st.data(), rng=generators)
def test_prelu_sum(runtime, kind, data, rng):
    """Logits of any int32, on the way to which products and sums wrap."""
    x = int_tensor(kind, data.draw(counts), data.draw(st.integers(1, 30)))
    top = data.draw(st.sampled_from([2, 500, x.type.hi]))
    value = rng.integers(-top - 1, top, x.type.shape, endpoint=True)
    rise, fall = (rng.integers(-32768, 32768, x.channels).astype(np.int16) for _ in range(2))
    up, down = np.maximum(value, 0).sum(axis=1), np.minimum(value, 0).sum(axis=1)
    bias = rng.integers(-(2**31), 2**31, x.channels)
    want = (rise * up + fall * down + bias).astype(np.uint64).astype(np.uint32)  # modulo 2**32, as the checker allows
    bias = bias.astype(np.int32)
    layer = descriptor(kernels.PReluSum, x=map_of(x), rise=rise, fall=fall, bias=bias)
    y = Tensor("logits", TensorType("int32", (x.channels,), 0, 0))
    got = run(runtime, kind.replace("int", "prelu_sum"), layer, [stored(x, value)], y)
    np.testing.assert_array_equal(got, want)
    node = ops.PReluSum("logits", ("x",), rise, fall, bias, 0)
    exact = rise * up + fall * down + bias.astype(np.int64)
    fits = (exact >= -(2**31)) & (exact < 2**31)
    np.testing.assert_array_equal(got.view(np.int32)[fits], one(node, value)[fits])


@given(st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(-1, 1), min_size=1, max_size=20))
def test_argmax_is_the_first_of_the_largest(runtime, values):
    x = np.array(values, np.int32)
    assert runtime.call("bnn_argmax", x, len(x)) == x.argmax()


def test_guards_notice_a_write_outside(runtime):
    """The check that these tests rest on: a map that is declared too long is written into the guard behind it.

    Under AddressSanitizer the write itself ends the process; test_sanitized.py waits for that.
    """
    x, short = Tensor("x", bits(32, 3)), Tensor("y", bits(32, 2))
    out = Buffer(short.words)
    layer = descriptor(kernels.Pool, x=map_of(x), y=map_of(x), kernel=1, stride=1)
    runtime.call("bnn_or_pool", layer, np.zeros(x.words, np.uint32), out)
    with pytest.raises(AssertionError, match="written outside the buffer"):
        out.close()
