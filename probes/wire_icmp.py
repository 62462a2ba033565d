"""ICMP echo on the wire, version 4 and 6: RFC 792, RFC 4443 section 4. No socket here."""

import struct

HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
REQUEST = {4: 8, 6: 128}
REPLY = {4: 0, 6: 129}
TOKEN = 16  # bytes of our own in each request, so that nobody else's reply is taken for ours


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


def checksum(data: bytes) -> int:
    """The Internet checksum of RFC 1071."""
    if len(data) % 2:
        data += b"\x00"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
