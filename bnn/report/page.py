"""A self-contained HTML page of sections: text, a table, a figure."""

from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bnn import __version__


@dataclass(frozen=True, slots=True)
class Table:
    """Header cells and rows of cells; columns from `first_number` on are numbers, set flush right."""

    header: tuple[str, ...]
    rows: list[tuple]
    first_number: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page. `warning` stands out; `svg` is trusted markup, one figure or several, of bnn.report.plots."""

    title: str
    text: str = ""
    warning: str = ""
    table: Table | None = None
    svg: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: title, a sentence under it, sections."""

    title: str
    lead: str
    sections: list[Section] = field(default_factory=list)


def render(page: Page) -> str:
    """The page as HTML that needs no other file."""
    environment = Environment(
        loader=PackageLoader("bnn.report", "templates"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(page=page, version=__version__, trusted=Markup)
