"""Every op of the simulator against the plain loops written from docs/SPEC.md."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.graph import ops
from bnn.graph.arith import ALWAYS, NEVER
from bnn.sim.ops import evaluate
from tests import plain
from tests.graphs import EDGES, int16, signs

seeds = st.integers(0, 2**32)
samples = st.integers(-32768, 32767)
channel_counts = st.one_of(st.integers(1, 9), st.sampled_from(EDGES))


def assert_same(node, *batches):
    """evaluate() on a batch equals the plain loop on each of its windows."""
    got = evaluate(node, *batches)
    for i in range(len(batches[0])):
        want = plain.RULES[type(node)](node, *(batch[i].tolist() for batch in batches))
        np.testing.assert_array_equal(got[i], want)
    return got


def raw(draw, n, length):
    """Raw windows over the whole range of int16."""
    return int16(draw(st.lists(st.lists(samples, min_size=length, max_size=length), min_size=n, max_size=n)))[:, None]


@given(st.data())
def test_window_stats(data):
    x = raw(data.draw, 2, data.draw(st.integers(1, 40)))
    got = assert_same(ops.WindowStats("s", ("x",), data.draw(st.integers(0, 8))), x)
    assert got.dtype == np.int32


@given(st.data())
def test_signal_conv(data):
    kernel, frac = data.draw(st.integers(1, 7)), data.draw(st.integers(0, 8))
    x = raw(data.draw, 2, data.draw(st.integers(kernel, 25)))
    stats = evaluate(ops.WindowStats("s", ("x",), frac), x)
    w = signs(np.random.default_rng(data.draw(seeds)), data.draw(st.integers(1, 5)), kernel)
    stride, pad = data.draw(st.integers(1, 4)), data.draw(st.integers(0, kernel - 1))
    assert_same(ops.SignalConv("a", ("x", "s"), w, stride, pad, frac), x, stats)


@pytest.mark.parametrize("frac", [0, 4, 8])
def test_signal_conv_at_both_ends_of_its_range(frac):
    """The largest differences that int16 samples can show, along and against the weights."""
    row = [32767] * 8 + [-32768] * 500
    x = int16([row, [-v - 1 for v in row]])[:, None]
    w = np.array([[1, -1, 1, -1], [1, 1, 1, 1], [-1, -1, -1, -1]], np.int8)
    stats = evaluate(ops.WindowStats("s", ("x",), frac), x)
    got = assert_same(ops.SignalConv("a", ("x", "s"), w, 1, 3, frac), x, stats)
    top = 4 << (16 + frac)
    assert 0.98 * top < got.max() <= top and -0.98 * top > got.min() >= -top


@given(st.data())
def test_binary_conv(data):
    n_in, kernel = data.draw(channel_counts), data.draw(st.integers(1, 5))
    rng = np.random.default_rng(data.draw(seeds))
    x = rng.integers(0, 2, (2, n_in, data.draw(st.integers(kernel, 10))), dtype=np.uint8)
    w, pad_value = signs(rng, data.draw(st.integers(1, 4)), n_in, kernel), signs(rng, n_in)
    stride, pad = data.draw(st.integers(1, 3)), data.draw(st.integers(0, kernel - 1))
    got = assert_same(ops.BinaryConv("a", ("x",), w, pad_value, stride, pad), x)
    assert (np.abs(got) <= n_in * kernel).all() and (got % 2 == n_in * kernel % 2).all()


@pytest.mark.parametrize("n_in", EDGES)
def test_binary_conv_reaches_both_ends_of_its_range(n_in):
    w = signs(np.random.default_rng(n_in), 1, n_in, 3)
    x = np.stack([w[0] > 0, w[0] < 0]).astype(np.uint8)
    got = assert_same(ops.BinaryConv("a", ("x",), w, np.ones(n_in, np.int8), 1, 0), x)
    assert got.ravel().tolist() == [3 * n_in, -3 * n_in]


@given(st.data())
def test_threshold_without_statistics(data):
    x = raw(data.draw, 2, 6).reshape(2, 2, 3)
    near = st.sampled_from([int(v) + d for v in x.ravel() for d in (-1, 0, 1) if -32768 <= int(v) + d <= 32767])
    t = int16(data.draw(st.lists(st.one_of(near, st.sampled_from([ALWAYS, NEVER])), min_size=2, max_size=2)))
    assert_same(ops.Threshold("y", ("x",), t), x)


wide = st.integers(-(7 << 20), 7 << 20)
scaled = st.one_of(samples, st.integers(-9, 9), st.sampled_from([ALWAYS, ALWAYS + 1, NEVER - 1, NEVER]))


def accumulators(draw, t, std, frac):
    """(2, 2, 3) int32, half of them within one step of the place where a comparison changes."""
    edge = [-(-int(v) * int(s[1]) // 2**frac) for s in std for v in t]
    near = st.tuples(st.sampled_from(edge), st.integers(-1, 1)).map(lambda p: min(max(sum(p), -(2**30)), 2**30))
    return np.array(draw(st.lists(st.one_of(near, wide), min_size=12, max_size=12)), np.int32).reshape(2, 2, 3)


def scaled_case(data, bounds):
    """frac, as many rows of bounds as asked for, accumulators and statistics."""
    frac = data.draw(st.integers(0, 15))
    rows = [int16(data.draw(st.lists(scaled, min_size=2, max_size=2))) for _ in range(bounds)]
    std = np.array([[0, data.draw(st.integers(1, 1 << 19))] for _ in range(2)], np.int32)
    return frac, rows, accumulators(data.draw, np.concatenate(rows), std, frac), std


@settings(max_examples=200)
@given(st.data())
def test_threshold_scaled_by_statistics(data):
    frac, (t,), x, std = scaled_case(data, 1)
    assert_same(ops.Threshold("y", ("x", "s"), t, frac), x, std)


@settings(max_examples=200)
@given(st.data())
def test_interval_scaled_by_statistics(data):
    frac, (lower, upper), x, std = scaled_case(data, 2)
    flip = signs(np.random.default_rng(data.draw(seeds)), 2)
    assert_same(ops.Interval("y", ("x", "s"), lower, upper, flip, frac), x, std)


@pytest.mark.parametrize("t, want", [(ALWAYS, 1), (NEVER, 0)])
@pytest.mark.parametrize("std", [1, 7, 1 << 19])
def test_always_and_never_hold_for_every_accumulator(t, want, std):
    """Also where t * std / 2**frac, taken as a number, would lie within the accumulators."""
    x = np.array([[[-(2**31), -(2**25), 0, 2**25, 2**31 - 2**16]]], np.int32)
    stats = np.array([[5, std]], np.int32)
    got = assert_same(ops.Threshold("y", ("x", "s"), int16([t]), 15), x, stats)
    assert (got == want).all()


def test_a_bound_beyond_int32_is_not_wrapped():
    """32766 * (2**19) is 2**34: as 32 bits it would be a small negative number."""
    x = np.array([[[-(2**25), 2**25]] * 2], np.int32)
    got = assert_same(ops.Threshold("y", ("x", "s"), int16([32766, -32767]), 0), x, np.array([[0, 1 << 19]], np.int32))
    assert got.tolist() == [[[0, 0], [1, 1]]]


@given(st.data())
def test_interval_without_statistics(data):
    x = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=12, max_size=12)), np.int16).reshape(2, 2, 3)
    lower, upper = (int16(data.draw(st.lists(st.integers(-10, 10), min_size=2, max_size=2))) for _ in range(2))
    flip = signs(np.random.default_rng(data.draw(seeds)), 2)
    assert_same(ops.Interval("y", ("x",), lower, upper, flip), x)


@given(st.data())
def test_pools(data):
    kernel, stride = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 4))
    x = raw(data.draw, 2, data.draw(st.integers(kernel, 24)))
    assert_same(ops.MaxPool("y", ("x",), kernel, stride), x)
    got = assert_same(ops.OrPool("y", ("x",), kernel, stride), (x & 1).astype(np.uint8))
    assert got.dtype == np.uint8


@given(seeds)
def test_bit_by_bit_ops(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, (2, 2, 3, 5), dtype=np.uint8)
    assert assert_same(ops.AndNot("y", ("a", "b")), a, b).dtype == np.uint8
    assert assert_same(ops.Flip("y", ("a",), signs(rng, 3)), a).dtype == np.uint8


int32_ends = st.sampled_from([-(2**31), 2**31 - 1])


@given(st.data())
def test_prelu_sum(data):
    n, length = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    x = raw(data.draw, 2, n * length).reshape(2, n, length) // 16
    rise, fall = (int16(data.draw(st.lists(st.integers(-9999, 9999), min_size=n, max_size=n))) for _ in range(2))
    bias = np.array(data.draw(st.lists(st.integers(-(2**30), 2**30), min_size=n, max_size=n)), np.int32)
    got = assert_same(ops.PReluSum("y", ("x",), rise, fall, bias, 8), x)
    assert got.dtype == np.int32


def test_prelu_sum_whose_products_pass_int32_while_the_sum_does_not():
    x = np.full((1, 1, 4), 32767, np.int16)
    node = ops.PReluSum("y", ("x",), int16([20000]), int16([1]), np.array([-(2**31)], np.int32), 0)
    assert assert_same(node, x).tolist() == [[4 * 32767 * 20000 - 2**31]]
