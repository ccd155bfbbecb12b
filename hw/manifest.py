"""The manifest that the generator leaves in a project: what the laboratory knows of a design."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bnn.errors import FileError

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Trace:
    """One tensor that a traced build writes: type "bit", "int16" or "int32", shape (C, T) or (N,)."""

    id: int
    name: str
    type: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One project for Vitis HLS in `folder`: `samples` of a window, `classes` by name, `gated` if there is an exit."""

    folder: Path
    name: str
    classes: tuple[str, ...]
    samples: int
    gated: bool
    traces: tuple[Trace, ...]


def read_manifest(project: Path) -> Manifest:
    """Read the manifest in the folder `project`.

    Raises FileError if there is none or more than one, or if it is damaged or of another format.
    """
    found = sorted(Path(project).glob("*.json"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise FileError(
            f"{project}: holds {len(found)} manifests ({names}), but a project has one NAME.json; "
            "run bnn generate --target hls into a folder of its own"
        )
    path = found[0]
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if (raw["backend"], raw["format"]) != ("hls", FORMAT):
            raise FileError(
                f"{path}: is {raw['backend']} in format {raw['format']}, wanted hls in format {FORMAT}; generate again"
            )
        traces = tuple(Trace(int(t["id"]), t["name"], t["type"], tuple(map(int, t["shape"]))) for t in raw["trace"])
        manifest = Manifest(
            path.parent, raw["name"], tuple(raw["classes"]), int(raw["samples"]), bool(raw["gated"]), traces
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path}: is not the manifest of a project ({error!r}); generate it again") from error
    if not re.fullmatch(r"[a-z][a-z0-9_]*", manifest.name):
        raise FileError(f"{path}: name {manifest.name!r} is not a C identifier; generate it again")
    return manifest
