"""Proofs of the small Verilog blocks: for every input, not for those that a test thought of."""
