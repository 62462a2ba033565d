"""Bandwidth standards as data: who, when, for how many, and per what. The denominator is never left out."""

import hashlib
import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from netready.refusal import Unfit, decode, item, near, quoted, unique, unstamped
from netready.site import Site
from readiness.judgement import Line, Outcome, Quantity
from readiness.wording import NO_LINE, limits, plural, rate, short

Text = Annotated[str, Meta(min_length=1)]

ALWAYS = ("ccsso-roadmap-scaling", "ccsso-roadmap-transforming")  # the roadmap's two thresholds, whatever the school chose


class Denominator(StrEnum):
    """What a rate is divided by."""

    STUDENTS_AND_STAFF = "students-and-staff"
    STUDENTS_STAFF_GUESTS = "students-staff-and-guests"
    STUDENTS = "students"
    BUSIEST_SHIFT = "students-in-the-busiest-shift"
    CONCURRENT_TESTERS = "concurrent-testers"
    SITE = "site"


class Standard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published line. Rates are bit/s for each unit of the denominator; sizes are students, inclusive."""

    id: Text
    who: Text
    title: Text
    per: Denominator
    link: Literal["internet", "wan", "lan", "home"]
    down: float | None = None
    up: float | None = None
    floor_down: float | None = None  # for the whole site or LEA, whatever the size
    cap_down: float | None = None
    min_students: int | None = None
    max_students: int | None = None
    quantity: Text  # what is to be compared: "provisioned", "available", "peak use" ...
    published: str = ""
    target_year: str = ""
    note: str = ""
    source: Text
    verified: Literal["primary", "secondary", "memory"]


class Standards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shipped list, dated."""

    version: Text
    standards: tuple[Standard, ...]
    digest: str = ""  # SHA-256 of the file's bytes, hex; set by `parse`


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One standard against this site. Rates are bit/s for the whole site; a direction it says nothing of is None.

    count         how many of the denominator the site has; None when the site's configuration cannot say
    denominator   the same in words: "520 students and staff"
    compared      which of the line's quantities was held against it
    shortfall_*   0 when it is reached, None when that is not known
    """

    standard: str
    who: str
    title: str
    per: Denominator
    count: int | None
    denominator: str
    compared: str
    needed_down: float | None
    needed_up: float | None
    outcome: Outcome
    shortfall_down: float | None
    shortfall_up: float | None
    reason: str


def parse(data: bytes, name: str) -> Standards:
    """The standards in a file's bytes; raises Unfit for one that could not be compared with anything."""
    found = decode(data, name, Standards)
    unstamped(name, found.digest)
    unique(name, "standards", (standard.id for standard in found.standards))
    for index, standard in enumerate(found.standards):
        _check(standard, name, item("standards", index, standard.id))
    return msgspec.structs.replace(found, digest=hashlib.sha256(data).hexdigest())


def _check(standard: Standard, name: str, path: str) -> None:
    for field in ("down", "up", "floor_down", "cap_down"):
        value = getattr(standard, field)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise Unfit(name, f"{path}.{field}", "expected a finite rate above 0, in bit/s")
    if standard.cap_down is not None and standard.down is None:
        raise Unfit(name, f"{path}.cap_down", "expected down beside it; a cap bounds that rate")
    if standard.floor_down is not None and standard.cap_down is not None and standard.floor_down > standard.cap_down:
        raise Unfit(name, f"{path}.floor_down", "expected at most cap_down")
    low, high = standard.min_students, standard.max_students
    for field, size in (("min_students", low), ("max_students", high)):
        if size is not None and size < 0:
            raise Unfit(name, f"{path}.{field}", "expected 0 or more")
    if low is not None and high is not None and low > high:
        raise Unfit(name, f"{path}.min_students", f"expected at most {high}, which is max_students; got {low}")


def choose(standards: Standards, wanted: Iterable[str], file: str, field: str) -> tuple[Standard, ...]:
    """The roadmap's two thresholds, where the list has them, and those that `field` of `file` wants; Unfit for none such."""
    known = {standard.id: standard for standard in standards.standards}
    named = tuple(wanted)
    for name in named:
        if name not in known:
            raise Unfit(file, field, f"no standard is called {quoted(name)}; {near(name, known)}")
    return tuple(known[name] for name in dict.fromkeys((*(name for name in ALWAYS if name in known), *named)))


def compare(site: Site, line_down: Line, line_up: Line, standards: Standards) -> tuple[Comparison, ...]:
    """Every standard against this site, in the file's order.

    One that is about another link or another size of school, or that divides by a number the site's configuration does
    not have, does not apply, and the reason says why. "Provisioned" rates are held against the contract, "available" and
    "unused" ones against the test alone, all others against what the line carries at least.
    """
    return tuple(_compare(site, line_down, line_up, standard) for standard in standards.standards)


