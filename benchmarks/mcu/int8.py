"""A peer: the same topology in int8, as C that the package bakenn generates on its copy of CMSIS-NN 4.0.0.

One convolution with ReLU and one max-pool a block, the mean over time behind the last. Weights are the graph's
signs, times 64: what the kernels do hardly depends on values, and no accuracy is claimed. Batch normalisation costs
nothing here, as int8 networks fold it; PReLU becomes ReLU, which they fold too. Samples become int8 by a shift.
"""

import json
from pathlib import Path

import numpy as np

from benchmarks.mcu.textbook import Chain, take_apart
from bnn.errors import ToolError
from bnn.files import write_atomic
from bnn.graph import Graph
from firmware.manifest import FORMAT

VERSION = "1.0.0"
NAME = "int8"
ZERO, SHIFT = 1024, 2
"""int8 input is (sample - ZERO) >> SHIFT, saturated."""
ACTIVATION = 2.0**-4
"""Step of every activation."""

INTERFACE = """\
/* The int8 network of benchmarks/mcu/int8.py. */
#ifndef INT8_H
#define INT8_H

#include <stdint.h>

#define INT8_CLASSES {classes}
#define INT8_SAMPLES {samples}

typedef struct {{
    uint8_t arena[{arena}] __attribute__((aligned(16)));
    int8_t input[INT8_SAMPLES];
}} int8_context;

int int8_classify(int8_context *context, const int16_t *samples, int32_t *logits);

#endif
"""

ADAPTER = """\
/* From samples to int8, through the generated network, to logits. */
#include "int8.h"

#include "bknn_int8.h"

#ifdef BNN_TRACE
void bnn_trace(unsigned id, const void *data, unsigned long bytes);
#define TRACE(data, bytes) bnn_trace(0, data, bytes)
#else
#define TRACE(data, bytes) ((void)0)
#endif

int int8_classify(int8_context *context, const int16_t *samples, int32_t *logits)
{{
    int8_t output[INT8_CLASSES];
    int winner = 0;

    for (uint32_t i = 0; i < INT8_SAMPLES; i++) {{
        const int32_t v = (samples[i] - {zero}) >> {shift};
        context->input[i] = (int8_t)(v > 127 ? 127 : v < -128 ? -128 : v);
    }}
    bknn_int8_infer(context->arena, context->input, output);
    for (int c = 0; c < INT8_CLASSES; c++)
        logits[c] = output[c];
    TRACE(logits, INT8_CLASSES * sizeof *logits);
    for (int c = 1; c < INT8_CLASSES; c++)
        winner = logits[c] > logits[winner] ? c : winner;
    return winner;
}}
"""

QUIET = """\
/* Others' code, under their own rules for warnings. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wattributes"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "{file}"
"""


def write_int8(graph: Graph, folder: Path) -> Path:
    """Write the int8 network of `graph`'s topology and its manifest into `folder`; return it.

    The C is for Arm cores; where one has no DSP instructions, CMSIS-NN falls back to plain loops.

    Raises ToolError where bakenn is not installed, GraphError for another topology than the ECG networks'.
    """
    chain = take_apart(graph)
    compiled = compile_int8(chain, folder / "generated")
    sources = []
    for path in sorted((folder / "generated").rglob("*.[ch]")):
        name = f"{path.stem}_code.h" if path.suffix == ".c" else path.name
        write_atomic(folder / name, path.read_bytes())
        if path.suffix == ".c":
            write_atomic(folder / path.name, QUIET.format(file=name))
            sources.append(path.name)
    arena = compiled.memory_report.arena_bytes
    sizes = {"classes": len(graph.classes), "samples": graph.signals[0].length, "arena": arena}
    write_atomic(folder / f"{NAME}.h", INTERFACE.format(**sizes))
    write_atomic(folder / "math.h", "/* CMSIS-NN includes it and uses nothing of it. */\n")
    write_atomic(folder / f"{NAME}.c", ADAPTER.format(zero=ZERO, shift=SHIFT))
    write_atomic(folder / f"{NAME}.json", json.dumps(_manifest(graph, [f"{NAME}.c", *sources]), indent=1) + "\n")
    return folder


def compile_int8(chain: Chain, out: Path):
    """bakenn's compiled model, with its C in the folder `out`. Raises ToolError where bakenn is not installed."""
    bakenn = _bakenn()
    from bakenn.backend.portable_c import CBackendOptions, KernelPolicy

    options = CBackendOptions(KernelPolicy.STATIC_PRIORITY, enable_cmsis_nn=True, target=bakenn.CORTEX_M4)
    return bakenn.compile(quantized(chain), out, model_name=NAME, backend_options=options)


