"""Ethernet frames and what is carried in them, IPv4, IPv6 and UDP, opened with suspicion; no socket here."""

import struct

import msgspec

from netready.failure import Failed, Failure

ARP, IPV4, IPV6, LLDP = b"\x08\x06", b"\x08\x00", b"\x86\xdd", b"\x88\xcc"
TAGS = frozenset({b"\x81\x00", b"\x88\xa8"})  # 802.1Q and 802.1ad
MOST_TAGS = 2
UDP, ICMP6 = 17, 58
MDNS, SSDP, DHCP_SERVER, DHCP_CLIENT, DHCP6_SERVER = 5353, 1900, 67, 68, 547
HEADER = 14  # destination, source, EtherType
# Total length, identification, fragment, time to live, protocol, check sum, source.
_IPV4 = struct.Struct("!HHHBBH4s")
_IPV6 = struct.Struct("!HBB16s")  # payload length, next header, hop limit, source
_UDP = struct.Struct("!HHH")


class Packet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An IP packet as it was on the wire. Addresses are packed: 6, and 4 or 16 octets."""

    mac: bytes  # of the sender, or of the router that passed it on
    source: bytes
    protocol: int
    hops: int  # left: IPv4's time to live, IPv6's hop limit
    payload: bytes


class Datagram(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A UDP datagram as it was on the wire."""

    mac: bytes
    source: bytes
    port: int  # it was sent to
    payload: bytes


def untagged(frame: bytes) -> tuple[bytes, int | None]:
    """`frame` without 802.1Q and 802.1ad tags, and the VLAN of the outermost; 0 is a priority without a VLAN."""
    vlan = None
    for _ in range(MOST_TAGS):
        if frame[12:14] not in TAGS or len(frame) < HEADER + 4:
            break
        vlan = int.from_bytes(frame[14:16], "big") & 0x0FFF if vlan is None else vlan
        frame = frame[:12] + frame[16:]
    return frame, vlan


def packet(frame: bytes) -> Packet | None:
    """The IP packet in an untagged `frame`; None for what is no IP, and for fragments.

    Raises Failed(malformed) for lengths that cannot be. Check sums are left alone: the machine's own network card may have
    yet to fill them in when a frame is seen here, and what has crossed a wire was checked by Ethernet.
    """
    kind = frame[12:14]
    if kind == IPV4:
        return _packet4(frame)
    return _packet6(frame) if kind == IPV6 else None


def _packet4(frame: bytes) -> Packet | None:
    if len(frame) < HEADER + 20 or frame[HEADER] >> 4 != 4:
        raise Failed(Failure.MALFORMED, "not IPv4")
    header = (frame[HEADER] & 0x0F) * 4
    total, _, fragment, hops, protocol, _, source = _IPV4.unpack_from(frame, HEADER + 2)
    if not 20 <= header <= total <= len(frame) - HEADER or frame[6] & 1:
        raise Failed(Failure.MALFORMED, "a length or an address that cannot be")
    if fragment & 0x3FFF:
        return None
    return Packet(mac=frame[6:12], source=source, protocol=protocol, hops=hops, payload=frame[HEADER + header : HEADER + total])


def _packet6(frame: bytes) -> Packet:
    if len(frame) < HEADER + 40 or frame[HEADER] >> 4 != 6:
        raise Failed(Failure.MALFORMED, "not IPv6")
    size, protocol, hops, source = _IPV6.unpack_from(frame, HEADER + 4)
    if size > len(frame) - HEADER - 40 or frame[6] & 1 or source[0] == 0xFF:
        raise Failed(Failure.MALFORMED, "a length or an address that cannot be")
    return Packet(mac=frame[6:12], source=source, protocol=protocol, hops=hops, payload=frame[HEADER + 40 : HEADER + 40 + size])


def datagram(found: Packet) -> Datagram:
    """The UDP datagram in a packet whose protocol is UDP. Raises Failed(malformed) for a length that cannot be."""
    if len(found.payload) < 8:
        raise Failed(Failure.MALFORMED, "cut off")
    _, port, size = _UDP.unpack_from(found.payload)
    if not 8 <= size <= len(found.payload):
        raise Failed(Failure.MALFORMED, "a length that cannot be")
    return Datagram(mac=found.mac, source=found.source, port=port, payload=found.payload[8:size])
