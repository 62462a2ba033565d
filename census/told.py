"""What each sighting is worth before any two are joined: in a fixed order, each once, without what names no single device."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from ipaddress import IPv6Address, ip_address

import msgspec

from census import shared
from netready.device import Sighting

LISTS = frozenset({"google", "intune", "jamf", "snipe-it", "glpi"})  # asset lists: what somebody wrote down, not the network
# Whose word on who holds an address counts before whose: tables and answers of now, then words that may have been passed on,
# then addresses that were given out and may have been given on since.
_RANKS = (frozenset({"arp", "nd", "router"}), frozenset({"mdns", "ssdp", "wifi"}), frozenset({"dhcp", "lease"}))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The sightings that can be counted.

    owners   the cards that hold an address, by the best word there is
    managed  what devices said over SNMP, by the address that was asked
    aside    addresses that routers share
    notes    what was left out and why, one sentence each
    """

    sightings: tuple[Sighting, ...]
    owners: dict[str, frozenset[str]]
    managed: dict[str, tuple[Sighting, ...]]
    aside: frozenset[str]
    notes: frozenset[str]


def told(sightings: Iterable[Sighting]) -> Told:
    """The sightings as they are counted. Neither their order nor their repetition matters."""
    notes: set[str] = set()
    aside: set[str] = set()
    kept = [each for each in (_plain(each, aside, notes) for each in canonical(sightings)) if each is not None]
    managed: defaultdict[str, list[Sighting]] = defaultdict(list)
    for each in kept:
        if each.source == "snmp" and each.address is not None:
            managed[each.address].append(each)
    return Told(
        sightings=tuple(kept),
        owners=_owners(kept),
        managed={address: tuple(rows) for address, rows in managed.items()},
        aside=frozenset(aside),
        notes=frozenset(notes),
    )


def canonical(sightings: Iterable[Sighting]) -> list[Sighting]:
    """The sightings without repetition, in an order that does not depend on the one they came in."""
    keyed = {_order(each): each for each in sightings}
    return [keyed[key] for key in sorted(keyed)]


def is_unique(address: str) -> bool:
    """Whether `address` means one host in the whole site: not loopback, not link-local, not a group."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return not (found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast)


def embedded(address: str) -> str | None:
    """The hardware address that an IPv6 address was made from (RFC 4291, appendix A); None when it was not."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    tail = found.packed[8:] if isinstance(found, IPv6Address) else b""
    if tail[3:5] != b"\xff\xfe":
        return None
    return bytes((tail[0] ^ 2, *tail[1:3], *tail[5:])).hex(":")


def _order(each: Sighting) -> tuple[datetime, str, str, str, str, tuple[tuple[str, str], ...]]:
    return each.at, each.source, each.mac or "", each.address or "", each.name or "", tuple(sorted(each.facts.items()))


def _plain(each: Sighting, aside: set[str], notes: set[str]) -> Sighting | None:
    """The sighting without what names no single device; None when it says nothing of a device on the network."""
    mac, address = each.mac, each.address
    if each.source == "lease" and _is_over(each):
        notes.add("Leases of DHCP servers that had run out are not counted.")
        return None
    if mac is not None and not shared.is_card(mac):
        mac = None
    if mac is not None and (protocol := shared.virtual(mac)):
        notes.add(f"{address or mac} is a {protocol} address that routers share, and no device of its own.")
        aside.update(() if address is None else (address,))
        if each.source != "snmp":
            return None
        mac = None
    if "proxy" in each.facts or each.source in LISTS:
        address = None  # somebody else's, or somebody's once
    if (mac, address) == (each.mac, each.address):
        return each
    return msgspec.structs.replace(each, mac=mac, address=address)


def _is_over(lease: Sighting) -> bool:
    """Whether a lease had ended when the list was read. One without an end has none."""
    try:
        expires = datetime.fromisoformat(lease.facts.get("expires", ""))
    except ValueError:
        return False
    return expires.utcoffset() is not None and lease.at.utcoffset() is not None and expires < lease.at


def _owners(sightings: Iterable[Sighting]) -> dict[str, frozenset[str]]:
    claims: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in sightings:
        if each.mac is None or each.address is None or not is_unique(each.address):
            continue
        for rank, sources in enumerate(_RANKS):
            if each.source in sources:
                claims[each.address][rank].add(each.mac)
    return {address: frozenset(ranks[min(ranks)]) for address, ranks in claims.items()}
