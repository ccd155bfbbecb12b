"""bnn data: what recordings there are, fetching and checking them."""

from typing import Annotated

import typer

from bnn.cli.common import JsonOption, out, print_json, table

DatabaseArgument = Annotated[
    str,
    typer.Argument(metavar="DATABASE", help="mitdb: the records (92 MB); nstdb: noise for `bnn robustness` (6 MB)."),
]


def register(app: typer.Typer) -> None:
    data = typer.Typer(no_args_is_help=True, help="Recordings: list the sets and splits, fetch, check.")
    data.command("list")(list_command)
    data.command("fetch")(fetch_command)
    data.command("check")(check_command)
    app.add_typer(data, name="data")


def list_command(json: JsonOption = False):
    """List the sets of windows with their classes, and the protocols that split them."""
    from bnn.data import ecg, mitdb
    from bnn.data.splits import PROTOCOLS

    folder = mitdb.at_hand()
    sets = {name: ecg.load(name).counts() for name in ecg.LOADERS} if folder else {name: None for name in ecg.LOADERS}
    if json:
        print_json({"mitdb": str(folder) if folder else None, "sets": sets, "protocols": PROTOCOLS})
        return
    out.print(f"MIT-BIH records: {folder or 'not at hand; `bnn data fetch` gets them (92 MB)'}")
    known = table("set", "windows", "classes")
    for name, counts in sets.items():
        classes = ", ".join(f"{c} {n}" for c, n in counts.items()) if counts else ""
        known.add_row(name, str(sum(counts.values())) if counts else "", classes)
    out.print(known)
    protocols = table("protocol", "how windows are split")
    for name, text in PROTOCOLS.items():
        protocols.add_row(name, text)
    out.print(protocols)


def fetch_command(database: DatabaseArgument = "mitdb"):
    """Fetch a database from PhysioNet into the user's cache, once, unless BNN_DATA has it."""
    from bnn.data import mitdb

    folder = mitdb.locate(database)
    out.print(f"{mitdb.verify(folder, database)} files in {folder}, all as published")


def check_command(database: DatabaseArgument = "mitdb"):
    """Compare every file of a database with its published checksum."""
    from bnn.data import mitdb
    from bnn.errors import DataError

    folder = mitdb.at_hand(database)
    if folder is None:
        raise DataError(
            f"no records of {database} at hand; fetch them with `bnn data fetch {database}`, "
            "or set BNN_DATA to the folder that holds theirs"
        )
    out.print(f"{mitdb.verify(folder, database)} files in {folder}, all as published")
