"""The device list as people read it: one row a device, with its troubles; content for the terminal and for the page."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from netready.device import INFRASTRUCTURE, Device, Kind
from netready.finding import Finding, Trouble
from netready.survey import Survey
from reports import wording

DASH = "-"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A device in words. Empty texts were not told; `pseudonym` rows are of devices that may be a person's."""

    key: str
    kind: Kind
    label: str
    name: str
    addresses: tuple[str, ...]
    mac: str
    made: str
    room: str
    place: str
    known_by: str
    pseudonym: bool
    troubles: tuple[Finding, ...]
    evidence: tuple[str, ...]


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """A survey's devices.

    rows      those that were asked for, infrastructure first
    total     devices before anything was left out by a filter
    rooms     in which there are devices, whether they were asked for or not
    elsewhere findings about no device of the list: a room, a port
    """

    survey: Survey
    rows: tuple[Row, ...]
    total: int
    rooms: tuple[str, ...]
    elsewhere: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether no device was left out."""
        return len(self.rows) == self.total


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which devices are wanted; None: all."""

    kind: Kind | None = None
    room: str | None = None
    trouble: Trouble | None = None

    def takes(self, row: Row) -> bool:
        """Whether a row is wanted."""
        return (
            (self.kind is None or row.kind is self.kind)
            and (self.room is None or row.room.casefold() == self.room.casefold())
            and (self.trouble is None or any(finding.trouble is self.trouble for finding in row.troubles))
        )


def inventory(survey: Survey, *, wanted: Filter | None = None) -> Inventory:
    """The list of a survey's devices, filtered."""
    asked = wanted or Filter()
    about: defaultdict[str, list[Finding]] = defaultdict(list)
    keys = {device.key for device in survey.devices}
    for finding in survey.findings:
        for key in finding.devices:
            about[key].append(finding)
    rows = sorted((_row(device, tuple(about[device.key])) for device in survey.devices), key=_order)
    kept = tuple(row for row in rows if asked.takes(row))
    elsewhere = tuple(
        finding
        for finding in survey.findings
        if not keys & set(finding.devices)
        and asked.kind is None
        and asked.trouble in {None, finding.trouble}
        and (asked.room is None or (finding.room or "").casefold() == asked.room.casefold())
    )
    rooms = tuple(sorted({row.room for row in rows if row.room}, key=_natural))
    return Inventory(survey=survey, rows=kept, total=len(rows), rooms=rooms, elsewhere=elsewhere)


def counts(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """How many of each kind, in words, the most frequent first."""
    found = Counter(row.kind for row in rows)
    ranked = sorted(found.items(), key=lambda item: (item[0] is Kind.UNKNOWN, -item[1], item[0]))
    return [(wording.KINDS[kind][number != 1], number) for kind, number in ranked]


def summary(content: Inventory) -> str:
    """One sentence: how many devices, how many of each kind, and how many are shown."""
    kinds = ", ".join(f"{number:,} {label}" for label, number in counts(content.rows))
    shown = f"{len(content.rows):,} device{'s' * (len(content.rows) != 1)}"
    if not content.whole:
        shown += f" of {content.total:,}"
    if kinds or content.whole:
        return f"{shown}: {kinds}" if kinds else shown
    return f"{shown} are what was asked for. Rooms with devices: {', '.join(content.rooms) or 'none is known'}."


def ledger(survey: Survey) -> list[tuple[str, int, int]]:
    """(protocol, frames, bytes) that the survey sent, in order of protocol."""
    sums: dict[str, tuple[int, int]] = {}
    for run in survey.runs:
        for sent in run.sent:
            frames, octets = sums.get(sent.protocol, (0, 0))
            sums[sent.protocol] = frames + sent.frames, octets + sent.bytes
    return [(protocol, *sums[protocol]) for protocol in sorted(sums)]


def _row(device: Device, troubles: tuple[Finding, ...]) -> Row:
    place = device.place
    where = f"{place.switch} port {place.port}" + (f", VLAN {place.vlan}" if place.vlan else "") if place else ""
    if device.point:
        where = f"by access point {device.point}" + (f" ({where})" if where else "")
    maker = device.facts.get("maker") or device.vendor or ""
    model = device.facts.get("model", "")
    made = model if maker and model.casefold().startswith(maker.casefold().split(" ")[0]) else f"{maker} {model}".strip()
    return Row(
        key=device.key,
        kind=device.kind,
        label=wording.KINDS[device.kind][0],
        name=", ".join(device.names),
        addresses=device.addresses,
        mac=device.mac or "",
        made=made,
        room=device.room or "",
        place=where,
        known_by=", ".join((*device.how, *device.enrolled)),
        pseudonym=device.kind not in INFRASTRUCTURE,
        troubles=troubles,
        evidence=(*device.why, *device.merged, *(("its hardware address was made up at random",) if device.random else ())),
    )


def _order(row: Row) -> tuple[object, ...]:
    """Infrastructure first, by kind and name with numbers in order; then the others."""
    return row.pseudonym, row.kind is Kind.UNKNOWN, row.kind, _natural(row.name or (row.addresses or (row.key,))[0])


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key under which "room 9" comes before "room 10"."""
    parts = re.split(r"([0-9]+)", text.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)
