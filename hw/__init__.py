"""Hardware: Verilog modules, and the Python that simulates what is generated from them."""
