"""Writing over the input: with the lead that the planner keeps, a kernel gives what it gives in memory of its own."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.graph import integer_ops, ops
from bnn.graph.types import TensorType, bits
from bnn.sim.ops import evaluate
from codegen.layout import Tensor
from codegen.overlap import IN_PLACE, leads
from codegen.steps import Step
from tests.runtime import kernels
from tests.runtime import test_integers as integers
from tests.runtime.conftest import builds
from tests.runtime.kernels import Buffer, Runtime, descriptor, map_of, stored
from tests.runtime.test_kernels import (
    bit_tensor,
    conv_layer,
    conv_scratch,
    counts,
    draw_conv,
    generators,
    int_tensor,
    random_bits,
)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory) -> Runtime:
    return Runtime(kernels.build(builds()[0], tmp_path_factory.mktemp("runtime") / "runtime.so"))


@dataclass
class Case:
    """A call and the value that it must give."""

    step: Step
    layer: object
    x: object
    value: np.ndarray
    y: object
    want: np.ndarray
    scratch: int = 0


def draw_case(data, rng, kernel: str) -> Case:
    if kernel.startswith("conv"):
        node, value, x = draw_conv(data, rng)
        acc = evaluate(node, value[None])[0]
        if kernel == "conv_sum":
            y = int_tensor("int16", *acc.shape)
            return Case(Step(kernel, (node,), ("x",)), conv_layer(node, x, y), x, value, y, acc, conv_scratch(node))
        t = np.array([rng.choice(row) for row in acc], np.int16)
        y, want = bit_tensor(data.draw, *acc.shape), acc >= t[:, None]
        nodes = (node, ops.Threshold("y", ("acc",), t))
        return Case(Step(kernel, nodes, ("x",)), conv_layer(node, x, y, t), x, value, y, want, conv_scratch(node))
    channels, length = data.draw(counts), data.draw(st.integers(1, 40))
    size, stride = data.draw(st.integers(1, min(7, length))), data.draw(st.integers(1, 3))
    node = (ops.OrPool if kernel == "or_pool" else ops.MaxPool)("y", ("x",), size, stride)
    if kernel == "or_pool":
        x, value = bit_tensor(data.draw, channels, length), random_bits(rng, channels, length)
    else:
        x = int_tensor(kernel.replace("max_pool", "int"), channels, length)
        value = rng.integers(-300, 300, (channels, length))
    want = evaluate(node, value[None])[0]
    y = bit_tensor(data.draw, *want.shape) if kernel == "or_pool" else int_tensor(x.type.kind, *want.shape)
    layer = descriptor(kernels.Pool, x=map_of(x), y=map_of(y), kernel=size, stride=stride)
    return Case(Step(kernel, (node,), ("x",)), layer, x, value, y, want)


@pytest.mark.parametrize("kernel", ["conv_threshold", "conv_sum", "or_pool", "max_pool16", "max_pool32"])
@settings(max_examples=150)
@given(data=st.data(), rng=generators)
def test_overlapped_output_is_the_same(runtime, kernel, data, rng):
    case = draw_case(data, rng, kernel)
    lead = leads((case.step,), {"x": case.x, case.step.output: case.y})[case.step.output, "x"]
    arena = Buffer(max(lead + case.x.words, case.y.words))
    arena.words[lead : lead + case.x.words] = stored(case.x, case.value)
    x, y = arena.words[lead:], arena.words
    scratch = [Buffer(case.scratch)] if case.scratch else []
    runtime.call(f"bnn_{kernel}", case.layer, x, y, *scratch)
    np.testing.assert_array_equal(arena.close()[: case.y.words], stored(case.y, case.want))


def test_a_lead_can_be_too_short(runtime):
    """The rule is not idle: from one word nearer, this widening convolution overwrites what it has yet to read."""
    rng = np.random.default_rng(0)
    x, y = Tensor("x", bits(8, 40)), Tensor("y", bits(32, 40))
    node = ops.BinaryConv(
        "acc", ("x",), (2 * rng.integers(0, 2, (32, 8, 1)) - 1).astype(np.int8), np.ones(8, np.int8), 1, 0
    )
    step = Step("conv_threshold", (node, ops.Threshold("y", ("acc",), np.zeros(32, np.int16))), ("x",))
    lead = leads((step,), {"x": x, "y": y})["y", "x"]
    assert lead == 39 - 39 * 8 // 32
    value = rng.integers(0, 2, (8, 40))
    want = stored(y, evaluate(node, value[None])[0] >= 0)
    for short in (0, 1):
        arena = Buffer(max(lead + x.words, y.words))
        arena.words[lead - short : lead - short + x.words] = stored(x, value)
        layer = conv_layer(node, x, y, np.zeros(32, np.int16))
        runtime.call("bnn_conv_threshold", layer, arena.words[lead - short :], arena.words, Buffer(conv_scratch(node)))
        assert np.array_equal(arena.close()[: y.words], want) == (not short)


def in_place(data, rng, kernel: str):
    """(step, layer, other arguments, x, its value, y, what y must be, words of scratch) of a kernel on integers."""
    channels, length = data.draw(counts), data.draw(st.integers(1, 20))
    form = data.draw(st.sampled_from(["int8", "int16"])) if kernel in ("scale_map", "norm_rows") else "int8"
    x, value = integers.drawn(rng, form, channels, length)
    fields, others, scratch = {"x": map_of(x)}, [], None
    if kernel == "max_pool8":
        node = ops.MaxPool("y", ("x",), data.draw(st.integers(1, min(length, 5))), data.draw(st.integers(1, 4)))
        kind, fields = kernels.Pool, fields | {"kernel": node.kernel, "stride": node.stride}
    elif kernel == "look_up":
        node = integer_ops.Table("y", ("x",), rng.integers(-128, 128, 256).astype(np.int8))
        kind, fields = integers.Table, fields | {"values": node.values}
    elif kernel == "multiply_maps":
        gate, g = integers.drawn(rng, "int8", channels, 1)
        node, others = integer_ops.Multiply("y", ("x", "g"), 7), [integers.given_as("int8", gate, g)]
        want, kind, fields = integers.one(node, value, g), integers.Multiply, fields | {"g": map_of(gate), "shift": 7}
    elif kernel == "norm_rows":
        x, value = integers.drawn(rng, form, min(channels, 255), length)
        m, b = rng.integers(-99, 100, x.channels), rng.integers(-999, 1000, x.channels)
        node, scratch = integer_ops.LayerNorm("y", ("x",), m.astype(np.int16), b.astype(np.int32), 9), x.channels
        kind, fields = integers.LayerNorm, {"x": map_of(x), "m": node.m, "b": node.b, "shift": 9}
    else:
        node, scratch = integers.factors_of(rng, x.type), channels
        kind = integers.Scale
    if kernel != "multiply_maps":
        want = integers.one(node, value)
    y = Tensor("y", TensorType("int8", want.shape, -128, 127))
    formats = {"x_format": integers.FORMATS[form]} if kernel in ("scale_map", "norm_rows") else {}
    layer = descriptor(kind, **fields, **formats, y=map_of(y))
    if kernel == "scale_map":
        layer.kept = layer.factors = integers.described(node, x.type)
    inputs = ("x", "g") if others else ("x",)
    return Step(kernel, (replace(node, name="y"),), inputs), layer, others, x, value, y, want, scratch


@settings(max_examples=60)
@given(st.data(), generators, st.sampled_from(IN_PLACE))
def test_values_are_written_over_the_values_they_come_from(runtime, data, rng, kernel):
    step, layer, others, x, value, y, want, scratch = in_place(data, rng, kernel)
    assert leads((step,), {"x": x, "y": y})["y", "x"] == 0
    words = stored(x, value)
    both = Buffer(max(len(words), y.words))
    both.words[: len(words)] = words
    rest = [] if scratch is None else [Buffer(scratch)]
    runtime.call(f"bnn_{kernel}", layer, both, *others, both, *rest)
    size = y.channels * y.length
    np.testing.assert_array_equal(both.close().view(np.uint8)[:size], stored(y, want).view(np.uint8)[:size])
