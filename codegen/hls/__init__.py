"""The graph as a dataflow of HLS kernels: network, cost, schedule, folding, and the project that is written."""

from codegen.hls.folding import Design, choose_foldings
from codegen.hls.generate import Golden, generate
from codegen.hls.network import Network, make_network
from codegen.hls.parts import find_part, parse_clock

__all__ = [
    "Design",
    "Golden",
    "Network",
    "choose_foldings",
    "find_part",
    "generate",
    "make_network",
    "parse_clock",
]
