"""The trained ECG network -> integer graph in the logical dialect."""

from copy import deepcopy
from math import sqrt

import numpy as np
import torch

from bnn.errors import ModelError
from bnn.graph import Graph, Signal, Stage
from bnn.graph.arith import STATS_FRAC, to_fixed
from bnn.graph.node import Node, conv_length
from bnn.graph.ops import BinaryConv, Interval, MaxPool, PReluSum, SignalConv, Slice, WindowStats
from bnn.lower.bounds import Activation, integer_bounds, scaled_bounds
from bnn.models.ecg import Block, EcgConfig, EcgNet

FS, GAIN = 360.0, 200.0
"""Sampling rate and ADC steps per mV of the recordings the network is trained on (MIT-BIH)."""


def lower_ecg(model: EcgNet, name: str, about: dict[str, str] | None = None) -> Graph:
    """EcgNet (binary, trained) -> Graph of WindowStats, SignalConv, BinaryConv, MaxPool, Interval, PReluSum.

    Where the network normalises by the past, the signal holds the past and then the window, and two Slices part them.
    Raises ModelError for a float network, or weights that are not finite.
    """
    _check_model(model)
    model = deepcopy(model).cpu().eval()
    nodes, source = _lower_statistics(model.config)
    for index, block in enumerate(model.blocks, start=1):
        last = index == len(model.blocks)
        nodes += _lower_block(block, f"block{index}", source, _reach(model.config), last)
        source = f"block{index}"
    nodes.append(_lower_sum(model.blocks[-1], source, _pooled_length(model)))
    signal = Signal("ecg", 1, model.config.raw_samples, FS, GAIN)
    stage = Stage("main", (signal.name,), tuple(nodes), "logits")
    return Graph(name, model.config.classes, (signal,), (stage,), about or {})


def _lower_statistics(config: EcgConfig) -> tuple[list[Node], str]:
    """The nodes that say which samples are the window and which give its mean and std; and the window's name."""
    if config.normalisation == "window":
        return [WindowStats("block1.stats", ("ecg",))], "ecg"
    n = config.samples
    parts = Slice("past", ("ecg",), 0, n), Slice("window", ("ecg",), n, n)
    return [*parts, WindowStats("block1.stats", ("past",))], "window"


def _reach(config: EcgConfig) -> float:
    """Standard deviations that no sample lies further from the mean; of n samples, none lies as far as sqrt(n)."""
    if config.normalisation == "window":
        return sqrt(config.samples)
    return 2.0 ** (17 + STATS_FRAC)  # the past may be constant, and its std the least there is


def _pooled_length(model: EcgNet) -> int:
    """Time steps that the sum at the end runs over."""
    length = model.config.samples
    for block in model.blocks:
        length = conv_length(length, block.conv.kernel_size[1], block.conv.stride[1], block.pad.padding[0])
        length = conv_length(length, block.pool.kernel_size[1], block.pool.stride[1], 0)
    return length


def _check_model(model: EcgNet) -> None:
    if not model.config.binary:
        raise ModelError("the float network cannot be lowered: a graph has no real weights; train with binary=True")
    for name, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            raise ModelError(f"{name} holds NaN or infinity, so the training diverged; train again with a lower rate")


def _lower_block(block: Block, name: str, source: str, reach: float, last: bool) -> list[Node]:
    """One block: its convolution, its pool, and, but for the last, the interval of its activation."""
    weight = block.binary_weight().numpy().astype(np.int8)
    stride, pad = block.conv.stride[1], block.pad.padding[0]
    acc, top = f"{name}.acc", weight[0].size
    if block.binary_input:
        conv = BinaryConv(acc, (source,), weight, np.ones(weight.shape[1], np.int8), stride, pad)
    else:
        conv = SignalConv(acc, (source, f"{name}.stats"), weight[:, 0], stride, pad)
    pool = MaxPool(name if last else f"{name}.max", (acc,), block.pool.kernel_size[1], block.pool.stride[1])
    if last:
        return [conv, pool]
    if block.binary_input:
        bounds = Interval(name, (pool.name,), *integer_bounds(activation(block), top))
    else:
        bounds = Interval(name, (pool.name, f"{name}.stats"), *scaled_bounds(activation(block), top * reach))
    return [conv, pool, bounds]


def activation(block: Block) -> Activation:
    """PReLU and BatchNorm of a block, with its own modules and their precision: (n,) -> (channels, n)."""

    @torch.no_grad()
    def f(values: np.ndarray) -> np.ndarray:
        x = torch.as_tensor(values, dtype=block.norm.weight.dtype).expand(1, block.norm.num_features, 1, -1)
        return block.norm(block.prelu(x))[0, :, 0].numpy()

    return f


def _lower_sum(block: Block, source: str, length: int) -> PReluSum:
    """PReLU, BatchNorm and sum over time of the last block, with as many fraction bits as int16 and int32 hold.

    sum_t norm(prelu(x)) = rise * sum max(x, 0) + fall * sum min(x, 0) + length * norm(0)
    """
    # In float64: a slope is a difference of two values that a large mean leaves few digits of float32 for.
    low, zero, high = activation(deepcopy(block).double())(np.array([-1.0, 0.0, 1.0])).T
    rise, fall, bias = high - zero, zero - low, length * zero
    reach = length * block.conv.weight[0].numel() * np.maximum(np.abs(rise), np.abs(fall)) + np.abs(bias)
    frac = 24
    while frac >= 0 and (
        max(np.abs(rise).max(), np.abs(fall).max()) * 2**frac >= 2**15 - 1 or reach.max() * 2**frac >= 2**31 - 1
    ):
        frac -= 1
    if frac < 0:
        raise ModelError(f"{source}: logits reach {reach.max():.3g}, which no int32 holds: a degenerate batch norm")
    rise, fall, bias = (to_fixed(value, frac) for value in (rise, fall, bias))
    return PReluSum("logits", (source,), rise.astype("i2"), fall.astype("i2"), bias.astype("i4"), frac)
