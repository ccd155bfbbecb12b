"""Extractors, exits and the stages that they make."""

from collections.abc import Mapping
from copy import deepcopy
from functools import singledispatch

import numpy as np
import torch

from bnn.errors import ModelError
from bnn.graph import Graph, Signal, Stage, gate
from bnn.graph.arith import to_fixed
from bnn.graph.ops import ExitGate, PReluSum
from bnn.lower.sleep import attention as lowered
from bnn.lower.sleep.builder import INT16, INT32, Builder, room
from bnn.models.sleep.binary.attention import ChannelGate, TimeGate
from bnn.models.sleep.binary.exit import AttentionExit, BitExit
from bnn.models.sleep.binary.extractor import Branch, Extractor, Fusion
from bnn.models.sleep.binary.net import BinarySleepNet
from bnn.models.sleep.config import D_MODEL, EEG_WIDTH, EPOCH

GATES = {ChannelGate: lowered.lower_channel_gate, TimeGate: lowered.lower_time_gate}
BRANCHES = ("small", "large")


def lower_sleep(
    model: BinarySleepNet, name: str, gains: Mapping[str, tuple[float, str]], about: dict[str, str] | None = None
) -> Graph:
    """A trained BinarySleepNet -> Graph in the logical dialect, a stage and an exit with its gate for each signal.

    gains  by signal, ADC units per unit and that unit ("" where it is not known) of the recordings it was trained on

    Raises ModelError for a float network, weights that are not finite, or factors that no integer holds.
    """
    _check(model)
    model = deepcopy(model).cpu().eval()
    config, b = model.config, Builder()
    signals, stages, maps = [], [], []
    for k, signal in enumerate(config.signals):
        source = b.signal(signal, config.channels[k], config.samples, config.scales[k])
        maps.append(_extractor(b, signal, model.extractors[k], source))
        logits = lower_exit(model.exits[k], b, f"{signal}.exit", tuple(maps))
        frac = next(node.frac for node in b.nodes if node.name == logits)
        b.add(ExitGate(f"{signal}.doubt", (logits,), **gate.tables(), frac=frac))
        stages.append(Stage(signal, (signal,), b.take_nodes(), logits))
        gain, unit = gains[signal]
        fs = config.samples / EPOCH
        signals.append(Signal(signal, config.channels[k], config.samples, fs, gain, unit or "unit"))
    return Graph(name, config.classes, tuple(signals), tuple(stages), about or {})


def _check(model: BinarySleepNet) -> None:
    if not isinstance(model, BinarySleepNet):
        raise ModelError("the float network cannot be lowered: a graph has no real weights; train with a binary recipe")
    for name, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            raise ModelError(f"{name} holds NaN or infinity, so the training diverged; train again with a lower rate")


def _extractor(b: Builder, name: str, module: Extractor, source: str) -> str:
    branches = zip(BRANCHES, module.branches, strict=True)
    parts = tuple(_branch(b, f"{name}.{branch}", part, source) for branch, part in branches)
    fused = isinstance(module.fuse, Fusion)
    joined = b.concat(f"{name}.maps" if fused else f"{name}.map", parts, axis=1)
    return _fusion(b, name, module.fuse, joined) if fused else joined


def _branch(b: Builder, name: str, module: Branch, source: str) -> str:
    x = b.scaled(f"{name}.first", module.value, b.sign_conv(f"{name}.first.acc", module.first, source))
    x = _gates(b, f"{name}.first", module.gates, x)
    x = b.max_pool(f"{name}.first.pool", module.pool, x)
    shift = module.bits.shift.detach().numpy()[:, 0] if len(module.gates) else np.zeros(b.types[x].shape[0])
    x = b.shifted_bits(f"{name}.bits", x, shift)
    for i, conv in enumerate(module.convs, start=1):
        acc, top = b.bit_conv(f"{name}.conv{i}.acc", conv, x), conv.weight[0].numel()
        if i < len(module.convs):
            x = b.norm_bits(f"{name}.conv{i}", module.norms[i - 1], acc, top)
    if not len(module.last_gates):
        return b.norm_bits(f"{name}.map", module.last[0], b.max_pool(f"{name}.pool", module.last_pool, acc), top)
    x = _gates(b, f"{name}.last", module.last_gates, b.scaled(f"{name}.last", module.last, acc))
    return b.max_pool(f"{name}.map", module.last_pool, x)


