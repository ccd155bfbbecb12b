"""bnn train, lower: from recordings to a model, and on to its integer graph."""

from pathlib import Path
from typing import Annotated

import typer

from bnn import zoo
from bnn.cli.common import JsonOption, err, load_set, out, print_json, progress_bar, split_set
from bnn.cli.evaluate import SetOption, SyntheticOption, evaluate_command
from bnn.cli.subject import need_torch, origin
from bnn.errors import DataError, ModelError

SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the split, the weights and the order of batches.")]
FoldOption = Annotated[
    str, typer.Option(help="Fold, from 0, or all, one after the other, under a protocol that has folds.")
]


def register(app: typer.Typer) -> None:
    app.command("train")(train_command)
    app.command("lower")(lower_command)


def train_command(
    task: Annotated[
        str,
        typer.Argument(help="ecg17, ecg5, or a network of sleep, which takes its nights by --set: sleep, mc2sleep."),
    ],
    recipe: Annotated[
        str, typer.Option(help="Named recipe of the task, `default` or another; a wrong name lists them.")
    ] = "default",
    set_name: SetOption = None,
    protocol: Annotated[
        str | None, typer.Option(help="How windows are split: see `bnn data list`. [stratified; of nights subjects]")
    ] = None,
    seed: SeedOption = 0,
    fold: FoldOption = "0",
    change: Annotated[
        list[str] | None, typer.Option("--with", metavar="FIELD=VALUE", help="Change a field of the recipe.")
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="Run on the same split whose answers are learned, for a recipe with teaching.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="Run on the same split to go on from, for one phase of mc2sleep alone."),
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Run folder [runs/SET-RECIPE-PROTOCOL-SEED].")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start over in a folder that has a run.")] = False,
    accelerator: Annotated[str, typer.Option(help="Lightning's: auto, cpu, gpu ...")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="Devices to train on, for mc2sleep.")] = 1,
    synthetic: SyntheticOption = False,
):
    """Train a network; prints its figures on the test part, with the protocol's name."""
    need_torch()
    from bnn.train import run_folder
    from bnn.train.loop import is_first_process, train
    from bnn.train.recipes import recipe as find

    chosen = find(task, recipe, **overrides(change or []))
    windows = load_set(set_name or _set_of(task, synthetic), synthetic=synthetic)
    err.print(windows.describe())
    protocol = split_set(windows, protocol, seed, 0).protocol
    for number in _folds(fold, windows, protocol):
        parts = split_set(windows, protocol, seed, number)
        target = run_path(folder, run_name(task, windows.name, recipe, protocol, seed), fold, number)
        if resume and fold == "all" and (target / "model.safetensors").exists():
            err.print(f"{target}: done already")
            continue
        for line in (parts.describe(), *parts.notes):
            err.print(line)
        taught_by, begun = (run and zoo.model_path(str(run_path(run, "", fold, number))) for run in (teacher, start))
        how = dict(seed=seed, teacher=taught_by, start=begun, accelerator=accelerator, devices=devices)
        path = train(chosen, windows, parts, target, **how, resume=resume, force=force)
        if not is_first_process():
            continue
        err.print(f"wrote {path}")
        if "test" in run_folder.read(path.parent):
            evaluate_command(str(path), set_name=set_name, synthetic=synthetic)


def _set_of(task: str, synthetic: bool) -> str:
    """The set that a task trains on where none is named."""
    from bnn.data.sleep import sets as nights

    if task not in ("sleep", "mc2sleep"):
        return task
    if not synthetic:
        raise DataError(f"task {task}: which nights? Name them with --set, one of {', '.join(nights.NAMES)}")
    return nights.SYNTHETIC


def run_name(task: str, set_name: str, recipe: str, protocol: str, seed: int) -> str:
    """Of a run's folder: a second network on the same sets has its task in it."""
    named = [task] if task == "mc2sleep" else []
    return "-".join([set_name, *named, recipe, protocol, str(seed)])


def _folds(fold: str, windows, protocol: str) -> list[int]:
    """The folds to train."""
    folds = split_set(windows, protocol, 0, 0).folds
    if fold == "all" and folds > 1:
        return list(range(folds))
    if not fold.isdecimal():
        raise DataError(f"--fold is {fold}, wanted a number, or all under a protocol that has folds: `bnn data list`")
    return [int(fold)]


def run_path(folder: Path | None, name: str, fold: str, number: int) -> Path:
    """Where a run stands: `folder`, or runs/NAME; one below it, fold-K, for each of several folds."""
    top = folder or Path("runs") / name
    return top / f"fold-{number}" if fold == "all" else top


def overrides(changes: list[str]) -> dict:
    """["epochs=3", "lr=0.1"] -> {"epochs": 3, "lr": 0.1}."""
    import json

    values = {}
    for change in changes:
        field, equals, text = change.partition("=")
        if not equals:
            raise ModelError(f"--with {change}: wanted FIELD=VALUE, for example epochs=100")
        try:
            values[field] = json.loads(text)
        except ValueError:
            values[field] = text
    return values


def lower_command(
    model: Annotated[
        str, typer.Argument(help="A model.safetensors, the run folder that has one, or a name of the zoo.")
    ],
    target: Annotated[Path, typer.Option("--out", help="The graph file to write.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the graph; generated C is named by it. [the set's name]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace --out if it exists.")] = False,
    synthetic: SyntheticOption = False,
    json: JsonOption = False,
):
    """Turn a trained model into an integer graph, and measure how well the two agree (exit code 1 below 99.5 %)."""
    need_torch()
    from bnn.cli.agreement import measure
    from bnn.files import refuse_existing
    from bnn.graph import save
    from bnn.lower.passes import to_target
    from bnn.models.checkpoint import load_model

    refuse_existing(target, force)
    net, metadata = load_model(zoo.model_path(model), "ecg", "sleep-binary")
    about = origin(metadata)
    windows = load_set(about["set"], synthetic=synthetic)
    graph = to_target(_lower(net, name or about["set"].replace("-", "_"), about, windows))
    with progress_bar("comparing with the trained network", len(windows)) as progress:
        agreements = measure(net, graph, windows, progress)
    save(graph, target, force=force)
    if json:
        head = {"graph": graph.name, "file": str(target), "set": windows.name}
        print_json(head | {"stages": {name: agreement.to_dict() for name, agreement in agreements.items()}})
    else:
        out.print(f"wrote {target} ({target.stat().st_size} bytes)")
        for name, agreement in agreements.items():
            out.print(f"{windows.describe()}, {name}: {agreement.describe()}")
    if not all(agreement.holds for agreement in agreements.values()):
        raise typer.Exit(1)


def _lower(net, name: str, about: dict[str, str], windows):
    """The graph, in the logical dialect, of a network that was trained on a set like `windows`."""
    from bnn.lower.ecg import lower_ecg
    from bnn.lower.sleep import lower_sleep
    from bnn.models.ecg import EcgNet

    if isinstance(net, EcgNet):
        return lower_ecg(net, name, about)
    gains = {key: (signal.gain, signal.unit) for key, signal in windows.signals.items()}
    return lower_sleep(net, name, gains, about)
