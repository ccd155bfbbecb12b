"""A model of a few instructions of assembly, so that a person can count what it costs."""

import json
from pathlib import Path

HEADER = """\
#include <stdint.h>
#define TINY_SAMPLES 1
#define TINY_CLASSES 1
typedef struct { uint32_t nothing; } tiny_context;
int tiny_classify(tiny_context *context, const int16_t *ecg, int32_t *logits);
"""

SOURCE = """\
#include "tiny.h"
#define UNUSED __attribute__((unused))

__attribute__((naked))
int tiny_classify(UNUSED tiny_context *context, UNUSED const int16_t *ecg, UNUSED int32_t *logits)
{
    __asm__ volatile(CODE);
}
"""

LOOPS = 100

# Each: (assembly, instructions it executes, bytes of stack it takes)
WITH_IT_BLOCK = (
    [
        "push {r4, lr}",
        f"movs r4, #{LOOPS}",
        "1: subs r4, #1",
        "bne 1b",
        "cmp r4, #1",
        "ite eq",
        "moveq r0, #7",  # the condition fails: not executed
        "movne r0, #0",
        "pop {r4, pc}",
    ],
    2 + 2 * LOOPS + 4,
    8,
)
ARMV6M = (
    ["push {r4, r5, r6, lr}", f"movs r4, #{LOOPS}", "1: subs r4, #1", "bne 1b", "movs r0, #0", "pop {r4, r5, r6, pc}"],
    2 + 2 * LOOPS + 2,
    16,
)
RISCV = (
    [f"li t0, {LOOPS}", "1: addi t0, t0, -1", "bnez t0, 1b", "li a0, 0", "ret"],
    1 + 2 * LOOPS + 2,
    0,
)


def write_tiny(folder: Path, assembly: list[str]) -> Path:
    """Write the model into `folder`, with the lines of `assembly` as its whole body."""
    folder.mkdir(parents=True, exist_ok=True)
    code = "".join(f'"{line}\\n"' for line in [*([".syntax unified"] if "ret" not in assembly else []), *assembly])
    (folder / "tiny.h").write_text(HEADER)
    (folder / "tiny.c").write_text(SOURCE.replace("CODE", code))
    manifest = {
        "format": 3,
        "form": "window",
        "kept_bytes": 0,
        "restart": False,
        "name": "tiny",
        "classes": ["only"],
        "signals": [{"name": "ecg", "samples": 1, "channels": 1}],
        "sources": ["tiny.c"],
        "context_bytes": 4,
        "trace": [],
    }
    (folder / "tiny.json").write_text(json.dumps(manifest))
    return folder
