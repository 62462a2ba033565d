"""The Cisco Discovery Protocol as neighbours send it, read with suspicion; no socket here.

Its check sum is left alone: for messages of odd length there are two ways in use to reckon it, and Ethernet has its own.
"""

from collections.abc import Iterator

import msgspec

from collectors.wire_frame import HEADER
from netready.failure import Failed, Failure
from netready.text import clean

LONGEST_802_3 = 1500  # a larger number in the place of the length is an EtherType
SNAP = b"\xaa\xaa\x03\x00\x00\x0c\x20\x00"  # LLC for SNAP, Cisco's OUI, and its number for CDP
NAME, ADDRESSES, PORT, CAPABILITIES, SOFTWARE, PLATFORM, NATIVE_VLAN, MANAGEMENT = 1, 2, 3, 4, 5, 6, 10, 22
# Bits to LLDP's words; there are three for kinds of bridges. 0x20 is IGMP snooping, which says nothing of what a device is.
WORDS = ((0x01, "router"), (0x0E, "bridge"), (0x10, "host"), (0x40, "repeater"), (0x80, "telephone"))
IPV4_PROTOCOL, IPV6_PROTOCOL = b"\x01\x01\xcc", b"\x02\x08\xaa\xaa\x03\x00\x00\x00\x86\xdd"
MOST_TLVS = 128
MOST_ADDRESSES = 16
LONGEST = 255  # characters of the software's description


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """What a neighbour says of itself. What it did not say is empty."""

    name: str = ""
    addresses: tuple[bytes, ...] = ()  # packed, those for management first
    port: str = ""
    capabilities: tuple[str, ...] = ()
    software: str = ""
    platform: str = ""
    vlan: int = 0  # of untagged frames on that port


def is_cdp(frame: bytes) -> bool:
    """Whether an untagged frame carries CDP."""
    return int.from_bytes(frame[12:14], "big") <= LONGEST_802_3 and frame[HEADER : HEADER + 8] == SNAP


def neighbour(frame: bytes) -> Neighbour | None:
    """The neighbour behind a frame that `is_cdp`; None for one that takes its leave. Raises Failed(malformed)."""
    size = int.from_bytes(frame[12:14], "big")
    message = frame[HEADER + len(SNAP) : HEADER + size]
    if len(message) < 4 or message[0] not in {1, 2} or len(frame) < HEADER + size:
        raise Failed(Failure.MALFORMED, "not CDP")
    if message[1] == 0:
        return None
    fields: dict[int, bytes] = {}
    for kind, value in _tlvs(message):
        fields.setdefault(kind, value)
    if NAME not in fields:
        raise Failed(Failure.MALFORMED, "a neighbour without a name")
    bits, vlan = int.from_bytes(fields.get(CAPABILITIES, b"")[:4], "big"), fields.get(NATIVE_VLAN, b"")
    both = [*_addresses(fields.get(MANAGEMENT, b"")), *_addresses(fields.get(ADDRESSES, b""))]
    return Neighbour(
        name=_text(fields[NAME]),
        addresses=tuple(dict.fromkeys(both)),
        port=_text(fields.get(PORT, b"")),
        capabilities=tuple(dict.fromkeys(word for bit, word in WORDS if bits & bit)),
        software=_text(fields.get(SOFTWARE, b""), LONGEST),
        platform=_text(fields.get(PLATFORM, b"")),
        vlan=int.from_bytes(vlan, "big") & 0x0FFF if len(vlan) == 2 else 0,
    )


def _tlvs(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each field; the length counts the four octets of its head."""
    at = 4
    for _ in range(MOST_TLVS):
        if at == len(message):
            return
        kind, size = int.from_bytes(message[at : at + 2], "big"), int.from_bytes(message[at + 2 : at + 4], "big")
        if size < 4 or at + size > len(message):
            raise Failed(Failure.MALFORMED, "a field runs past the end")
        yield kind, message[at + 4 : at + size]
        at += size


def _addresses(field: bytes) -> Iterator[bytes]:
    """The IPv4 and IPv6 addresses of a list: how many, then each with its protocol and length."""
    at = 4
    for _ in range(min(int.from_bytes(field[:4], "big"), MOST_ADDRESSES)):
        protocol = field[at : at + 2 + int.from_bytes(field[at + 1 : at + 2], "big")]
        at += len(protocol)
        size = int.from_bytes(field[at : at + 2], "big")
        address = field[at + 2 : at + 2 + size]
        if len(protocol) < 2 or len(address) < size:
            raise Failed(Failure.MALFORMED, "an address runs past the end")
        at += 2 + size
        if (protocol, size) in {(IPV4_PROTOCOL, 4), (IPV6_PROTOCOL, 16)}:
            yield address


def _text(value: bytes, limit: int = 128) -> str:
    return clean(value.rstrip(b"\x00"), limit=limit)
