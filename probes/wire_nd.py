"""ICMPv6 between neighbours on Ethernet (RFC 4443, RFC 4861, RFC 2464), built and read; no socket here."""

import struct
from ipaddress import IPv6Address

import msgspec

from probes import wire_icmp
from probes.wire_ethernet import EQUAL, GIVE, LOAD_BYTE, LOAD_HALF, Row, for_us, is_hosts

ETHERTYPE = 0x86DD
HEADER = struct.Struct("!6s6sH IHBB16s16s")  # Ethernet header, then that of IPv6
ICMP = 58
ECHO_REPLY, ROUTER_ASKED, ROUTER_TOLD, NEIGHBOUR_ASKED, NEIGHBOUR_TOLD = 129, 133, 134, 135, 136
HEARD = (ECHO_REPLY, ROUTER_TOLD, NEIGHBOUR_ASKED, NEIGHBOUR_TOLD)
ALL_NODES, ALL_ROUTERS = IPv6Address("ff02::1"), IPv6Address("ff02::2")
FROM_THIS_LINK = 255  # a hop limit that no packet has that crossed a router
_SOURCE_ADDRESS = b"\x01\x01"  # an option of eight bytes: the sender's hardware address follows
_SHORTEST = {ECHO_REPLY: 8, ROUTER_TOLD: 16, NEIGHBOUR_ASKED: 24, NEIGHBOUR_TOLD: 24}


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a neighbour said.

    kind    one of HEARD
    about   the address that it asked for or told about; its own for other kinds
    router  it says that it routes for others
    echo    the echo reply itself, to be compared with what was asked
    """

    kind: int
    mac: bytes
    source: IPv6Address
    to: IPv6Address
    about: IPv6Address
    router: bool = False
    echo: bytes = b""


def echo_everybody(mac: bytes, own: IPv6Address, identifier: int, sequence: int, token: bytes) -> bytes:
    """An echo request to every node of the link."""
    return _frame(mac, _group_mac(ALL_NODES), own, ALL_NODES, wire_icmp.request(6, identifier, sequence, token), hops=1)


def ask_routers(mac: bytes, own: IPv6Address) -> bytes:
    """A router solicitation: routers answer with an advertisement within half a second."""
    body = struct.pack("!BBHI", ROUTER_ASKED, 0, 0, 0) + _SOURCE_ADDRESS + mac
    return _frame(mac, _group_mac(ALL_ROUTERS), own, ALL_ROUTERS, body)


def ask_neighbour(mac: bytes, own: IPv6Address, host: bytes, wanted: IPv6Address) -> bytes:
    """A neighbour solicitation to one host alone, as when the kernel makes sure of it (RFC 4861, 7.3.1)."""
    body = struct.pack("!BBHI16s", NEIGHBOUR_ASKED, 0, 0, 0, wanted.packed) + _SOURCE_ADDRESS + mac
    return _frame(mac, host, own, wanted, body)


def heard(frame: bytes) -> Heard | None:
    """What a neighbour said in `frame`; None for anything else.

    The checksum is not compared: between virtual machines, and where the card fills it in, it is not there yet.
    """
    if len(frame) < HEADER.size + 4:
        return None
    _, mac, ether, version, length, following, hops, source, to = HEADER.unpack_from(frame)
    if ether != ETHERTYPE or version >> 28 != 6 or following != ICMP or not is_hosts(mac):
        return None
    body, sender = frame[HEADER.size : HEADER.size + length], IPv6Address(source)
    if len(body) < length or not body or body[0] not in HEARD or len(body) < _SHORTEST[body[0]] or body[1]:
        return None
    if sender.is_multicast or sender.is_unspecified:
        return None
    kind, about, router = body[0], sender, False
    if kind != ECHO_REPLY and hops != FROM_THIS_LINK:
        return None
    if kind == ROUTER_TOLD:
        router = body[6:8] != b"\x00\x00"  # a lifetime of 0: it routes for nobody (RFC 4861, 4.2)
        if not sender.is_link_local:
            return None
    elif kind in {NEIGHBOUR_ASKED, NEIGHBOUR_TOLD}:
        about = IPv6Address(body[8:24])
        router = kind == NEIGHBOUR_TOLD and bool(body[4] & 0x80)
    echo = body if kind == ECHO_REPLY else b""
    return Heard(kind=kind, mac=mac, source=sender, to=IPv6Address(to), about=about, router=router, echo=echo)


def kernel_filter() -> list[Row]:
    """A classic BPF program that lets only ICMPv6 of the kinds in HEARD through."""
    tests = len(HEARD)
    return for_us(
        [
            (LOAD_HALF, 0, 0, 12),
            (EQUAL, 0, 3 + tests, ETHERTYPE),
            (LOAD_BYTE, 0, 0, 20),
            (EQUAL, 0, 1 + tests, ICMP),
            (LOAD_BYTE, 0, 0, HEADER.size),
            *((EQUAL, tests - number, 0, kind) for number, kind in enumerate(HEARD)),
            (GIVE, 0, 0, 0),
            (GIVE, 0, 0, 0xFFFF),
        ]
    )


def _frame(mac: bytes, host: bytes, source: IPv6Address, to: IPv6Address, body: bytes, *, hops: int = FROM_THIS_LINK) -> bytes:
    summed = wire_icmp.checksum(source.packed + to.packed + struct.pack("!II", len(body), ICMP) + body)
    whole = body[:2] + summed.to_bytes(2, "big") + body[4:]
    return HEADER.pack(host, mac, ETHERTYPE, 6 << 28, len(body), ICMP, hops, source.packed, to.packed) + whole


def _group_mac(group: IPv6Address) -> bytes:
    return b"\x33\x33" + group.packed[12:]
