"""Text that is safe inside C: identifiers, strings, comments, rows of numbers."""

import re
import textwrap

import numpy as np

KEYWORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    asm bool class delete false friend namespace new operator private protected public template this true try typeof
    using virtual""".split()
)
"""Of C99, with those of C++ that a user's project could trip over in the header."""


class Names:
    """Hands out C identifiers, each once."""

    def __init__(self, reserved: set[str] = frozenset()):
        self._taken = set(KEYWORDS) | set(reserved)

    def new(self, wish: str) -> str:
        """`wish` with all but ASCII letters, digits and '_' replaced, and a number behind it if it is taken."""
        base = re.sub(r"[^A-Za-z0-9_]+", "_", wish)
        base = base if re.match(r"[A-Za-z]", base) else f"n{base}"
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name


def string(text: str) -> str:
    """A C string literal of the UTF-8 bytes. An octal escape ends after three digits, whatever follows it."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')  # two question marks may begin a trigraph
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'


def comment(text: str) -> str:
    """Text that can neither end, nest in, nor leave the line of a comment."""
    line = "".join(c if c.isprintable() else " " for c in str(text)).rstrip("\\ ")
    return line.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")


def rows(values: np.ndarray, ctype: str) -> str:
    """The initialiser of an array, in lines of at most 100 columns, indented by four."""
    texts = [f"0x{v:08X}" if ctype == "uint32_t" else str(v) for v in values.ravel().tolist()]
    texts = ["INT32_MIN" if text == "-2147483648" else text for text in texts]  # the literal would be too large an int
    return textwrap.fill(", ".join(texts), 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def pack(bits: np.ndarray) -> np.ndarray:
    """Bits, 0 or 1, as uint32 words: bit i is bit i % 32 of word i / 32; the unused ones are 0."""
    padded = np.zeros(-(-bits.size // 32) * 32, dtype=np.uint8)
    padded[: bits.size] = bits.ravel()
    return np.packbits(padded, bitorder="little").view("<u4").astype(np.uint32)
