"""Every kernel of bnn_integers.h equals the simulator's function, whatever the sizes, and writes nowhere else."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.graph import integer_ops, ops
from bnn.graph.types import TensorType, bits
from codegen.c.integers import weights_of, wide
from codegen.layout import Tensor
from codegen.signs import POSITIONS, blocks_of
from tests.graphs import EDGES, int16, signs
from tests.runtime.kernels import Buffer, Pool, Threshold, descriptor, map_of, pointer, stored, u8, u16
from tests.runtime.test_kernels import bit_tensor, generators, int_tensor, one, random_bits

SAMPLES = "samples"
FORMATS = {SAMPLES: 0, "int8": 1, "int16": 2, "int32": 3}
sizes = st.one_of(st.integers(1, 12), st.sampled_from(EDGES))
lengths = st.integers(1, 20)
i8 = ctypes.c_int8


def struct(name: str, **fields) -> type[ctypes.Structure]:
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


Factors = struct("Factors", m=pointer, b=pointer, shift=u8, wide=u8, lo=i8, hi=i8)
WALK = {"kernel": u16, "stride": u16, "pad": u16}
SIGN_WALK = WALK | {"block": u16, "sums": u16, "shared": u8}
CONV = {"x": pointer, "y": pointer, "weights": pointer, "scale": pointer}
SignConv = struct("SignConv", **CONV, **SIGN_WALK, x_format=u8, y_format=u8)
IntConv = struct("IntConv", **CONV, **WALK, x_format=u8, y_format=u8)
Scale = struct("Scale", x=pointer, y=pointer, factors=Factors, x_format=u8)
Table = struct("Table", x=pointer, y=pointer, values=pointer)
Multiply = struct("Multiply", x=pointer, g=pointer, y=pointer, shift=u8)
FORMS = {"a_format": u8, "b_format": u8, "y_format": u8}
Add = struct("Add", a=pointer, b=pointer, y=pointer, left_a=u8, left_b=u8, **FORMS)
Global = struct("Global", x=pointer, y=pointer, axis=u8, x_format=u8, y_format=u8)
Concat = struct("Concat", x=pointer, y=pointer, parts=u16, axis=u16)
Attention = struct("Attention", x=pointer, y=pointer, exp=pointer, entries=u16, heads=u16, m=u16, shift=u8)
LayerNorm = struct("LayerNorm", x=pointer, y=pointer, m=pointer, b=pointer, shift=u8, x_format=u8)


def drawn(rng, form: str, channels: int, length: int) -> tuple[Tensor, np.ndarray]:
    """A map whose values are small or go to the ends of their type."""
    tensor = int_tensor("int16" if form == SAMPLES else form, channels, length)
    top = tensor.type.hi
    scale = rng.choice([3, top // 3, top])
    x = rng.integers(-scale, scale + 1, (channels, length))
    x[rng.random(x.shape) < 0.05] = -top - 1
    return tensor, x.astype(tensor.type.kind)


def given_as(form: str, tensor: Tensor, x: np.ndarray):
    """The argument of a kernel: a caller's array of samples, or words of the arena."""
    if form == SAMPLES:
        return np.ascontiguousarray(x.T)
    words = stored(tensor, x)
    return Buffer(len(words), words)


def assert_gives(runtime, kernel: str, layer, inputs, want: np.ndarray, y: Tensor, scratch: int | None = None) -> None:
    """Call a kernel and compare every byte of y that belongs to the map; guards of all buffers are checked."""
    out = Buffer(y.words)
    rest = [] if scratch is None else [Buffer(scratch)]
    runtime.call(f"bnn_{kernel}", layer, *inputs, out, *rest)
    wanted = stored(y, want)
    size = y.channels * y.length if y.type.kind == "int8" else 4 * len(wanted)
    np.testing.assert_array_equal(out.close().view(np.uint8)[:size], wanted.view(np.uint8)[:size])
    for buffer in (*(item for item in inputs if isinstance(item, Buffer)), *rest):
        buffer.close()


