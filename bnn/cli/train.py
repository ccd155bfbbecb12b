"""bnn train, evaluate, lower: from recordings to a model, its figures, and its integer graph."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bnn import zoo
from bnn.cli.common import JsonOption, err, load_windows, open_graph, out, print_json, progress_bar
from bnn.cli.engine import EngineOption, open_engine
from bnn.errors import DataError, ModelError, ToolError

SetOption = Annotated[str | None, typer.Option("--set", help="Windows to use: see `bnn data list`.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the split, the weights and the order of batches.")]
FoldOption = Annotated[int, typer.Option(min=0, help="Fold, 0 to 9; only kfold has folds.")]
SyntheticOption = Annotated[bool, typer.Option("--synthetic", help="Use synthetic signals; the figures say so.")]


def register(app: typer.Typer) -> None:
    app.command("train")(train_command)
    app.command("evaluate")(evaluate_command)
    app.command("lower")(lower_command)


def _need_torch() -> None:
    try:
        import brevitas  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise ToolError(
            f"{error.name} is not installed, and trained models need it: "
            "pip install torch==2.13.0 && pip install 'bnn-wearables[train]'"
        ) from error


def train_command(
    task: Annotated[str, typer.Argument(help="ecg17 or ecg5.")],
    recipe: Annotated[str, typer.Option(help="Named recipe of the task: default, paper, float.")] = "default",
    set_name: SetOption = None,
    protocol: Annotated[str, typer.Option(help="How windows are split: see `bnn data list`.")] = "stratified",
    seed: SeedOption = 0,
    fold: FoldOption = 0,
    change: Annotated[
        list[str] | None, typer.Option("--with", metavar="FIELD=VALUE", help="Change a field of the recipe.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Run folder [runs/TASK-RECIPE-PROTOCOL-SEED].")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start over in a folder that has a run.")] = False,
    accelerator: Annotated[str, typer.Option(help="Lightning's: auto, cpu, gpu ...")] = "auto",
    synthetic: SyntheticOption = False,
):
    """Train a network; prints its figures on the test part, with the protocol's name."""
    _need_torch()
    from bnn.data.splits import split
    from bnn.train.loop import train
    from bnn.train.recipes import recipe as find

    chosen = find(task, recipe, **_overrides(change or []))
    windows = load_windows(set_name or task, synthetic=synthetic)
    parts = split(windows, protocol, seed, fold)
    folder = folder or Path("runs") / f"{task}-{recipe}-{protocol}-{seed}"
    for line in (windows.describe(), parts.describe(), *parts.notes):
        err.print(line)
    path = train(chosen, windows, parts, folder, seed=seed, accelerator=accelerator, resume=resume, force=force)
    err.print(f"wrote {path}")
    evaluate_command(str(path), set_name=set_name, synthetic=synthetic)


def _overrides(changes: list[str]) -> dict:
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


