"""Foldings as the user writes them: LAYER=PE,SIMD, or files of such."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

from bnn.errors import FileError, GraphError
from codegen.folding import Folding


def parse_foldings(texts: Sequence[str]) -> dict[str, Folding]:
    """Foldings from texts such as block2.acc=16,8, or paths of .toml or .json files with such: block2.acc = [16, 8]."""
    found: dict[str, Folding] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        entries = {name.strip(): value.split(",")} if equals else _read(Path(text))
        for layer, pair in entries.items():
            try:
                pe, simd = (int(number) for number in pair)
            except (TypeError, ValueError) as error:
                raise GraphError(
                    f"folding of {layer}: got {pair!r}, wanted PE and SIMD, two whole numbers, such as {layer}=4,8"
                ) from error
            found[layer] = Folding(pe, simd)
    return found


def _read(path: Path) -> dict:
    """The table of a file."""
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise FileError(
            f"{path}: cannot be read ({error.strerror}); --folding takes LAYER=PE,SIMD or a .toml or .json file"
        ) from error
    except ValueError as error:
        raise FileError(
            f"{path}: is not what its suffix says ({error}); wanted TOML or JSON such as block2.acc = [16, 8]"
        ) from error
    if not isinstance(table, dict):
        raise FileError(
            f"{path}: holds {type(table).__name__}, wanted a table of foldings such as block2.acc = [16, 8]"
        )
    return _flat(table)


def _flat(table: dict, prefix: str = "") -> dict:
    """Names with dots, which TOML takes for tables of tables, in one piece again."""
    found = {}
    for name, value in table.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found
