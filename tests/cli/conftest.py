"""Running the command line in this process."""

import sys
from dataclasses import dataclass

import pytest

from bnn.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def bnn(capsys, monkeypatch):
    """A function that runs `bnn` with arguments, as a shell would."""

    def run(*arguments) -> Ran:
        monkeypatch.setattr(sys, "argv", ["bnn", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        text = capsys.readouterr()
        code = left.value.code
        return Ran(0 if code is None else code, text.out, text.err)

    return run


@pytest.fixture
def refused(bnn):
    """A function that runs `bnn`, expects one line of error with exit code 2, and returns that line."""

    def run(*arguments) -> str:
        ran = bnn(*arguments)
        assert ran.code == 2, ran
        lines = [line for line in ran.err.splitlines() if line.startswith("bnn: ")]
        assert len(lines) == 1, ran.err
        assert "Traceback" not in ran.err
        return lines[0]

    return run
