"""bnn data: what recordings there are, fetching and checking them."""

import typer

from bnn.cli.common import JsonOption, out, print_json, table


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


def fetch_command():
    """Fetch the MIT-BIH records from PhysioNet into the user's cache (92 MB, once), unless BNN_DATA has them."""
    from bnn.data import mitdb

    folder = mitdb.locate()
    out.print(f"{mitdb.verify(folder)} files in {folder}, all as published")


def check_command():
    """Compare every MIT-BIH file with its published checksum."""
    from bnn.data import mitdb
    from bnn.errors import DataError

    folder = mitdb.at_hand()
    if folder is None:
        raise DataError("no MIT-BIH records at hand; fetch them with `bnn data fetch`, or set BNN_DATA to their folder")
    out.print(f"{mitdb.verify(folder)} files in {folder}, all as published")
