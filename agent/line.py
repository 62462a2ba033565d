"""The line's rules: when it may be filled with test traffic, and when a test has to wait because others use it.

Pure: what the line carries is measured in `agent.meter`, and `agent.turn` acts on both.
"""

import re
from datetime import date, datetime, time
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from netready.site import Site
from netready.units import mbps

_HOURS = re.compile(r"^(?:(\d{4}-\d{2}-\d{2})\s+)?(\d{2}:\d{2})-(\d{2}:\d{2})$")


class LineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a test may fill the line, and how it waits for others to leave it room.

    busy   share of the contracted rate above which the line counts as busy, and a test that fills it is put off
    look   longest time that the line is watched before such a test, s ("8s" in the file)
    tries  how often `netready run` looks before it gives a test up; a person at the terminal gets one look
    wait   time between two looks, s
    quiet  when no test may fill the line, local: "08:00-09:30" on every school day, "2026-05-12 08:00-12:00" on that day
    """

    busy: Annotated[float, Meta(gt=0, le=1)] = 0.3
    # Routers refresh their counters every second to every five; two refreshes must fit in, or the use is not known.
    look: Annotated[float, Meta(ge=1, le=60)] = 8.0
    tries: Annotated[int, Meta(ge=1, le=60)] = 3
    wait: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    quiet: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for text in self.quiet:
            Hours.of(text)

    def quiet_now(self, site: Site, now: datetime) -> "Hours | None":
        """The quiet hours that `now` falls into, by the site's time zone and calendar; None outside all of them."""
        local = now.astimezone(site.zone)
        return next((hours for hours in map(Hours.of, self.quiet) if hours.hold(site, local)), None)


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `quiet`. Without a day it holds on every school day."""

    text: str
    begin: time
    end: time
    day: date | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Read one; ValueError says what was expected."""
        found = _HOURS.match(text.strip())
        expected = f'quiet: expected "08:00-09:30" or "2026-05-12 08:00-12:00", got {text!r}'
        if found is None:
            raise ValueError(expected)
        day, begin, end = found.groups()
        try:
            hours = cls(
                text=text.strip(),
                begin=time.fromisoformat(begin),
                end=time.fromisoformat(end),
                day=date.fromisoformat(day) if day else None,
            )
        except ValueError:
            raise ValueError(expected) from None
        if hours.begin >= hours.end:
            msg = f"quiet: {text!r} must end after it begins, on the same day"
            raise ValueError(msg)
        return hours

    def hold(self, site: Site, local: datetime) -> bool:
        """Whether they hold at `local`, a time in the site's zone."""
        today = local.date() == self.day if self.day else site.calendar.is_school_day(local.date())
        return today and self.begin <= local.time() < self.end


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What a line carried while it was watched, bit/s. `source` says whose counters these are."""

    down: float
    up: float
    seconds: float
    source: str

    def of(self, direction: str) -> float:
        """The rate in "down" or "up"."""
        return self.down if direction == "down" else self.up


def busy(use: Use, directions: tuple[str, ...], site: Site, limit: float, *, wanted: float = 0.0) -> str | None:
    """Why a test has to wait, naming the use that was measured; None when it need not.

    wanted  bit/s of a paced test, which only needs that much of the contracted rate to be free; 0 for one that fills the line

    Without a contracted rate nobody can say what is much, and no test is put off.
    """
    for direction in directions:
        contracted = site.contracted_down if direction == "down" else site.contracted_up
        if contracted is None:
            continue
        used = use.of(direction)
        if wanted and used + wanted > contracted and used > limit * contracted:
            return f"{_said(use, direction, contracted)}, which leaves no room for a test at {mbps(wanted)} Mbps"
        if not wanted and used > limit * contracted:
            return f"{_said(use, direction, contracted)}; a test waits above {limit:.0%} (line.busy)"
    return None


def _said(use: Use, direction: str, contracted: float) -> str:
    towards = "towards the school" if direction == "down" else "from the school"
    used = use.of(direction)
    return f"{mbps(used)} Mbps {towards} over {use.seconds:.0f} s, {used / contracted:.0%} of the contract ({use.source})"