def evaluate_command(
    model: Annotated[
        str, typer.Argument(help="A name of the zoo, a .graph file, a model.safetensors or a run folder.")
    ],
    set_name: SetOption = None,
    protocol: Annotated[str | None, typer.Option(help="[the one it was trained under]")] = None,
    seed: Annotated[int | None, typer.Option(help="[the one it was trained with]")] = None,
    fold: Annotated[int | None, typer.Option(help="[the one it was trained with]")] = None,
    part: Annotated[str, typer.Option(help="train, val, test, or all.")] = "test",
    engine: EngineOption = "auto",
    synthetic: SyntheticOption = False,
    json: JsonOption = False,
):
    """Figures of a graph (in integers, without torch) or of a trained model: accuracy, F1, per class, confusion."""
    from bnn.data.splits import split
    from bnn.metrics import render, report

    subject = _subject(model, engine)
    about = subject.about
    windows = load_windows(set_name or about["set"], synthetic=synthetic)
    if tuple(windows.classes) != tuple(subject.classes):
        raise DataError(
            f"{model}: knows classes {' '.join(subject.classes)}, but set {windows.name} has others; see --set"
        )
    chosen = (
        protocol or about["protocol"],
        int(about["seed"]) if seed is None else seed,
        int(about["fold"]) if fold is None else fold,
    )
    parts = split(windows, *chosen)
    indices = np.arange(len(windows)) if part == "all" else getattr(parts, _part(part))
    if not len(indices):
        raise DataError(f"protocol {parts.protocol} has no {part} part; choose --part train or test")
    chosen_windows = windows.subset(indices)
    figures = report(chosen_windows.y, subject.predict(chosen_windows.x), windows.classes)
    where = f"{parts.protocol} (seed {parts.seed}" + (f", fold {parts.fold})" if parts.protocol == "kfold" else ")")
    if json:
        head = {"model": model, "kind": subject.kind, "set": windows.name, "synthetic": windows.synthetic}
        split_head = {"protocol": parts.protocol, "seed": parts.seed, "fold": parts.fold, "part": part}
        print_json({**head, **split_head, **figures.to_dict()})
        return
    title = f"{subject.name} ({subject.kind}) on {windows.describe()}"
    out.print(render(figures, title=title, protocol=where, part=part, synthetic=windows.synthetic))
    for note in parts.notes:
        out.print(note, markup=False)


def _part(part: str) -> str:
    if part not in ("train", "val", "test"):
        raise DataError(f"--part is {part}, wanted train, val, test or all")
    return part


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is evaluated: a graph or a trained network. `about` is what it says of its training."""

    name: str
    kind: str
    classes: tuple[str, ...]
    about: dict[str, str]
    predict: Callable[[np.ndarray], np.ndarray]


def _subject(model: str, engine: str) -> _Subject:
    if model in zoo.names() or model.endswith(".graph"):
        return _graph_subject(model, engine)
    _need_torch()
    from bnn.models.checkpoint import load_model
    from bnn.train.evaluate import predict

    net, metadata = load_model(zoo.model_path(model))
    kind = "trained network, " + ("binary" if net.config.binary else "float")
    return _Subject(model, kind, net.config.classes, origin(metadata), lambda x: predict(net, x))


def _graph_subject(name_or_path: str, engine: str) -> _Subject:
    graph = open_graph(name_or_path).graph
    running = open_engine(graph, engine)

    def predict(x: np.ndarray) -> np.ndarray:
        with progress_bar("simulating", len(x)) as progress:
            return running.run(x, progress).classes

    return _Subject(graph.name, "integer graph", graph.classes, graph.about, predict)


def origin(metadata: dict) -> dict[str, str]:
    """What a graph remembers of its training, as text: set, protocol, seed, fold, recipe, epochs."""
    recipe = metadata["recipe"]
    return {
        "set": metadata["data"]["name"],
        "synthetic": "yes" if metadata["data"]["synthetic"] else "no",
        "protocol": metadata["protocol"],
        "seed": str(metadata["split_seed"]),
        "fold": str(metadata["fold"]),
        "recipe": f"{recipe['task']}/{recipe['name']}",
        "epochs": str(metadata["epochs_done"]),
    }


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
    _need_torch()
    from bnn.cli.agreement import measure
    from bnn.files import refuse_existing
    from bnn.graph import save
    from bnn.lower.ecg import lower_ecg
    from bnn.lower.passes import to_target
    from bnn.models.checkpoint import load_model

    refuse_existing(target, force)
    net, metadata = load_model(zoo.model_path(model))
    about = origin(metadata)
    graph = to_target(lower_ecg(net, name or about["set"].replace("-", "_"), about))
    windows = load_windows(about["set"], synthetic=synthetic)
    with progress_bar("comparing with the trained network", len(windows)) as progress:
        agreement = measure(net, graph, windows, progress)
    save(graph, target, force=force)
    if json:
        print_json({"graph": graph.name, "file": str(target), "set": windows.name, **agreement.to_dict()})
    else:
        out.print(f"wrote {target} ({target.stat().st_size} bytes)")
        out.print(f"{windows.describe()}: {agreement.describe()}")
    if not agreement.holds:
        raise typer.Exit(1)
