"""Writing over the input: with the lead that the planner keeps, a kernel gives what it gives in memory of its own."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn.graph import ops
from bnn.graph.types import bits
from bnn.sim.ops import evaluate
from codegen.layout import Tensor
from codegen.overlap import leads
from codegen.steps import Step
from tests.runtime import kernels
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
