"""ARP on Ethernet (RFC 826), built and read; no socket here."""

import struct
from ipaddress import IPv4Address

import msgspec

ETHERTYPE = 0x0806
FRAME = 60  # bytes of the shortest Ethernet frame without its check sequence; ARP is padded to it
BODY = struct.Struct("!6s6sH HHBBH 6sI6sI")  # Ethernet header, then the packet
ETHERNET, IPV4 = 1, 0x0800
ASK, TELL = 1, 2
EVERYBODY = b"\xff" * 6


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Who said to have which address; `to` is the address that was told."""

    mac: bytes
    address: int
    to: int


def request(mac: bytes, own: int, wanted: int) -> bytes:
    """A broadcast that asks who has `wanted`."""
    packet = BODY.pack(EVERYBODY, mac, ETHERTYPE, ETHERNET, IPV4, 6, 4, ASK, mac, own, b"\x00" * 6, wanted)
    return packet.ljust(FRAME, b"\x00")


def reply(frame: bytes) -> Reply | None:
    """The reply in `frame`; None for anything else, and for senders that no host can have."""
    if len(frame) < BODY.size:
        return None
    _, _, ether, hardware, protocol, hlen, plen, operation, mac, address, _, to = BODY.unpack_from(frame)
    if (ether, hardware, protocol, hlen, plen, operation) != (ETHERTYPE, ETHERNET, IPV4, 6, 4, TELL):
        return None
    if mac[0] & 1 or not any(mac):  # a group address, or none
        return None
    return Reply(mac=mac, address=address, to=to)


def mac_text(mac: bytes) -> str:
    """Lower case with colons."""
    return mac.hex(":")


def address_text(address: int) -> str:
    """Dotted."""
    return str(IPv4Address(address))
