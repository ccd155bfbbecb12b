"""The textbook network: a graph's sizes, weights and bounds for textbook.c, as a folder that firmware can build."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnn.errors import GraphError
from bnn.files import write_atomic
from bnn.graph import Graph, check
from bnn.graph.ops import BinaryConv, MaxPool, OrPool, PReluSum, SignalConv, Threshold, WindowStats
from bnn.graph.types import TensorType
from codegen.c.text import rows
from firmware.manifest import FORMAT

SOURCE = Path(__file__).with_name("textbook.c")
NAME = "textbook"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One binary convolution behind the pool that it reads; `threshold` is None for the last."""

    pool: OrPool
    conv: BinaryConv
    threshold: Threshold | None


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A graph taken apart: z-score, first convolution, layers, and the end behind the last of them.

    types   of every tensor
    """

    graph: Graph
    types: dict[str, TensorType]
    stats: WindowStats
    first: SignalConv
    bounds: Threshold
    layers: list[Layer]
    last_pool: MaxPool
    end: PReluSum

    @property
    def kernel(self) -> int:
        return self.first.w.shape[1]


def write_textbook(graph: Graph, folder: Path) -> Path:
    """Write textbook.c with its two headers and the manifest for `graph` into `folder`; return it.

    Raises GraphError for a graph that is not one chain of blocks as the ECG networks are.
    """
    chain = take_apart(graph)
    sizes = _sizes(chain)
    write_atomic(folder / f"{NAME}.c", SOURCE.read_bytes())
    write_atomic(folder / f"{NAME}.h", _interface(graph, chain, sizes))
    write_atomic(folder / f"{NAME}_constants.h", _constants(graph, chain, sizes))
    write_atomic(folder / f"{NAME}.json", json.dumps(_manifest(graph, chain), indent=1) + "\n")
    return folder


def words_of(bits: np.ndarray) -> np.ndarray:
    """Bits (..., channels) as (..., words) uint32: channel c is bit c % 32 of word c / 32, unused bits are 0."""
    padded = np.zeros((*bits.shape[:-1], 32 * words(bits.shape[-1])), np.uint8)
    padded[..., : bits.shape[-1]] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u4")


def words(channels: int) -> int:
    return -(-channels // 32)


def take_apart(graph: Graph) -> Chain:
    """GraphError for a graph that textbook.c cannot say."""
    nodes = list(graph.nodes())
    kinds = [type(node) for node in nodes]
    blocks = (len(kinds) - 7) // 3
    wanted = [WindowStats, SignalConv, Threshold]
    wanted += [OrPool, BinaryConv, Threshold] * blocks + [OrPool, BinaryConv, MaxPool, PReluSum]
    if kinds != wanted:
        raise GraphError(
            f"graph {graph.name}: the textbook network is one chain of convolution, threshold and pool, as ecg5 is, "
            f"but this graph runs {', '.join(kind.__name__ for kind in kinds)}; leave it out of the comparison"
        )
    middle = [*nodes[3:-2], None]
    layers = [Layer(*middle[i : i + 3]) for i in range(0, len(middle), 3)]
    chain = Chain(graph, check(graph, "target"), *nodes[:3], layers, *nodes[-2:])
    _check_equal(chain)
    return chain


def _check_equal(chain: Chain) -> None:
    """GraphError where layers differ in what textbook.c has once for all."""
    pools = {(layer.pool.kernel, layer.pool.stride) for layer in chain.layers}
    pools.add((chain.last_pool.kernel, chain.last_pool.stride))
    convs = {(layer.conv.w.shape[2], layer.conv.pad, layer.conv.stride) for layer in chain.layers}
    if len(pools) > 1 or convs != {(chain.kernel, chain.first.pad, 1)} or len(chain.first.w) > 32:
        raise GraphError(
            f"graph {chain.graph.name}: the textbook network takes one kernel, pad and pool for all layers, stride 1 "
            f"behind the first and at most 32 channels there, but pools are {pools} and convolutions {convs} "
            "(kernel, pad, stride); leave it out of the comparison"
        )


def _sizes(chain: Chain) -> dict[str, int]:
    return {
        "TEXTBOOK_CLASSES": len(chain.graph.classes),
        "TEXTBOOK_SAMPLES": chain.graph.signals[0].length,
        "KERNEL": chain.kernel,
        "PAD": chain.first.pad,
        "POOL": chain.last_pool.kernel,
        "POOL_STRIDE": chain.last_pool.stride,
        "FRAC": chain.first.frac,
        "FIRST_FRAC": chain.bounds.frac,
        "FIRST_STRIDE": chain.first.stride,
        "FIRST_CHANNELS": len(chain.first.w),
        "FIRST_LENGTH": chain.types[chain.first.name].shape[1],
        "LAYERS": len(chain.layers),
        "LAST_LENGTH": chain.types[chain.last_pool.name].shape[1],
    }


def _interface(graph: Graph, chain: Chain, sizes: dict[str, int]) -> str:
    """textbook.h, as the bench includes it: the context is as large as the largest maps."""
    written = [chain.bounds, *(layer.threshold for layer in chain.layers[:-1])]
    bits = max(words(chain.types[node.name].shape[0]) * chain.types[node.name].shape[1] for node in written)
    read = [chain.types[layer.pool.name].shape for layer in chain.layers]
    inputs = max(words(channels) * (steps + 2 * sizes["PAD"]) for channels, steps in read)
    sums = int(np.prod(chain.types[chain.layers[-1].conv.name].shape))
    defines = "\n".join(f"#define {key} {value}" for key, value in sizes.items() if key.startswith("TEXTBOOK"))
    return f"""\
