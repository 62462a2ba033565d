"""Which interfaces of this machine are attached to an authorised network, as the kernel lists them (rtnetlink(7))."""

import socket
import struct
import sys
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

import msgspec

from netready.authority import Network
from netready.text import clean

GET_LINKS, GET_ADDRESSES = 18, 22
DUMP = 0x0301  # NLM_F_REQUEST and NLM_F_DUMP
ERROR, DONE = 2, 3
HEAD = struct.Struct("=IHHII")  # length, type, flags, sequence, sender
LINK = struct.Struct("=BxHiII")  # family, kind of hardware, index, flags, changed flags
ADDRESS = struct.Struct("=BBBBI")  # family, length of the prefix, flags, scope, index
LINK_NAME, LOWER, MASTER, LINK_INFORMATION = 3, 5, 10, 18
INFORMATION_KIND = 1
NETWORK_ADDRESS = 1
NESTED = 0x3FFF  # the bits of an attribute's type that are its number
UP = 1
ETHERNET = 1
# Interfaces on top of one that frames come by first, such as eth0.20 on eth0; bridges and bonds are told by their members.
STACKED = frozenset({b"vlan", b"macvlan", b"ipvlan"})


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """An interface. `below`: it only carries an attached one, and what it hears of other networks is not for us."""

    name: str
    index: int
    below: bool = False


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One interface as the kernel lists it.

    listens  it is up, and an Ethernet
    lower    the index of the one that it is stacked on, 0 for none
    master   the index of the bridge or bond that it is a member of, 0 for none
    """

    name: str
    index: int
    listens: bool
    lower: int
    master: int


def ports(networks: tuple[Network, ...]) -> tuple[Port, ...]:
    """The Ethernet interfaces that are up and in one of `networks`, and those below them; loopback is none."""
    links = {link.index: link for link in _links()}
    attached = {index for index, own in _addresses() if any(_touches(own, allowed) for allowed in networks)}
    below = {link.index for link in links.values() if link.master in attached} | {
        links[index].lower for index in attached if index in links
    }
    return tuple(
        Port(name=link.name, index=link.index, below=link.index not in attached)
        for link in links.values()
        if link.listens and link.index in attached | below
    )


def _touches(own: Network, allowed: Network) -> bool:
    match own, allowed:
        case (IPv4Network(), IPv4Network()):
            return own.overlaps(allowed)
        case (IPv6Network(), IPv6Network()):
            return own.overlaps(allowed)
        case _:
            return False


def _links() -> Iterator[Link]:
    for kind, body in _dump(GET_LINKS):
        if kind != GET_LINKS - 2:
            continue
        _, hardware, index, flags, _ = LINK.unpack_from(body)
        found = dict(_attributes(body[LINK.size :]))
        stacked = dict(_attributes(found.get(LINK_INFORMATION, b""))).get(INFORMATION_KIND, b"").rstrip(b"\x00") in STACKED
        yield Link(
            name=clean(found.get(LINK_NAME, b"").rstrip(b"\x00")),
            index=index,
            listens=hardware == ETHERNET and bool(flags & UP),
            lower=_number(found.get(LOWER, b"")) if stacked else 0,
            master=_number(found.get(MASTER, b"")),
        )


def _addresses() -> Iterator[tuple[int, Network]]:
    """Index of an interface, and a network that one of its addresses is in."""
    for kind, body in _dump(GET_ADDRESSES):
        if kind != GET_ADDRESSES - 2:
            continue
        family, prefix, _, _, index = ADDRESS.unpack_from(body)
        packed = dict(_attributes(body[ADDRESS.size :])).get(NETWORK_ADDRESS, b"")
        if family == socket.AF_INET and len(packed) == 4:
            yield index, IPv4Interface((packed, prefix)).network
        elif family == socket.AF_INET6 and len(packed) == 16:
            yield index, IPv6Interface((packed, prefix)).network


def _dump(wanted: int) -> Iterator[tuple[int, bytes]]:
    """Type and body of each message of a list. OSError when the kernel refuses."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.send(HEAD.pack(HEAD.size + 16, wanted, DUMP, 1, 0) + bytes(16))
        while True:
            answer = sock.recv(1 << 16)
            at = 0
            while at + HEAD.size <= len(answer):
                size, kind, *_ = HEAD.unpack_from(answer, at)
                if kind == DONE:
                    return
                if kind == ERROR:
                    raise OSError(-struct.unpack_from("=i", answer, at + HEAD.size)[0], "no list of interfaces")
                yield kind, answer[at + HEAD.size : at + size]
                at += -(-size // 4) * 4


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(body):
        size, kind = struct.unpack_from("=HH", body, at)
        if size < 4:
            return
        yield kind & NESTED, body[at + 4 : at + size]
        at += -(-size // 4) * 4


def _number(value: bytes) -> int:
    return int.from_bytes(value[:4], sys.byteorder)
