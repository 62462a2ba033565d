"""What every HTML page is made with: one environment that escapes, refuses what is not known, and one look."""

from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

import report_templates
from netready.text import clean

TEXT = 4_000  # characters of one text; all honest ones are far shorter


def environment() -> jinja2.Environment:
    """Templates of `report_templates`; a name that is not given raises instead of printing nothing."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("report_templates", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )


def style(*more: str) -> Markup:
    """The style sheets: the common ones, and `more` files of the templates' folder."""
    folder = resources.files(report_templates)
    texts = [(folder / name).read_text("utf-8") for name in ("page.css", "print.css", *more)]
    return Markup("\n".join(texts))  # noqa: S704 - our own files, which hold no "<"


def _finalize(value: Any) -> Any:
    """What a template may print: never None, and never a control character or a direction override."""
    if value is None:
        raise TypeError("a template tried to print None; what is not known must be said in words")
    if isinstance(value, str) and not isinstance(value, Markup):
        return clean(value, limit=TEXT)
    return value
