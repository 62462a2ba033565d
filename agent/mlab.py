"""M-Lab's Locate service: how often it may be asked from one site, and when the agent's next test by it is due.

The rules and their sources are in `probes.throughput.locate`; here they meet the book of what was asked.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from agent.budget import Book
from netready.instrument import Chance, Instrument
from netready.measurement import Measurement
from probes.throughput import locate
from probes.throughput.settings import Throughput

LOCATE = "M-Lab Locate"  # how requests are written down
LOOK_BACK = timedelta(days=1)  # longer than the limit's window and than the longest gap of the schedule


class Ration:
    """The limits. With `chance`, tests by Locate follow M-Lab's memoryless schedule; a person at the terminal need not."""

    def __init__(self, chance: Chance | None = None) -> None:
        self._chance = chance
        self._due: dict[datetime, datetime] = {}  # drawn once for each request, so that asking often changes nothing

    def refusal(self, book: Book | None, now: datetime) -> str | None:
        """Why Locate may not be asked at `now`; None when it may."""
        if book is None:
            return "there is no database in which requests to M-Lab's Locate service could be counted"
        requests = book.uses(LOCATE, now - LOOK_BACK, now)
        if (free := locate.allowed(requests, now)) is not None:
            hours = locate.LOCATE_WINDOW.total_seconds() / 3600
            return (
                f"M-Lab's Locate service may be asked {locate.LOCATE_MOST} times in {hours:.0f} hours, and was; "
                f"again from {free:%Y-%m-%d %H:%M} UTC"
            )
        if self._chance is None or not requests:
            return None
        last = requests[-1]
        if last not in self._due:
            self._due = {last: last + timedelta(seconds=locate.next_test(self._chance))}
        if now < self._due[last]:
            return f"by M-Lab's schedule the next test is due from {self._due[last]:%Y-%m-%d %H:%M} UTC"
        return None


def by_locate(row: Instrument, settings: Any) -> bool:
    """Whether this test asks Locate for its server."""
    return isinstance(settings, Throughput) and settings.locate and row.name == "ndt7"


def asked(readings: Iterable[Measurement]) -> int:
    """How many requests these measurements say they took."""
    return int(sum(each.detail("locate_requests") or 0.0 for each in readings))
