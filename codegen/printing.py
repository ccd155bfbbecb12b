"""How templates are found and printed, whatever the language."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from codegen.c.text import comment


def environment(package: str) -> Environment:
    """The templates beside the module whose `__file__` is `package`; what a template does not know is an error."""
    env = Environment(
        loader=FileSystemLoader(Path(package).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    env.filters["comment"] = comment
    return env
