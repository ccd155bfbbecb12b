"""The run that a training goes on from."""

from pathlib import Path

from torch import nn

from bnn.errors import ModelError
from bnn.models.checkpoint import load_model
from bnn.train.recipe import Recipe
from bnn.train.teacher import require_same_split


def begin_from(path: Path | None, recipe: Recipe, net: nn.Module, run: dict) -> None:
    """Put the weights in `path` into `net`; nothing where `recipe` goes on from no run.

    run  run.json of the run that begins
    Raises ModelError where recipe and path do not fit each other, for another network, and for one that was trained on
    another split: it may have seen what this run holds out.
    """
    name = f"recipe {recipe.task}/{recipe.name}"
    if path is None and recipe.continues:
        raise ModelError(f"{name} goes on from an earlier run of {recipe.task}; name it with --from")
    if path is not None and not recipe.continues:
        raise ModelError(f"{name} goes on from no other run, so {path} would not be used; leave --from out")
    if path is None:
        return
    before, about = load_model(path, recipe.task)
    if before.config != net.config:
        raise ModelError(
            f"{path}: holds another network ({before.config}) than this run trains ({net.config}); "
            "give the same changes with --with"
        )
    require_same_split(path, about, run["data"]["sha256"], "network")
    net.load_state_dict(before.state_dict())
