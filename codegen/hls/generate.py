"""Write a graph as a project for Vitis HLS."""

from pathlib import Path

from bnn.errors import DataError
from codegen.folder import write_folder
from codegen.hls.emit import Golden, emit
from codegen.hls.folding import Design

__all__ = ["Golden", "generate"]


def generate(
    design: Design,
    out: Path,
    *,
    golden: Golden,
    command: str,
    graph_sha256: str,
    tool_version: str,
    force: bool = False,
) -> list[Path]:
    """Write sources, test bench, build files, host script, README and manifest into `out`; return their paths.

    golden  windows for the test bench with the simulator's answers
    command, graph_sha256, tool_version   for the files' first lines
    force   replace files of these names; others in the folder are never touched

    Equal arguments give equal bytes. Raises DataError for golden windows of another shape, FileError if `out` cannot be
    written or holds such files already; then nothing is written.
    """
    n, classes, length = len(golden.windows), len(design.network.graph.classes), design.network.samples
    shapes = golden.windows.shape, golden.logits.shape, golden.classes.shape
    if shapes != ((n, length), (n, classes), (n,)) or not n:
        raise DataError(f"golden windows, logits and classes are {shapes}, wanted {((n, length), (n, classes), (n,))}")
    return write_folder(emit(design, golden, command, graph_sha256, tool_version), out, force=force)
