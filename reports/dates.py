"""Dates and times in words, in the site's own time zone. Month names are ours: the machine's locale has no say."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from readiness.judgement import Judgement
from reports.units import TO

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(when: date) -> str:
    """A day as "13 Mar 2026"."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def moment(when: datetime, zone: ZoneInfo) -> str:
    """A moment in `zone` as "13 Mar 2026 09:14"."""
    local = when.astimezone(zone)
    return f"{day(local)} {local:%H:%M}"


def period(since: datetime, until: datetime, zone: ZoneInfo) -> str:
    """A period as "2-13 Mar 2026", with an en dash; what both ends share is said once. A single day is that day."""
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    if first == last:
        return day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{TO}{day(last)}"
    if first.year == last.year:
        return f"{first.day} {_MONTHS[first.month - 1]} {TO} {day(last)}"
    return f"{day(first)} {TO} {day(last)}"


def measured(judgement: Judgement, zone: ZoneInfo) -> str:
    """When the readings were taken, as the start of a sentence: "Measured 2-13 Mar 2026"."""
    if judgement.first_at is None or judgement.last_at is None:
        return f"Nothing measured since {day(judgement.since.astimezone(zone))}"
    return f"Measured {period(judgement.first_at, judgement.last_at, zone)}"


def hours(first: time, last: time) -> str:
    """Hours of a day as "07:30-15:30", with an en dash."""
    return f"{first:%H:%M}{TO}{last:%H:%M}"
