"""Write a graph as a folder of C sources."""

from pathlib import Path

from bnn.graph import Graph
from codegen.c.emit import emit
from codegen.c.model import KnownAnswer
from codegen.choose import DEFAULT, Choice, Options, choose
from codegen.folder import write_folder


def generate(
    graph: Graph,
    out: Path,
    *,
    target: str = "cortex-m4",
    known_answer: KnownAnswer,
    command: str,
    graph_sha256: str,
    tool_version: str,
    options: Options = DEFAULT,
    choice: Choice | None = None,
    force: bool = False,
) -> list[Path]:
    """Write `<name>.h`, `<name>.c`, what they need of the runtime, a known-answer test, an example, a
    Makefile and the manifest `<name>.json` into the folder `out`; return their paths.

    target        what the Makefile's `lib` builds for; the sources are the same for all
    known_answer  one window with the simulator's logits
    command, graph_sha256, tool_version   for the files' first lines
    options       which kernels, and limits of flash and RAM
    choice        what choose() made of the graph, target and options, where the caller has it already
    force         replace files of these names; others in the folder are never touched

    Equal arguments give equal bytes. Raises GraphError for a graph or target that the C backend does not run,
    DataError for a known answer of another shape, FileError if `out` cannot be written or holds such files already;
    then nothing is written.
    """
    files = emit(choice or choose(graph, target, options), target, known_answer, command, graph_sha256, tool_version)
    return write_folder(files, out, force=force)
