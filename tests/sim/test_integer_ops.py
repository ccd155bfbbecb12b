"""The ops on integers against the plain loops, and the ranges and rules that they state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn.errors import GraphError
from bnn.graph import integer_ops as ops
from bnn.graph.types import TensorType
from bnn.sim import simulate  # noqa: F401  registers the ops
from bnn.sim.ops import evaluate
from tests import plain
from tests.graphs import signs
from tests.staged import exponentials

KINDS = {"int8": np.int8, "int16": np.int16, "int32": np.int32}
rngs = st.integers(0, 2**32).map(np.random.default_rng)


def drawn(rng, kind: str, *shape: int) -> np.ndarray:
    """Values of a kind, both ends often among them."""
    ends = np.iinfo(KINDS[kind])
    values = rng.integers(ends.min, ends.max, shape, endpoint=True)
    return np.where(rng.random(shape) < 0.2, rng.choice([ends.min, ends.max], shape), values).astype(KINDS[kind])


def checked(node, *batches: np.ndarray) -> np.ndarray:
    """The simulator's output, equal to the plain loop's and of the type, shape and range that the node states."""
    types = []
    for batch in batches:
        bit = batch.dtype == np.uint8
        low, high = (0, 1) if bit else (np.iinfo(batch.dtype).min, np.iinfo(batch.dtype).max)
        types.append(TensorType("bit" if bit else str(batch.dtype), batch.shape[1:], low, high))
    stated = node.infer(*types)
    got = evaluate(node, *batches)
    for i in range(len(got)):
        want = plain.RULES[type(node)](node, *(batch[i].tolist() for batch in batches))
        np.testing.assert_array_equal(got[i], want)
    assert got.shape[1:] == stated.shape
    assert stated.lo <= got.min() and got.max() <= stated.hi
    return got


@given(rngs, st.sampled_from(["int8", "int16"]), st.integers(1, 6), st.integers(1, 4))
def test_sign_conv(rng, kind, kernel, n_in):
    pad, stride = rng.integers(0, kernel), rng.integers(1, 4)
    x = drawn(rng, kind, 2, n_in, kernel + rng.integers(0, 9))
    checked(ops.SignConv("y", ("x",), signs(rng, 3, n_in, kernel), int(stride), int(pad)), x)


@given(rngs, st.integers(1, 6), st.integers(1, 4))
def test_int_conv(rng, kernel, n_in):
    pad, stride = rng.integers(0, kernel), rng.integers(1, 4)
    x = drawn(rng, "int8", 2, n_in, kernel + rng.integers(0, 9))
    checked(ops.IntConv("y", ("x",), drawn(rng, "int8", 3, n_in, kernel), int(stride), int(pad)), x)


@pytest.mark.parametrize("op", [ops.SignConv, ops.IntConv])
def test_the_range_of_a_convolution_is_reached(op):
    w = np.array([[[1, -1, 1]]], np.int8)
    x = np.array([[[127, -128, 127]], [[-128, 127, -128]]], np.int8)
    stated = op("y", ("x",), w, 1, 0).infer(TensorType("int8", (1, 3), -128, 127))
    got = checked(op("y", ("x",), w, 1, 0), x)
    assert (got.max(), got.min()) == (stated.hi, stated.lo) == (382, -383)


@given(rngs, st.sampled_from(["int8", "int16", "int32"]), st.integers(0, 31))
def test_scale(rng, kind, shift):
    lo, hi = sorted(rng.choice(np.arange(-128, 128), 2, replace=False).tolist())
    node = ops.Scale("y", ("x",), drawn(rng, "int16", 3), drawn(rng, "int32", 3), shift, lo, hi)
    checked(node, drawn(rng, kind, 2, 3, 5))


def test_scale_rounds_halves_up_on_both_sides_of_zero():
    node = ops.Scale("y", ("x",), np.array([1], "i2"), np.array([0], "i4"), 1, -128, 127)
    assert checked(node, np.array([[[-3, -2, -1, 0, 1, 2, 3]]], "i1")).tolist() == [[[-1, -1, 0, 0, 1, 1, 2]]]


def test_table_over_all_values():
    rng = np.random.default_rng(0)
    checked(ops.Table("y", ("x",), drawn(rng, "int8", 256)), np.arange(-128, 128).astype(np.int8)[None, None])


@given(rngs, st.integers(0, 15), st.sampled_from([(3, 4), (3, 1), (1, 4), (1, 1)]))
def test_multiply(rng, shift, shape):
    checked(ops.Multiply("y", ("x", "g"), shift), drawn(rng, "int8", 2, 3, 4), drawn(rng, "int8", 2, *shape))


@given(rngs, st.sampled_from(["int8", "int16"]), st.integers(0, 15), st.integers(0, 15))
def test_add(rng, kind, left_a, left_b):
    a, b = drawn(rng, kind, 2, 3, 4), drawn(rng, "int8", 2, 3, 4)
    checked(ops.Add("y", ("a", "b"), left_a, left_b), a, b)


@given(rngs, st.sampled_from([0, 1]))
def test_maxima_sums_joins_and_other_shapes(rng, axis):
    x = drawn(rng, "int8", 2, 6, 4)
    checked(ops.GlobalMax("y", ("x",), axis), x)
    checked(ops.GlobalSum("y", ("x",), axis), x)
    checked(ops.GlobalSum("y", ("x",), axis), drawn(rng, "int16", 2, 6, 4))
    checked(ops.Concat("y", ("x", "x", "x"), axis), x, x[:, ::-1], x)
    bits = rng.integers(0, 2, (2, 6, 4), dtype=np.uint8)
    checked(ops.Concat("y", ("x", "x"), axis), bits, 1 - bits)
    checked(ops.Reshape("y", ("x",), int(rng.choice([1, 2, 3, 4, 6, 8, 12, 24]))), x)


@given(rngs, st.sampled_from([1, 2, 3]), st.integers(1, 9), st.integers(0, 12))
def test_attention(rng, heads, tokens, shift):
    node = ops.Attention("y", ("q", "k", "v"), exponentials(), heads, int(rng.integers(1, 200)), shift)
    checked(node, *(drawn(rng, "int8", 2, 6, tokens) for _ in range(3)))


def test_attention_is_softmax_attention():
    """Against the formula in real numbers: q, k, v in units of 1/32, the table's step 1/32, 16 channels a head."""
    rng = np.random.default_rng(3)
    q, k, v = (np.clip(rng.normal(scale=32, size=(4, 32, 8)), -128, 127).astype(np.int8) for _ in range(3))
    got = evaluate(ops.Attention("y", ("q", "k", "v"), exponentials(), 2, 1, 7), q, k, v)
    qs, ks, vs = (x.reshape(4, 2, 16, 8) / 32 for x in (q, k, v))
    p = np.exp(np.einsum("nhci,nhcj->nhij", qs, ks) / 4)
    want = np.einsum("nhij,nhcj->nhci", p / p.sum(axis=3, keepdims=True), vs).reshape(4, 32, 8)
    assert np.abs(got / 32 - want).max() < 0.06  # the table's steps are of 3 per cent


