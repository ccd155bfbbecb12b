"""The folder of one training run.

run.json             what is trained on what; at the end also how long it took and the figures
model.safetensors    the network, once training is done
checkpoints/         last.ckpt after every epoch, best.ckpt where there is a validation part
logs/version_N/      metrics.csv and TensorBoard events, one N per start

The phases of a training that has several have a folder each in checkpoints/ and logs/.
"""

import hashlib
import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np

from bnn.data.sleep.epochs import EpochSet
from bnn.data.splits import Split
from bnn.data.windows import WindowSet
from bnn.errors import FileError, ModelError
from bnn.files import write_atomic
from bnn.train.recipe import Recipe

IDENTITY = ("recipe", "seed", "protocol", "fold", "split_seed", "data", "teacher", "start")


def describe(
    recipe: Recipe,
    data: WindowSet | EpochSet,
    split: Split,
    seed: int,
    teacher: Path | None = None,
    start: Path | None = None,
) -> dict:
    """What decides the outcome of a run, in plain values; two runs with the same are the same run.

    teacher, start  the networks that it learns from and goes on from
    """
    return {
        "recipe": recipe.to_dict(),
        "seed": seed,
        "protocol": split.protocol,
        "split_seed": split.seed,
        "fold": split.fold,
        "folds": split.folds,
        "data": {
            "name": data.name,
            "classes": list(data.classes),
            "synthetic": data.synthetic,
            "train": len(split.train),
            "val": len(split.val),
            "test": len(split.test),
            "sha256": fingerprint(data, split),
        },
        "teacher": _hash(teacher),
        "start": _hash(start),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "brevitas", "lightning", "numpy")},
    }


def _hash(file: Path | None) -> str | None:
    return file and hashlib.sha256(Path(file).read_bytes()).hexdigest()


def fingerprint(data: WindowSet | EpochSet, split: Split) -> str:
    """A hash of a set's signals and labels and of what each part of the split holds."""
    digest = hashlib.sha256()
    signals = data.x.values() if isinstance(data.x, dict) else (data.x,)
    for array in (*signals, data.y, split.train, split.val, split.test):
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def prepare(folder: Path, run: dict, *, resume: bool, force: bool) -> None:
    """Make `folder` ready: without checkpoints for a fresh start, with those that are there to be resumed.

    Raises FileError if it exists and neither `resume` nor `force` is given,
    and ModelError if `resume` is given but the folder holds another run.
    """
    if folder.exists() and resume:
        return _check_same(folder, run)
    if folder.exists():
        if not force:
            raise FileError(
                f"{folder}: exists already; pass --resume to go on with it, --force to start over, or another --out"
            )
        _clear(folder)
    write(folder, run)


def checkpoints(folder: Path, phase: str = "") -> Path:
    """Where a phase keeps its checkpoints."""
    return folder / "checkpoints" / phase


def has_checkpoints(folder: Path) -> bool:
    """Has any phase begun?"""
    return any(checkpoints(folder).rglob("last.ckpt"))


def last_checkpoint(folder: Path, phase: str = "") -> Path | None:
    """The checkpoint to go on from, None for a fresh start."""
    last = checkpoints(folder, phase) / "last.ckpt"
    return last if last.exists() else None


def write(folder: Path, run: dict) -> None:
    """Write run.json."""
    write_atomic(folder / "run.json", json.dumps(run, indent=2) + "\n")


def read(folder: Path) -> dict:
    """run.json of a run. Raises ModelError where it is missing or damaged."""
    path = Path(folder) / "run.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: missing or damaged, so there is no run to resume; start over with --force"
        ) from error


def _check_same(folder: Path, run: dict) -> None:
    before = read(folder)
    for key in IDENTITY:
        if before.get(key) != run[key]:
            raise ModelError(
                f"{folder}: was begun with another {key} ({before.get(key)}) than asked for now ({run[key]}); "
                "resume with the same, or choose another --out"
            )


def _clear(folder: Path) -> None:
    """Remove what a run writes, and nothing else that may stand in the folder."""
    for name in ("run.json", "model.safetensors"):
        (folder / name).unlink(missing_ok=True)
    for name in ("checkpoints", "logs"):
        shutil.rmtree(folder / name, ignore_errors=True)
