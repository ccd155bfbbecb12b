"""The manifest that the generator leaves beside its C sources: what the laboratory knows of a model."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bnn.errors import FileError

FORMAT = 3
FORMS = ("window", "stream")
TYPES = ("bit", "int8", "int16", "int32")


@dataclass(frozen=True, slots=True)
class Signal:
    """One input of the model: `samples` x `channels` int16."""

    name: str
    samples: int
    channels: int

    @property
    def values(self) -> int:
        return self.samples * self.channels


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the model that is called by itself: NAME_STAGE, with its signals."""

    name: str
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """How a map lies in lanes: bit j of word c * row + first_word + i is element (c, j * segment + i), i < segment."""

    segment: int
    row: int
    first_word: int


@dataclass(frozen=True, slots=True)
class Trace:
    """One tensor that a traced build reports.

    type       "bit", "int8", "int16" or "int32"
    shape      (C, T), stored time-major: element (c, t) is number t * C + c; or (N,)
    first_bit  number of element 0 of a bit tensor in its row of 32-bit little-endian words
    lanes      of a bit tensor in lanes, else None
    rows       whether it comes row by row, oldest first: each a tensor (C, 1) that begins at a word
    """

    id: int
    name: str
    type: str
    shape: tuple[int, ...]
    first_bit: int = 0
    lanes: Lanes | None = None
    rows: bool = False

    @property
    def parts(self) -> int:
        """Records that one window gives."""
        return self.shape[1] if self.rows else 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generated model. `sources` are what a firmware links, relative to `folder`.

    form        "window": one call classifies a window; "stream": samples are pushed as they come
    kept_bytes  of the context, those that hold a window's samples
    restart     of a stream, whether each window that is run begins one: it holds its past, too
    stages      of a model that is called stage by stage, in order; else none
    """

    folder: Path
    name: str
    classes: tuple[str, ...]
    signals: tuple[Signal, ...]
    sources: tuple[str, ...]
    traces: tuple[Trace, ...]
    context_bytes: int
    form: str = "window"
    kept_bytes: int = 0
    restart: bool = False
    stages: tuple[Stage, ...] = ()

    @property
    def entries(self) -> tuple[str, ...]:
        """The functions by which a window is classified, or a sample taken, in order."""
        if self.stages:
            return tuple(f"{self.name}_{stage.name}" for stage in self.stages)
        return (f"{self.name}_{'push' if self.is_stream else 'classify'}",)

    @property
    def is_stream(self) -> bool:
        return self.form == "stream"

    @property
    def values(self) -> int:
        """int16 values of one window, all signals after one another in the order of `signals`."""
        return sum(signal.values for signal in self.signals)


def read_manifest(generated: Path) -> Manifest:
    """Read the manifest in the folder `generated`.

    Raises FileError if there is none or more than one, or if it is damaged or of a newer format.
    """
    path = _find(Path(generated))
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        _refuse_newer(path, raw)
        manifest = _parse(path.parent, raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{path}: is not a manifest of generated C ({error!r}); run bnn generate again") from error
    _check(path, manifest)
    return manifest


def _find(folder: Path) -> Path:
    found = sorted(folder.glob("*.json"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise FileError(
            f"{folder}: holds {len(found)} manifests ({names}), but a generated folder has one NAME.json; "
            "run bnn generate into a folder of its own"
        )
    return found[0]


def _refuse_newer(path: Path, raw: dict) -> None:
    if raw["format"] != FORMAT:
        raise FileError(
            f"{path}: has format {raw['format']}, but this laboratory reads format {FORMAT}; "
            "generate again with the bnn that is installed here"
        )


def _parse(folder: Path, raw: dict) -> Manifest:
    return Manifest(
        folder=folder,
        name=str(raw["name"]),
        classes=tuple(raw["classes"]),
        signals=tuple(Signal(s["name"], int(s["samples"]), int(s["channels"])) for s in raw["signals"]),
        sources=tuple(raw["sources"]),
        traces=tuple(_trace(t) for t in raw["trace"]),
        context_bytes=int(raw["context_bytes"]),
        form=raw["form"],
        kept_bytes=int(raw["kept_bytes"]),
        restart=bool(raw["restart"]),
        stages=tuple(Stage(s["name"], tuple(s["signals"])) for s in raw.get("stages", ())),
    )


def _trace(raw: dict) -> Trace:
    lanes = None
    if raw.get("layout") == "lanes":
        lanes = Lanes(int(raw["segment"]), int(raw["row"]), int(raw["first_word"]))
    shape = tuple(map(int, raw["shape"]))
    rows = raw.get("layout") == "rows"
    return Trace(int(raw["id"]), raw["name"], raw["type"], shape, int(raw.get("first_bit", 0)), lanes, rows)


def _check(path: Path, manifest: Manifest) -> None:
    """What a build relies on: a C name, sources that are there, traces that can be told apart and decoded."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", manifest.name):
        raise FileError(f"{path}: name {manifest.name!r} is not a C identifier; generate again with another name")
    for stage in manifest.stages:
        if unknown := set(stage.signals) - {signal.name for signal in manifest.signals}:
            raise FileError(
                f"{path}: stage {stage.name} reads {unknown.pop()}, no signal of it; run bnn generate again"
            )
    if manifest.form not in FORMS:
        raise FileError(f"{path}: form {manifest.form!r}, not one of {', '.join(FORMS)}; run bnn generate again")
    for source in manifest.sources:
        if not (manifest.folder / source).is_file():
            raise FileError(f"{path}: source {source} is listed but missing; run bnn generate again")
    for trace in manifest.traces:
        if trace.type not in TYPES:
            raise FileError(f"{path}: trace {trace.name} has type {trace.type!r}, not one of {', '.join(TYPES)}")
        if trace.lanes and (trace.type != "bit" or len(trace.shape) != 2 or trace.lanes.segment < 1):
            raise FileError(
                f"{path}: trace {trace.name} is in lanes, but only maps of bits are; run bnn generate again"
            )
        if trace.rows and len(trace.shape) != 2:
            raise FileError(f"{path}: trace {trace.name} is in rows, but only maps are; run bnn generate again")
    for what, keys in (("id", [t.id for t in manifest.traces]), ("name", [t.name for t in manifest.traces])):
        if len(set(keys)) != len(keys):
            raise FileError(f"{path}: two traces share one {what}; run bnn generate again")