@given(rngs, st.sampled_from(["int8", "int16"]), st.integers(1, 12), st.integers(0, 31))
def test_layer_norm(rng, kind, channels, shift):
    b = rng.integers(-(2**30), 2**30, channels).astype(np.int32)
    x = drawn(rng, kind, 2, channels, 4)
    x[:, :, 0] = x[:, :1, 0]  # all equal: no deviation at all
    checked(ops.LayerNorm("y", ("x",), drawn(rng, "int16", channels), b, shift), x)


def test_layer_norm_is_layer_norm():
    rng = np.random.default_rng(4)
    x = rng.integers(-600, 600, (3, 96, 5)).astype(np.int16)
    got = evaluate(ops.LayerNorm("y", ("x",), np.full(96, 32, "i2"), np.zeros(96, "i4"), 10), x)
    want = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    assert np.abs(got / 32 - want).max() <= 0.5 / 32 + 2e-3


INT8 = TensorType("int8", (4, 6), -128, 127)


@pytest.mark.parametrize(
    "node, types, words",
    [
        (ops.SignConv("y", ("x",), np.full((1, 4, 2), 3, "i1"), 1, 0), [INT8], r"weight\[0, 0, 0\] is 3"),
        (ops.SignConv("y", ("x",), np.ones((1, 3, 2), "i1"), 1, 0), [INT8], "for 3 channels, but the input has 4"),
        (ops.IntConv("y", ("x",), np.ones((1, 4, 9), "i1"), 1, 0), [INT8], "kernel 9, stride 1, pad 0 do not fit"),
        (ops.Scale("y", ("x",), np.ones(4, "i2"), np.ones(3, "i4"), 0, 0, 9), [INT8], "3 factors or offsets for 4"),
        (ops.Scale("y", ("x",), np.ones(4, "i2"), np.ones(4, "i4"), 32, 0, 9), [INT8], "shift is 32, wanted 0 to 31"),
        (ops.Scale("y", ("x",), np.ones(4, "i2"), np.ones(4, "i4"), 0, 9, 9), [INT8], "between 9 and 9"),
        (ops.Table("y", ("x",), np.ones(255, "i1")), [INT8], "255 entries, wanted 256"),
        (ops.Multiply("y", ("x", "g"), 0), [INT8, TensorType("int8", (2, 6), 0, 1)], "does not fit x of"),
        (ops.Add("y", ("a", "b"), 16, 0), [INT8, INT8], "shifts are 16 and 0, wanted 0 to 15"),
        (ops.GlobalMax("y", ("x",), 2), [INT8], "axis is 2, wanted 0, over channels, or 1"),
        (ops.Concat("y", ("x",), 0), [INT8], "joins two tensors or more, got x"),
        (ops.Concat("y", ("a", "b"), 1), [INT8, TensorType("int8", (5, 6), 0, 1)], "must agree on axis 0"),
        (ops.Reshape("y", ("x",), 5), [INT8], "24 values, which 5 channels do not divide"),
        (ops.Attention("y", ("q", "k", "v"), exponentials(), 3, 1, 0), [INT8] * 3, "whose channels the heads divide"),
        (ops.Attention("y", ("q", "k", "v"), exponentials()[1:], 2, 1, 0), [INT8] * 3, "that fall from 16384"),
        (ops.LayerNorm("y", ("x",), np.ones(4, "i2"), np.full(4, 2**30 + 1, "i4"), 0), [INT8], "at most 2\\*\\*30"),
    ],
)
def test_rules(node, types, words):
    with pytest.raises(GraphError, match=words):
        node.infer(*types)
