"""THE VIRTUAL SCHOOL's IPv6 on the campus: the addresses that hosts make themselves, and what they say and answer with them.

Neighbour discovery (RFC 4861) and echo (RFC 4443). A host that speaks IPv6 has a link-local address and one of its VLAN's
prefix, both made of its MAC (RFC 4291 appendix A); all of its neighbours answer an echo to ff02::1.
"""

import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address, IPv6Network

from lab.checksum import internet_sum

ETHERTYPE = 0x86DD
LINK_LOCAL = IPv6Network("fe80::/64")
ALL_NODES = IPv6Address("ff02::1").packed
UNSPECIFIED = bytes(16)
SOLICITATION, ADVERTISEMENT, ECHO, ECHO_REPLY = 135, 136, 128, 129
SOURCE, TARGET = 1, 2  # options with an Ethernet address
SOLICITED, OVERRIDE = 0x4000_0000, 0x2000_0000
SHORTEST = 14 + 40 + 8
HOPS = 255  # what a neighbour's message must arrive with


def made_of(mac: bytes, network: IPv6Network) -> bytes:
    """The address of a host in a /64."""
    octets = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return network.network_address.packed[:8] + octets


def group_of(address: bytes) -> bytes:
    """The group that hears who looks for an address (RFC 4291 section 2.7.1)."""
    return IPv6Address("ff02::1:ff00:0").packed[:13] + address[13:]


def packet(ends: tuple[bytes, bytes], macs: tuple[bytes, bytes], kind: int, rest: bytes, hops: int = HOPS) -> bytes:
    """An ICMPv6 message in IPv6 in Ethernet. `ends` and `macs` are source and target; `rest` follows its checksum."""
    said = bytes([kind, 0, 0, 0]) + rest
    pseudo = ends[0] + ends[1] + struct.pack(">II", len(said), socket.IPPROTO_ICMPV6)
    total = internet_sum(pseudo + said + b"\0" * (len(said) % 2))
    said = said[:2] + struct.pack(">H", total) + said[4:]
    head = struct.pack(">IHBB", 6 << 28, len(said), socket.IPPROTO_ICMPV6, hops)
    return macs[1] + macs[0] + struct.pack(">H", ETHERTYPE) + head + ends[0] + ends[1] + said


def group_mac(group: bytes) -> bytes:
    """The Ethernet address of a group (RFC 2464 section 7)."""
    return b"\x33\x33" + group[12:]


def ask_for(router: bytes, mac: bytes, own: bytes) -> bytes:
    """A solicitation of the router's Ethernet address, from which the router learns the asker's."""
    group = group_of(router)
    rest = bytes(4) + router + bytes([SOURCE, 1]) + mac
    return packet((own, group), (mac, group_mac(group)), SOLICITATION, rest)


def answers(frame: bytes, hosts: Iterable[tuple[bytes, tuple[bytes, ...]]]) -> Iterator[bytes]:
    """What the hosts on a cable, each its MAC and its addresses, reply to a solicitation or an echo."""
    if len(frame) < SHORTEST or frame[20] != socket.IPPROTO_ICMPV6:
        return
    source, target, kind = frame[22:38], frame[38:54], frame[54]
    end = 54 + int.from_bytes(frame[18:20], "big")
    for mac, own in hosts:
        if frame[:6] != mac and not frame[0] & 1:
            continue
        if kind == SOLICITATION and frame[62:78] in own:
            yield _here(mac, frame[62:78], source, frame[6:12])
        elif kind == ECHO and source != UNSPECIFIED and (target in own or target == ALL_NODES):
            # From an address of the same reach as the asker's (RFC 6724 rule 2).
            reach = [address for address in own if _local(address) == _local(source)] or list(own)
            ends = (target if target in own else reach[0], source)
            yield packet(ends, (mac, frame[6:12]), ECHO_REPLY, frame[58:end], hops=64)


def _local(address: bytes) -> bool:
    return IPv6Address(address) in LINK_LOCAL


def _here(mac: bytes, wanted: bytes, source: bytes, asker: bytes) -> bytes:
    rest = wanted + bytes([TARGET, 1]) + mac
    if source == UNSPECIFIED:  # somebody tries whether the address is free
        return packet((wanted, ALL_NODES), (mac, group_mac(ALL_NODES)), ADVERTISEMENT, struct.pack(">I", OVERRIDE) + rest)
    return packet((wanted, source), (mac, asker), ADVERTISEMENT, struct.pack(">I", SOLICITED | OVERRIDE) + rest)
