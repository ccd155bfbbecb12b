"""From Verilog to a bitstream, and from the netlist back to a simulation."""
