"""The integer graph: ops, checker, text form, file format."""

from bnn.graph.check import check, exit_gate, only_signal, past_samples, refuse_gate, stage_gate, streamed_signal
from bnn.graph.file import load, save
from bnn.graph.graph import Graph, Signal, Stage
from bnn.graph.text import to_text
from bnn.graph.types import TensorType

__all__ = [
    "Graph",
    "Signal",
    "Stage",
    "TensorType",
    "check",
    "exit_gate",
    "load",
    "only_signal",
    "past_samples",
    "refuse_gate",
    "save",
    "stage_gate",
    "streamed_signal",
    "to_text",
]
