"""A format that files come in: how it is known, which columns are read, and what is noted while it is read."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase

import msgspec

from collectors.imports.cells import When, words
from collectors.imports.files import Opened
from collectors.imports.grid import Header
from netready.device import Sighting

_REMEMBERED = 4_096  # cells that are cleaned once: models, rooms, versions
_LONGEST = 256  # characters of such a cell


class Units(msgspec.Struct, frozen=True, kw_only=True):
    """How the site's own organisational units and groups are named, as shell patterns without regard to case: "/Students/*"."""

    student: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()

    def owner(self, units: list[str]) -> str | None:
        """Whose devices are in these units: "student", "staff", or None when the patterns are silent or at odds."""
        found = {
            who
            for who, patterns in (("student", self.student), ("staff", self.staff))
            for pattern in patterns
            for unit in units
            # "/Students/*" means the unit itself too, which is written without its last stroke.
            if fnmatchcase(unit.lower(), pattern.lower()) or fnmatchcase(f"{unit.lower()}/", pattern.lower())
        }
        return found.pop() if len(found) == 1 else None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An opened file and what is read of it: pairs of a field and a column's number, none when it is no table."""

    opened: Opened
    header: Header | None
    columns: tuple[tuple[str, int], ...]


class Order:
    """Whether a file writes the day before the month: what its unmistakable dates say of the others."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def note(self, moment: When) -> None:
        """Take a date for evidence, if it can be read in one way only."""
        if moment.day_first is None or moment.month_first is None:
            self._seen.add("month" if moment.day_first is None else "day")

    def settled(self, moment: When) -> datetime | None:
        """The moment; None when it can be read in two ways and the file does not say which, or says both."""
        if moment.settled is not None or len(self._seen) != 1:
            return moment.settled
        return moment.day_first if "day" in self._seen else moment.month_first


class Reading:
    """What is said once for a whole file: when and where it is read, what was left out of it, and how it writes its days."""

    def __init__(self, *, file: str, at: datetime, zone: tzinfo, units: Units) -> None:
        self.file = file
        self.at = at
        self.zone = zone
        self.units = units
        self._left: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self._kept: dict[tuple[str, str], str] = {}
        self._open: list[tuple[dict[str, str], str, When, int]] = []
        self.order = Order()

    def left_out(self, what: str, line: int) -> None:
        """Count something that was not used; `what` names its sort: "rows that name no device"."""
        self._left[what] += 1
        self._first.setdefault(what, line)

    def words(self, text: str, line: int, is_personal: Callable[[str], bool]) -> str:
        """The cell's words, cleaned; "" when nothing is known, or when they name somebody, which is counted.

        Of the few texts that fill a column each is cleaned once, and kept once.
        """
        key = (is_personal.__name__, text)
        found = self._kept.get(key)
        if found is None:
            found = words(text)
            if is_personal(found):
                self.left_out("cells that name a person", line)
                return ""
            if len(self._kept) < _REMEMBERED and len(text) < _LONGEST:
                self._kept[key] = found
        return found

    def put_day(self, facts: dict[str, str], name: str, moment: When, line: int) -> None:
        """Write a day into `facts`, now or, when day and month could be either, once the file has shown its order."""
        self.order.note(moment)
        if moment.settled is not None:
            facts[name] = moment.settled.date().isoformat()
        else:
            self._open.append((facts, name, moment, line))

    def settle(self) -> None:
        """Write the days that were kept back, in the order that the other ones prove; without proof they are left out."""
        for facts, name, moment, line in self._open:
            if (found := self.order.settled(moment)) is not None:
                facts[name] = found.date().isoformat()
            else:
                self.left_out("dates that could be day and month or month and day", line)
        self._open.clear()

    def notes(self) -> Iterator[str]:
        """One sentence for each sort of thing that was left out."""
        for what, count in sorted(self._left.items()):
            yield f"left out: {what}: {count:,}, first in line {self._first[what]}"


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of formats.

    name     what a user calls it by
    source   what its sightings carry as `Sighting.source`
    what     the list and the program it comes from, in words
    columns  the header's names for each field that is read, the preferred one first; nothing else is ever looked at
    marks    names of columns that tell this list from others; they need not be read
    least    how many of the marks must be there
    needs    fields of which at least one must have a column
    opening  a regular expression for how a file begins that is no table
    read     the sightings of an opened file; raises Unfit for what is not like the format
    """

    name: str
    source: str
    what: str
    read: Callable[[Source, Reading], Iterator[Sighting]]
    columns: dict[str, tuple[str, ...]] = {}
    marks: tuple[str, ...] = ()
    least: int = 1
    needs: tuple[str, ...] = ()
    opening: str = ""
