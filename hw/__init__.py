"""The network as hardware: Verilog modules, boards, and the Python that simulates and synthesises them."""
