"""The targets that generated code is built for, and the compiler options that say so in its build file."""

from bnn.errors import GraphError

FLAGS = {
    "host": "",
    "cortex-m0": "-mcpu=cortex-m0 -mthumb -mfloat-abi=soft",
    "cortex-m3": "-mcpu=cortex-m3 -mthumb -mfloat-abi=soft",
    "cortex-m4": "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft",
    "cortex-m7": "-mcpu=cortex-m7 -mthumb -mfloat-abi=soft",
    "cortex-m33": "-mcpu=cortex-m33 -mthumb -mfloat-abi=soft",
    "cortex-m55": "-mcpu=cortex-m55 -mthumb -mfloat-abi=hard",
    "rv32imc": "-march=rv32imc -mabi=ilp32",
}
"""Options of GCC and Clang. The code is plain C99 and runs on all of them, whichever it was generated for."""


def flags(target: str) -> str:
    """GraphError if there is no such target."""
    if target not in FLAGS:
        raise GraphError(f"target {target!r}: the C backend knows {', '.join(FLAGS)}; pass one of them as --target")
    return FLAGS[target]