def factors_of(rng, x: TensorType) -> integer_ops.Scale:
    shift = int(rng.integers(0, 32))
    m = rng.integers(-32768, 32768, x.shape[0]) >> rng.integers(0, 15)
    b = rng.integers(-(2**31), 2**31, x.shape[0]) >> rng.integers(0, 31)
    lo = int(rng.choice([-128, 0, -5]))
    return integer_ops.Scale("scale", ("acc",), int16(m), b.astype(np.int32), shift, lo, 127)


def described(scale: integer_ops.Scale, x: TensorType):
    return descriptor(
        Factors, m=scale.m, b=scale.b, shift=scale.shift, wide=int(wide(scale, x)), lo=scale.lo, hi=scale.hi
    )


def conv_case(runtime, data, rng, sign: bool) -> None:
    form = data.draw(st.sampled_from([SAMPLES, "int8", "int16"] if sign else ["int8"]))
    n_in, n_out, kernel = data.draw(st.integers(1, 9)), data.draw(sizes), data.draw(st.integers(1, 40))
    stride, pad = data.draw(st.integers(1, 9)), data.draw(st.integers(0, kernel - 1))
    length = data.draw(st.integers(max(1, kernel - 2 * pad), 60 + kernel))
    tensor, x = drawn(rng, form, n_in, length)
    w = signs(rng, n_out, n_in, kernel) if sign else rng.integers(-128, 128, (n_out, n_in, kernel)).astype(np.int8)
    node = (integer_ops.SignConv if sign else integer_ops.IntConv)("acc", ("x",), w, stride, pad)
    kind, want = node.infer(tensor.type), one(node, x)
    scale = factors_of(rng, kind) if data.draw(st.booleans()) else None
    if scale:
        want, kind = one(scale, want), scale.infer(kind)
    y = Tensor("y", kind)
    fields = {"x": map_of(tensor), "y": map_of(y), "weights": weights_of(node), "kernel": kernel, "stride": stride}
    fields |= {"pad": pad, "x_format": FORMATS[form], "y_format": FORMATS[kind.kind]}
    fields |= {"scale": described(scale, node.infer(tensor.type))} if scale else {}
    if not sign:
        layer, scratch = descriptor(IntConv, **fields), w[0].size + n_out
    else:
        cut = blocks_of(node)
        layer = descriptor(SignConv, **fields, block=cut.block, sums=cut.sums, shared=int(cut.shared))
        scratch = cut.sums + (POSITIONS + 1) * n_out
    name = "sign_convolve" if sign else "int_convolve"
    assert_gives(runtime, name, layer, [given_as(form, tensor, x)], want, y, scratch)


@settings(max_examples=60)
@given(st.data(), generators)
def test_sign_conv(runtime, data, rng):
    conv_case(runtime, data, rng, True)


