"""The laboratory: compile generated C, run it on the host and on emulated cores, read every tensor back, measure it.

It reads the folder that the generator writes and knows nothing of how it came to be.
"""
