"""From beat annotations to one class per window (ANSI/AAMI EC57)."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

# Beat symbols of the MIT-BIH annotations, by AAMI class. Marks of rhythm, noise or flutter waves are not beats.
AAMI_BEATS = {"N": "NLRej", "S": "AaJS", "V": "VE", "F": "F", "Q": "/fQ"}
AAMI_CLASSES = tuple(AAMI_BEATS)
CLASS_OF_BEAT = {symbol: name for name, symbols in AAMI_BEATS.items() for symbol in symbols}
# A tie between classes other than N goes to the first of these: the graver beat names the window.
TIE_ORDER = ("V", "S", "F", "Q")


def window_class(symbols: Iterable[str]) -> str | None:
    """The most frequent class other than N among the beats, else N; None if no symbol is a beat."""
    counts = Counter(CLASS_OF_BEAT[s] for s in symbols if s in CLASS_OF_BEAT)
    if not counts:
        return None
    best = max(TIE_ORDER, key=lambda name: counts[name])  # max keeps the first of equals
    return best if counts[best] else "N"


def window_classes(sample: np.ndarray, symbol: np.ndarray, start: np.ndarray, length: int) -> list[str | None]:
    """`window_class` of each window [start, start + length), from the annotations of its record.

    sample  (n,) int64, ascending
    symbol  (n,) str
    start   (m,) int64
    """
    first = np.searchsorted(sample, start)
    last = np.searchsorted(sample, start + length)
    return [window_class(symbol[a:b]) for a, b in zip(first, last, strict=True)]