@pytest.mark.parametrize("n_in, kernel, stride, shared", [(2, 64, 8, True), (4, 130, 3, True), (96, 1, 1, False)])
def test_sign_conv_of_more_than_a_block(runtime, n_in, kernel, stride, shared):
    """Taps in one block or several, of windows that share their tables or not; every sum from its largest terms."""
    rng = np.random.default_rng(3)
    w = signs(rng, 33, n_in, kernel)
    node = integer_ops.SignConv("acc", ("x",), w, stride, kernel // 2)
    cut = blocks_of(node)
    assert cut.shared == shared and (cut.block < n_in * kernel or kernel == 64)
    tensor = int_tensor("int16", n_in, 150)
    x = np.where(rng.random((n_in, 150)) < 0.5, -32768, 32767).astype(np.int16)
    y = Tensor("y", node.infer(tensor.type))
    fields = {"x": map_of(tensor), "y": map_of(y), "weights": weights_of(node), "kernel": kernel, "stride": stride}
    fields |= {"block": cut.block, "sums": cut.sums, "shared": int(shared), "pad": kernel // 2, "y_format": 3}
    layer = descriptor(SignConv, **fields)
    assert_gives(runtime, "sign_convolve", layer, [given_as(SAMPLES, tensor, x)], one(node, x), y, cut.sums + 5 * 33)


@given(st.data(), generators)
def test_int_conv(runtime, data, rng):
    conv_case(runtime, data, rng, False)


@given(st.sampled_from(["int8", "int16", "int32", SAMPLES]), sizes, lengths, generators)
def test_scale(runtime, form, channels, length, rng):
    tensor, x = drawn(rng, form, channels, length)
    node = factors_of(rng, tensor.type)
    y = Tensor("y", node.infer(tensor.type))
    factors = described(node, tensor.type)
    layer = descriptor(Scale, x=map_of(tensor), y=map_of(y), x_format=FORMATS[form])
    layer.factors = factors
    layer.kept = factors
    assert_gives(runtime, "scale_map", layer, [given_as(form, tensor, x)], one(node, x), y, channels)


@given(sizes, lengths, generators)
def test_table(runtime, channels, length, rng):
    tensor, x = drawn(rng, "int8", channels, length)
    node = integer_ops.Table("y", ("x",), rng.integers(-128, 128, 256).astype(np.int8))
    layer = descriptor(Table, x=map_of(tensor), y=map_of(tensor), values=node.values)
    assert_gives(runtime, "look_up", layer, [given_as("int8", tensor, x)], one(node, x), tensor)


@given(sizes, lengths, st.booleans(), st.booleans(), st.integers(0, 15), generators)
def test_multiply(runtime, channels, length, of_channels, of_steps, shift, rng):
    tensor, x = drawn(rng, "int8", channels, length)
    gate, g = drawn(rng, "int8", channels if of_channels else 1, length if of_steps else 1)
    node = integer_ops.Multiply("y", ("x", "g"), shift)
    layer = descriptor(Multiply, x=map_of(tensor), g=map_of(gate), y=map_of(tensor), shift=shift)
    arguments = [given_as("int8", tensor, x), given_as("int8", gate, g)]
    assert_gives(runtime, "multiply_maps", layer, arguments, one(node, x, g), tensor)


@given(st.data(), sizes, lengths, generators)
def test_add(runtime, data, channels, length, rng):
    forms = [data.draw(st.sampled_from(["int8", "int16", SAMPLES])) for _ in range(2)]
    (a_type, a), (b_type, b) = (drawn(rng, form, channels, length) for form in forms)
    left_a, left_b = (data.draw(st.integers(0, 13)) for _ in range(2))
    node = integer_ops.Add("y", ("a", "b"), left_a, left_b)
    y = Tensor("y", node.infer(a_type.type, b_type.type))
    formats = {"a_format": FORMATS[forms[0]], "b_format": FORMATS[forms[1]], "y_format": FORMATS[y.type.kind]}
    maps = {"a": map_of(a_type), "b": map_of(b_type), "y": map_of(y)}
    layer = descriptor(Add, **maps, **formats, left_a=left_a, left_b=left_b)
    arguments = [given_as(forms[0], a_type, a), given_as(forms[1], b_type, b)]
    assert_gives(runtime, "add_maps", layer, arguments, one(node, a, b), y, 2 * channels)


@given(st.sampled_from(["max", "sum"]), st.sampled_from(["int8", "int16", SAMPLES]), st.data(), generators)
def test_global(runtime, kind, form, data, rng):
    form = "int8" if kind == "max" else form
    channels, length, axis = data.draw(sizes), data.draw(lengths), data.draw(st.integers(0, 1))
    tensor, x = drawn(rng, form, channels, length)
    node = (integer_ops.GlobalMax if kind == "max" else integer_ops.GlobalSum)("y", ("x",), axis)
    y = Tensor("y", node.infer(tensor.type))
    formats = {"x_format": FORMATS[form], "y_format": FORMATS[y.type.kind]}
    layer = descriptor(Global, x=map_of(tensor), y=map_of(y), axis=axis, **formats)
    assert_gives(runtime, f"global_{kind}", layer, [given_as(form, tensor, x)], one(node, x), y, 2 * channels)


@given(st.sampled_from(["int8", "bits"]), st.integers(0, 1), st.integers(1, 4), st.data(), generators)
def test_concat(runtime, kind, axis, parts, data, rng):
    """Of one part, too: a copy."""
    common = data.draw(sizes)
    shapes = [(common, data.draw(sizes)) if axis else (data.draw(sizes), common) for _ in range(parts)]
    if kind == "bits":
        tensors = [bit_tensor(data.draw, *shape) for shape in shapes]
        values = [random_bits(rng, *shape) for shape in shapes]
    else:
        tensors, values = zip(*(drawn(rng, "int8", *shape) for shape in shapes), strict=True)
    want = np.concatenate(values, axis=axis)
    y = bit_tensor(data.draw, *want.shape) if kind == "bits" else int_tensor("int8", *want.shape)
    maps = [map_of(tensor) for tensor in tensors]
    pointers = (pointer * parts)(*(ctypes.addressof(item) for item in maps))
    layer = descriptor(Concat, x=pointers, y=map_of(y), parts=parts, axis=axis)
    buffers = [given_as(kind, tensor, x) for tensor, x in zip(tensors, values, strict=True)]
    places = np.array([buffer.address for buffer in buffers], np.uint64)
    assert_gives(runtime, f"concat_{kind}", layer, [places], want, y)
    for buffer in buffers:
        buffer.close()


@given(sizes, lengths, st.data(), generators)
def test_reshape_of_bits_with_margins(runtime, channels, length, data, rng):
    x, value = bit_tensor(data.draw, channels, length), random_bits(rng, channels, length)
    wanted = data.draw(st.sampled_from([n for n in range(1, channels * length + 1) if channels * length % n == 0]))
    want = one(integer_ops.Reshape("y", ("x",), wanted), value)
    y, item = bit_tensor(data.draw, *want.shape), map_of(x)
    layer = descriptor(Concat, x=(pointer * 1)(ctypes.addressof(item)), y=map_of(y), parts=1, axis=1)
    buffer = given_as("bit", x, value)
    assert_gives(runtime, "concat_bits", layer, [np.array([buffer.address], np.uint64)], want, y)
    buffer.close()


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 12), st.data(), generators)
def test_attention(runtime, heads, of_head, n, data, rng):
    d = heads * of_head
    tensor = int_tensor("int8", d, n)
    values = [drawn(rng, "int8", d, n)[1] for _ in range(3)]
    entries = data.draw(st.integers(1, 300))
    exp = np.sort(rng.integers(0, integer_ops.EXP_ONE + 1, entries))[::-1].astype(np.int16)
    exp[0] = integer_ops.EXP_ONE
    m, shift = data.draw(st.integers(1, 32767)), data.draw(st.integers(0, 31))
    node = integer_ops.Attention("y", ("q", "k", "v"), exp, heads, m, shift)
    assert node.infer(tensor.type, tensor.type, tensor.type)
    fields = {"exp": exp, "entries": entries, "heads": heads, "m": m, "shift": shift}
    layer = descriptor(Attention, x=map_of(tensor), y=map_of(tensor), **fields)
    arguments = [given_as("int8", tensor, x) for x in values]
    assert_gives(runtime, "attend", layer, arguments, one(node, *values), tensor, n)


