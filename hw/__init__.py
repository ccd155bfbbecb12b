"""Hardware: HLS kernels, and the Python that compiles and runs what the generator writes for an FPGA.

It reads the folder that the generator writes and knows nothing of how it came to be.
"""
