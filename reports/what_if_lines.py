"""A supposition on a terminal: first that it is one, then what would change."""

import textwrap
from collections.abc import Iterable

from readiness.what_if import Moved, WhatIf

WIDTH = 80


def lines(found: WhatIf) -> list[str]:
    """What would change, in words."""
    said = ", ".join(change.text for change in found.changes)
    text = [*textwrap.wrap(f"WHAT IF {said}", WIDTH), *textwrap.wrap(found.note, WIDTH), ""]
    if not (found.stages or found.by_machine or found.criteria or found.gate):
        return [*text, "No stage, no criterion and no answer of the gate would change."]
    text += _part("Gate", found.gate, "No answer of the gate would change.")
    text += _part("Stages", found.stages, "No stage would change.")
    if found.by_machine:
        text += _part("Stages by what machines show alone", found.by_machine, "")
    return text + _part("Criteria", found.criteria, "No criterion would change.")


def _part(head: str, rows: Iterable[Moved], none: str) -> list[str]:
    rows = tuple(rows)
    if not rows:
        return [none, ""]
    found = [head]
    for row in rows:
        found += textwrap.wrap(
            f"{row.title} ({row.id}): {row.now} now, {row.then} then", WIDTH, initial_indent="  ", subsequent_indent="    "
        )
        found += textwrap.wrap(row.why, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return [*found, ""]
