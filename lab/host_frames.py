"""THE VIRTUAL SCHOOL's hosts on the campus, frame by frame: what each answers, and what its kind says unasked."""

import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Network

import msgspec

from lab import announce, lldp, six
from lab.campus import Campus
from lab.campus_wiring import ROOMS, controller, far_end
from lab.checksum import internet_sum
from lab.plan import Plan
from lab.school import Host

EVERYBODY = b"\xff" * 6
ARP, IPV4 = 0x0806, 0x0800
REQUEST, REPLY = 1, 2
ECHO, ECHO_REPLY = 8, 0
SHORTEST = 42  # bytes of a frame that anybody here answers


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a host's frames come and go: an interface of ROOMS, or of the namespace that the host has to itself."""

    host: Host
    space: str
    interface: str
    router: str
    prefixes: tuple[str, ...] = ()

    @property
    def mac(self) -> bytes:
        """Its address on the cable."""
        return bytes.fromhex(self.host.mac.replace(":", ""))

    @property
    def address(self) -> bytes:
        """Its IPv4 address."""
        return IPv4Address(self.host.address).packed

    @property
    def six(self) -> tuple[bytes, ...]:
        """Its IPv6 addresses: in its VLAN's prefix, and link-local."""
        return tuple(six.made_of(self.mac, IPv6Network(network)) for network in self.prefixes)


def places(plan: Plan, campus: Campus) -> Iterator[Place]:
    """Every host's place."""
    whole = controller(plan, campus)
    for host in plan.hosts:
        interface = far_end(campus, campus.outlet(host, plan.hosts), host.vlan)
        vlan = campus.vlan(host.vlan)
        if host == whole:
            yield Place(host=host, space=host.name, interface="eth0", router=vlan.router)
        else:
            prefixes = (vlan.network6, str(six.LINK_LOCAL)) if host.six and vlan.network6 else ()
            yield Place(host=host, space=ROOMS, interface=interface, router=vlan.router, prefixes=prefixes)


def neighbour(host: Host) -> lldp.Neighbour | None:
    """What a host says by LLDP, when its kind does."""
    mac = bytes.fromhex(host.mac.replace(":", ""))
    match host.kind:
        case "access-point":
            text, able = f"ArubaOS (MODEL: {host.model}), Version 8.10.0.6-8.10.0.6", lldp.BRIDGE | lldp.POINT
            return lldp.Neighbour(
                chassis=mac, port=b"bond0", name=host.name, text=text, able=able, address=host.address, port_text="bond0"
            )
        case "phone":
            inventory = {"maker": "Yealink", "model": host.model, "serial": host.serial, "firmware": "108.86.0.45"}
            return lldp.Neighbour(
                chassis=mac,
                port=mac,
                way=lldp.MAC_OF_PORT,
                port_text="WAN PORT",
                name=host.name,
                text=f"Yealink {host.model}",
                able=lldp.BRIDGE | lldp.TELEPHONE,
                address=host.address,
                med=lldp.COMMUNICATION_DEVICE,
                inventory=inventory,
            )
        case _:
            return None


def ask_for_router(place: Place) -> bytes:
    """An ARP request for the router (RFC 826). Switches and the router learn from it who is there."""
    ends = place.mac, place.address, bytes(6), IPv4Address(place.router).packed
    return EVERYBODY + place.mac + struct.pack(">HHHBBH6s4s6s4s", ARP, 1, IPV4, 6, 4, REQUEST, *ends)


def said_unasked(place: Place, *, loud: bool) -> list[bytes]:
    """All that a host says in one period. `loud`: announcements too."""
    about = neighbour(place.host)
    frames = [ask_for_router(place)]
    if place.six:
        router = IPv6Network(place.prefixes[0])[1].packed
        frames += [six.ask_for(router, place.mac, own) for own in place.six]
    frames += [lldp.frame(place.mac, about)] if about else []
    return frames + (announce.frames(place.host) if loud else [])


def answers(frame: bytes, here: list[Place]) -> Iterator[bytes]:
    """What the hosts on one cable reply to a question: who has an address, or an echo."""
    match int.from_bytes(frame[12:14], "big"):
        case _ if len(frame) < SHORTEST:
            return
        case 0x0806:
            yield from (_arp(frame, place) for place in here if frame[20:22] == b"\0\1" and frame[38:42] == place.address)
        case 0x0800:
            yield from (_echo(frame, place) for place in here if frame[:6] == place.mac and _asks(frame, place))
        case six.ETHERTYPE:
            yield from six.answers(frame, [(place.mac, place.six) for place in here if place.six])
        case _:
            return


def _arp(frame: bytes, place: Place) -> bytes:
    ends = place.mac, place.address, frame[22:28], frame[28:32]
    return frame[6:12] + place.mac + struct.pack(">HHHBBH6s4s6s4s", ARP, 1, IPV4, 6, 4, REPLY, *ends)


def _asks(frame: bytes, place: Place) -> bool:
    head = 14 + 4 * (frame[14] & 0xF)
    return frame[30:34] == place.address and frame[23] == socket.IPPROTO_ICMP and frame[head : head + 1] == bytes([ECHO])


def _echo(frame: bytes, place: Place) -> bytes:
    head = 14 + 4 * (frame[14] & 0xF)
    end = 14 + int.from_bytes(frame[16:18], "big")
    echo = bytes([ECHO_REPLY, 0, 0, 0]) + frame[head + 4 : end]
    echo = echo[:2] + struct.pack(">H", internet_sum(echo + b"\0" * (len(echo) % 2))) + echo[4:]
    front = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(echo), 0, 0, 64, socket.IPPROTO_ICMP, 0)
    ends = place.address + frame[26:30]
    front = front[:10] + struct.pack(">H", internet_sum(front + ends)) + ends
    return frame[6:12] + place.mac + b"\x08\x00" + front + echo
