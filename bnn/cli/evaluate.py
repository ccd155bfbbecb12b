"""bnn evaluate: figures of a graph or of a trained network."""

from typing import Annotated

import typer

from bnn.cli.common import JsonOption, out, print_json
from bnn.cli.engine import EngineOption
from bnn.cli.subject import Part, Subject, open_part, open_subject
from bnn.errors import DataError
from bnn.rejection import RiskCoverage, check_threshold, confidence, reject, risk_coverage

ModelArgument = Annotated[
    str, typer.Argument(help="A name of the zoo, a .graph file, a model.safetensors or a run folder.")
]
SetOption = Annotated[str | None, typer.Option("--set", help="Windows to use: see `bnn data list`.")]
SyntheticOption = Annotated[bool, typer.Option("--synthetic", help="Use synthetic signals; the figures say so.")]
ProtocolOption = Annotated[str | None, typer.Option(help="[the one it was trained under]")]
SeedOption = Annotated[int | None, typer.Option(help="[the one it was trained with]")]
PartOption = Annotated[str, typer.Option(help="train, val, test, or all.")]
FoldOption = Annotated[int | None, typer.Option(help="[the one it was trained with]")]
MinConfidenceOption = Annotated[
    float | None, typer.Option(metavar="P", help="Leave windows of lower confidence unanswered, 0 to 1.")
]


SpeedOption = Annotated[
    float | None,
    typer.Option(metavar="S", help="Of a network with exits: leave at the first less uncertain than this, 0 to 1."),
]


def register(app: typer.Typer) -> None:
    app.command("evaluate")(evaluate_command)


def evaluate_command(
    model: ModelArgument,
    set_name: SetOption = None,
    protocol: ProtocolOption = None,
    seed: SeedOption = None,
    fold: FoldOption = None,
    part: PartOption = "test",
    min_confidence: MinConfidenceOption = None,
    speed: SpeedOption = None,
    engine: EngineOption = "auto",
    synthetic: SyntheticOption = False,
    json: JsonOption = False,
):
    """Figures of a graph (in integers, without torch) or of a trained model: accuracy, F1, per class, confusion."""
    from bnn.metrics import render, report

    if min_confidence is not None:
        check_threshold(min_confidence)
    subject = open_subject(model, engine, networks=("ecg", "sleep", "sleep-binary", "mc2sleep"))
    _check_speed(subject, speed)
    scale = None if min_confidence is None else subject.scale()
    chosen = open_part(
        subject, set_name=set_name, protocol=protocol, seed=seed, fold=fold, part=part, synthetic=synthetic
    )
    windows = chosen.windows
    logits, more = _answers(subject, windows, speed)
    figures = report(windows.y, logits.argmax(axis=1), windows.classes)
    confidences = None if scale is None else confidence(logits, scale)
    right = logits.argmax(axis=1) == windows.y
    if json:
        head = evaluation_head(model, subject, chosen)
        rejected = {} if confidences is None else {"rejection": _rejection(confidences, right, min_confidence)}
        print_json({**head, **figures.to_dict(), **rejected, **(more.to_dict() if more else {})})
        return
    title = f"{subject.name} ({subject.kind}) on {windows.describe()}"
    out.print(render(figures, title=title, protocol=chosen.protocol(), part=part, synthetic=windows.synthetic))
    if more:
        more.show()
    for note in chosen.split.notes:
        out.print(note, markup=False)
    if confidences is not None:
        out.print(reject(confidences, right, min_confidence).describe())
        out.print(f"area under the risk-coverage curve {risk_coverage(confidences, right).aurc:.4f}")


def _check_speed(subject: Subject, speed: float | None) -> None:
    if speed is None:
        return
    if subject.staged is None:
        raise DataError(f"{subject.name}: has one exit, so a speed decides nothing; leave --speed out")
    from bnn.exits import check_speed

    check_speed(speed)


def _answers(subject: Subject, windows, speed: float | None):
    """Logits of the windows, and the figures of the exits or classifiers where the subject has several, else None."""
    if subject.voting is not None:
        from bnn.cli import heads

        return heads.voted(subject.voting, windows)
    if subject.staged is None:
        return subject.logits(windows.x), None
    from bnn.cli import exits

    return exits.taken(subject.staged, windows, speed) if speed is not None else exits.alone(subject.staged, windows)


def evaluation_head(model: str, subject: Subject, chosen: Part) -> dict:
    """What figures are of, for JSON."""
    windows, parts = chosen.windows, chosen.split
    return {
        "model": model,
        "kind": subject.kind,
        "set": windows.name,
        "synthetic": windows.synthetic,
        "protocol": parts.protocol,
        "seed": parts.seed,
        "fold": parts.fold,
        "part": chosen.name,
    }


def _rejection(confidences, right, least: float) -> dict:
    curve: RiskCoverage = risk_coverage(confidences, right)
    return {**reject(confidences, right, least).to_dict(), "aurc": curve.aurc}
