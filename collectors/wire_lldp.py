"""LLDP as neighbours send it (IEEE 802.1AB, and LLDP-MED in ANSI/TIA-1057), read with suspicion; no socket here."""

from collections.abc import Iterator

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

END, CHASSIS, PORT, TTL, PORT_DESCRIPTION, NAME, DESCRIPTION, CAPABILITIES, MANAGEMENT, ORGANISATION = *range(9), 127
MAC_CHASSIS, ADDRESS_CHASSIS = 4, 5  # subtypes of a chassis
NAMED_PORTS = frozenset({1, 5, 7})  # subtypes of a port: alias, name, locally assigned
MAC_PORT = 3
IEEE_802_1, TIA = b"\x00\x80\xc2", b"\x00\x12\xbb"
PORT_VLAN = (IEEE_802_1, 1)
MED_CLASS = (TIA, 1)
MED = {(TIA, 6): "firmware", (TIA, 7): "software", (TIA, 8): "serial", (TIA, 9): "maker", (TIA, 10): "model"}
# IEEE 802.1AB-2016, table 8-4. The SNMP agent's BITS have the same ones the other way round.
WORDS = ("other", "repeater", "bridge", "wlan-ap", "router", "telephone", "docsis", "station")
MOST_TLVS = 128
LONGEST = 255  # characters of a description


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """What a neighbour says of itself. What it did not say is empty.

    mac           its chassis, when it names that by a hardware address
    address       where it is managed, packed
    port          of the neighbour's own, by its name if it has one
    capabilities  words of what it is set to do; see `WORDS`
    vlan          of untagged frames on that port
    med           of LLDP-MED: class ("1" to "4"), firmware, software, serial, maker, model
    """

    mac: bytes = b""
    address: bytes = b""
    port: str = ""
    name: str = ""
    description: str = ""
    capabilities: tuple[str, ...] = ()
    vlan: int = 0
    med: dict[str, str] = {}


def neighbour(payload: bytes) -> Neighbour | None:
    """The neighbour behind a frame's payload; None for one that takes its leave. Raises Failed(malformed)."""
    fields: dict[int, bytes] = {}
    extras: dict[tuple[bytes, int], bytes] = {}
    for kind, value in _tlvs(payload):
        if kind == ORGANISATION:
            if len(value) < 4:
                raise Failed(Failure.MALFORMED, "an organisation's field is too short")
            extras.setdefault((value[:3], value[3]), value[4:])
        else:
            fields.setdefault(kind, value)
    if not {CHASSIS, PORT, TTL} <= set(fields) or min(len(fields[CHASSIS]), len(fields[PORT]), len(fields[TTL])) < 2:
        raise Failed(Failure.MALFORMED, "a neighbour names its chassis, its port and how long it is to be believed")
    if fields[TTL][:2] == b"\x00\x00":
        return None
    chassis, able = fields[CHASSIS], fields.get(CAPABILITIES, b"")
    bits = int.from_bytes(able[2:4], "big")
    vlan = extras.get(PORT_VLAN, b"")
    return Neighbour(
        mac=chassis[1:] if chassis[0] == MAC_CHASSIS and _is_host(chassis[1:]) else b"",
        address=_managed(fields.get(MANAGEMENT, b"")) or (_address(chassis[1:]) if chassis[0] == ADDRESS_CHASSIS else b""),
        port=_port(fields[PORT], fields.get(PORT_DESCRIPTION, b"")),
        name=_text(fields.get(NAME, b"")),
        description=_text(fields.get(DESCRIPTION, b""), LONGEST),
        capabilities=tuple(word for number, word in enumerate(WORDS) if bits >> number & 1),
        vlan=int.from_bytes(vlan, "big") & 0x0FFF if len(vlan) == 2 else 0,
        med=_med(extras),
    )


def _tlvs(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each field, up to the end mark or the end: some send none."""
    at = 0
    for _ in range(MOST_TLVS):
        if at + 2 > len(payload):
            return
        head = int.from_bytes(payload[at : at + 2], "big")
        kind, size = head >> 9, head & 0x01FF
        if kind == END:
            return
        if at + 2 + size > len(payload):
            raise Failed(Failure.MALFORMED, "a field runs past the end")
        yield kind, payload[at + 2 : at + 2 + size]
        at += 2 + size


def _med(extras: dict[tuple[bytes, int], bytes]) -> dict[str, str]:
    found = {word: _text(extras[key]) for key, word in MED.items() if key in extras}
    kind = extras.get(MED_CLASS, b"")
    if len(kind) >= 3 and 1 <= kind[2] <= 4:
        found["class"] = str(kind[2])
    return {word: text for word, text in found.items() if text}


def _port(port: bytes, description: bytes) -> str:
    """The port's name: as an identity, else as a description, else whatever stands there."""
    if port[0] in NAMED_PORTS:
        return _text(port[1:])
    if text := _text(description):
        return text
    return port[1:].hex(":") if port[0] == MAC_PORT else _text(port[1:])


def _managed(field: bytes) -> bytes:
    """The address of a management field: its length, which counts the family's number, then both."""
    return _address(field[1 : 1 + field[0]]) if field and len(field) > field[0] else b""


def _address(text: bytes) -> bytes:
    """A packed address behind its IANA family number (1 IPv4, 2 IPv6); empty for other families."""
    return text[1:] if (text[:1], len(text)) in {(b"\x01", 5), (b"\x02", 17)} else b""


def _is_host(mac: bytes) -> bool:
    return len(mac) == 6 and any(mac) and not mac[0] & 1


def _text(value: bytes, limit: int = 128) -> str:
    return clean(value.rstrip(b"\x00"), limit=limit) if value else ""
