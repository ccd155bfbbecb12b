"""What the documents promise: figures as they were measured, commands that exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from bnn import zoo
from bnn.cli.app import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "benchmarks" / "RESULTS.md").read_text()
COMMANDS = typer.main.get_command(app).commands


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, without emphasis and code marks."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip().strip("`*") for cell in line.strip("|").split("|")] for line in lines]


def part(text: str, title: str) -> str:
    """What stands under a heading, up to the next one."""
    return re.split(r"\n#+ ", text.split(f"# {title}", 1)[1], maxsplit=1)[0]


@pytest.mark.parametrize("name", zoo.names("ecg"))
def test_the_table_of_the_readme_was_measured(name):
    header, *table = rows(README)
    shown = dict(zip(header, next(row for row in table if row[0].startswith(f"{name}`")), strict=True))
    accuracy = next(row for row in rows(part(RESULTS, "Accuracy")) if row[0] == name)
    assert shown["accuracy (protocol)"] == f"{accuracy[3]} ({accuracy[1]}, {accuracy[2]} windows)"
    cores = {row[0]: row for row in rows(part(RESULTS, f"{name}, zig")) if row[1] == "-Os"}
    assert shown["flash, B"] == cores["cortex-m4"][2] and shown["RAM, B"] == cores["cortex-m4"][3]
    for core in ("M0", "M3", "M4", "M7", "M33"):
        assert shown[core] == f"{float(cores[f'cortex-{core.lower()}'][5].replace(',', '')) / 1e6:.2f} M"


def test_the_figures_of_the_plain_kernels_were_measured():
    row = next(row for row in rows(part(RESULTS, "ecg5, zig")) if row[:2] == ["cortex-m4", "-Os --kernels plain"])
    millions = f"{float(row[5].replace(',', '')) / 1e6:.2f} M"
    said = " ".join(README.split())
    assert f"takes {row[2]} B of flash, {row[3]} B of RAM and {millions} instructions" in said


def documented_commands() -> list[str]:
    """Every line of a code block that runs `bnn`, in the documents."""
    texts = [README, *(path.read_text() for path in (ROOT / "docs").glob("*.md"))]
    blocks = [block for text in texts for block in re.findall(r"^```\w*\n(.*?)^```", text, re.S | re.M)]
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.startswith("bnn ")]


@pytest.mark.parametrize("line", documented_commands())
def test_documented_commands_exist(line):
    name, *words = shlex.split(line)[1:]
    options = {flag for parameter in COMMANDS[name].params for flag in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_readme_shows_commands():
    assert {line.split()[1] for line in documented_commands()} >= {"classify", "generate", "verify", "bench", "train"}
