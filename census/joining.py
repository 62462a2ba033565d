"""Which sightings are of one device, with the reason of every joining."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from census.joins import RULES, home
from census.links import Links, Node
from census.told import LISTS, Told, told
from netready.device import Sighting


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The sightings of one device, in a fixed order.

    macs     its cards, in order
    own      those that only the device itself lists, and nobody saw
    """

    macs: tuple[str, ...]
    own: tuple[str, ...]
    addresses: tuple[str, ...]
    serials: tuple[str, ...]
    sightings: tuple[Sighting, ...]
    merged: tuple[str, ...]

    @property
    def seen(self) -> bool:
        """Whether the network saw it; otherwise it only stands in an asset list."""
        return any(each.source not in LISTS for each in self.sightings)

    @property
    def managed(self) -> bool:
        """Whether it told of itself over SNMP, or its controller did."""
        return any(each.source in {"snmp", "controller"} for each in self.sightings)


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Every device's sightings, and where to find a device by a card or an address.

    nameless  neighbours that LLDP or CDP told by name alone: of no use for counting, but of use for what a port leads to
    claims    the cards that say they hold an address, where there are several devices behind them
    notes     what was put aside and why, one sentence each
    """

    groups: tuple[Group, ...]
    nameless: tuple[Sighting, ...]
    by_mac: dict[str, int]
    by_address: dict[str, int]
    claims: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


def join(sightings: Iterable[Sighting]) -> Joined:
    """The sightings by device. Neither their order nor their repetition matters."""
    found = told(sightings)
    links = Links()
    for rule in RULES:
        rule(found, links)
    return _result(found, links)


def _result(found: Told, links: Links) -> Joined:
    members: defaultdict[Node, list[Sighting]] = defaultdict(list)
    nodes: defaultdict[Node, set[Node]] = defaultdict(set)
    reasons: defaultdict[Node, set[str]] = defaultdict(set)
    homeless: list[Sighting] = []
    for each in found.sightings:
        node = home(each, links)
        if node is None:
            homeless.append(each)
        elif node[0] == "address" and node[1] in links.claims and node not in links:
            links.notes.add(f"What {each.source} said of {node[1]} is left out: several devices hold that address.")
        else:
            members[links.root(node)].append(each)
            nodes[links.root(node)].add(node)
    if rows := sum(each.source in LISTS for each in homeless):
        links.notes.add(f"{rows} rows of the asset lists have neither a hardware address nor a serial number.")
    for node in links:
        nodes[links.root(node)].add(node)
    for node, reason in links.reasons:
        reasons[links.root(node)].add(reason)
    roots = sorted(members)
    groups = tuple(_group(members[root], nodes[root], reasons[root], (found, links)) for root in roots)
    places = {node: number for number, root in enumerate(roots) for node in nodes[root]}
    return Joined(
        groups=groups,
        nameless=tuple(each for each in homeless if each.source in {"lldp", "cdp"}),
        by_mac={name: number for (kind, name), number in sorted(places.items()) if kind == "mac"},
        by_address={name: number for (kind, name), number in sorted(places.items()) if kind == "address"},
        claims=links.claims,
        notes=tuple(sorted({*found.notes, *links.notes})),
    )


def _group(members: Sequence[Sighting], nodes: Iterable[Node], reasons: Iterable[str], known: tuple[Told, Links]) -> Group:
    found, links = known
    sources: defaultdict[str, set[str]] = defaultdict(set)
    addresses = {name for kind, name in nodes if kind == "address"}
    for each in members:
        if each.mac is not None and not (each.source in LISTS and each.mac in links.lent):
            sources[each.mac].add(each.source)
        if each.address is not None and (each.mac is None or each.mac in found.owners.get(each.address, {each.mac})):
            addresses.add(each.address)
    same = [f"same MAC in {', '.join(sorted(names))}" for _, names in sorted(sources.items()) if len(names) > 1]
    return Group(
        macs=tuple(sorted(sources)),
        own=tuple(sorted({name for kind, name in nodes if kind == "mac"} - sources.keys())),
        addresses=tuple(sorted(addresses)),
        serials=tuple(sorted(name for kind, name in nodes if kind == "serial")),
        sightings=tuple(members),
        merged=tuple(dict.fromkeys((*same, *sorted(reasons)))),
    )
