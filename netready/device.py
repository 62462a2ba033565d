"""A device on the network, from one or more sightings; what it is, and how that is known."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a device is. `UNKNOWN` is an honest answer."""

    ACCESS_POINT = "access-point"
    SWITCH = "switch"
    ROUTER = "router"
    FIREWALL = "firewall"
    SERVER = "server"
    PRINTER = "printer"
    CAMERA = "camera"
    PHONE = "phone"
    UPS = "ups"
    DISPLAY = "display"
    IOT = "iot"
    STUDENT_DEVICE = "student-device"
    STAFF_DEVICE = "staff-device"
    COMPUTER = "computer"
    UNKNOWN = "unknown"


INFRASTRUCTURE = frozenset(
    {Kind.ACCESS_POINT, Kind.SWITCH, Kind.ROUTER, Kind.FIREWALL, Kind.SERVER, Kind.UPS, Kind.PRINTER, Kind.CAMERA}
)


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One observation of a device by one source. Text is sanitised before it comes here.

    source    "arp", "snmp", "mdns", "ssdp", "dhcp", "config"
    facts     what this source said, by name: "sysdescr", "sysobjectid", "services", "vendor_class", "location" ...
    """

    source: str
    at: datetime
    mac: str | None = None  # lower case, colons
    address: str | None = None  # IPv4 or IPv6
    name: str | None = None
    facts: dict[str, str] = {}


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One thing on the network, counted once.

    key       what makes it this device and no other: its MAC, else its address
    random    its MAC is locally administered, so it may be one of several the same device has used
    why       the evidence behind `kind`, one short line each
    how       the sources that saw it
    """

    key: str
    mac: str | None
    addresses: tuple[str, ...]
    names: tuple[str, ...]
    kind: Kind
    vendor: str | None
    room: str | None = None
    port: str | None = None
    random: bool = False
    why: tuple[str, ...] = ()
    how: tuple[str, ...] = ()
