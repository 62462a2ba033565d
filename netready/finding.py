"""Something a technician should look at: found in a survey, in one sentence, with where it is and how it is known."""

from enum import StrEnum

import msgspec


class Trouble(StrEnum):
    """What is wrong, as a closed list."""

    HALF_DUPLEX = "half-duplex"
    PORT_ERRORS = "port-errors"
    POE_SHORT = "poe-short"  # a switch has little power left for access points and telephones
    UNMANAGED_SWITCH = "unmanaged-switch"
    LOOP = "loop"
    ROGUE_DHCP = "rogue-dhcp"
    DUPLICATE_ADDRESS = "duplicate-address"
    PROXY_ARP = "proxy-arp"
    PAST_SUPPORT = "past-support"
    BELOW_SPECIFICATION = "below-specification"
    CROWDED_ACCESS_POINT = "crowded-access-point"
    ROOM_WITHOUT_COVERAGE = "room-without-coverage"
    ENROLLED_NOT_SEEN = "enrolled-not-seen"
    SEEN_NOT_ENROLLED = "seen-not-enrolled"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble.

    where     the thing it is about: "switch-1 port 7", "room 12", a device's key
    says      one sentence in plain words, with the number and what was expected
    known_by  what it rests on, one short line each: "dot3StatsDuplexStatus of 10.20.0.2"
    devices   keys of the devices it is about, as in `Device.key`
    """

    trouble: Trouble
    where: str
    says: str
    known_by: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    room: str | None = None
