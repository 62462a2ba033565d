"""What a DHCP server wrote down: which leases are in force, and how they become sightings.

A lease says that a device was given an address, not that it is there now; one that has run out says nothing, and is left out. A
client id tells that one device stands behind several hardware addresses, and is kept for nothing else.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from collectors.imports.cells import names_owner, words
from collectors.imports.format import Reading
from netready.device import Sighting

_ID = re.compile(r"[0-9a-f]{2}(?::?[0-9a-f]{2}){1,254}")


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a server's list.

    client_id   as `client_id` makes it
    expires     None when it never does, or when the list does not say
    bound       the server's own word that it is in force
    """

    line: int
    address: str
    mac: str | None
    client_id: str = ""
    name: str = ""
    vendor_class: str = ""
    expires: datetime | None = None
    bound: bool = True


def client_id(text: str) -> str:
    """A client id as it is kept: octets in hex; "" for a text that is none."""
    plain = text.strip().lower()
    return plain.replace(":", "") if _ID.fullmatch(plain) else ""


def current(leases: Iterable[Lease]) -> Iterator[Lease]:
    """Of each address the last entry; before it, without its address, every other card that the same client id came from.

    Servers write a new entry below the old ones (dhcpd.leases(5)); the memory this takes is that of the addresses.
    """
    last: dict[str, Lease] = {}
    cards: defaultdict[str, dict[str, Lease]] = defaultdict(dict)
    for lease in leases:
        last[lease.address] = lease
        if lease.mac is not None and lease.client_id and not lease.client_id.endswith(lease.mac.replace(":", "")):
            cards[lease.client_id][lease.mac] = lease
    for lease in last.values():
        if lease.bound:
            for mac, other in cards.pop(lease.client_id, {}).items():
                if mac != lease.mac and last[other.address].mac != mac:
                    yield msgspec.structs.replace(other, address="", expires=lease.expires, bound=True)
        yield lease


def sightings(leases: Iterable[Lease], reading: Reading) -> Iterator[Sighting]:
    """A sighting for each lease that is in force at the time of reading."""
    for lease in leases:
        if not lease.bound:
            reading.left_out("leases that were given back or refused", lease.line)
            continue
        if lease.expires is not None and lease.expires <= reading.at:
            reading.left_out("leases that have run out", lease.line)
            continue
        if lease.mac is None and (not lease.client_id or ":" in lease.address):
            reading.left_out("leases that name no hardware address", lease.line)
            continue
        facts = {"file": reading.file}
        if lease.expires is not None:
            facts["expires"] = lease.expires.isoformat()
        if vendor_class := words(lease.vendor_class):
            facts["vendor_class"] = vendor_class
        if lease.client_id:
            facts["client_id"] = lease.client_id
        yield Sighting(
            source="lease",
            at=reading.at,
            mac=lease.mac,
            address=lease.address or None,
            name=reading.words(lease.name, lease.line, names_owner).rstrip(".") or None,
            facts=facts,
        )
