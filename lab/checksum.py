"""THE VIRTUAL SCHOOL's arithmetic for frames that it makes itself."""

import struct


def internet_sum(octets: bytes) -> int:
    """The Internet checksum of an even number of octets (RFC 1071)."""
    total: int = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
