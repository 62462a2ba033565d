"""The table of formats, and reading a file in the one it is recognised by: all of it, or one refusal."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from itertools import islice
from pathlib import Path

import msgspec

from collectors.imports import (
    files,
    glpi,
    google_admin,
    grid,
    intune,
    jamf,
    leases_dnsmasq,
    leases_isc,
    leases_kea,
    leases_windows,
    room_plan,
    snipe_it,
)
from collectors.imports.format import Format, Reading, Source, Units
from netready.clock import Clock
from netready.device import Sighting
from netready.refusal import Unfit, near, quoted
from netready.text import clean

FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        google_admin.FORMAT,
        intune.FORMAT,
        jamf.COMPUTERS,
        jamf.MOBILE,
        snipe_it.FORMAT,
        glpi.FORMAT,
        leases_isc.FORMAT,
        leases_kea.FORMAT,
        leases_dnsmasq.FORMAT,
        leases_windows.FORMAT,
    )
}

_OPENING = 4_096  # characters in which a file that is no table must show what it is
_STALE_DAYS = {"lease": 1}  # after which a list's age is worth a word
_STALE = 31
_SHOWN = 8  # columns of a header that is not known


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it was read.

    form       name of the format, as in `FORMATS`
    source     what the sightings carry as their source
    written    when the file was last written, UTC
    sightings  in the order of the file
    notes      what was taken for granted or left out, one sentence each
    """

    form: str
    source: str
    written: datetime
    sightings: tuple[Sighting, ...]
    notes: tuple[str, ...]


def recognise(path: Path | str) -> Format:
    """The format of a file, by its header or its first words; raises Unfit with what was expected."""
    return _known(files.look(Path(path)))[0]


def read_file(
    path: Path | str, *, clock: Clock, zone: tzinfo = UTC, units: Units | None = None, form: str | None = None
) -> Import:
    """The sightings of a file. Every one is as of now: a list says what holds while it is believed.

    zone   of times that name none: the site's own
    units  how the site names the organisational units of its students and of its staff
    form   name of the format, when the user knows better; else it is recognised

    Raises Unfit with file, line, column and what was expected; then nothing of the file is used. Reads a row at a time: beside
    the sightings themselves it needs a few MiB, however long the file is.
    """
    opened = files.look(Path(path))
    row, source = _known(opened, form)
    now = clock.now()
    reading = Reading(file=clean(Path(path).name), at=now, zone=zone, units=units or Units())
    sightings = tuple(row.read(source, reading))
    reading.settle()
    left_out = tuple(reading.notes())
    empty = () if sightings or left_out else ("the list is empty",)
    notes = (*_about(row, opened, now), *left_out, *empty)
    return Import(form=row.name, source=row.source, written=opened.written, sightings=sightings, notes=notes)


def _about(row: Format, opened: files.Opened, now: datetime) -> Iterator[str]:
    if opened.encoding == "cp1252":
        yield "the file is not in UTF-8; it was read as Windows-1252"
    days = (now - opened.written).days
    if days >= _STALE_DAYS.get(row.source, _STALE):
        yield f"the file was written {days:,} days ago, on {opened.written.date().isoformat()}"


def _known(opened: files.Opened, form: str | None = None) -> tuple[Format, Source]:
    if form is not None and form not in FORMATS:
        raise Unfit(opened.name, "", f"no format is called {quoted(form)}; {near(form, FORMATS)}")
    rows = [FORMATS[form]] if form is not None else list(FORMATS.values())
    beginning = "".join(islice(opened.lines(), 40))[:_OPENING]
    for row in rows:
        if row.opening and (form is not None or re.match(row.opening, beginning)):
            return row, Source(opened=opened, header=None, columns=())
    head = grid.header(opened)
    row = rows[0] if form is not None else _best(opened, head)
    return row, Source(opened=opened, header=head, columns=_columns(opened, head, row))


def _best(opened: files.Opened, head: grid.Header) -> Format:
    """The format with the most of its marks in the header."""
    names = frozenset(head.folded)
    marks = {row.name: sum(grid.folded(mark) in names for mark in row.marks) for row in FORMATS.values()}
    fit = sorted(
        (row for row in FORMATS.values() if row.marks and marks[row.name] >= row.least), key=lambda row: -marks[row.name]
    )
    where = f"line {head.before + 1}"
    if not fit:
        if room_plan.is_plan(head):
            raise Unfit(opened.name, where, "expected a list of devices; this is a room plan, which belongs in inventory.rooms")
        shown = ", ".join(name or '""' for name in head.names[:_SHOWN]) + (", …" if len(head.names) > _SHOWN else "")
        expected = "; ".join(f"{row.what} ({', '.join(row.marks[:3]) or 'no header'})" for row in FORMATS.values())
        raise Unfit(opened.name, where, f"expected the header of one of: {expected}; got {shown}")
    if len(fit) > 1 and marks[fit[0].name] == marks[fit[1].name]:
        names_of = " or ".join(row.name for row in fit if marks[row.name] == marks[fit[0].name])
        raise Unfit(opened.name, where, f"expected a header of one list only; it could be {names_of}: name the format")
    return fit[0]


def _columns(opened: files.Opened, head: grid.Header, row: Format) -> tuple[tuple[str, int], ...]:
    """Which column each field is read from; raises Unfit when there is none to know a device by, or two of one name."""
    found: list[tuple[str, int]] = []
    for field, names in row.columns.items():
        for name in dict.fromkeys(grid.folded(name) for name in names):
            places = [index for index, other in enumerate(head.folded) if other == name]
            if len(places) > 1:
                where = grid.place(head, head.before + 1, places[1])
                raise Unfit(opened.name, where, f"expected a name that stands once; column {places[0] + 1} has it too")
            found += [(field, place) for place in places]
    if row.needs and not {field for field, _ in found} & set(row.needs):
        choice = " or ".join(f'"{row.columns[field][0]}"' for field in row.needs)
        raise Unfit(opened.name, f"line {head.before + 1}", f"expected {row.what}, with a column {choice}")
    return tuple(found)
