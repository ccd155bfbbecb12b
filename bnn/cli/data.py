"""bnn data: what recordings there are, fetching and checking them."""

from pathlib import Path
from typing import Annotated

import typer

from bnn.cli.common import JsonOption, out, print_json, table

DatabaseArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATABASE",
        help="mitdb: the records (92 MB); nstdb: noise for `bnn robustness` (6 MB); sleep-edf-20, sleep-edf-78: nights "
        "(about 1.9 and 7.4 GB).",
    ),
]


def register(app: typer.Typer) -> None:
    data = typer.Typer(no_args_is_help=True, help="Recordings: list the sets and splits, fetch, check.")
    data.command("list")(list_command)
    data.command("fetch")(fetch_command)
    data.command("check")(check_command)
    app.add_typer(data, name="data")


def list_command(json: JsonOption = False):
    """List the sets of windows with their classes, the sets of nights, and the protocols that split them."""
    from bnn.data import ecg, mitdb
    from bnn.data.sleep import sets as nights
    from bnn.data.sleep import splits as by_subject
    from bnn.data.splits import PROTOCOLS

    folder = mitdb.at_hand()
    sets = {name: ecg.load(name).counts() for name in ecg.LOADERS} if folder else {name: None for name in ecg.LOADERS}
    sleep = {name: nights.whereabouts(name) for name in nights.NAMES}
    if json:
        found = {"mitdb": str(folder) if folder else None, "sets": sets, "protocols": PROTOCOLS}
        print_json(found | {"sleep": sleep, "sleep_protocols": by_subject.PROTOCOLS})
        return
    out.print(f"MIT-BIH records: {folder or 'not at hand; `bnn data fetch` gets them (92 MB)'}")
    known = table("set", "windows", "classes")
    for name, counts in sets.items():
        classes = ", ".join(f"{c} {n}" for c, n in counts.items()) if counts else ""
        known.add_row(name, str(sum(counts.values())) if counts else "", classes)
    out.print(known)
    out.print(_two_columns("protocol", "how windows are split", PROTOCOLS))
    out.print(_two_columns("set of nights", "where it is", sleep))
    out.print(_two_columns("protocol", "how nights are split", by_subject.PROTOCOLS))


def _two_columns(left: str, right: str, rows: dict[str, str]):
    two = table(left, right)
    for name, text in rows.items():
        two.add_row(name, text)
    return two


def fetch_command(database: DatabaseArgument = "mitdb"):
    """Fetch a database from PhysioNet into the user's cache, once, unless BNN_DATA has it."""
    from bnn.data import mitdb
    from bnn.data.sleep import places
    from bnn.data.sleep.sets import SOURCES

    folder = places.locate(SOURCES[database]) if database in SOURCES else mitdb.locate(database)
    out.print(_verified(folder, database))


def check_command(database: DatabaseArgument = "mitdb"):
    """Compare every file of a database with its published checksum."""
    from bnn.data import mitdb
    from bnn.data.sleep import places
    from bnn.data.sleep.sets import SOURCES
    from bnn.errors import DataError

    folder = places.at_hand(SOURCES[database]) if database in SOURCES else mitdb.at_hand(database)
    if folder is None:
        raise DataError(
            f"no records of {database} at hand; fetch them with `bnn data fetch {database}`, "
            "or set BNN_DATA to the folder that holds theirs"
        )
    out.print(_verified(folder, database))


def _verified(folder: Path, database: str) -> str:
    from bnn.data.download import read_manifest, verify
    from bnn.data.sleep import places
    from bnn.data.sleep.sets import SOURCES

    if database in SOURCES:
        folder, items = places.files_folder(folder), places.manifest(database)
    else:
        items = read_manifest(database)
    return f"{verify(folder, items)} files in {folder}, all as published"