/* {graph.name} as a textbook has it. */
#ifndef TEXTBOOK_H
#define TEXTBOOK_H

#include <stdint.h>

{defines}

typedef struct {{
    union {{
        uint32_t words[{bits}];
        int16_t sums[{sums}];
    }} bits; /* what a convolution writes */
    uint32_t map[{inputs}]; /* what it reads */
    int16_t pooled[{sizes["LAST_LENGTH"]} * TEXTBOOK_CLASSES];
}} textbook_context;

int textbook_classify(textbook_context *context, const int16_t *samples, int32_t *logits);

#endif
"""


def _constants(graph: Graph, chain: Chain, sizes: dict[str, int]) -> str:
    """textbook_constants.h: sizes, weights, bounds."""
    arrays = [
        _array("int8_t", "first_signs", chain.first.w),
        _array("int16_t", "first_bounds", chain.bounds.t),
        *(
            _array(f"int{32 if key == 'bias' else 16}_t", key, getattr(chain.end, key))
            for key in ("rise", "fall", "bias")
        ),
    ]
    entries = []
    for i, layer in enumerate(chain.layers):
        n_out, n_in, kernel = layer.conv.w.shape
        arrays.append(_array("uint32_t", f"weights{i}", words_of((layer.conv.w > 0).transpose(0, 2, 1))))
        arrays.append(_array("uint32_t", f"pad{i}", words_of(layer.conv.pad_value > 0)))
        if layer.threshold:
            arrays.append(_array("int16_t", f"most{i}", (n_in * kernel - layer.threshold.t.astype(int)) // 2))
        lengths = chain.types[layer.pool.name].shape[1], chain.types[layer.conv.name].shape[1]
        entries.append(
            f"    {{{words(n_in)}, {n_out}, {n_in * kernel}, {lengths[0]}, {lengths[1]}, weights{i}, pad{i}, "
            f"{f'most{i}' if layer.threshold else '0'}}},"
        )
    defines = "\n".join(f"#define {key} {value}" for key, value in sizes.items() if not key.startswith("TEXTBOOK"))
    newline = "\n"
    return f"""\
/* Constants of {graph.name}. */
#ifndef TEXTBOOK_CONSTANTS_H
#define TEXTBOOK_CONSTANTS_H

#include "textbook.h"

{defines}

typedef struct {{
    uint32_t in_words; /* of a step of the map that is read */
    uint32_t channels; /* written */
    uint32_t taps;
    uint32_t in_length, out_length;
    const uint32_t *weights; /* channels rows of KERNEL * in_words words */
    const uint32_t *pad;     /* one step of padding */
    const int16_t *most;     /* taps that may differ where a bit is 1; NULL for the last layer */
}} layer;

{newline.join(arrays)}
static const layer layers[LAYERS] = {{
{newline.join(entries)}
}};

#endif
"""


def _array(ctype: str, name: str, values: np.ndarray) -> str:
    return f"static const {ctype} {name}[{values.size}] = {{\n{rows(values, ctype)}\n}};"


def _manifest(graph: Graph, chain: Chain) -> dict:
    """What firmware.manifest reads. Maps of bits are traced as the words that they lie in."""
    traces: list[tuple[str, str, tuple[int, ...]]] = [(chain.stats.name, "int32", (2,)), _map(chain, chain.bounds)]
    for layer in chain.layers:
        traces.append(_map(chain, layer.pool))
        traces.append(_map(chain, layer.threshold) if layer.threshold else _sums(chain, layer.conv))
    traces += [_sums(chain, chain.last_pool), (chain.end.name, "int32", (len(graph.classes),))]
    return {
        "format": FORMAT,
        "form": "window",
        "name": NAME,
        "classes": list(graph.classes),
        "signals": [{"name": s.name, "samples": s.length, "channels": s.channels} for s in graph.signals],
        "sources": [f"{NAME}.c"],
        "context_bytes": 0,
        "kept_bytes": 0,
        "restart": False,
        "trace": [{"id": i, "name": n, "type": kind, "shape": shape} for i, (n, kind, shape) in enumerate(traces)],
    }


def _map(chain: Chain, node) -> tuple[str, str, tuple[int, ...]]:
    channels, steps = chain.types[node.name].shape
    return node.name, "int32", (steps * words(channels),)


def _sums(chain: Chain, node) -> tuple[str, str, tuple[int, ...]]:
    return node.name, "int16", chain.types[node.name].shape
