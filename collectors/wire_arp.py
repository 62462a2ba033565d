"""ARP as hosts send it of their own accord (RFC 826, RFC 5227), read with suspicion; no socket here."""

import msgspec

from collectors.wire_frame import HEADER
from netready.failure import Failed, Failure

SIZE = 28
ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"  # hardware, protocol, and the lengths of their addresses
ASKS, TELLS = b"\x00\x01", b"\x00\x02"
NOBODY = b"\x00\x00\x00\x00"
CLAIM = slice(HEADER, HEADER + 18)  # all but who is asked


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who says to have which address. `settled` is false while it still asks whether the address is free."""

    mac: bytes
    address: bytes
    settled: bool


def claim(frame: bytes) -> Claim:
    """The claim that is in every ARP packet, question or answer. Raises Failed(malformed) for anything else.

    The sender's address inside the packet counts, not the frame's: a wireless controller that answers for its clients names
    the client there.
    """
    if len(frame) < HEADER + SIZE or frame[HEADER : HEADER + 6] != ETHERNET_IPV4:
        raise Failed(Failure.MALFORMED, "not ARP for IPv4")
    operation, mac, address = frame[HEADER + 6 : HEADER + 8], frame[HEADER + 8 : HEADER + 14], frame[HEADER + 14 : HEADER + 18]
    if operation not in {ASKS, TELLS} or mac[0] & 1 or not any(mac):
        raise Failed(Failure.MALFORMED, "an operation or an address that no host has")
    if address != NOBODY:
        return Claim(mac=mac, address=address, settled=True)
    if operation == TELLS:
        raise Failed(Failure.MALFORMED, "an answer from nobody")
    return Claim(mac=mac, address=frame[HEADER + 24 : HEADER + 28], settled=False)
