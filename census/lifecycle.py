"""Until when each device is supported: by its own list where one says it, else by an offline table; and by school year."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from census.version import at_least
from netready.device import Device, Kind
from netready.finding import Finding, Trouble
from netready.refusal import Unfit, decode, item, unique
from netready.units import count

Text = Annotated[str, Meta(min_length=1)]
FIRST_MONTH = 7  # of a school year, as funding years in the United States begin


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product and the last day of its support. It fits by model, or by system and version (since <= version < below)."""

    id: Text
    what: Text
    models: tuple[Text, ...] = ()
    os: tuple[Text, ...] = ()
    since: str = ""
    below: str = ""
    ends: date
    note: str = ""
    source: Text
    verified: Literal["primary", "secondary", "memory"]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shipped table, dated, with what is missing from it."""

    version: Text
    missing: Text
    entries: tuple[Entry, ...]


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The last day of a device's support, of what, and who says so."""

    day: date
    what: str
    source: str


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """How many devices of each kind lose their support in each school year; `unknown` have no date anywhere.

    years    the school year ("2026-27"), and how many by kind; what has ended already stands under "before"
    missing  what the offline table does not have
    """

    years: tuple[tuple[str, dict[Kind, int]], ...]
    unknown: dict[Kind, int]
    missing: str


@cache
def table() -> Table:
    """The shipped table."""
    return parse(files("census").joinpath("data/support.toml").read_bytes(), "support.toml")


def parse(data: bytes, name: str) -> Table:
    """The table in a file's bytes; raises Unfit for an entry that could fit nothing or everything."""
    found = decode(data, name, Table)
    unique(name, "entries", (entry.id for entry in found.entries))
    for index, entry in enumerate(found.entries):
        if bool(entry.models) == bool(entry.os):
            raise Unfit(name, item("entries", index, entry.id), "expected either models or os, and not both")
        if bool(entry.since) != bool(entry.below):
            raise Unfit(name, f"{item('entries', index, entry.id)}.since", "expected below beside it")
    return found


def end_of(device: Device, known: Table | None = None) -> End | None:
    """When the device's support ends: the date in its own list, else the earlier of its model's and its system's."""
    told = _day(device.facts.get("updates_until", ""))
    if told is not None:
        lists = ", ".join(device.enrolled) or "the school's list"
        return End(day=told, what=device.facts.get("model", "this device"), source=f"updates until, by {lists}")
    ends = [
        End(day=entry.ends, what=entry.what + (f" ({entry.note})" if entry.note else ""), source=entry.source)
        for entry in (known or table()).entries
        if _fits(entry, device.facts)
    ]
    return min(ends, key=lambda end: (end.day, end.what), default=None)


def _fits(entry: Entry, facts: dict[str, str]) -> bool:
    model, system, version = (facts.get(name, "").lower() for name in ("model", "os", "os_version"))
    if any(model and fnmatchcase(model, pattern) for pattern in entry.models):
        return True
    if not any(system and fnmatchcase(system, pattern) for pattern in entry.os):
        return False
    if not entry.since:
        return True
    text = version or system
    return at_least(text, entry.since) is True and at_least(text, entry.below) is False


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def school_year(day: date, first_month: int = FIRST_MONTH) -> str:
    """The school year that `day` is in, such as "2026-27"."""
    first = day.year if day.month >= first_month else day.year - 1
    return f"{first}-{(first + 1) % 100:02}"


def horizon(devices: Iterable[Device], today: date, first_month: int = FIRST_MONTH) -> Horizon:
    """The school years in which support ends, the next ones first to last."""
    years: defaultdict[str, Counter[Kind]] = defaultdict(Counter)
    unknown: Counter[Kind] = Counter()
    for device in devices:
        end = end_of(device)
        if end is None:
            unknown[device.kind] += 1
        else:
            years["before" if end.day < today else school_year(end.day, first_month)][device.kind] += 1
    ordered = sorted(years, key=lambda year: (year != "before", year))
    return Horizon(
        years=tuple((year, dict(sorted(years[year].items()))) for year in ordered),
        unknown=dict(sorted(unknown.items())),
        missing=table().missing,
    )


def past_support(devices: Sequence[Device], today: date, first_month: int = FIRST_MONTH) -> Iterator[Finding]:
    """What is past its support, or will be before this school year ends: one finding for each product and day."""
    year = school_year(today, first_month)
    same: defaultdict[tuple[date, str, str], list[Device]] = defaultdict(list)
    for device in devices:
        end = end_of(device)
        if end is not None and (end.day < today or school_year(end.day, first_month) == year):
            same[end.day, end.what, end.source].append(device)
    for (day, what, source), group in sorted(same.items()):
        number = count(len(group), "device")
        number = number[0].upper() + number[1:]
        ended = "ended" if day < today else "ends"
        yield Finding(
            trouble=Trouble.PAST_SUPPORT,
            where=what,
            says=f"{number}: support of {what} {ended} on {day.day} {day:%B %Y}, school year {school_year(day, first_month)}.",
            known_by=(source, f"support table {table().version}") if not source.startswith("updates until") else (source,),
            devices=tuple(device.key for device in group),
        )
