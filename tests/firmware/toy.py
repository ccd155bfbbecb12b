"""A toy model in C as the generator would write one, and its twin in NumPy.

stats   (2,)      sum of the samples; sum of |sample| shifted down 4
bits    (3, 64)   sample >= sum / 64 + (20, 400, 10), one channel each, from bit 5 on
pooled  (3, 32)   OR of two neighbours in time
acc     (2, 32)   2 * popcount(pooled) - 3 at each time; channel 1 negated
logits  (4,)      sums over time of acc and acc >> 1
"""

import json
from pathlib import Path

import numpy as np

SAMPLES, CHANNELS, CLASSES = 64, 3, 4
OFFSETS = np.array([20, 400, 10])

HEADER = """\
#ifndef TOY_H
#define TOY_H
#include <stdint.h>
#define TOY_SAMPLES 64
#define TOY_CLASSES 4
typedef struct { uint32_t bits[7]; uint32_t pooled[3]; int32_t stats[2]; int16_t acc[64]; } toy_context;
int toy_classify(toy_context *context, const int16_t *ecg, int32_t *logits);
#endif
"""

MODEL = """\
#include <string.h>
#include "toy.h"
#include "toy_runtime.h"

static const int32_t offsets[3] = {20, 400, 10};

#ifdef BNN_TRACE
void bnn_trace(unsigned id, const void *data, unsigned long bytes);
#define TRACE(id, data, bytes) bnn_trace(id, data, bytes)
#else
#define TRACE(id, data, bytes) ((void)0)
#endif

int toy_classify(toy_context *context, const int16_t *ecg, int32_t *logits)
{
    int best = 0;

    toy_stats(ecg, TOY_SAMPLES, context->stats);
    TRACE(0, context->stats, sizeof context->stats);
    memset(context->bits, 0, sizeof context->bits);
    toy_threshold(ecg, TOY_SAMPLES, context->stats[0] / TOY_SAMPLES, offsets, context->bits);
    TRACE(1, context->bits, sizeof context->bits);
    memset(context->pooled, 0, sizeof context->pooled);
    toy_pool(context->bits, context->pooled);
    TRACE(2, context->pooled, sizeof context->pooled);
    toy_count(context->pooled, context->acc);
    TRACE(5, context->acc, sizeof context->acc);
    memset(logits, 0, TOY_CLASSES * sizeof *logits);
    for (uint32_t t = 0; t < 32; t++) {
        for (uint32_t c = 0; c < 2; c++) {
            logits[c] += context->acc[t * 2 + c];
            logits[2 + c] += context->acc[t * 2 + c] >> 1;
        }
    }
    TRACE(8, logits, TOY_CLASSES * sizeof *logits);
    for (int k = 1; k < TOY_CLASSES; k++)
        best = logits[k] > logits[best] ? k : best;
    return best;
}
"""

RUNTIME_HEADER = """\
#ifndef TOY_RUNTIME_H
#define TOY_RUNTIME_H
#include <stdint.h>
void toy_stats(const int16_t *x, uint32_t n, int32_t stats[2]);
void toy_threshold(const int16_t *x, uint32_t n, int32_t mean, const int32_t offsets[3], uint32_t *bits);
void toy_pool(const uint32_t *bits, uint32_t *pooled);
void toy_count(const uint32_t *pooled, int16_t *acc);
#endif
"""

