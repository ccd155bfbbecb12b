"""Gates and the transformer layer as nodes. Names follow the modules of bnn.models.sleep.binary.attention."""

import math

import numpy as np

from bnn.errors import ModelError
from bnn.graph.arith import to_fixed
from bnn.graph.integer_ops import EXP_ONE, Q_BITS, Attention, GlobalSum, LayerNorm
from bnn.lower.sleep.builder import INT16, Builder, room
from bnn.models.sleep.binary import attention
from bnn.models.sleep.config import D_MODEL

OFFSET_TOP = 2**30  # of a LayerNorm
MAX_EXP = 1024


def lower_gate(b: Builder, name: str, module: attention.Gate, x: str, scores: str) -> str:
    gate = b.sigmoid(f"{name}.gate", b.int8(f"{name}.score", module.score, scores))
    return b.multiply(name, x, gate, module.product.frac)


def lower_channel_gate(b: Builder, name: str, module: attention.ChannelGate, x: str) -> str:
    mean = b.mean(f"{name}.mean", module.mean, x, axis=1)
    both = b.concat(f"{name}.seen", (b.global_max(f"{name}.max", x, axis=1), mean), axis=1)
    hidden = b.int8(f"{name}.hidden", module.hidden, b.int_conv(f"{name}.inner", module.inner, both))
    parts = b.int8(f"{name}.parts", module.score, b.int_conv(f"{name}.outer", module.outer, hidden))
    total = b.add(GlobalSum(f"{name}.total", (parts,), 1), b.fracs[parts])
    return lower_gate(b, name, module.gate, x, total)


def lower_time_gate(b: Builder, name: str, module: attention.TimeGate, x: str) -> str:
    mean = b.mean(f"{name}.mean", module.mean, x, axis=0)
    seen = b.concat(f"{name}.seen", (b.global_max(f"{name}.max", x, axis=0), mean), axis=0)
    return lower_gate(b, name, module.gate, x, b.int_conv(f"{name}.conv", module.conv, seen))


def lower_map_gate(b: Builder, name: str, module: attention.MapGate, x: str) -> str:
    mean = b.mean(f"{name}.mean", module.mean, x, axis=1)
    hidden = b.int8(f"{name}.hidden", module.hidden, b.int_conv(f"{name}.inner", module.inner, mean))
    return lower_gate(b, name, module.gate, x, b.int_conv(f"{name}.outer", module.outer, hidden))


def lower_mix(b: Builder, name: str, module: attention.Mix, x: str) -> str:
    hidden = b.scaled(f"{name}.hidden", module.hidden, b.int_conv(f"{name}.first", module.first, x))
    value = b.scaled(f"{name}.value", module.value, b.int_conv(f"{name}.second", module.second, hidden))
    gated = lower_map_gate(b, f"{name}.gated", module.gate, value)
    return b.int8(name, module.total, b.plus(f"{name}.total", x, gated))


def lower_linear(b: Builder, name: str, module: attention.Linear, x: str) -> str:
    conv, scaled = module
    return b.scaled(name, scaled, b.sign_conv(f"{name}.acc", conv, x))


def lower_encoder(b: Builder, name: str, module: attention.Encoder, x: str) -> str:
    q, k, v = (lower_linear(b, f"{name}.{part}", getattr(module, part), x) for part in "qkv")
    mixed = _attend(b, f"{name}.mixed", q, k, v, module.heads)
    around = b.plus(f"{name}.around1", x, lower_linear(b, f"{name}.out", module.out, mixed))
    x = _layer_norm(b, f"{name}.norm1", module.norm1, around)
    up = lower_linear(b, f"{name}.up", module.up, x)
    around = b.plus(f"{name}.around2", x, lower_linear(b, f"{name}.down", module.down, up))
    return _layer_norm(b, name, module.norm2, around)


def _attend(b: Builder, name: str, q: str, k: str, v: str, heads: int) -> str:
    exp = to_fixed(np.exp(-np.arange(MAX_EXP) / attention.EXP_STEPS) * EXP_ONE, 0).astype(np.int16)
    per_unit = attention.EXP_STEPS * 2.0 ** -(b.fracs[q] + b.fracs[k]) / math.sqrt(D_MODEL // heads)
    shift = min(31, math.floor(math.log2(INT16 / per_unit)))
    m = int(to_fixed(per_unit, shift))
    return b.add(Attention(name, (q, k, v), exp[: int(np.argmin(exp > 0)) + 1], heads, m, shift), b.fracs[v])


def _layer_norm(b: Builder, name: str, module: attention.LayerNorm, x: str) -> str:
    factor = module.norm.weight.detach().double().numpy() * 2.0 ** (module.value.frac - Q_BITS)
    offset = module.norm.bias.detach().double().numpy() * 2.0**module.value.frac
    shift = min(room(factor, INT16), room(offset, OFFSET_TOP))
    if shift < 0:
        raise ModelError(f"{name}: layer norm multiplies by {np.abs(factor).max():.3g} steps, which no LayerNorm holds")
    m, offsets = to_fixed(factor, shift).astype(np.int16), to_fixed(offset, shift).astype(np.int32)
    return b.add(LayerNorm(name, (x,), m, offsets, shift), module.value.frac)
