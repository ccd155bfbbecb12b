"""The teacher of a distillation: a trained network, held to the split of the run that it teaches."""

from pathlib import Path

from torch import nn

from bnn.errors import ModelError
from bnn.models.checkpoint import load_model
from bnn.models.mc2.net import Mc2Net
from bnn.train.mc2.evaluate import require_tuned
from bnn.train.recipe import Recipe

SLEEP_TEACHERS = ("mc2sleep", "sleep")
"""Networks in floating point that can teach one of sleep."""

TEACHERS = {"sleep": SLEEP_TEACHERS}
"""By the task of the one that is taught; elsewhere an ECG network teaches."""


def load_teacher(path: Path | None, recipe: Recipe, run: dict) -> nn.Module | None:
    """The network in `path`, in eval mode and without gradients; None where `recipe` asks for no teacher.

    run  run.json of the run that is to be taught
    Raises ModelError where recipe and path do not fit each other, and for a teacher that was trained on another split:
    it may have seen windows that this run holds out.
    """
    if path is None and recipe.teaching:
        raise ModelError(
            f"{_name(recipe)} has teaching {recipe.teaching:g} but no teacher; name its run with --teacher"
        )
    if path is not None and not recipe.teaching:
        way = "add --with teaching=0.5" if "teaching" in recipe.to_dict() else "leave --teacher out"
        raise ModelError(f"{_name(recipe)} has teaching 0, so {path} would teach nothing; {way}")
    if path is None:
        return None
    return load_on_split(path, TEACHERS.get(recipe.task, ("ecg",)), run["data"]["sha256"])


def load_on_split(path: Path, networks: tuple[str, ...], ours: str) -> nn.Module:
    """The network in `path`, one of `networks`, in eval mode and without gradients.

    Raises ModelError for another network, one that was not taught to answer, or one of another split than `ours`, a
    fingerprint: see require_same_split.
    """
    teacher, about = load_model(path, *networks)
    if isinstance(teacher, Mc2Net):
        require_tuned(path, about)
    require_same_split(path, about, ours)
    return teacher.requires_grad_(False)


def require_same_split(path: Path, about: dict, ours: str, what: str = "teacher") -> None:
    """Raise ModelError unless the network in `path` was trained on the set and split with the fingerprint `ours`.

    about  its metadata; a network of another split may have seen what this split holds out
    """
    theirs = about.get("data", {}).get("sha256")
    if theirs != ours:
        raise ModelError(
            f"{path}: the {what} was trained on another split (data {str(theirs)[:12]}, wanted {ours[:12]}), "
            "so it may have seen what this run holds out; train it with the same set, protocol, seed and fold"
        )


def _name(recipe: Recipe) -> str:
    return f"recipe {recipe.task}/{recipe.name}"
