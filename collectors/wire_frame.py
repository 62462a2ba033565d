"""Ethernet frames with IPv4 and UDP inside, opened with suspicion, and the kernel filter that lets only ours through."""

import struct
from ipaddress import IPv4Address

import msgspec

from netready.failure import Failed, Failure

ETHERTYPE_IPV4 = 0x0800
UDP = 17
MDNS, SSDP, DHCP_SERVER = 5353, 1900, 67
PORTS = (MDNS, SSDP, DHCP_SERVER)  # where clients send; a DHCP server's answers are nobody's self-description
ETHERNET_HEADER = 14


class Datagram(msgspec.Struct, frozen=True, kw_only=True):
    """A UDP datagram as it was on the wire."""

    mac: str  # of the sender
    source: IPv4Address
    port: int  # it was sent to
    payload: bytes


def datagram(frame: bytes) -> Datagram:
    """The datagram in `frame`. Raises Failed(malformed) for anything else, fragments included."""
    if len(frame) < ETHERNET_HEADER + 20 or frame[12:14] != b"\x08\x00" or frame[ETHERNET_HEADER] >> 4 != 4:
        raise Failed(Failure.MALFORMED, "not IPv4")
    header = (frame[ETHERNET_HEADER] & 0x0F) * 4
    total, _, fragment, _, protocol = struct.unpack_from("!HHHBB", frame, ETHERNET_HEADER + 2)
    if header < 20 or protocol != UDP or fragment & 0x3FFF:
        raise Failed(Failure.MALFORMED, "not a whole UDP datagram")
    packet = frame[ETHERNET_HEADER : ETHERNET_HEADER + total]
    if len(packet) < header + 8:
        raise Failed(Failure.MALFORMED, "cut off")
    _, port, size, _ = struct.unpack_from("!HHHH", packet, header)
    if not 8 <= size <= len(packet) - header or frame[6] & 1:
        raise Failed(Failure.MALFORMED, "a length or an address that cannot be")
    return Datagram(
        mac=frame[6:12].hex(":"),
        source=IPv4Address(packet[12:16]),
        port=port,
        payload=packet[header + 8 : header + size],
    )


def kernel_filter() -> list[tuple[int, int, int, int]]:
    """A classic BPF program: whole IPv4 UDP datagrams to `PORTS`, nothing else. Rows of code, jump true, jump false, operand.

    Without it every frame of a busy school would be copied to us (linux/filter.h; the jumps count the rows to skip).
    """
    load_half, load_byte, load_index_of_header, load_half_indexed = 0x28, 0x30, 0xB1, 0x48
    jump_equal, jump_any_bit, give = 0x15, 0x45, 0x06
    tests = len(PORTS)
    return [
        (load_half, 0, 0, 12),
        (jump_equal, 0, 6 + tests, ETHERTYPE_IPV4),
        (load_byte, 0, 0, ETHERNET_HEADER + 9),
        (jump_equal, 0, 4 + tests, UDP),
        (load_half, 0, 0, ETHERNET_HEADER + 6),
        (jump_any_bit, 2 + tests, 0, 0x3FFF),
        (load_index_of_header, 0, 0, ETHERNET_HEADER),
        (load_half_indexed, 0, 0, ETHERNET_HEADER + 2),
        *((jump_equal, tests - number, 0, port) for number, port in enumerate(PORTS)),
        (give, 0, 0, 0),
        (give, 0, 0, 0xFFFF),
    ]
