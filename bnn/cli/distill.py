"""bnn distill: a small network of sleep learns from a large one."""

from pathlib import Path
from typing import Annotated

import typer

from bnn import zoo
from bnn.cli.common import err
from bnn.cli.evaluate import ProtocolOption, SeedOption, SetOption, SyntheticOption
from bnn.cli.subject import need_torch, origin
from bnn.cli.train import overrides, run_name, run_path, train_command

SHARE = 0.5
"""Of the loss that is left to the teacher, where neither the recipe nor --with says."""


def register(app: typer.Typer) -> None:
    app.command("distill")(distill_command)


def distill_command(
    teacher: Annotated[Path, typer.Option(help="Run of mc2sleep or sleep; with --fold all, the folder of its folds.")],
    student: Annotated[str, typer.Option(help="Task of the network that learns.")] = "sleep",
    recipe: Annotated[str, typer.Option(help="Its recipe: binary, tiny, or another.")] = "binary",
    set_name: SetOption = None,
    protocol: ProtocolOption = None,
    seed: SeedOption = None,
    fold: Annotated[str | None, typer.Option(help="Fold, from 0, or all. [the teacher's]")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--with", metavar="FIELD=VALUE", help="Change a field of the recipe.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Run folder [runs/SET-RECIPE-taught-PROTOCOL-SEED].")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start over in a folder that has a run.")] = False,
    accelerator: Annotated[str, typer.Option(help="Lightning's: auto, cpu, gpu ...")] = "auto",
    synthetic: SyntheticOption = False,
):
    """Train a network of sleep on the probabilities that a teacher, trained on the same split, gives each epoch.

    Half of the loss of the first stage is the teacher's; --with teaching=0.7 changes it.
    """
    need_torch()
    from bnn.models.checkpoint import load_model
    from bnn.train.recipes import recipe as find
    from bnn.train.teacher import SLEEP_TEACHERS

    changes = list(change or [])
    if not find(student, recipe, **overrides(changes)).to_dict().get("teaching"):
        changes.append(f"teaching={SHARE}")
    network, metadata = load_model(zoo.model_path(str(run_path(teacher, "", fold or "", 0))), *SLEEP_TEACHERS)
    about = origin(metadata)
    nights, protocol = set_name or about["set"], protocol or about["protocol"]
    seed, fold = int(about["seed"]) if seed is None else seed, fold or about["fold"]
    err.print(f"teacher {teacher}: {type(network).__name__}")
    train_command(
        student,
        recipe=recipe,
        set_name=nights,
        protocol=protocol,
        seed=seed,
        fold=str(fold),
        change=changes,
        teacher=teacher,
        folder=folder or Path("runs") / run_name(student, nights, f"{recipe}-taught", protocol, seed),
        resume=resume,
        force=force,
        accelerator=accelerator,
        synthetic=synthetic,
    )
