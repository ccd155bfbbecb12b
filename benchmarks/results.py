"""The committed results, benchmarks/RESULTS.md: one section a benchmark, which that benchmark rewrites."""

import platform
import re
from pathlib import Path

from bnn import __version__
from bnn.files import write_atomic

PATH = Path(__file__).with_name("RESULTS.md")


def markdown(header: list[str], rows: list[list]) -> str:
    """A table: the first column to the left, the others to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [header, rule, *rows]) + "\n"


def replace_section(text: str, section: str) -> str:
    """`text` with `section`, from its "## " heading on, in place of the one with that heading, or at the end."""
    head, *parts = re.split(r"(?m)^(?=## )", text)
    title = section.splitlines()[0]
    at = next((i for i, part in enumerate(parts) if part.splitlines()[0] == title), len(parts))
    parts[at : at + 1] = [section]
    return "\n\n".join(part.strip() for part in [head, *parts]) + "\n"


def write_section(section: str, path: Path = PATH) -> None:
    """Put a section, from its heading "## TITLE" on, into the file of results."""
    head = (
        f"# Results\n\nWritten by `make bench` with bnn {__version__}, Python {platform.python_version()} on "
        f"{platform.system()} {platform.machine()}. Do not edit.\n"
    )
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    rest = re.split(r"(?m)^(?=## )", text, maxsplit=1)
    write_atomic(path, replace_section(head + "\n" + (rest[1] if len(rest) > 1 else ""), section))
