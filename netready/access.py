"""Access: the networks that a site wants to be looked at from, and what each of them must and must not reach."""

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.refusal import near
from netready.text import clean

Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Interface = Annotated[str, Meta(pattern=r"^[^\s/]{0,15}$")]  # IFNAMSIZ of if.h less its NUL
Url = Annotated[str, Meta(pattern=r"^https?://[^\s/?#@]+([/?#]\S*)?$", max_length=500)]
Shown = Annotated[str, Meta(min_length=3, max_length=200)]


class People(StrEnum):
    """Who uses a network. Criteria ask for people, never for a network's name."""

    STUDENT = "student"
    STAFF = "staff"
    GUEST = "guest"
    OTHER = "other"


class Nominated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network that the school wants checks made from, such as the students' Wi-Fi. This machine needs a leg in it.

    people     who uses it
    interface  of this machine, which the packets leave by, such as "eth0.20"
    source     address of this machine, which the packets come from; enough where the machine routes by source address
    resolver   address of the name server that devices there use; without it names are looked up in this machine's own way
    """

    name: Word
    people: People
    interface: Interface = ""
    source: str = ""
    resolver: str = ""

    def __post_init__(self) -> None:
        if not self.interface and not self.source:
            raise ValueError(f"network {self.name}: expected interface or source, which say where this machine meets it")
        check_addresses(source=self.source, resolver=self.resolver)


class FilterPage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A harmless test page that the school named, and what its content filter is meant to do with it.

    url            the page; filters' vendors publish such pages for testing. It is fetched and nothing more
    shows          words that the page itself shows, so that what a filter puts in its place is not taken for it
    blocked, open  nominated networks in which it must be blocked, and in which it must open
    """

    url: Url
    shows: Shown
    blocked: tuple[Word, ...] = ()
    open: tuple[Word, ...] = ()

    def __post_init__(self) -> None:
        if not self.blocked and not self.open:
            raise ValueError("expected a network in blocked or open, or in each")
        if both := sorted(set(self.blocked) & set(self.open)):
            raise ValueError(f"expected {both[0]} in blocked or in open, not in both")

    @property
    def told(self) -> tuple[tuple[str, bool], ...]:
        """Each network and whether the page must be blocked there."""
        return (*((name, True) for name in self.blocked), *((name, False) for name in self.open))


class Barrier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service of the school's own that must be out of reach of some networks, such as its records for the students' Wi-Fi.

    address, port  where it is, within the authorised networks
    networks       nominated networks that must not reach it
    """

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    address: str
    port: Annotated[int, Meta(ge=1, le=65535)]
    networks: Annotated[tuple[Word, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        check_addresses(address=self.address)

    @property
    def place(self) -> str:
        """Address and port as they are written."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Material that is kept in the school, so that it opens when the line is down.

    url    a page of it, at an address within the authorised networks
    shows  words that the page shows
    """

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    url: Url
    shows: Shown


def seen_from(target: str, network: str) -> str:
    """The target of a measurement that was made from a nominated network."""
    return f"{written(target)} from {network}"


def written(url: str) -> str:
    """A URL as the target of a measurement."""
    return clean(url, limit=500)


def check_addresses(**fields: str) -> None:
    """Raises ValueError for a field that holds something other than an address or nothing."""
    for name, text in fields.items():
        try:
            if text or name == "address":
                ip_address(text)
        except ValueError:
            raise ValueError(f"{name}: {text!r} is not an address such as 10.20.0.9") from None


def check_networks(nominated: Iterable[str], named: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Raises ValueError when a network is nominated twice, or when something names one that is not nominated."""
    known: set[str] = set()
    for name in nominated:
        if name in known:
            raise ValueError(f"nominated: expected each network once; {name} stands there again")
        known.add(name)
    for what, names in named:
        for name in names:
            if name not in known:
                hint = near(name, known) or "no network is nominated"
                raise ValueError(f"{what} names the network {name}, which is not among the nominated; {hint}")
