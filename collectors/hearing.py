"""From a frame to a note of the device that sent it: the same for a live network and for a capture file. No socket here."""

from array import array
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from collectors import wire_arp, wire_cdp, wire_dhcp, wire_dhcp6, wire_frame, wire_lldp, wire_mdns, wire_nd, wire_ssdp
from collectors.notes import Notes
from collectors.wire_frame import Datagram, Packet
from collectors.wire_scapy import Others, Said
from netready.authority import Authority
from netready.device import Sighting
from netready.failure import Failed
from netready.measurement import Scalar

REMEMBERED = 1 << 15  # places for the hashes of words that were said before, in pairs; what is crowded out is read anew
MOST_INTERFACES = 1024  # counted by name; a file can name any number
NO_INTERFACE = "ff00000000"  # before a DUID it makes a DHCPv4 client id (RFC 4361), so that both can be compared
LINK_LOCAL, LINK_LOCAL_MASK = 0xFE80 << 112, 0xFFC0 << 112


class Where(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a frame came in: by which interface, when (seconds since 1970), and with which VLAN's tag."""

    interface: str
    at: float
    vlan: int | None = None

    @property
    def facts(self) -> dict[str, str]:
        """As a sighting tells it."""
        return {"interface": self.interface} | self.tag

    @property
    def tag(self) -> dict[str, str]:
        """The VLAN, for sources whose interface says nothing."""
        return {"vlan": str(self.vlan)} if self.vlan else {}


class Hearing:
    """Hears frames, counts them, and keeps notes of devices on authorised networks.

    An IP address counts when it is in an authorised network. What is said without one counts because of where it is heard,
    on a segment that is attached to an authorised network: LLDP and CDP, a DHCP client that has no address yet, and IPv6
    from a link-local address, which does not pass routers and is left out of the note, as it names nothing beyond the
    segment. That goes for untagged frames; on a trunk, a frame of another VLAN has to carry an authorised address. A DHCP
    server counts by where it is heard too: the one with a stranger's address is the one to look for.

    With `others`, kinds that scapy decodes are noted as well; that is for files, and raises Failed without scapy.

    counts     frames by interface, and by protocol; those that break their protocol's rules are "unreadable"
    strangers  frames of hosts that are not on an authorised network
    """

    def __init__(self, authority: Authority, *, others: bool = False) -> None:
        self.counts: dict[str, dict[str, int]] = {}
        self.strangers = 0
        self.notes = Notes()
        self._allowed = {
            (4 if network.version == 4 else 16, int(network.network_address), int(network.broadcast_address))
            for network in authority.networks
        }
        self._others = Others() if others else None
        self._remembered = array("q", bytes(8 * REMEMBERED))

    def hear(self, frame: bytes, interface: str, at: float, vlan: int | None = None) -> bool:
        """Note what a frame says, `vlan` being a tag that was taken off. False when it is none of the kinds read here."""
        if frame[12:14] in wire_frame.TAGS:
            frame, inner = wire_frame.untagged(frame)
            vlan = inner if vlan is None else vlan
        where = Where(interface=interface, at=at, vlan=vlan)
        try:
            protocol = self._frame(frame, where) or self._other(frame, where)
        except Failed:
            protocol = "unreadable"
        if protocol:
            if interface not in self.counts and len(self.counts) >= MOST_INTERFACES:
                interface = ""
            count = self.counts.setdefault(interface, {})
            count[protocol] = count.get(protocol, 0) + 1
        return bool(protocol)

    def protocols(self, interface: str | None = None) -> dict[str, Scalar]:
        """Frames by protocol, of one interface or of all."""
        total: dict[str, int] = {}
        for counts in self.counts.values() if interface is None else (self.counts.get(interface, {}),):
            for protocol, count in counts.items():
                total[protocol] = total.get(protocol, 0) + count
        return dict(total)

    def sightings(self) -> Iterator[Sighting]:
        """What was noted."""
        return self.notes.sightings()

    @property
    def undecoded(self) -> int:
        """Frames that scapy was not handed any more."""
        return self._others.left_out if self._others else 0

    def _frame(self, frame: bytes, where: Where) -> str:
        """The protocol that was heard; empty for others."""
        kind = frame[12:14]
        if kind == wire_frame.ARP:
            self._once(frame[wire_arp.CLAIM], self._arp, frame, where)
            return "arp"
        if kind == wire_frame.LLDP:
            self._once(frame[6:], self._lldp, frame, where)
            return "lldp"
        packet = wire_frame.packet(frame)
        if packet is None:
            if not wire_cdp.is_cdp(frame):
                return ""
            self._once(frame[6:], self._cdp, frame, where)
            return "cdp"
        if packet.protocol == wire_frame.UDP:
            return self._datagram(wire_frame.datagram(packet), where)
        if packet.protocol == wire_frame.ICMP6:
            return self._nd(packet, where)
        return ""

    def _datagram(self, datagram: Datagram, where: Where) -> str:
        payload, sender = datagram.payload, datagram.mac + datagram.source
        match datagram.port:
            case wire_frame.DHCP_SERVER | wire_frame.DHCP_CLIENT:
                # Without the transaction's number and the seconds it has taken, a repeated request is the same.
                self._once(sender + payload[:4] + payload[12:], self._dhcp, datagram, where)
                return "dhcp"
            case wire_frame.DHCP6_SERVER:
                self._once(sender + payload[:1] + payload[4:], self._dhcp6, datagram, where)
                return "dhcp"
            case wire_frame.MDNS:
                self._once(sender + payload, self._mdns, datagram, where)
                return "mdns"
            case wire_frame.SSDP:
                self._once(sender + payload, self._ssdp, datagram, where)
                return "ssdp"
            case _:
                return ""

    def _once(self, words: bytes, note: Callable[[Any, Where], bool], said: object, where: Where) -> None:
        """Have something noted whose words were not heard before. Their hash is Python's own, which no sender can steer."""
        key, held = hash(words), self._remembered
        place = key & (REMEMBERED - 2)
        if held[place] != key and held[place + 1] != key and note(said, where):
            held[place + 1] = held[place]
            held[place] = key

    def _other(self, frame: bytes, where: Where) -> str:
        """The same for kinds that are decoded by scapy."""
        said = self._others.decode(frame) if self._others else None
        if said is None:
            return ""
        self._once(said.source.encode() + frame[6:], self._said, said, where)
        return said.source

    # --- What each protocol says; false when it is a stranger's ------------------------------------------------------

    def _arp(self, frame: bytes, where: Where) -> bool:
        said = wire_arp.claim(frame)
        if not self._is_ours(said.address, where):
            return False
        address = said.address if said.settled else b""
        self.notes.note("arp", said.mac, address, where.at, facts={"heard": "yes"} | where.facts)
        return True

    def _nd(self, packet: Packet, where: Where) -> str:
        said = wire_nd.neighbour(packet)
        if said is None:
            return ""
        self._once(said.mac + said.address + bytes([said.settled, said.router]), self._neighbour, said, where)
        return "nd"

    def _neighbour(self, said: wire_nd.Neighbour, where: Where) -> bool:
        if not self._is_ours(said.address, where):
            return False
        address = self._listed(said.address) if said.settled else b""
        facts = {"heard": "yes", "router": "yes" if said.router else ""} | where.facts
        self.notes.note("nd", said.mac, address, where.at, facts=facts)
        return True

    def _lldp(self, frame: bytes, where: Where) -> bool:
        said = wire_lldp.neighbour(frame[wire_frame.HEADER :])
        if said is None or not self._is_ours(b"", where):
            return said is None
        facts = {
            "interface": where.interface,
            "remote_port": said.port,
            "capabilities": " ".join(said.capabilities),
            "description": said.description,
            "vlan": str(said.vlan or ""),
        }
        mac = said.mac or frame[6:12]
        self.notes.note("lldp", mac, self._listed(said.address), where.at, name=said.name, facts=facts | said.med)
        return True

    def _cdp(self, frame: bytes, where: Where) -> bool:
        said = wire_cdp.neighbour(frame)
        if said is None or not self._is_ours(b"", where):
            return said is None
        facts = {
            "interface": where.interface,
            "remote_port": said.port,
            "capabilities": " ".join(said.capabilities),
            "software": said.software,
            "platform": said.platform,
            "vlan": str(said.vlan or ""),
        }
        self.notes.note("cdp", frame[6:12], self._first_listed(said.addresses), where.at, name=said.name, facts=facts)
        return True

    def _dhcp(self, datagram: Datagram, where: Where) -> bool:
        said = wire_dhcp.client(datagram.payload)
        if said is None:
            return self._dhcp_server(datagram, where)
        address = self._listed(said.address)
        if not self._is_ours(address, where):
            return False
        facts = {"vendor_class": said.vendor_class, "parameters": ",".join(map(str, said.parameters))}
        facts |= {"client_id": said.identity} | where.tag
        self.notes.note("dhcp", said.mac, address, where.at, name=said.name, facts=facts)
        return True

    def _dhcp_server(self, datagram: Datagram, where: Where) -> bool:
        said = wire_dhcp.server(datagram.payload)
        if said is None or not self._is_ours(self._listed(said.address), where):
            return said is None
        mac = datagram.mac if datagram.source == said.address else b""  # else a relay passed it on
        facts = {"serves": ".".join(map(str, said.serves))} | where.facts
        self.notes.note("dhcp-server", mac, said.address, where.at, facts=facts)
        return True

    def _dhcp6(self, datagram: Datagram, where: Where) -> bool:
        said = wire_dhcp6.client(datagram.payload)
        if said is None or not self._is_ours(datagram.source, where):
            return said is None
        client_id = NO_INTERFACE + said.identity if said.identity else ""
        facts = {"vendor_class": said.vendor_class, "client_id": client_id} | where.tag
        self.notes.note("dhcp", datagram.mac, self._listed(datagram.source), where.at, name=said.name, facts=facts)
        return True

    def _mdns(self, datagram: Datagram, where: Where) -> bool:
        if not self._is_ours(datagram.source, where):
            return False
        said = wire_mdns.announcement(datagram.payload)
        if said is None:
            return True
        mac, address = datagram.mac, self._listed(datagram.source) or self._first_listed(said.addresses)
        if said.addresses and datagram.source not in said.addresses:
            # A reflector passes on another device's words from its own address; only the words are that device's.
            mac, address = b"", self._first_listed(said.addresses)
            if not address:
                return True
        facts = {"model": said.model, "maker": said.maker, "location": said.place} | where.tag
        words = (word.replace(" ", "") for word in said.types)
        self.notes.note("mdns", mac, address, where.at, name=said.name, facts=facts, words=words)
        return True

    def _ssdp(self, datagram: Datagram, where: Where) -> bool:
        if not self._is_ours(datagram.source, where):
            return False
        notice = wire_ssdp.notice(datagram.payload)
        if notice is not None:
            facts = {"server": notice.server} | where.tag
            words = (notice.kind.replace(" ", ""),)
            self.notes.note("ssdp", datagram.mac, self._listed(datagram.source), where.at, facts=facts, words=words)
        return True

    def _said(self, said: Said, where: Where) -> bool:
        if not self._is_ours(said.address, where):
            return False
        facts = said.facts | (where.facts if not said.address else where.tag)
        self.notes.note(said.source, said.mac, said.address, where.at, name=said.name, facts=facts)
        return True

    # --- Who counts ---------------------------------------------------------------------------------------------------

    def _listed(self, address: bytes) -> bytes:
        """`address` if it is in an authorised network, else nothing."""
        size, number = len(address), int.from_bytes(address, "big")
        for length, first, last in self._allowed:
            if size == length and first <= number <= last:
                return address
        return b""

    def _first_listed(self, addresses: tuple[bytes, ...]) -> bytes:
        return next(filter(None, map(self._listed, addresses)), b"")

    def _is_ours(self, address: bytes, where: Where) -> bool:
        """Whether a host counts that spoke from `address`, or from none."""
        if self._listed(address):
            return True
        here = not address or (len(address) == 16 and int.from_bytes(address, "big") & LINK_LOCAL_MASK == LINK_LOCAL)
        if here and not where.vlan:
            return True
        self.strangers += 1
        return False
