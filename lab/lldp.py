"""THE VIRTUAL SCHOOL's LLDP: frames that switches, access points and telephones send to the next port, and how they are read.

IEEE 802.1AB-2016 for the fields, ANSI/TIA-1057 for LLDP-MED. A bridge keeps such frames to itself, so each tells of one cable.
"""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

import msgspec

NEAREST_BRIDGE = bytes.fromhex("0180c200000e")
ETHERTYPE = 0x88CC
LIFETIME = 120  # s

# Types of field (IEEE 802.1AB-2016 table 8-1), and ways to name a chassis or a port.
END, CHASSIS, PORT, TTL, PORT_TEXT, NAME, TEXT, ABLE, ADDRESS, OWN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 127
MAC_ADDRESS, MAC_OF_PORT, INTERFACE_NAME = 4, 3, 5
BRIDGE, POINT, ROUTER, TELEPHONE = 0x04, 0x08, 0x10, 0x20  # on the wire; the MIB counts its bits from the other end

# LLDP-MED (TIA-1057 section 10.2): who defined the field, what it is about, and the inventory's fields in their order.
MED = bytes.fromhex("0012bb")
MED_CAPABILITIES, MED_HARDWARE = 1, 5
INVENTORY = ("hardware", "firmware", "software", "serial", "maker", "model", "asset")
COMMUNICATION_DEVICE = 3


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """What a device says of itself to the other end of a cable.

    chassis      its MAC
    port, way    the port's identifier and how to read it: MAC_OF_PORT or INTERFACE_NAME
    able         its capabilities, as on the wire
    med          its class in LLDP-MED, or 0: it does not speak that
    inventory    what LLDP-MED says of the thing, by INVENTORY's names
    """

    chassis: bytes
    port: bytes
    way: int = INTERFACE_NAME
    port_text: str = ""
    name: str = ""
    text: str = ""
    able: int = 0
    address: str = ""
    med: int = 0
    inventory: dict[str, str] = {}


def _field(kind: int, value: bytes) -> bytes:
    return struct.pack(">H", kind << 9 | len(value)) + value


def frame(source: bytes, said: Neighbour) -> bytes:
    """One LLDP frame from the port with the MAC `source`."""
    fields = [
        _field(CHASSIS, bytes([MAC_ADDRESS]) + said.chassis),
        _field(PORT, bytes([said.way]) + said.port),
        _field(TTL, struct.pack(">H", LIFETIME)),
        _field(PORT_TEXT, said.port_text.encode()),
        _field(NAME, said.name.encode()),
        _field(TEXT, said.text.encode()),
        _field(ABLE, struct.pack(">HH", said.able, said.able)),
    ]
    if said.address:
        # An IPv4 address (family 1) of an interface that has the number 1 (ifIndex is way 2), and no OID.
        fields.append(_field(ADDRESS, b"\x05\x01" + IPv4Address(said.address).packed + b"\x02\0\0\0\x01\0"))
    if said.med:
        fields.append(_field(OWN, MED + bytes([MED_CAPABILITIES]) + struct.pack(">HB", 0x21, said.med)))
        for number, what in enumerate(INVENTORY, start=MED_HARDWARE):
            if what in said.inventory:
                fields.append(_field(OWN, MED + bytes([number]) + said.inventory[what].encode()))
    return NEAREST_BRIDGE + source + struct.pack(">H", ETHERTYPE) + b"".join(fields) + _field(END, b"")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 14
    while at + 2 <= len(data):
        (head,) = struct.unpack_from(">H", data, at)
        kind, size = head >> 9, head & 0x1FF
        if kind == END or at + 2 + size > len(data):
            return
        yield kind, data[at + 2 : at + 2 + size]
        at += 2 + size


def read(data: bytes) -> Neighbour | None:
    """What a frame says; None when it does not name both chassis and port."""
    said = dict[int, bytes]()
    med, inventory = 0, dict[str, str]()
    for kind, value in _fields(data):
        if kind != OWN:
            said.setdefault(kind, value)
        elif value[:3] == MED and len(value) > 3:
            number = value[3] - MED_HARDWARE
            if value[3] == MED_CAPABILITIES and len(value) == 7:
                med = value[6]
            elif 0 <= number < len(INVENTORY):
                inventory[INVENTORY[number]] = value[4:].decode(errors="replace")
    if len(said.get(CHASSIS, b"")) != 7 or len(said.get(PORT, b"")) < 2:
        return None
    able, address = said.get(ABLE, b""), said.get(ADDRESS, b"")

    def words(kind: int) -> str:
        return said.get(kind, b"").decode(errors="replace")

    return Neighbour(
        chassis=said[CHASSIS][1:],
        port=said[PORT][1:],
        way=said[PORT][0],
        port_text=words(PORT_TEXT),
        name=words(NAME),
        text=words(TEXT),
        able=int.from_bytes(able[2:4], "big") if len(able) == 4 else 0,
        address=str(IPv4Address(address[2:6])) if address[:2] == b"\x05\x01" and len(address) >= 6 else "",
        med=med,
        inventory=inventory,
    )


def mib_bits(able: int) -> bytes:
    """Capabilities as LLDP-MIB shows them: the first of them is the highest bit (RFC 2578 section 7.1.4)."""
    return bytes([sum(0x80 >> bit for bit in range(8) if able >> bit & 1)])
