"""Constants as HLS C++ writes them."""

import textwrap

import numpy as np

WORD = 64
"""Bits of the longest integer literal; a longer number is a string that ap_uint reads."""


def literal(bits: np.ndarray) -> str:
    """A number from its bits, bit 0 first: for an ap_uint of as many bits."""
    value = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
    return f"0x{value:x}ULL" if len(bits) <= WORD else f'"0x{value:x}", 16'


def bit_rows(bits: np.ndarray) -> str:
    """The initialiser of words[rows][columns] from (rows, columns, width) bits."""
    width = bits.shape[2]
    wrap = "{}" if width <= WORD else f"ap_uint<{width}>({{}})"
    return _rows([[wrap.format(literal(word)) for word in row] for row in bits])


def number_rows(values: np.ndarray) -> str:
    """The initialiser of a one- or two-dimensional array of integers."""
    if values.ndim == 1:
        return _fill([_number(v) for v in values.tolist()])
    return _rows([[_number(v) for v in row] for row in values.tolist()])


def _number(value: int) -> str:
    return "-2147483647 - 1" if value == -(2**31) else str(value)  # the literal would be too large an int


def _rows(rows: list[list[str]]) -> str:
    return ",\n".join("    {\n" + _fill(row) + "\n    }" for row in rows)


def _fill(texts: list[str]) -> str:
    """In lines of at most 100 columns; a word longer than that has a line to itself."""
    lines = textwrap.fill(", ".join(texts), 96, break_long_words=False, break_on_hyphens=False)
    return textwrap.indent(lines, "        ")
