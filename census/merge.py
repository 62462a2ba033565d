"""The census: many sightings, each device once, with why they were taken for one, what it is, and where it hangs."""

from collections.abc import Iterable, Sequence

import msgspec

from census import shared
from census.joining import Group, Joined, join
from census.kinds import Naming, classify
from census.models import identity
from census.places import Finder, Rooms
from census.told import LISTS
from census.topology import Topology, lay_out
from census.vendors import is_local, vendor
from netready.device import INFRASTRUCTURE, Device, Kind, Sighting

# Whose word on a fact counts before whose.
_TRUST = (
    "snmp",
    "controller",
    "lldp",
    "cdp",
    "google",
    "intune",
    "jamf",
    "snipe-it",
    "glpi",
    "wifi",
    "dhcp",
    "lease",
    "mdns",
    "ssdp",
)
_TABLES = frozenset({"fdb", "router"})
# Facts that are kept with a device; the others have done their work when it is counted.
_KEPT = (
    "model",
    "serial",
    "maker",
    "os",
    "os_version",
    "firmware",
    "software",
    "owner",
    "updates_until",
    "memory",
    "storage",
    "screen",
    "cart",
    "status",
    "last_seen",
    "clients",
    "ssid",
    "parameters",
    "vendor_class",
    "client_id",
    "asset",
)


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted.

    devices          seen on the network, each once, in order of address
    enrolled_unseen  in an asset list, but not seen on the network
    owner            the device's key by hardware address
    notes            what was put aside and why, one sentence each
    """

    devices: tuple[Device, ...]
    enrolled_unseen: tuple[Device, ...]
    joined: Joined
    topology: Topology
    owner: dict[str, str]
    notes: tuple[str, ...]


def count(sightings: Iterable[Sighting], naming: Naming, rooms: Rooms | None = None) -> Census:
    """The devices behind `sightings`. Neither their order nor their repetition matters.

    A row of an asset list is a device on the network only if the network saw it too.
    """
    joined = join(sightings)
    judged = [classify(_telling(group), naming) for group in joined.groups]
    topology = lay_out(joined, [kind for kind, _ in judged])
    finder = Finder(joined, topology, rooms)
    devices = [_device(group, kind, why, finder) for group, (kind, why) in zip(joined.groups, judged, strict=True)]
    pairs = list(zip(joined.groups, devices, strict=True))
    return Census(
        devices=tuple(sorted((device for group, device in pairs if group.seen), key=_order)),
        enrolled_unseen=tuple(sorted((device for group, device in pairs if not group.seen), key=_order)),
        joined=joined,
        topology=topology,
        owner={mac: devices[number].key for mac, number in joined.by_mac.items()},
        notes=joined.notes,
    )


def _telling(group: Group) -> list[Sighting]:
    """The sightings that say something of the device: of rows of tables one for each card, for a switch may have thousands."""
    rows = {(each.source, each.mac): each for each in group.sightings if each.source in _TABLES}
    return [*rows.values(), *(each for each in group.sightings if each.source not in _TABLES)]


def _device(group: Group, kind: Kind, why: Sequence[str], finder: Finder) -> Device:
    mac = _first_card(group)
    named = identity(group.sightings)
    told = {"maker": named.maker, "model": named.model, "serial": named.serial}
    facts = dict(sorted((_facts(group) | {name: text for name, text in told.items() if text}).items()))
    cards = (*((mac,) if mac else ()), *group.macs)
    place = next((found for card in cards if (found := finder.topology.at(card)) is not None), None)
    point = next((finder.topology.behind[card] for card in cards if card in finder.topology.behind), None)
    if kind in INFRASTRUCTURE:
        others = {"macs": sorted({*group.macs, *group.own} - {mac}), "addresses": list(group.addresses[1:])}
        facts |= {name: " ".join(found) for name, found in others.items() if found}
    names = _names(group)
    return Device(
        key=mac or next(iter(group.serials), None) or min(group.addresses, key=_by_number),
        mac=mac,
        addresses=tuple(sorted(group.addresses, key=_by_number)),
        names=names,
        kind=kind,
        vendor=named.maker or (None if mac is None else vendor(mac)),
        room=finder.room(group, cards, point, names),
        place=place,
        point=point,
        random=mac is not None and shared.may_change(mac) and not _is_told(group, kind),
        why=tuple(why),
        merged=group.merged,
        how=tuple(sorted({each.source for each in group.sightings} - LISTS)),
        enrolled=tuple(sorted({each.source for each in group.sightings} & LISTS)),
        facts=facts,
    )


def _first_card(group: Group) -> str | None:
    """The card a device is called by: the same one in the next survey, whichever of its cards is seen then."""
    listed = {each.mac for each in group.sightings if each.source in LISTS}
    asked = {each.mac for each in group.sightings if each.source == "snmp"}
    bridges = {each.facts.get("bridge") for each in group.sightings}
    cards = group.macs or tuple(mac for mac in group.own if mac in bridges) or group.own
    return min(cards, key=lambda mac: (is_local(mac), mac not in listed, mac not in asked, mac), default=None)


def _is_told(group: Group, kind: Kind) -> bool:
    """Whether something besides its hardware address says which device it is."""
    own = any("self" in each.facts for each in group.sightings)
    return own or group.managed or kind in INFRASTRUCTURE or bool(group.serials)


def _rank(each: Sighting) -> int:
    return _TRUST.index(each.source) if each.source in _TRUST else len(_TRUST)


def _facts(group: Group) -> dict[str, str]:
    """Each fact by the most trusted source that tells it, and the latest of its words."""
    found: dict[str, str] = {}
    telling = (each for each in group.sightings if each.source not in _TABLES)
    ordered = sorted(telling, key=lambda each: -_rank(each))  # stable: oldest first within a source
    for each in ordered:
        found |= {name: each.facts[name] for name in _KEPT if each.facts.get(name)}
    return dict(sorted(found.items()))


def _names(group: Group) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in sorted(group.sightings, key=_rank) if each.name))


def _by_number(address: str) -> tuple[bool, tuple[int, ...], str]:
    """IPv4 by number, then everything else by text."""
    parts = address.split(".")
    plain = len(parts) == 4 and all(part.isdecimal() for part in parts)
    return not plain, tuple(int(part) for part in parts) if plain else (), address


def _order(device: Device) -> tuple[tuple[bool, tuple[int, ...], str], str]:
    return min((_by_number(address) for address in device.addresses), default=(True, (), "")), device.key