def test_attention_of_the_most_tokens_and_the_largest_values(runtime):
    """All weights 2**14, all values at an end: the largest sums there are."""
    tensor = int_tensor("int8", 2, integer_ops.MAX_TOKENS)
    x = np.full((2, integer_ops.MAX_TOKENS), -128, np.int8)
    x[1] = 127
    node = integer_ops.Attention("y", ("q", "k", "v"), int16([integer_ops.EXP_ONE]), 1, 32767, 0)
    layer = descriptor(Attention, x=map_of(tensor), y=map_of(tensor), exp=node.exp, entries=1, heads=1, m=32767)
    arguments = [given_as("int8", tensor, x) for _ in range(3)]
    assert_gives(runtime, "attend", layer, arguments, one(node, x, x, x), tensor, integer_ops.MAX_TOKENS)


@given(st.sampled_from(["int8", "int16", SAMPLES]), st.integers(1, 255), st.integers(1, 4), st.data(), generators)
def test_layer_norm(runtime, form, channels, length, data, rng):
    tensor, x = drawn(rng, form, channels, length)
    x[:, rng.random(length) < 0.2] = 7  # no deviation at all
    shift = data.draw(st.integers(0, 31))
    m = rng.integers(-32768, 32768, channels) >> rng.integers(0, 15)
    b = rng.integers(-(1 << 30), 1 << 30, channels) >> rng.integers(0, 30)
    node = integer_ops.LayerNorm("y", ("x",), int16(m), b.astype(np.int32), shift)
    y = Tensor("y", node.infer(tensor.type))
    fields = {"m": node.m, "b": node.b, "shift": shift, "x_format": FORMATS[form]}
    layer = descriptor(LayerNorm, x=map_of(tensor), y=map_of(y), **fields)
    assert_gives(runtime, "norm_rows", layer, [given_as(form, tensor, x)], one(node, x), y, channels)