RUNTIME = """\
#include "toy_runtime.h"

static uint32_t get(const uint32_t *words, uint32_t i)
{
    return words[i / 32] >> (i % 32) & 1;
}

void toy_stats(const int16_t *x, uint32_t n, int32_t stats[2])
{
    stats[0] = stats[1] = 0;
    for (uint32_t i = 0; i < n; i++) {
        stats[0] += x[i];
        stats[1] += x[i] < 0 ? -x[i] : x[i];
    }
    stats[1] >>= 4;
}

void toy_threshold(const int16_t *x, uint32_t n, int32_t mean, const int32_t offsets[3], uint32_t *bits)
{
    for (uint32_t i = 0; i < 3 * n; i++)
        if (x[i / 3] >= mean + offsets[i % 3])
            bits[(i + 5) / 32] |= (uint32_t)1 << ((i + 5) % 32);
}

void toy_pool(const uint32_t *bits, uint32_t *pooled)
{
    for (uint32_t i = 0; i < 96; i++) {
        uint32_t left = i / 3 * 6 + i % 3 + 5;
        pooled[i / 32] |= (get(bits, left) | get(bits, left + 3)) << (i % 32);
    }
}

void toy_count(const uint32_t *pooled, int16_t *acc)
{
    for (uint32_t t = 0; t < 32; t++) {
        uint32_t ones = get(pooled, 3 * t) + get(pooled, 3 * t + 1) + get(pooled, 3 * t + 2);
        acc[2 * t] = (int16_t)(2 * (int)ones - 3);
        acc[2 * t + 1] = (int16_t)-acc[2 * t];
    }
}
"""

MANIFEST = {
    "format": 3,
    "form": "window",
    "kept_bytes": 0,
    "restart": False,
    "name": "toy",
    "tool": "bnn 0.1.0",
    "graph_sha256": "00",
    "classes": ["A", "B", "C", "D"],
    "signals": [{"name": "ecg", "samples": SAMPLES, "channels": 1}],
    "sources": ["toy.c", "toy_runtime.c"],
    "arena_bytes": 176,
    "context_bytes": 176,
    "trace": [
        {"id": 0, "name": "stats", "type": "int32", "shape": [2]},
        {"id": 1, "name": "bits", "type": "bit", "shape": [3, 64], "first_bit": 5},
        {"id": 2, "name": "pooled", "type": "bit", "shape": [3, 32], "first_bit": 0},
        {"id": 5, "name": "acc", "type": "int16", "shape": [2, 32]},
        {"id": 8, "name": "logits", "type": "int32", "shape": [4]},
    ],
}


def write_toy(folder: Path, change: dict[str, tuple[str, str]] | None = None, **manifest) -> Path:
    """Write the toy into `folder`; `change` maps a file's name to (old, new) text, `manifest` replaces its fields."""
    files = {"toy.h": HEADER, "toy.c": MODEL, "toy_runtime.h": RUNTIME_HEADER, "toy_runtime.c": RUNTIME}
    for name, (old, new) in (change or {}).items():
        assert old in files[name], f"{name} has no {old!r}"
        files[name] = files[name].replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "toy.json").write_text(json.dumps(MANIFEST | manifest))
    return folder


def toy_windows(n: int, seed: int = 1) -> np.ndarray:
    """(n, 64) int16 of several sizes, the last windows at the ends of int16."""
    rng = np.random.default_rng(seed)
    scale = rng.choice([15, 300, 32767], size=(n, 1))
    return rng.integers(-scale, scale + 1, size=(n, SAMPLES)).astype(np.int16)


def twin(windows: np.ndarray) -> dict[str, np.ndarray]:
    """Every tensor of the toy by its definition above, and "classes"."""
    x = windows.astype(np.int64)
    mean = np.trunc(x.sum(axis=1) / SAMPLES).astype(np.int64)  # C divides towards zero
    bits = x[:, None, :] >= mean[:, None, None] + OFFSETS[None, :, None]
    pooled = bits[:, :, 0::2] | bits[:, :, 1::2]
    row = 2 * pooled.sum(axis=1) - CHANNELS
    acc = np.stack([row, -row], axis=1)
    logits = np.concatenate([acc.sum(axis=2), (acc >> 1).sum(axis=2)], axis=1)
    return {
        "stats": np.stack([x.sum(axis=1), abs(x).sum(axis=1) >> 4], axis=1),
        "bits": bits,
        "pooled": pooled,
        "acc": acc,
        "logits": logits,
        "classes": logits.argmax(axis=1),
    }
