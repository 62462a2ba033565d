"""THE VIRTUAL SCHOOL's chatter: what each host shouts without being asked: mDNS, SSDP and DHCP broadcasts.

One process with a few sockets in each host's namespace. Whole Ethernet frames are built here, because a DHCP client
speaks before it has an address, and so no kernel would send for it.
"""

import os
import select
import socket
import struct
import sys
import time
import zlib
from ipaddress import IPv4Address

import msgspec

from lab import kernel
from lab.checksum import internet_sum
from lab.plan import PLAN_FILE, Plan
from lab.school import Host

PERIOD = 4.0  # s in which every host has said everything once; a real school takes minutes, a demo does not wait
MDNS, SSDP, EVERYBODY = "224.0.0.251", "239.255.255.250", "255.255.255.255"
MDNS_PORT, SSDP_PORT, DHCP_CLIENT, DHCP_SERVER = 5353, 1900, 68, 67
DISCOVER, OFFER, REQUEST = 1, 2, 3  # RFC 2132 section 9.6
PTR, TXT, SRV, A, IN, FLUSH = 12, 16, 33, 1, 1, 0x8001
TTL = 120  # s; RFC 6762 section 10


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def frame(source: tuple[str, str, int], target: tuple[str, int], payload: bytes) -> bytes:
    """One UDP datagram in IPv4 in Ethernet. `source` is MAC, address, port; `target` a group or broadcast and its port."""
    mac, address, port = source
    to = IPv4Address(target[0])
    # RFC 1112 section 6.4: a group's MAC carries the low 23 bits of its address.
    group = b"\x01\x00\x5e" + (int(to) & 0x7FFFFF).to_bytes(3, "big") if to.is_multicast else b"\xff" * 6
    ends = IPv4Address(address).packed + to.packed
    udp = struct.pack(">4H", port, target[1], 8 + len(payload), 0) + payload
    pseudo = ends + struct.pack(">2H", socket.IPPROTO_UDP, len(udp)) + udp + b"\0" * (len(udp) % 2)
    udp = udp[:6] + struct.pack(">H", internet_sum(pseudo) or 0xFFFF) + udp[8:]
    hops = 255 if target[1] == MDNS_PORT else 4  # RFC 6762 section 11; UPnP 1.1 section 1.1.2 says 2 or more
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, hops, socket.IPPROTO_UDP, 0)
    head = head[:10] + struct.pack(">H", internet_sum(head + ends)) + ends
    return group + _mac(mac) + b"\x08\x00" + head + udp


def _name(text: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def _record(name: bytes, kind: int, group: int, data: bytes) -> bytes:
    return name + struct.pack(">HHIH", kind, group, TTL, len(data)) + data


def mdns(host: Host) -> bytes:
    """An unsolicited answer (RFC 6762 section 8.3): the host's address, and each service with its SRV and TXT."""
    owner = _name(f"{host.name}.local")
    records = [_record(owner, A, FLUSH, IPv4Address(host.address).packed)]
    for service in host.services:
        kind = _name(f"{service}.local")
        instance = bytes([len(host.name)]) + host.name.encode() + kind
        text = b"".join(bytes([len(entry)]) + entry.encode() for entry in host.text) or b"\0"
        records += [
            _record(kind, PTR, IN, instance),
            _record(instance, SRV, FLUSH, struct.pack(">3H", 0, 0, 631 if "ipp" in service else 8009) + owner),
            _record(instance, TXT, FLUSH, text),
        ]
    return struct.pack(">6H", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


def ssdp(host: Host) -> bytes:
    """A NOTIFY that the device is alive (UPnP Device Architecture 1.1, section 1.2.2)."""
    uuid = f"uuid:20000000-0000-4000-8000-{host.mac.replace(':', '')}"
    lines = [
        "NOTIFY * HTTP/1.1",
        f"HOST: {SSDP}:{SSDP_PORT}",
        "CACHE-CONTROL: max-age=1800",
        f"LOCATION: http://{host.address}:8008/device.xml",
        f"NT: {host.ssdp}",
        "NTS: ssdp:alive",
        f"SERVER: Linux/5.10 UPnP/1.1 {host.name}/1.0",
        f"USN: {uuid}::{host.ssdp}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def dhcp(host: Host, kind: int) -> bytes:
    """A client's broadcast (RFC 2131 section 4.4): name (12), wishes (55) and vendor class (60) as the host sends them."""
    options = [(53, bytes([kind])), (61, b"\x01" + _mac(host.mac)), (12, host.name.encode()), (55, bytes(host.parameters))]
    if kind == REQUEST:
        options.append((50, IPv4Address(host.address).packed))
    if host.vendor_class:
        options.append((60, host.vendor_class.encode()))
    packed = b"".join(bytes([code, len(value)]) + value for code, value in options)
    transaction = zlib.crc32(host.mac.encode())
    fixed = struct.pack(">BBBBIHH16s16s192x", 1, 1, 6, 0, transaction, 0, 0x8000, bytes(16), _mac(host.mac))
    return (fixed + b"\x63\x82\x53\x63" + packed + b"\xff").ljust(300, b"\0")


def offer(host: Host) -> bytes:
    """A DHCP server's offer to everybody who might want it (RFC 2131 section 4.3.1), for an hour and with itself as router."""
    own = IPv4Address(host.address).packed
    options = [(53, bytes([OFFER])), (54, own), (51, struct.pack(">I", 3600)), (1, b"\xff\xff\xff\0"), (3, own), (6, own)]
    packed = b"".join(bytes([code, len(value)]) + value for code, value in options)
    yours = IPv4Address(host.offers).packed
    client = b"\x02" + _mac(host.mac)[1:]  # somebody who is not in this plan
    fixed = struct.pack(
        ">BBBBIHH4s4s4s4s16s192x", 2, 1, 6, 0, zlib.crc32(client), 0, 0x8000, bytes(4), yours, own, bytes(4), client
    )
    return (fixed + b"\x63\x82\x53\x63" + packed + b"\xff").ljust(300, b"\0")


def frames(host: Host) -> list[bytes]:
    """All that one host shouts in one period."""
    here = (host.mac, host.address)
    said = []
    if host.parameters:
        said += [
            frame((host.mac, "0.0.0.0", DHCP_CLIENT), (EVERYBODY, DHCP_SERVER), dhcp(host, kind))
            for kind in (DISCOVER, REQUEST)
        ]
    if host.services:
        said.append(frame((*here, MDNS_PORT), (MDNS, MDNS_PORT), mdns(host)))
    if host.offers:
        said.append(frame((*here, DHCP_SERVER), (EVERYBODY, DHCP_CLIENT), offer(host)))
    if host.ssdp:
        said.append(frame((*here, SSDP_PORT), (SSDP, SSDP_PORT), ssdp(host)))
    return said


def _mouth(host: Host) -> socket.socket:
    with kernel.inside(host.name):
        mouth = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # 0: it only speaks
        mouth.bind(("eth0", 0))
    return mouth


def main() -> None:
    """Shout until killed, evenly spread over the period."""
    plan = msgspec.json.decode(PLAN_FILE.read_bytes(), type=Plan)
    said = [(_mouth(host), one) for host in plan.hosts for one in frames(host)]
    os.write(sys.stdout.fileno(), b"ready\n")
    while said:
        for mouth, one in said:
            mouth.send(one)
            time.sleep(PERIOD / len(said))
    select.select([], [], [])  # nobody has anything to say


if __name__ == "__main__":
    main()
