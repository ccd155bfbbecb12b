"""The command line as a whole: its commands, its exit codes."""

import sys

import typer
from typer.core import TyperGroup

from bnn import __version__, zoo
from bnn.cli import (
    bench,
    classify,
    data,
    demo,
    distill,
    evaluate,
    export,
    generate,
    graph,
    report,
    robustness,
    runs,
    soft_labels,
    sweep,
    synth,
    train,
    verify,
)
from bnn.errors import BnnError


class Interrupted(Exception):
    """Ctrl-C, with what the command has to say about it."""


class Commands(TyperGroup):
    """All commands. Typer leaves without a word at Ctrl-C, so what was said must pass it as another exception."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            raise Interrupted(str(stopped) or "interrupted") from stopped


app = typer.Typer(
    name="bnn",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Binary neural networks for wearable biosignals: train, lower to integers, simulate, generate C, prove.\n\n"
    f"A GRAPH is a .graph file or a name of the zoo ({', '.join(zoo.names())}). "
    "Exit codes: 0 fine, 1 a check failed, 2 bad use.",
)
LEARNING = (demo, classify, data, train, runs, evaluate, sweep, soft_labels, distill, robustness, report)
for module in (*LEARNING, graph, generate, verify, bench, synth, export):
    module.register(app)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"bnn {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Say the version."),
):
    pass


def main() -> None:
    """Run the command line; an error that the user can mend is one line and exit code 2."""
    try:
        app()
    except BnnError as error:
        print(f"bnn: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as stopped:
        print(f"bnn: {stopped}", file=sys.stderr)
        sys.exit(130)
