"""An asset list: a row becomes one sighting for each of the device's hardware addresses, with what the list says of the device.

No column that names a person is ever read: users, owners, e-mail addresses, telephone numbers, notes. In the columns that are
read, a cell that names somebody all the same is left out (see `names_owner`). Of when a device was last seen only the day
is kept.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from collectors.imports import cells
from collectors.imports.format import Format, Reading, Source
from collectors.imports.grid import Row, folded, place, rows
from netready.device import Sighting
from netready.refusal import Unfit

_SEVERAL = frozenset({"mac", "unit"})  # fields that every one of their columns adds to
_PLAIN = ("serial", "model", "maker", "os", "os_version", "status", "asset", "cart")
_DAYS = ("last_seen", "updates_until")
_CART = re.compile(r"(?<![a-z])(?:cart|trolley|chariot)(?![a-z])", re.IGNORECASE)
_MOST_CARDS = 16  # hardware addresses of one row


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """What a list leaves unsaid.

    maker, os        of every device in it, when no cell says otherwise
    memory, storage  bytes of one unit of a bare number in these columns
    gone             words of its status column, folded, for devices that are the school's no more
    markup           its cells may hold HTML
    """

    maker: str = ""
    os: str = ""
    memory: Callable[[float], float] = cells.memory
    storage: Callable[[float], float] = cells.storage
    gone: frozenset[str] = frozenset()
    markup: bool = False


def asset_list(
    *,
    name: str,
    source: str,
    what: str,
    columns: dict[str, tuple[str, ...]],
    marks: tuple[str, ...],
    least: int = 1,
    habits: Habits | None = None,
) -> Format:
    """A row of the table of formats, for a list of devices by their serial numbers or hardware addresses."""
    return Format(
        name=name,
        source=source,
        what=what,
        read=partial(_sightings, source, habits or Habits()),
        columns=columns,
        marks=marks,
        least=least,
        needs=("serial", "mac"),
    )


def _sightings(name: str, habits: Habits, source: Source, reading: Reading) -> Iterator[Sighting]:
    head = source.header
    if head is None:
        raise Unfit(source.opened.name, "", "expected a table with a header")
    for row in rows(source.opened, head, source.columns, several=_SEVERAL):
        for field in ("serial", "mac"):
            if cells.was_made_a_number(row.cells.get(field, "")):
                column = next(column for other, column in source.columns if other == field)
                lost = (
                    "expected what the list was exported with; a spreadsheet made a number of it, and its last digits are lost"
                )
                raise Unfit(source.opened.name, place(head, row.line, column), lost)
        if row.cells:
            yield from _row(name, habits, row, reading)


def _row(name: str, habits: Habits, row: Row, reading: Reading) -> Iterator[Sighting]:
    found = {field: cells.untagged(text) for field, text in row.cells.items()} if habits.markup else row.cells
    facts = _plain(found, habits, row.line, reading)
    macs = cells.macs(found.get("mac", ""))
    if not cells.has_mac(found.get("mac", "")) and cells.bare(found.get("mac", "")):
        reading.left_out("cells that should hold a hardware address and do not", row.line)
    if folded(facts.get("status", "")) in habits.gone:
        reading.left_out(f"devices that are {facts['status'].lower()}", row.line)
    elif not macs and "serial" not in facts:
        reading.left_out("rows with neither a serial number nor a hardware address", row.line)
    else:
        _place(found, facts, row.line, reading)
        _sizes(found, facts, habits)
        _days(found, facts, row.line, reading)
        if owner := reading.units.owner([cells.words(unit) for unit in found.get("unit", "").split("\n")]):
            facts["owner"] = owner
        called = reading.words(found.get("name", ""), row.line, cells.names_owner) or None
        for mac in macs[:_MOST_CARDS] or (None,):
            yield Sighting(source=name, at=reading.at, mac=mac, name=called, facts=facts)


def _plain(found: dict[str, str], habits: Habits, line: int, reading: Reading) -> dict[str, str]:
    facts = {"file": reading.file}
    for fact in _PLAIN:
        if (text := found.get(fact)) and (told := reading.words(text, line, cells.has_mail)):
            facts[fact] = told
    for fact, unsaid in (("maker", habits.maker), ("os", habits.os)):
        if unsaid:
            facts.setdefault(fact, unsaid)
    return facts


def _days(found: dict[str, str], facts: dict[str, str], line: int, reading: Reading) -> None:
    for fact in _DAYS:
        if text := cells.bare(found.get(fact, "")):
            moment = cells.when(text, reading.zone)
            if moment is None:
                reading.left_out("cells that should hold a date and do not", line)
            else:
                reading.put_day(facts, fact, moment, line)


def _place(found: dict[str, str], facts: dict[str, str], line: int, reading: Reading) -> None:
    """Where it stands: a room, or a cart, which is wherever it is rolled to."""
    room = reading.words(found.get("room", ""), line, cells.names_somebody)
    if room and "cart" not in facts and _CART.search(room):
        facts["cart"] = room
    elif room:
        facts["room"] = room


def _sizes(found: dict[str, str], facts: dict[str, str], habits: Habits) -> None:
    for fact, guess, thousand in (("memory", habits.memory, 1024), ("storage", habits.storage, 1000)):
        if (size := cells.size(found.get(fact, ""), guess, thousand=thousand)) is not None:
            facts[fact] = str(size)
    if (inches := cells.inches(found.get("screen", ""))) is not None:
        facts["screen"] = inches
