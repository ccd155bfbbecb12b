"""Verilog from a graph: modules of hw/rtl joined by streams, one chain a network."""

from codegen.rtl.generate import generate_rtl
from codegen.rtl.plan import CYCLES, Layer, RtlPlan, make_plan

__all__ = ["CYCLES", "Layer", "RtlPlan", "generate_rtl", "make_plan"]
