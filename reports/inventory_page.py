"""The device list as one self-contained HTML page: filters without script, good on a telephone and on paper."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from netready.device import Kind
from netready.finding import Finding, Trouble
from reports import dates, page, units, wording
from reports.inventory import Inventory, ledger, summary


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a filter: its word on the page, its mark in the rows, and how many rows have it."""

    mark: str
    label: str
    number: int


def render(content: Inventory, *, site: str, zone: ZoneInfo, made_at: datetime, software: str) -> str:
    """The page."""
    rows = content.rows
    kinds = [
        Choice(mark=f"k-{kind.value}", label=wording.KINDS[kind][1], number=sum(row.kind is kind for row in rows))
        for kind in Kind
        if any(row.kind is kind for row in rows)
    ]
    names = sorted({row.room for row in rows if row.room}, key=lambda room: (len(room), room.casefold()))
    marks = {room: f"r-{number}" for number, room in enumerate(names)}
    rooms = [Choice(mark=marks[room], label=room, number=sum(row.room == room for row in rows)) for room in names]
    problems = [
        Choice(
            mark=f"p-{trouble.value}", label=wording.TROUBLES[trouble], number=sum(_has(row.troubles, trouble) for row in rows)
        )
        for trouble in Trouble
        if any(_has(row.troubles, trouble) for row in rows)
    ]
    if problems:
        number = sum(bool(row.troubles) for row in rows)
        problems.insert(0, Choice(mark="p-any", label="any problem", number=number))
    return (
        page.environment()
        .get_template("inventory.html.j2")
        .render(
            content=content,
            rows=[(row, _marks(row.kind, marks.get(row.room), row.troubles)) for row in rows],
            filters=(("kind", "Kind", kinds), ("room", "Room", rooms), ("problem", "Problem", problems)),
            ledger=ledger(content.survey),
            site=site,
            zone=zone,
            made_at=made_at,
            software=software,
            summary=summary(content),
            style=page.style("inventory.css"),
            dates=dates,
            units=units,
            wording=wording,
        )
    )


def _has(troubles: Sequence[Finding], trouble: Trouble) -> bool:
    return any(finding.trouble is trouble for finding in troubles)


def _marks(kind: Kind, room: str | None, troubles: Sequence[Finding]) -> str:
    found = [f"k-{kind.value}"]
    if room:
        found.append(room)
    if troubles:
        found.append("p-any")
    found += [f"p-{trouble.value}" for trouble in Trouble if _has(troubles, trouble)]
    return " ".join(found)
