"""Verilog from a graph: modules of hw/rtl joined by streams, one chain a network."""
