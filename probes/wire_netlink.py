"""The kernel's list of IPv6 neighbours, asked for and read (netlink(7), rtnetlink(7)); no socket here."""

import struct
from collections.abc import Iterator
from ipaddress import IPv6Address

import msgspec

HEAD = struct.Struct("=IHHII")  # length, type, flags, sequence, sender
NEIGHBOUR = struct.Struct("=BxxxiHBB")  # family, interface, state, flags, type
ATTRIBUTE = struct.Struct("=HH")  # length, type
NEW_NEIGHBOUR, GET_NEIGHBOUR = 28, 30
ERROR, DONE = 2, 3
DUMP = 0x0301  # NLM_F_REQUEST, and NLM_F_DUMP
AF_INET6 = 10
ADDRESS, HARDWARE = 1, 2
# States in which the hardware address is known: reachable, stale, delay, probe, permanent (linux/neighbour.h).
KNOWN = 0x02 | 0x04 | 0x08 | 0x10 | 0x80


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: what the kernel has learnt, perhaps long ago."""

    interface: int
    mac: bytes
    address: IPv6Address


def request(sequence: int) -> bytes:
    """Asks for every IPv6 neighbour."""
    body = NEIGHBOUR.pack(AF_INET6, 0, 0, 0, 0)
    return HEAD.pack(HEAD.size + len(body), GET_NEIGHBOUR, DUMP, sequence, 0) + body


def neighbours(data: bytes, sequence: int) -> tuple[list[Neighbour], bool]:
    """The neighbours in one piece of the answer, and whether it was the last piece. What does not fit is left out."""
    found: list[Neighbour] = []
    while len(data) >= HEAD.size:
        length, kind, _, number, _ = HEAD.unpack_from(data)
        if length < HEAD.size:
            break
        body, data = data[HEAD.size : length], data[(length + 3) & ~3 :]
        if number != sequence:
            continue
        if kind in {DONE, ERROR}:
            return found, True
        if kind == NEW_NEIGHBOUR and (neighbour := _neighbour(body)):
            found.append(neighbour)
    return found, False


def _neighbour(body: bytes) -> Neighbour | None:
    if len(body) < NEIGHBOUR.size:
        return None
    family, interface, state, _, _ = NEIGHBOUR.unpack_from(body)
    said = dict(_attributes(body[NEIGHBOUR.size :]))
    address, mac = said.get(ADDRESS, b""), said.get(HARDWARE, b"")
    if family != AF_INET6 or not state & KNOWN or len(address) != 16 or len(mac) != 6:
        return None
    return Neighbour(interface=interface, mac=mac, address=IPv6Address(address))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(data)
        if length < ATTRIBUTE.size:
            return
        yield kind, data[ATTRIBUTE.size : length]
        data = data[(length + 3) & ~3 :]
