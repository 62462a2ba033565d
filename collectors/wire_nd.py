"""IPv6 neighbour discovery (RFC 4861, RFC 4862), read with suspicion; no socket here."""

import msgspec

from collectors.wire_frame import Packet
from netready.failure import Failed, Failure

ROUTER_ASKED, ROUTER_TOLD, NEIGHBOUR_ASKED, NEIGHBOUR_TOLD = 133, 134, 135, 136
# Where the options begin, by type of message; and the option that says the link-layer address of the one that speaks.
OPTIONS = {ROUTER_ASKED: 8, ROUTER_TOLD: 16, NEIGHBOUR_ASKED: 24, NEIGHBOUR_TOLD: 24}
SOURCE_OPTION, TARGET_OPTION = 1, 2
UNSPECIFIED = bytes(16)
FROM_THIS_LINK = 255  # a hop limit that no packet has that crossed a router
MOST_OPTIONS = 32


class Neighbour(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who says to have which address.

    `address` is empty when a host that has none asks for routers; `settled` is false while it asks whether the address is
    free. `router`: it routes for others; one that only knows a way to its own gadgets (a lifetime of 0) does not.
    """

    mac: bytes
    address: bytes
    settled: bool = True
    router: bool = False


def neighbour(packet: Packet) -> Neighbour | None:
    """What the sender of an ICMPv6 packet says of itself; None for other messages. Raises Failed(malformed)."""
    payload = packet.payload
    if not payload:
        raise Failed(Failure.MALFORMED, "empty")
    kind = payload[0]
    if kind not in OPTIONS:
        return None
    if packet.hops != FROM_THIS_LINK or len(payload) < OPTIONS[kind] or payload[1]:
        raise Failed(Failure.MALFORMED, "no neighbour would send this")
    wanted = TARGET_OPTION if kind == NEIGHBOUR_TOLD else SOURCE_OPTION
    mac = _link_layer(payload, OPTIONS[kind], wanted) or packet.mac
    if mac[0] & 1 or not any(mac):
        raise Failed(Failure.MALFORMED, "a link-layer address that no host has")
    source = packet.source if packet.source != UNSPECIFIED else b""
    if kind == ROUTER_TOLD:
        if not source:
            raise Failed(Failure.MALFORMED, "a router without an address")
        return Neighbour(mac=mac, address=source, router=payload[6:8] != b"\x00\x00")
    if kind == ROUTER_ASKED:
        return Neighbour(mac=mac, address=source)
    target = payload[8:24]
    if target[0] == 0xFF or target == UNSPECIFIED:
        raise Failed(Failure.MALFORMED, "an address that no host has")
    if kind == NEIGHBOUR_TOLD:
        return Neighbour(mac=mac, address=target, router=bool(payload[4] & 0x80))
    return Neighbour(mac=mac, address=source or target, settled=bool(source))


def _link_layer(payload: bytes, at: int, wanted: int) -> bytes | None:
    """The Ethernet address in the option `wanted`, if there is one. Lengths are in units of eight octets."""
    found = None
    for _ in range(MOST_OPTIONS):
        if at + 2 > len(payload):
            break
        option, size = payload[at], payload[at + 1] * 8
        if size == 0 or at + size > len(payload):
            raise Failed(Failure.MALFORMED, "an option runs past the end")
        if option == wanted and size == 8 and found is None:
            found = payload[at + 2 : at + 8]
        at += size
    return found
