"""Write a graph as a folder of Verilog."""

from pathlib import Path

from codegen.folder import write_folder
from codegen.rtl.emit import emit_rtl
from codegen.rtl.plan import RtlPlan


def generate_rtl(
    plan: RtlPlan, out: Path, *, command: str, graph_sha256: str, tool_version: str, force: bool = False
) -> list[Path]:
    """Write `<name>_top.v`, the modules that it needs, images of its memories (.hex) and the manifest `<name>.json`
    into the folder `out`; return their paths.

    command, graph_sha256, tool_version   for the files' first lines
    force                                 replace files of these names; others in the folder are never touched

    Equal arguments give equal bytes. Raises GraphError where two ways that meet in an AndNot are folded differently,
    FileError if `out` cannot be written or holds such files already; then nothing is written.
    """
    return write_folder(emit_rtl(plan, command, graph_sha256, tool_version), out, force=force)