def reference(chain: Chain, windows: np.ndarray, compiled) -> np.ndarray:
    """Logits (n, classes) int32 of windows (n, samples) int16, by bakenn's own integer arithmetic in NumPy."""
    x = np.clip((windows.astype(np.int32) - ZERO) >> SHIFT, -128, 127).astype(np.int8)
    shape = (1, 1, chain.graph.signals[0].length, 1)
    return np.concatenate([_bakenn().run_reference(compiled.plan, row.reshape(shape)) for row in x]).astype(np.int32)


def quantized(chain: Chain):
    """The topology as bakenn's graph. Time is its width; weights are (out, 1, kernel, in)."""
    _bakenn()
    from bakenn.ir import QuantizedGraph
    from bakenn.ir.ops import Conv2DOp, MaxPool2DOp, ReduceMeanOp
    from bakenn.ir.types import DType, Layout, PerTensorQParams, TensorType

    def activations(shape: tuple[int, ...]) -> TensorType:
        layout = Layout.NHWC if len(shape) == 4 else Layout.NC
        return TensorType(shape, DType.INT8, layout, PerTensorQParams(ACTIVATION, 0))

    types, constants, ops, source = {}, {}, [], "samples"
    types[source] = activations((1, 1, chain.graph.signals[0].length, 1))
    pools = [*(layer.pool for layer in chain.layers), chain.last_pool]
    for node, pool in zip([chain.first, *(layer.conv for layer in chain.layers)], pools, strict=True):
        w = node.w[:, None] if node.w.ndim == 2 else node.w  # (out, in, kernel)
        weights = (64 * w.transpose(0, 2, 1)[:, None]).astype(np.int8)
        types |= _weight_types(node.name, weights)
        constants |= {f"{node.name}.w": weights, f"{node.name}.b": np.zeros(len(w), np.int32)}
        names = node.name, source, f"{node.name}.w", f"{node.name}.b", f"{node.name}.y"
        pads = (0, 0, node.pad, node.pad)
        ops.append(Conv2DOp(*names, stride=(1, node.stride), padding=pads, activation_min=0))
        ops.append(MaxPool2DOp(f"{node.name}.pool", f"{node.name}.y", pool.name, (1, pool.kernel), (1, pool.stride)))
        for name, tensor in ((f"{node.name}.y", node.name), (pool.name, pool.name)):
            channels, steps = chain.types[tensor].shape
            types[name] = activations((1, 1, steps, channels))
        source = pool.name
    types["mean"] = activations((1, len(chain.graph.classes)))
    ops.append(ReduceMeanOp("mean_over_time", source, "mean", (1, 2), False))
    return QuantizedGraph(NAME, types, constants, tuple(ops), ("samples",), ("mean",))


def _weight_types(name: str, weights: np.ndarray) -> dict:
    """Weights and bias of a convolution, scaled so that sums of random signs neither vanish nor saturate."""
    from bakenn.ir.types import DType, Layout, PerAxisQParams, TensorType

    n_out, zeros = len(weights), (0,) * len(weights)
    scale = 2.0**-7 / 2.0 ** round(np.log2(np.sqrt(weights[0].size)))
    scales = PerAxisQParams((scale,) * n_out, zeros, 0)
    biases = PerAxisQParams((scale * ACTIVATION,) * n_out, zeros, 0)
    return {
        f"{name}.w": TensorType(weights.shape, DType.INT8, Layout.OHWI, scales),
        f"{name}.b": TensorType((n_out,), DType.INT32, Layout.C, biases),
    }


def _bakenn():
    try:
        import bakenn
    except ImportError as error:
        raise ToolError(
            f"bakenn is not installed, so there is no int8 network to compare with: pip install bakenn=={VERSION}"
        ) from error
    return bakenn


def _manifest(graph: Graph, sources: list[str]) -> dict:
    """What firmware.manifest reads. Layers cannot be told apart: the generated code has no trace."""
    classes = len(graph.classes)
    return {
        "format": FORMAT,
        "form": "window",
        "name": NAME,
        "classes": list(graph.classes),
        "signals": [{"name": s.name, "samples": s.length, "channels": s.channels} for s in graph.signals],
        "sources": sources,
        "context_bytes": 0,
        "kept_bytes": 0,
        "restart": False,
        "trace": [{"id": 0, "name": "logits", "type": "int32", "shape": (classes,)}],
    }
