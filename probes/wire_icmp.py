"""ICMP echo on the wire, version 4 and 6: RFC 792, RFC 4443 section 4. No socket here."""

import struct
from ipaddress import IPv4Address

import msgspec

HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
REQUEST = {4: 8, 6: 128}
REPLY = {4: 0, 6: 129}
TOKEN = 16  # bytes of our own in each request, so that nobody else's reply is taken for ours
EXTENDED_ERROR = struct.Struct("=IBBBBII")  # linux/errqueue.h: errno, origin, type, code, padding, information, data
ORIGIN_ICMP = 2
INTERNET_ADDRESS = struct.Struct("=H2x4s")  # the beginning of struct sockaddr_in, without its port
AF_INET = 2
# RFC 792, RFC 1812 section 5.2.7.1, IANA's "ICMP Type Numbers".
_PROHIBITED = frozenset({9, 10, 13})
_UNREACHABLE = {0: "network-unreachable", 1: "host-unreachable", 6: "network-unreachable", 7: "host-unreachable"}


def request(version: int, identifier: int, sequence: int, token: bytes) -> bytes:
    """One echo request. The kernel fills in the checksum of version 6 (RFC 3542 section 3.1), so it stays zero there."""
    blank = HEADER.pack(REQUEST[version], 0, 0, identifier, sequence) + token
    if version == 6:
        return blank
    return HEADER.pack(REQUEST[version], 0, checksum(blank), identifier, sequence) + token


def answered(packet: bytes, version: int, token: bytes) -> int | None:
    """The sequence number that `packet` answers, or None when it is not a reply to a request with `token`.

    A raw version 4 socket hands over the IP header as well, a datagram socket and version 6 do not.
    """
    if version == 4 and packet[:1] and packet[0] >> 4 == 4 and len(packet) >= 20:
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < HEADER.size + len(token):
        return None
    header: tuple[int, int, int, int, int] = HEADER.unpack_from(packet)
    kind, code, _, _, sequence = header
    if kind != REPLY[version] or code != 0 or packet[HEADER.size : HEADER.size + len(token)] != token:
        return None
    return sequence


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What an ICMP message said about a packet of ours: who said it, and in a word what."""

    teller: str
    word: str


def trouble(extended: bytes) -> Trouble | None:
    """The ICMP message behind a socket's extended error (ip(7), IP_RECVERR); None for an error that none caused."""
    if len(extended) < EXTENDED_ERROR.size + INTERNET_ADDRESS.size:
        return None
    _, origin, kind, code, _, _, _ = EXTENDED_ERROR.unpack_from(extended)
    family, teller = INTERNET_ADDRESS.unpack_from(extended, EXTENDED_ERROR.size)
    if origin != ORIGIN_ICMP or family != AF_INET:
        return None
    word = "other"
    if kind == 3:
        word = "prohibited" if code in _PROHIBITED else _UNREACHABLE.get(code, "other")
    elif kind == 11:
        word = "time-exceeded"
    return Trouble(teller=str(IPv4Address(teller)), word=word)


def asked(packet: bytes) -> tuple[int, int] | None:
    """Identifier and sequence of a request of version 4; of a quoted one, routers often return no more than these."""
    if len(packet) < HEADER.size or packet[0] != REQUEST[4]:
        return None
    header: tuple[int, int, int, int, int] = HEADER.unpack_from(packet)
    return header[3], header[4]


def checksum(data: bytes) -> int:
    """The Internet checksum of RFC 1071."""
    if len(data) % 2:
        data += b"\x00"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
