"""The data budget: what a test will cost is said before it, counted after it, and a day or a month has a cap.

Counted are the bytes that every instrument says it moved, both ways, with headers added. What is written down before a test
is the amount foretold; so a crash half-way costs the budget too much rather than nothing.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from netready.failure import Failed, Failure
from netready.instrument import Instrument
from netready.measurement import Measurement
from netready.site import Site
from netready.units import size
from probes.throughput.settings import Throughput

# The IP packet over its TCP payload: 1500 / 1428, with IPv6 and timestamps; IPv4 would be 1500 / 1448.
OVERHEAD = 1.05
# Steps below this are done even when nothing is left, and counted: a look-up does not empty a contract.
SMALL = 1_000_000  # bytes
# A capped test of less than this share of what it would need says too little to be worth its bytes.
USEFUL = 0.1
ASSUMED_RATE = 100e6  # bit/s: foretells what a test moves when no contract says how fast the line is
# A line may be faster than its contract says. With less left than this many times what is foretold, a test is told to stop.
MARGIN = 3


class Profile(StrEnum):
    """How the line's data is paid for."""

    UNMETERED = "unmetered"
    METERED = "metered"
    SATELLITE = "satellite"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile means.

    per_day, per_month  bytes; None is no cap
    target_only         only `at_least` tests, which move little, and never one that fills the line
    night               (from, to) hours, local, outside which no throughput test is made; None is at any time
    """

    per_day: float | None = None
    per_month: float | None = None
    target_only: bool = False
    night: tuple[int, int] | None = None


# Metered: a test of each direction every few hours at 100 Mbit/s, and at most a twentieth of a 100 GB contract.
# Satellite: contracts of 50 GB and less, whose providers leave the night out of the count or slow the day down.
PROFILES: dict[Profile, Rules] = {
    Profile.UNMETERED: Rules(),
    Profile.METERED: Rules(per_day=500e6, per_month=5e9),
    Profile.SATELLITE: Rules(per_day=50e6, per_month=1e9, target_only=True, night=(22, 6)),
}


class BudgetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tests may move, counted in the site's own days and months.

    profile    "unmetered": no cap; "metered": 500 MB a day and 5 GB a month; "satellite": 50 MB a day and 1 GB a month, only
               target tests (throughput.at_least), only from 22:00 to 06:00
    per_day    bytes a day, both ways ("200M" in the file); unset, the profile's
    per_month  bytes a month, both ways ("5G"); unset, the profile's
    """

    profile: Profile = Profile.UNMETERED
    per_day: Annotated[float, Meta(gt=0)] | None = None
    per_month: Annotated[float, Meta(gt=0)] | None = None

    @property
    def rules(self) -> Rules:
        """The profile's rules with the file's own caps."""
        rules = PROFILES[self.profile]
        return msgspec.structs.replace(
            rules,
            per_day=rules.per_day if self.per_day is None else self.per_day,
            per_month=rules.per_month if self.per_month is None else self.per_month,
        )

    @property
    def capped(self) -> bool:
        """Whether there is a cap, and so a need to count."""
        return self.rules.per_day is not None or self.rules.per_month is not None


class Book(Protocol):
    """Where uses of the line are written down: the store."""

    def spend(self, at: datetime, what: str, amount: int) -> int: ...

    def settle(self, number: int, amount: int) -> None: ...

    def bytes_moved(self, since: datetime, until: datetime) -> int: ...

    def uses(self, what: str, since: datetime, until: datetime) -> list[datetime]: ...


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left, bytes; None where there is no cap."""

    today: float | None = None
    month: float | None = None

    @property
    def least(self) -> float | None:
        """The smaller of the two."""
        return min((each for each in (self.today, self.month) if each is not None), default=None)

    def after(self, spent: float) -> "Left":
        """What is left when `spent` bytes more are gone."""
        return Left(
            today=None if self.today is None else max(0.0, self.today - spent),
            month=None if self.month is None else max(0.0, self.month - spent),
        )

    @property
    def sentence(self) -> str:
        """For the plan and for a refusal; empty without a cap."""
        words = ((self.today, "today"), (self.month, "this month"))
        return " and ".join(f"{size(amount)} {when}" for amount, when in words if amount is not None)


def left(settings: BudgetSettings, site: Site, book: Book, now: datetime) -> Left:
    """What is left of the day and of the month that `now` falls into, in the site's time zone."""
    rules, local = settings.rules, now.astimezone(site.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    until = now + timedelta(seconds=1)
    return Left(
        today=None if rules.per_day is None else max(0.0, rules.per_day - book.bytes_moved(midnight, until)),
        month=None if rules.per_month is None else max(0.0, rules.per_month - book.bytes_moved(midnight.replace(day=1), until)),
    )


def forbidden(row: Instrument, settings: Any, rules: Rules, now: datetime | None, site: Site) -> str | None:
    """Why the profile does not let this throughput method run at all (or not at `now`, when given), or None."""
    if not isinstance(settings, Throughput):
        return None
    if rules.target_only and not is_target(row, settings):
        return "the satellite profile makes only target tests: set throughput.at_least (budget.profile)"
    if rules.night is not None and now is not None:
        begin, end = rules.night
        if end <= now.astimezone(site.zone).hour < begin:
            return f"the satellite profile tests only from {begin:02}:00 to {end:02}:00 (budget.profile)"
    return None


def is_target(row: Instrument, settings: Any) -> bool:
    """Whether this is a paced test that only answers "at least RATE?"; the other methods know no such test."""
    return isinstance(settings, Throughput) and settings.at_least > 0 and row.name == "netready"


def line_rate(settings: Any, site: Site) -> float:
    """The rate for which to foretell, bit/s: the contract's, in the direction asked for."""
    down, up = site.contracted_down or ASSUMED_RATE, site.contracted_up or ASSUMED_RATE
    if isinstance(settings, Throughput):
        rates = [{"down": down, "up": up}[direction.value] for direction in settings.directions]
        return sum(rates) / len(rates)
    return (down + up) / 2


def foretold(row: Instrument, settings: Any, site: Site) -> float:
    """Bytes on the line, both ways, headers included."""
    return row.load(settings, line_rate(settings, site)) * OVERHEAD


def fitted(row: Instrument, settings: Any, site: Site, remains: Left) -> Any:
    """The settings, with the method told to stop at what is left; Failed(data-budget) when that would not be a test."""
    least, needs = remains.least, foretold(row, settings, site)
    if least is None or needs < SMALL:
        return settings
    if needs * MARGIN <= least:
        return settings
    capped = _within(settings, least)
    # A method that knows how to stop at `most_bytes` foretells less with it, and may say that it needs more than that.
    if least >= max(SMALL, USEFUL * needs) and foretold(row, capped, site) <= least and row.missing(capped) is None:
        return capped
    raise Failed(Failure.DATA_BUDGET, f"about {size(needs)} would be moved; left: {remains.sentence} ([budget])")


def _within(settings: Any, least: float) -> Any:
    if not isinstance(settings, Throughput):
        return settings
    each = max(1, int(least / OVERHEAD / len(settings.directions)))
    return msgspec.structs.replace(settings, most_bytes=min(each, settings.most_bytes or each))


def counted(readings: list[Measurement]) -> int:
    """Bytes that these measurements put on the line, both ways, headers included."""
    moved = sum((each.detail("bytes_sent") or 0.0) + (each.detail("bytes_received") or 0.0) for each in readings)
    return round(max(0.0, moved) * OVERHEAD)
