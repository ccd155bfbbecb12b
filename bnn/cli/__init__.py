"""The command `bnn`. Modules that need torch, wfdb or the lab are imported by the command that uses them."""

from bnn.cli.app import main

__all__ = ["main"]
