"""The program's users: counted from the roster that the config names, filled in where [site] is silent, else compared."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from netready.clock import Clock
from netready.refusal import Unfit
from netready.roster import Roster, Source, Users
from netready.site import Site

APART = 0.10  # of what was counted; a site that says something else by more than this is told


class RosterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where students and staff are counted when [site] does not give them, and what its numbers are held against when it does.

    file    a OneRoster 1.1 or 1.2 export: a zip, the folder with its CSV files, or its users.csv; only counts are kept
    school  sourcedId or identifier of the organisation in it that is this site; without it everybody is counted
    """

    file: str = ""
    school: str = ""


def count(settings: RosterSettings, config: Path, clock: Clock) -> Roster | None:
    """What the roster says, None when no roster is named; Unfit when it cannot be used. Relative paths are the config's."""
    if not settings.file:
        if settings.school:
            raise Unfit(str(config), "roster.file", "expected the path of an export beside roster.school")
        return None
    from collectors.imports.roster import read_roster  # noqa: PLC0415 - few configs name a roster, and every command begins here

    return read_roster(config.absolute().parent / settings.file, clock=clock, school=settings.school)


def completed(site: dict[str, Any], roster: Roster | None) -> dict[str, Any]:
    """The table [site] with the numbers it does not give itself."""
    return site if roster is None else {"students": roster.students, "staff": roster.staff, **site}


def told(site: Site, given: Collection[str], config: str, roster: Roster | None) -> Users:
    """Where the number of users comes from, and what about it needs a look; `given` are the fields of [site] in `config`."""
    students, staff = (Source.CONFIG if roster is None or name in given else Source.ROSTER for name in ("students", "staff"))
    return Users(
        students=site.students,
        staff=site.staff,
        students_from=students,
        staff_from=staff,
        said=_said(site, students, staff, config, roster),
        roster=roster,
    )


def _said(site: Site, students: Source, staff: Source, config: str, roster: Roster | None) -> tuple[str, ...]:
    both = f"{site.students:,} students and {site.staff:,} staff"
    if roster is None:
        return (f"{both} as {config} gives them; no roster was counted",)
    pairs = (("students", site.students, roster.students), ("staff", site.staff, roster.staff))
    match students, staff:
        case Source.ROSTER, Source.ROSTER:
            first: tuple[str, ...] = ()
        case Source.CONFIG, Source.CONFIG:
            first = (f"{both} as {config} gives them",)
        case Source.CONFIG, _:
            first = (f"{site.students:,} students as {config} gives them; the staff are those of the roster",)
        case _:
            first = (f"{site.staff:,} staff as {config} gives them; the students are those of the roster",)
    return (*first, roster.said(site.zone), *(_apart(*pair) for pair in pairs if _differ(*pair[1:])), *roster.notes)


def _differ(given: int, counted: int) -> bool:
    return abs(given - counted) > APART * counted


def _apart(name: str, given: int, counted: int) -> str:
    return f"site.{name} is {given:,} in the config, and that is used; {counted:,} were counted: more than {APART:.0%} apart"