def _gates(b: Builder, name: str, gates, x: str) -> str:
    for what, module in zip(("channels", "times"), gates, strict=False):
        x = GATES[type(module)](b, f"{name}.{what}", module, x)
    return x


def _fusion(b: Builder, name: str, module: Fusion, maps: str) -> str:
    features = b.types[maps].shape[0] // EEG_WIDTH
    rows = b.reshape(f"{name}.rows", maps, EEG_WIDTH)
    gated = lowered.lower_map_gate(b, f"{name}.gated", module.gate, rows)
    total = b.int8(f"{name}.total", module.total, b.plus(f"{name}.around", rows, gated))
    merged = b.scaled(f"{name}.merged", module.value, b.int_conv(f"{name}.merge", module.merge, total))
    return b.reshape(f"{name}.map", merged, features)


@singledispatch
def lower_exit(module, b: Builder, name: str, maps: tuple[str, ...]) -> str:
    """The logits of the exit that reads these maps."""
    raise NotImplementedError(type(module).__name__)


@lower_exit.register
def _(module: AttentionExit, b: Builder, name: str, maps: tuple[str, ...]) -> str:
    rows = maps[0]
    if module.gated:
        parts = tuple(b.reshape(f"{name}.row{i}", x, 1) for i, x in enumerate(maps, start=1))
        rows = lowered.lower_mix(b, f"{name}.mix", module.mix, b.concat(f"{name}.rows", parts, axis=0))
    tokens = b.reshape(f"{name}.tokens", rows, D_MODEL)
    x = lowered.lower_encoder(b, f"{name}.encoder", module.encoder, tokens)
    if module.gated:
        x = b.multiply(f"{name}.product", x, tokens, module.product.frac)
    flat = b.reshape(f"{name}.flat", x, b.types[x].size)
    answer = b.int_conv(f"{name}.answer", module.answer, lowered.lower_linear(b, f"{name}.hidden", module.hidden, flat))
    one, bias = np.ones(b.types[answer].shape[0]), module.bias.detach().double().numpy()
    return _logits(b, name, answer, one, bias, b.fracs[answer])


@lower_exit.register
def _(module: BitExit, b: Builder, name: str, maps: tuple[str, ...]) -> str:
    bits = maps[0] if len(maps) == 1 else b.concat(f"{name}.maps", maps, axis=0)
    acc = b.bit_conv(f"{name}.hidden.acc", module.conv, bits)
    hidden = b.norm_bits(f"{name}.hidden", module.norm, acc, module.conv.weight[0].numel())
    answer = b.bit_conv(f"{name}.answer", module.answer, hidden)
    factor, offset = (v.detach().double().numpy() for v in (module.factor, module.bias))
    reach = np.abs(factor) * b.types[answer].hi * b.types[answer].shape[1] + np.abs(offset)
    frac = min(20, room(factor, INT16), room(reach, INT32))
    return _logits(b, name, answer, factor, offset, frac)


def _logits(b: Builder, name: str, answer: str, factor: np.ndarray, offset: np.ndarray, frac: int) -> str:
    """factor * sum over time of the answers + offset, in units of 2**-frac."""
    rise = to_fixed(factor, frac - b.fracs[answer]).astype(np.int16)
    bias = to_fixed(offset, frac).astype(np.int32)
    return b.add(PReluSum(f"{name}.logits", (answer,), rise, rise, bias, frac), frac)
