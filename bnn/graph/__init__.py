"""The integer graph: ops, checker, text form, file format."""

from bnn.graph.check import check, past_samples
from bnn.graph.file import load, save
from bnn.graph.graph import Graph, Signal, Stage
from bnn.graph.text import to_text
from bnn.graph.types import TensorType

__all__ = ["Graph", "Signal", "Stage", "TensorType", "check", "load", "past_samples", "save", "to_text"]
