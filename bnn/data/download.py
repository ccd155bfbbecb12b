"""Fetching files of known size and checksum over HTTP, each whole or not at all."""

import csv
import hashlib
import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from bnn.errors import DataError, FileError
from bnn.files import write_atomic

TIMEOUT = 30.0  # seconds without a byte
CHUNK = 1 << 16
ELSEWHERE = "or set BNN_DATA to the folder that holds the records' folder"


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a database.

    name       of the file
    size       in bytes, None where it is not known beforehand
    digest     of its content, in hexadecimal
    algorithm  of the digest: sha256 or sha1
    """

    name: str
    size: int | None
    digest: str
    algorithm: str = "sha256"


def read_manifest(name: str) -> tuple[Item, ...]:
    """The files of the database `name`, from this package's table (sums as PhysioNet publishes them).

    The table's columns are file, bytes (which may be left out) and the name of the digest.
    """
    text = files("bnn.data").joinpath("tables", f"{name}_files.csv").read_text()
    rows = csv.DictReader(text.splitlines())
    algorithm = rows.fieldnames[-1]
    return tuple(
        Item(row["file"], int(row["bytes"]) if "bytes" in row else None, row[algorithm], algorithm) for row in rows
    )


def fetch(base_url: str, items: tuple[Item, ...], folder: Path, timeout: float = TIMEOUT) -> int:
    """Fetch into `folder` those `items` that it lacks or has damaged; return how many were fetched.

    Each file is checked before it is moved into place, so that an interrupted run leaves whole files only and the
    next one goes on from there. A progress bar is drawn on the error stream.

    Raises DataError if the server cannot be reached, lacks a file, cuts the connection or sends another content;
    FileError if the folder cannot be written to.
    """
    missing = [item for item in items if problem_of(folder, item)]
    with _progress() as bar:
        known = all(item.size is not None for item in missing)
        task = bar.add_task(f"fetching {folder.name}", total=sum(item.size for item in missing) if known else None)
        for i, item in enumerate(missing, start=1):
            bar.update(task, description=f"fetching {folder.name}, file {i} of {len(missing)}")
            content = _download(base_url, item, timeout, lambda n: bar.advance(task, n))
            try:
                write_atomic(folder / item.name, content)
            except FileError as error:
                raise FileError(
                    f"{folder}: cannot be written to; set XDG_CACHE_HOME to a writable folder, {ELSEWHERE}"
                ) from error
    return len(missing)


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True))


def problem_of(folder: Path, item: Item) -> str:
    """What is wrong with the file `item` in `folder`; "" if it is there, whole and unchanged."""
    file = folder / item.name
    if not file.is_file():
        return "missing"
    size = file.stat().st_size
    if item.size is not None and size != item.size:
        return f"{size} bytes, wanted {item.size}"
    with file.open("rb") as content:
        got = hashlib.file_digest(content, item.algorithm).hexdigest()
    return "" if got == item.digest else f"{item.algorithm} {got[:12]}, wanted {item.digest[:12]}"


def verify(folder: Path, items: tuple[Item, ...]) -> int:
    """Compare every file with its published checksum; return how many there are.

    Raises DataError that counts the missing or damaged files and names the first.
    """
    problems = [(item.name, problem) for item in items if (problem := problem_of(folder, item))]
    if problems:
        file, problem = problems[0]
        raise DataError(
            f"{folder}: {len(problems)} of {len(items)} files are missing or damaged, the first is {file} ({problem}); "
            "delete what is damaged and fetch it again"
        )
    return len(items)


def _download(base_url: str, item: Item, timeout: float, advance: Callable[[int], None]) -> bytes:
    url = urllib.parse.urljoin(base_url, item.name)
    content = bytearray()
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            size = item.size if item.size is not None else int(answer.headers["Content-Length"] or 0)
            # One byte more than wanted is enough to see that the content is another one.
            while chunk := answer.read(min(CHUNK, size + 1 - len(content))):
                content += chunk
                advance(len(chunk))
    except urllib.error.HTTPError as error:
        raise DataError(
            f"{url}: the server answers {error.code} {error.reason}; try again later, {ELSEWHERE}"
        ) from error
    except (OSError, http.client.HTTPException) as error:  # OSError: no network, refused, reset, timed out
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{url}: cannot be fetched ({reason}); connect to the internet, {ELSEWHERE}") from error
    _check_content(url, item, size, bytes(content))
    return bytes(content)


def _check_content(url: str, item: Item, size: int, content: bytes) -> None:
    if len(content) < size:
        raise DataError(f"{url}: the connection was cut after {len(content)} of {size} bytes; try again, {ELSEWHERE}")
    got = hashlib.new(item.algorithm, content).hexdigest()
    if got != item.digest:
        raise DataError(
            f"{url}: wrong checksum, {item.algorithm} is {got[:12]}..., wanted {item.digest[:12]}...; "
            f"the server's file is not the published one, try again, {ELSEWHERE}"
        )
