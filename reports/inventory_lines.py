"""The device list on a terminal: blocks of whole words, so that nothing is cut off, however narrow it is."""

import textwrap
from collections.abc import Iterable

from netready.text import clean
from reports import wording
from reports.inventory import DASH, Inventory, Row, ledger, summary

NARROWEST = 20
LABEL = 24  # columns of the kind, where there is room for two columns
WIDE = 60


def lines(content: Inventory, *, width: int = 80, evidence: bool = False) -> list[str]:
    """The summary, what is wrong, the devices, what could not be seen, and what was sent.

    The answers about the whole school stand only above a list of all its devices.

    width     columns; words longer than that are broken, nothing is left out
    evidence  each device's evidence too
    """
    wide = max(NARROWEST, width)
    found = _wrap(summary(content), wide)
    for question, answer in content.survey.answers if content.whole else ():
        found += _wrap(f"{question}: {answer}", wide, hang=2)
    if content.elsewhere:
        found += ["", *_wrap("To look at", wide)]
        for finding in content.elsewhere:
            found += _wrap(f"! {wording.TROUBLES[finding.trouble]}: {finding.says}", wide, hang=2)
    for row in content.rows:
        found += ["", *_device(row, wide, evidence=evidence)]
    if content.survey.unseen:
        found += ["", *_wrap("What could not be seen", wide)]
        for text in content.survey.unseen:
            found += _wrap(f"- {text}", wide, hang=2)
    sent = "; ".join(f"{name} {frames:,} frames, {octets:,} bytes" for name, frames, octets in ledger(content.survey))
    if sent:
        found += ["", *_wrap(f"Sent: {sent}", wide)]
    return found


def _device(row: Row, width: int, *, evidence: bool) -> Iterable[str]:
    head = row.name or (row.addresses[0] if row.addresses else row.key)
    indent = LABEL if width >= WIDE else 2
    beside = width >= WIDE and len(row.label) < LABEL
    if not beside:
        yield from _wrap(row.label, width)
    yield from _wrap(head, width, first=f"{row.label if beside else '':{indent}}", hang=indent)
    facts = (
        ", ".join(row.addresses if row.name else row.addresses[1:]),
        row.mac,
        row.made,
        f"room {row.room}" if row.room else "",
        row.place,
        f"known by {row.known_by}" if row.known_by else "",
    )
    text = " · ".join(clean(fact, limit=300) for fact in facts if fact) or DASH
    yield from _wrap(text, width, hang=indent, first=" " * indent)
    for finding in row.troubles:
        yield from _wrap(f"! {wording.TROUBLES[finding.trouble]}: {finding.says}", width, hang=indent + 2, first=" " * indent)
    if evidence:
        for line in row.evidence:
            yield from _wrap(f"- {line}", width, hang=indent + 2, first=" " * indent)


def _wrap(text: str, width: int, *, hang: int = 0, first: str = "") -> list[str]:
    """Lines of at most `width` columns: `first` before the text, the others indented by `hang`."""
    return textwrap.wrap(
        clean(text, limit=1_000), width, initial_indent=first, subsequent_indent=" " * hang, break_on_hyphens=False
    )
