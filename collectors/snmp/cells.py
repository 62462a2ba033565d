"""What stands in a cell and in a row's index: text, numbers, hardware and network addresses, each checked before believed.

Everything that an agent says in words passes `netready.text.clean` here, once. A value of another type or length than its MIB
says is nothing, and an index that does not fit is None, so that the row can be left out and counted.
"""

import re
from ipaddress import ip_address

from collectors.snmp.ber import Oid, Value
from netready.text import clean

WORDS = 128  # characters of a name that are kept
OCTETS = 6
GROUP_BIT = 0x01  # of the first octet: a multicast address, which no device has
IPV4, IPV6, IPV4Z, IPV6Z = 1, 2, 3, 4  # InetAddressType (RFC 4001); the last two end in a zone index of four octets
LENGTHS = {IPV4: 4, IPV6: 16, IPV4Z: 8, IPV6Z: 20}
ZONE = 4
# What agents write when they have nothing to say.
_NOTHING = frozenset({
    "", "-", "--", "0", "n/a", "na", "nil", "none", "null", "unknown", "undefined", "unspecified", "not available", "default",
    "not defined", "not present", "not specified", "to be filled by o.e.m.", "uninitialized", "builtin", "xxx", "********",
})  # fmt: skip
_WRITTEN_MAC = re.compile(rb"(?i)[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}\0?")


def text(value: Value, limit: int = WORDS) -> str:
    """A string as one clean line; "" for anything else."""
    return clean(value, limit=limit) if isinstance(value, bytes) else ""


def said(value: Value, limit: int = WORDS) -> str:
    """As `text`, and "" for the many ways of saying nothing."""
    words = text(value, limit).strip(" ,;\"'")
    return "" if words.lower() in _NOTHING or not any(char.isalnum() for char in words) else words


def count(value: Value) -> int | None:
    """A number that counts something."""
    return value if isinstance(value, int) and value >= 0 else None


def mac(value: Value) -> str | None:
    """A hardware address, six octets or as people write them; None for groups, for fillers and for anything else."""
    if not isinstance(value, bytes):
        return None
    if _WRITTEN_MAC.fullmatch(value):
        value = bytes.fromhex(re.sub("[^0-9a-fA-F]", "", value.decode("ascii")))
    # One octet six times is nobody's address: zeros, and the spaces that fill an empty field.
    return value.hex(":") if len(value) == OCTETS and len(set(value)) > 1 and not value[0] & GROUP_BIT else None


def bare_mac(value: Value) -> str | None:
    """As `mac`, for a cell that may as well hold a name: "Fa0/23" has six octets too, but a hardware address cannot be read."""
    readable = isinstance(value, bytes) and all(0x20 <= byte < 0x7F for byte in value)
    return None if readable and not _WRITTEN_MAC.fullmatch(bytes(value or b"")) else mac(value)


def address(value: Value) -> str | None:
    """A network address of 4 or 16 octets that one device can have."""
    if not isinstance(value, bytes) or len(value) not in {LENGTHS[IPV4], LENGTHS[IPV6]}:
        return None
    found = ip_address(value)
    return None if found.is_unspecified or found.is_multicast or found.is_loopback else str(found)


def octets(row: Oid) -> bytes | None:
    """Sub-identifiers that are octets; None when one of them is not."""
    return bytes(row) if max(row, default=0) <= 0xFF else None


def mac_at(row: Oid, at: int = 0) -> str | None:
    """The hardware address whose six octets stand at `at` of an index; "" for one that no device has."""
    found = octets(row[at : at + OCTETS])
    return None if found is None or len(found) != OCTETS else mac(found) or ""


def inet_at(row: Oid, at: int) -> str | None:
    """The InetAddressType, its length and InetAddress that end an index (RFC 4001); "" for one that no device has.

    ZTE's agents leave the length out.
    """
    kind, rest = row[at] if len(row) > at else 0, row[at + 1 :]
    size = LENGTHS.get(kind)
    if rest[:1] == (size,) and len(rest) - 1 == size:
        rest = rest[1:]
    found = octets(rest)
    if found is None or len(found) != size:
        return None
    return address(found[:-ZONE] if kind in {IPV4Z, IPV6Z} else found) or ""


def bits(value: Value, most: int = 8) -> frozenset[int]:
    """The numbers of the bits that are set in a BITS, of which bit 0 is the highest of the first octet (RFC 2578, 7.1.4).

    Of an octet string, `most` octets are looked at.
    """
    if not isinstance(value, bytes):
        return frozenset()
    set_octets = [(at, byte) for at, byte in enumerate(value[:most]) if byte]
    return frozenset(8 * at + bit for at, byte in set_octets for bit in range(8) if byte << bit & 0x80)