def _compare(site: Site, down: Line, up: Line, standard: Standard) -> Comparison:
    count, denominator = _denominator(site, standard.per)
    blank = Comparison(
        standard=standard.id,
        who=standard.who,
        title=standard.title,
        per=standard.per,
        count=count,
        denominator=denominator,
        compared="",
        needed_down=None,
        needed_up=None,
        outcome=Outcome.NOT_APPLICABLE,
        shortfall_down=None,
        shortfall_up=None,
        reason="",
    )
    if why := _outside(site, standard):
        return msgspec.structs.replace(blank, reason=why)
    if count is None:
        wanted = f"the site's configuration does not give the number of {denominator} (site.{_FIELDS[standard.per]})"
        return msgspec.structs.replace(blank, reason=wanted)
    needed_down, needed_up = _needed(standard, count)
    compared, quantity_down = _quantity(standard, down)
    _, quantity_up = _quantity(standard, up)
    told_down = _direction("towards the school", needed_down, quantity_down, compared, _kept(down, compared))
    told_up = _direction("from the school", needed_up, quantity_up, compared, _kept(up, compared))
    told = [one for one in (told_down, told_up) if one is not None]
    return msgspec.structs.replace(
        blank,
        compared=compared,
        needed_down=needed_down,
        needed_up=needed_up,
        outcome=_worst([outcome for outcome, _short, _text in told]),
        shortfall_down=told_down[1] if told_down else None,
        shortfall_up=told_up[1] if told_up else None,
        reason=f"for {denominator}: {'; '.join(text for _outcome, _short, text in told)}",
    )


def _denominator(site: Site, per: Denominator) -> tuple[int | None, str]:
    match per:
        case Denominator.STUDENTS_AND_STAFF:
            return site.users, f"{site.users:,} students and staff"
        case Denominator.STUDENTS:
            return site.students, plural(site.students, "student")
        case Denominator.SITE:
            return 1, "the whole site"
        case Denominator.STUDENTS_STAFF_GUESTS:
            return _given(None if site.guests is None else site.users + site.guests, "students, staff and guests")
        case Denominator.BUSIEST_SHIFT:
            return _given(site.busiest_shift, "students in the busiest shift")
        case Denominator.CONCURRENT_TESTERS:
            return _given(site.concurrent_testers, "students who are tested at the same time")


# Where the configuration gives what students and staff alone do not tell.
_FIELDS = {
    Denominator.STUDENTS_STAFF_GUESTS: "guests",
    Denominator.BUSIEST_SHIFT: "busiest_shift",
    Denominator.CONCURRENT_TESTERS: "concurrent_testers",
}


def _given(count: int | None, people: str) -> tuple[int | None, str]:
    return count, people if count is None else f"{count:,} {people}"


def _outside(site: Site, standard: Standard) -> str:
    if standard.link != "internet":
        link = {"wan": "the line between schools", "lan": "the network inside the school", "home": "the line at home"}
        return f"it is about {link[standard.link]}, which is not measured here"
    if standard.down is None and standard.up is None and standard.floor_down is None:
        return "it asks for no rate that could be compared"
    low, high = standard.min_students, standard.max_students
    here = f"this one has {site.students:,}"
    if low is not None and site.students < low:
        return f"it is for {low:,} students or more; {here}"
    if high is not None and site.students > high:
        return f"it is for up to {high:,} students; {here}"
    return ""


def _needed(standard: Standard, count: int) -> tuple[float | None, float | None]:
    down = None if standard.down is None else standard.down * count
    if down is not None and standard.cap_down is not None:
        down = min(down, standard.cap_down)
    if standard.floor_down is not None:
        down = max(down or 0.0, standard.floor_down)
    return down, None if standard.up is None else standard.up * count


def _quantity(standard: Standard, line: Line) -> tuple[str, Quantity]:
    asked = standard.quantity.lower()
    if "provision" in asked:
        return "contracted", line.contracted
    if asked.startswith(("available", "unused")):
        return "available", line.available
    each, interval = line.per_1000.value, line.per_1000.interval
    carried = Quantity(
        value=None if each is None else _whole(each, line),
        how=line.per_1000.how,
        interval=(_whole(interval[0], line), _whole(interval[1], line)) if interval else None,
        at_least=True,
    )
    return "carried, at least", carried


def _whole(each: float, line: Line) -> float:
    # A rate that just suffices must not be lost in scaling to 1,000 users and back, so the last bits are rounded away.
    return round(each * line.users / 1000, 3)


def _kept(line: Line, compared: str) -> str:
    """What other than the line kept the test's rate down; a contract is not kept down by a test."""
    return "" if compared == "contracted" else limits(line.limited_by)


def _direction(
    towards: str, needed: float | None, quantity: Quantity, compared: str, kept: str
) -> tuple[Outcome, float | None, str] | None:
    if needed is None:
        return None
    if quantity.value is None:
        return Outcome.UNKNOWN, None, f"{rate(needed)} needed {towards}, {compared} is not known: {quantity.how}"
    if kept == limits([NO_LINE]):
        return Outcome.UNKNOWN, None, f"{rate(needed)} needed {towards}, but the test ran inside this machine and met no line"
    low, high = quantity.interval or (quantity.value, quantity.value)
    if min(low, quantity.value) < needed <= max(high, quantity.value):
        text = f"{rate(needed)} needed {towards}, the 95 % interval, {rate(low)} to {rate(high)}, straddles it"
        return Outcome.UNKNOWN, None, text
    shortfall = max(0.0, needed - quantity.value)
    text = f"{rate(needed)} needed {towards}, {compared} {rate(quantity.value)}"
    if shortfall and kept:
        return Outcome.UNKNOWN, None, f"{text}, but the test was limited by {kept}"
    return (Outcome.NOT_MET, shortfall, f"{text}: {short(shortfall)}") if shortfall else (Outcome.MET, 0.0, text)


def _worst(outcomes: list[Outcome]) -> Outcome:
    for outcome in (Outcome.NOT_MET, Outcome.UNKNOWN):
        if outcome in outcomes:
            return outcome
    return Outcome.MET
