"""A roster: how many people a school's own export names, and where and when they were counted. Never who they are."""

from datetime import datetime, tzinfo
from enum import StrEnum

import msgspec

from netready.refusal import quoted


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted, and from what.

    file     its name, without its folder
    counted  when, aware UTC
    written  when the export was last written, aware UTC
    school   whose people were counted, as it was asked for; "" is all of them
    notes    what was taken for granted or left out, one sentence each
    """

    file: str
    counted: datetime
    written: datetime
    students: int
    staff: int
    school: str = ""
    notes: tuple[str, ...] = ()

    def said(self, zone: tzinfo) -> str:
        """Where the number of users comes from, for a report: with the days it was written and counted, in `zone`."""
        where = f" for {quoted(self.school)}" if self.school else ""
        people = f"{self.students:,} students and {self.staff:,} staff"
        written, counted = (at.astimezone(zone).date() for at in (self.written, self.counted))
        return f"{people} counted from {self.file}{where}, written on {written}, counted on {counted}"


class Source(StrEnum):
    """Who says how many users there are."""

    CONFIG = "config"
    ROSTER = "roster"


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """The denominator of most figures, and where it comes from.

    said    in words, and what about it needs a look, one sentence each
    roster  what was counted, when a roster is named
    """

    students: int
    staff: int
    students_from: Source
    staff_from: Source
    said: tuple[str, ...]
    roster: Roster | None = None
