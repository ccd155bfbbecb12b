"""Projects for Vitis HLS of small graphs, with foldings drawn or given, and what their C simulation says."""

from pathlib import Path

import numpy as np
import pytest

from bnn.cli.answers import exits
from bnn.cli.compare import Comparison, compare
from bnn.errors import ToolError
from bnn.graph import Graph
from bnn.sim import simulate
from codegen.folding import Folding, foldings_of
from codegen.hls import Golden, find_part, generate, make_network
from codegen.hls.folding import make_design
from hw import csim
from hw.cxx import find_ap_types, find_cxx
from hw.manifest import read_manifest

PART = find_part("xc7z020clg400-1")


def needs_csim():
    """A mark that skips a test where no C simulation can be compiled."""
    reason = ""
    try:
        find_cxx()
        find_ap_types()
    except ToolError as error:
        reason = str(error)
    return pytest.mark.skipif(bool(reason), reason=reason)


def some_foldings(graph: Graph, rng: np.random.Generator) -> dict[str, Folding]:
    """One that divides for each convolution."""
    options = {name: foldings_of(work) for name, work in make_network(graph).works.items()}
    return {name: foldings[rng.integers(len(foldings))] for name, foldings in options.items()}


def write(
    graph: Graph, out: Path, foldings: dict[str, Folding] | None = None, windows: np.ndarray | None = None
) -> Path:
    """A project with the given foldings, else of one lane each; test windows are noise unless they are given."""
    network = make_network(graph)
    foldings = foldings or {name: Folding() for name in network.works}
    x = np.arange(network.signal.length, dtype=np.int16)[None] if windows is None else windows
    answer = simulate(graph, {network.signal.name: x}, keep="all")
    speed, leaves = exits(graph, answer)
    golden = Golden(x, answer.logits, answer.classes, "made up", leaves, speed)
    design = make_design(network, foldings, PART, 100.0)
    generate(design, out, golden=golden, command="test", graph_sha256="0" * 64, tool_version="0")
    return out


def differences(graph: Graph, program: Path, project: Path, x: np.ndarray) -> Comparison:
    """A traced program's run of windows (n, samples) against the simulator: every tensor, the class too."""
    wanted = simulate(graph, {graph.signals[0].name: x}, keep="all")
    speed, left = exits(graph, wanted)
    got = csim.simulate(program, read_manifest(project), x, traced=True, speed=speed)
    shipped = {"class": (wanted.classes, got.classes), "results": (wanted.logits, got.logits)}
    shipped |= {} if left is None else {"leaves": (left, got.leaves)}
    expected, ran = ({name: pair[i] for name, pair in shipped.items()} for i in (0, 1))
    return compare(wanted.tensors | expected, got.tensors | ran)
