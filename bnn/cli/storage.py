"""What a network stores: as it lies in a linked image, and as the paper counts it."""

import tempfile
from pathlib import Path

from rich.table import Table

from bnn.cli.common import OpenGraph, table
from bnn.cli.generate import temporary_sources
from bnn.errors import GraphError, ToolError
from bnn.graph import Graph
from bnn.graph.integer_ops import SignConv
from bnn.graph.ops import BinaryConv, SignalConv
from codegen import Options

TARGET, OPT = "cortex-m4", "-Os"
SMALL = Options("plain")
"""Kernels that store the network once, and no lists made from it."""
NETWORK = ("weights", "thresholds", "factors", "pads", "tables")
"""What training decided; the rest of an image is how it is run."""


def paper_bytes(graph: Graph) -> dict[str, float]:
    """Bytes as Pu et al. count them (arXiv 2304.01568): a bit a weight, and two bytes a channel of each convolution."""
    convolutions = [node for node in graph.nodes() if isinstance(node, SignalConv | BinaryConv | SignConv)]
    weights = sum(node.w.size for node in convolutions) / 8
    thresholds = 2.0 * sum(len(node.w) for node in convolutions)
    return {"weights": weights, "thresholds": thresholds, "network": weights + thresholds}


def image_storage(opened: OpenGraph):
    """(firmware.storage.Storage of an image with SMALL kernels, "") or, where none can be built, (None, why)."""
    try:
        from firmware.build import build_image
        from firmware.image import read_image
        from firmware.storage import read_storage

        with temporary_sources(opened, TARGET, SMALL) as sources, tempfile.TemporaryDirectory(prefix="bnn-") as folder:
            return read_storage(read_image(build_image(sources, TARGET, Path(folder), traced=False, opt=OPT))), ""
    except (ToolError, GraphError) as error:
        return None, f"No figures of a linked image, which need the extra `lab`: {error}"


def storage_table(image, paper: dict[str, float]) -> Table:
    """Both counts side by side; `image` is None where there is none."""
    title = f"storage, B; image for {TARGET}, {OPT} {SMALL}; 1 KB = 1024 B"
    made = table("", title=title, numbers=("linked image", "the paper's count"))
    stored = image.to_dict() if image else {}
    for name in NETWORK:
        made.add_row(name, _bytes(stored.get(name)), _bytes(paper.get(name)))
    made.add_section()
    made.add_row("network", _kilobytes(stored.get("network")), _kilobytes(paper["network"]))
    for name in ("descriptors", "alignment", "code") if image else ():
        made.add_row(name, _bytes(stored[name]), "")
    return made


def _bytes(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _kilobytes(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} = {value / 1024:.2f} KB"
