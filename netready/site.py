"""A site: one school as its own staff describe it. Facts only they can know, checked for sense, never guessed."""

from datetime import date, time
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from netready.access import Barrier, FilterPage, Interface, Nominated, Stored, Url, Word, check_addresses, check_networks

Name = Annotated[str, Meta(min_length=1, max_length=120)]
Rate = Annotated[float, Meta(gt=0, le=1e13)]  # bit/s, up to 10 Tbit/s


class Role(StrEnum):
    """What an endpoint is for. Criteria ask for roles, never for host names."""

    LMS = "lms"
    SIS = "sis"
    PORTAL = "portal"
    CONTENT = "content"
    ASSESSMENT = "assessment"
    ANALYTICS = "analytics"
    PORTFOLIO = "portfolio"
    INTEGRATION = "integration"
    TRAINING = "training"
    HELPDESK = "helpdesk"
    WEBSITE = "website"
    SOCIAL = "social"
    OTHER = "other"


class Circuit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line that is paid for. Contracted rates are what the bill says, not what a test shows; bit/s.

    counter names the interface whose counters show how much of the line is used, as "ADDRESS INTERFACE" of a router that
    [snmp] lists, such as "10.20.0.1 wan0". interface or source of this machine say how a page is asked for over this line
    alone, where the router or this machine sends what comes from there by it.
    """

    name: Name
    contracted_down: Rate
    contracted_up: Rate
    provider: str = ""
    medium: str = ""
    contract_end: date | None = None
    counter: str = ""
    interface: Interface = ""
    source: str = ""

    def __post_init__(self) -> None:
        check_addresses(source=self.source)


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of a platform the school depends on; it is fetched, never logged in to.

    networks      nominated networks that it is for; none: all of them
    student_data  it holds data of students, so its sign-in must be the one that all such apps share
    login         where signing in begins, when that is not `url`
    """

    name: Name
    url: Url
    role: Role = Role.OTHER
    networks: tuple[Word, ...] = ()
    student_data: bool = False
    login: Url | None = None


class Calendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When school is in session, in the site's own time zone. Measurements outside it are kept but not judged."""

    first_bell: time = time(7, 30)
    last_bell: time = time(15, 30)
    days: tuple[Annotated[int, Meta(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)  # ISO weekdays, Monday is 1
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if self.first_bell >= self.last_bell:
            msg = f"first_bell {self.first_bell:%H:%M} must be before last_bell {self.last_bell:%H:%M}"
            raise ValueError(msg)
        if not self.days:
            msg = "days must name at least one weekday, 1 (Monday) to 7"
            raise ValueError(msg)

    def is_school_day(self, day: date) -> bool:
        """Whether lessons are given on `day`."""
        return day.isoweekday() in self.days and day not in self.holidays

    def in_session(self, day: date, clock: time) -> bool:
        """Whether lessons are given on `day` at `clock`, both local."""
        return self.is_school_day(day) and self.first_bell <= clock < self.last_bell


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One school. `users` are students and staff: the denominator of the roadmap's two targets.

    Other standards divide by other people, who are counted only where somebody gives the number: guests on the network on an
    ordinary day, the students of the busiest shift, and those who are tested at the same time. insured_devices are student
    devices that an insurance covers.
    """

    name: Name
    students: Annotated[int, Meta(ge=1, le=1_000_000)]
    staff: Annotated[int, Meta(ge=0, le=200_000)]
    classrooms: Annotated[int, Meta(ge=1, le=20_000)]
    time_zone: str = "UTC"
    lea: str = ""
    entity_number: str = ""
    ids: dict[str, str] = {}
    labs: Annotated[int, Meta(ge=0, le=1_000)] | None = None
    carts: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    guests: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    busiest_shift: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    concurrent_testers: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    insured_devices: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    networks: tuple[str, ...] = ()
    circuits: tuple[Circuit, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    nominated: Annotated[tuple[Nominated, ...], Meta(max_length=16)] = ()
    filter_pages: Annotated[tuple[FilterPage, ...], Meta(max_length=64)] = ()
    barriers: Annotated[tuple[Barrier, ...], Meta(max_length=64)] = ()
    stored: Annotated[tuple[Stored, ...], Meta(max_length=64)] = ()
    calendar: Calendar = Calendar()

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            msg = f"time_zone {self.time_zone!r} is not a zone this machine knows, such as America/Chicago"
            raise ValueError(msg) from error
        for text in self.networks:
            try:
                ip_network(text)
            except ValueError as error:
                msg = f"networks: {text!r} is not a network such as 10.20.0.0/24 ({error})"
                raise ValueError(msg) from error
        for name, part in (("busiest_shift", self.busiest_shift), ("concurrent_testers", self.concurrent_testers)):
            if part is not None and part > self.students:
                msg = f"{name}: expected at most {self.students:,}, which are all students; got {part:,}"
                raise ValueError(msg)
        check_networks(
            (network.name for network in self.nominated),
            (
                *((f"endpoints: {one.name}", one.networks) for one in self.endpoints),
                *((f"filter_pages: {page.url}", (*page.blocked, *page.open)) for page in self.filter_pages),
                *((f"barriers: {one.name}", one.networks) for one in self.barriers),
            ),
        )

    @property
    def users(self) -> int:
        """Students and staff."""
        return self.students + self.staff

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def authorised(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that somebody with the right to do so allowed us to look at."""
        return tuple(ip_network(text) for text in self.networks)

    @property
    def contracted_down(self) -> float | None:
        """Sum of the contracted rates towards the school, bit/s; None when no circuit is described."""
        return sum(circuit.contracted_down for circuit in self.circuits) if self.circuits else None

    @property
    def contracted_up(self) -> float | None:
        """Sum of the contracted rates from the school, bit/s; None when no circuit is described."""
        return sum(circuit.contracted_up for circuit in self.circuits) if self.circuits else None
