"""ARP on Ethernet (RFC 826), built and read; no socket here."""

import struct
from ipaddress import IPv4Address

import msgspec

from probes.wire_ethernet import EQUAL, GIVE, LOAD_HALF, LOAD_WORD, SHORTEST, Row, for_us, is_hosts

ETHERTYPE = 0x0806
FRAME = SHORTEST
BODY = struct.Struct("!6s6sH HHBBH 6sI6sI")  # Ethernet header, then the packet
ETHERNET, IPV4 = 1, 0x0800
ASK, TELL = 1, 2
EVERYBODY = b"\xff" * 6


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Who said to have which address; `to` is the address that was told."""

    mac: bytes
    address: int
    to: int


def request(mac: bytes, own: int, wanted: int, host: bytes = EVERYBODY) -> bytes:
    """A question who has `wanted`: to everybody, or to one `host` that is thought to (RFC 1122, 2.3.2.1, "unicast poll")."""
    target = b"\x00" * 6 if host == EVERYBODY else host
    packet = BODY.pack(host, mac, ETHERTYPE, ETHERNET, IPV4, 6, 4, ASK, mac, own, target, wanted)
    return packet.ljust(FRAME, b"\x00")


def reply(frame: bytes) -> Reply | None:
    """The reply in `frame`; None for anything else, and for senders that no host can have."""
    if len(frame) < BODY.size:
        return None
    _, _, ether, hardware, protocol, hlen, plen, operation, mac, address, _, to = BODY.unpack_from(frame)
    if (ether, hardware, protocol, hlen, plen, operation) != (ETHERTYPE, ETHERNET, IPV4, 6, 4, TELL):
        return None
    return Reply(mac=mac, address=address, to=to) if is_hosts(mac) else None


def kernel_filter(own: int) -> list[Row]:
    """A classic BPF program that lets only ARP replies to `own` through; a busy segment is full of other ARP."""
    return for_us(
        [
            (LOAD_HALF, 0, 0, 12),
            (EQUAL, 0, 5, ETHERTYPE),
            (LOAD_HALF, 0, 0, 20),
            (EQUAL, 0, 3, TELL),
            (LOAD_WORD, 0, 0, 38),
            (EQUAL, 0, 1, own),
            (GIVE, 0, 0, 0xFFFF),
            (GIVE, 0, 0, 0),
        ]
    )


def address_text(address: int) -> str:
    """Dotted."""
    return str(IPv4Address(address))
