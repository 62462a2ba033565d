"""What only a capture file is asked for: kinds of frames that scapy decodes and our own parsers leave alone.

It adds two things that no other source tells. Spanning tree (802.1D) names bridges that answer neither SNMP nor LLDP, and
which one is the root. NetBIOS names (RFC 1002) are often the only name that an old Windows machine, a scanner or a disk station
gives.

scapy is slow, large and GPL-2.0-only, so it is an extra (`netready[pcap]`), imported here and only when this is asked for.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from collectors import wire_frame
from netready.failure import Failed, Failure
from netready.text import clean

MOST_DECODED = 20_000  # frames of one file: about as many a minute as scapy decodes
LONGEST = 1514
SPANNING_TREE = b"\x42\x42\x03"
NETBIOS_NAMES = 137
OF_MACHINES = frozenset({0x00, 0x20})  # a name's last octet; others may be a user's name and are left alone
REGISTERS, REFRESHES = 5, 8  # operations
LETTER_A = 0x41  # RFC 1001, section 14.1: each half of an octet is a letter from A on, and scapy leaves the last octet so


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a frame says of its sender, as `Sighting` has it; an address is packed and empty when there is none."""

    source: str
    mac: bytes
    address: bytes = b""
    name: str = ""
    facts: dict[str, str]


class Others:
    """The decoders, with scapy behind them. `left_out` counts the frames that came after `MOST_DECODED`."""

    def __init__(self) -> None:
        """Raises Failed(not-supported) when scapy is not installed."""
        try:
            from scapy.layers.l2 import STP  # noqa: PLC0415 - never loaded unless a capture asks for it
            from scapy.layers.netbios import NBNSHeader, NBNSRegistrationRequest  # noqa: PLC0415
        except ImportError as error:
            raise Failed(Failure.NOT_SUPPORTED, 'scapy is not installed; pip install "netready[pcap]"') from error
        self._spanning_tree, self._names, self._registration = STP, NBNSHeader, NBNSRegistrationRequest
        self.decoded = self.left_out = 0

    def decode(self, frame: bytes) -> Said | None:
        """What an Ethernet frame says, when it is one of these kinds. Raises Failed(malformed)."""
        frame, _ = wire_frame.untagged(frame[:LONGEST])
        if frame[14:17] == SPANNING_TREE:
            return self._limited(self._bridge, frame)
        packet = wire_frame.packet(frame)
        if packet is None or packet.protocol != wire_frame.UDP or len(packet.source) != 4:
            return None
        datagram = wire_frame.datagram(packet)
        return self._limited(self._name, datagram) if datagram.port == NETBIOS_NAMES else None

    def _limited(self, decode: Callable[[Any], Said | None], found: object) -> Said | None:
        if self.decoded >= MOST_DECODED:
            self.left_out += 1
            return None
        self.decoded += 1
        try:
            return decode(found)
        except Exception as error:  # on rubbish a dissector raises whatever its fields happen to
            raise Failed(Failure.MALFORMED, clean(repr(error))) from error

    def _bridge(self, frame: bytes) -> Said:
        unit = self._spanning_tree(frame[17:])
        bridge, root = (bytes.fromhex(mac.replace(":", "")) for mac in (unit.bridgemac, unit.rootmac))
        if not any(bridge) or bridge[0] & 1:
            raise Failed(Failure.MALFORMED, "a bridge that cannot be")
        facts = {"bridge": bridge.hex(":"), "root": "yes" if bridge == root and unit.bridgeid == unit.rootid else ""}
        return Said(source="stp", mac=bridge, facts=facts)

    def _name(self, datagram: wire_frame.Datagram) -> Said | None:
        """A name that the sender registers for itself."""
        message = self._names(datagram.payload)
        if message.RESPONSE or message.OPCODE not in {REGISTERS, REFRESHES} or self._registration not in message:
            return None
        wanted = message[self._registration]
        kind = (wanted.SUFFIX >> 8) - LETTER_A << 4 | (wanted.SUFFIX & 0xFF) - LETTER_A
        if kind not in OF_MACHINES:
            return None
        name = clean(wanted.QUESTION_NAME.rstrip(b" \x00"))
        if wanted.G:
            return Said(source="netbios", mac=datagram.mac, address=datagram.source, facts={"group": name})
        return Said(source="netbios", mac=datagram.mac, address=datagram.source, name=name, facts={})