@pytest.mark.parametrize("form", ["int8", "int16"])
@pytest.mark.parametrize("channels", [1, 2, 254, 255])
def test_layer_norm_of_the_largest_deviations(runtime, form, channels):
    tensor = int_tensor(form, channels, 2)
    x = np.full((channels, 2), tensor.type.lo, form)
    x[: channels // 2, 0] = tensor.type.hi
    x[0, 1] = tensor.type.hi
    node = integer_ops.LayerNorm("y", ("x",), int16([32767] * channels), np.full(channels, 1 << 30, np.int32), 24)
    fields = {"m": node.m, "b": node.b, "shift": 24, "x_format": FORMATS[form]}
    y = Tensor("y", node.infer(tensor.type))
    layer = descriptor(LayerNorm, x=map_of(tensor), y=map_of(y), **fields)
    assert_gives(runtime, "norm_rows", layer, [given_as(form, tensor, x)], one(node, x), y, channels)


@given(sizes, st.data(), generators)
def test_max_pool8(runtime, channels, data, rng):
    kernel, stride = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    tensor, x = drawn(rng, "int8", channels, kernel + data.draw(st.integers(0, 20)))
    node = ops.MaxPool("y", ("x",), kernel, stride)
    y = Tensor("y", node.infer(tensor.type))
    layer = descriptor(Pool, x=map_of(tensor), y=map_of(y), kernel=kernel, stride=stride)
    assert_gives(runtime, "max_pool8", layer, [given_as("int8", tensor, x)], one(node, x), y)


@given(sizes, lengths, st.data(), generators)
def test_threshold8(runtime, channels, length, data, rng):
    tensor, x = drawn(rng, "int8", channels, length)
    t = int16(np.where(rng.random(channels) < 0.8, rng.integers(-128, 128, channels), rng.choice([-32768, 32767, 128])))
    y = bit_tensor(data.draw, channels, length)
    layer = descriptor(Threshold, x=map_of(tensor), y=map_of(y))
    layer.bounds.t = t.ctypes.data
    want = one(ops.Threshold("y", ("x",), t), x)
    assert bits(*want.shape) == y.type
    assert_gives(runtime, "threshold8", layer, [given_as("int8", tensor, x)], want, y)
