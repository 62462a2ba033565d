"""The rules by which sightings are joined. A name joins nothing: images are cloned, and telephones are all called alike.

An address joins only what was said of it to the card that holds it. A hardware address that may be made up joins nothing by
itself; a serial number or a DHCP client id does.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

from census import shared
from census.links import Links, Node
from census.told import LISTS, Told, embedded, is_unique
from census.vendors import is_local
from netready.device import Sighting

_ANNOUNCED = frozenset({"lldp", "cdp", "controller"})  # the address by which a device wants to be managed
_MOST_OWN = 4096  # interfaces and addresses of one device that are believed
# How a source is called in "belonged to ... in ...".
_TABLES = {
    "router": "the router's table",
    "lease": "the DHCP server's list",
    "arp": "its ARP answer",
    "nd": "IPv6 neighbour discovery",
}


def _asked(found: Told, links: Links) -> None:
    """Whoever answers SNMP at an address is the device whose card it names."""
    for address, rows in found.managed.items():
        for each in rows:
            if each.mac is not None:
                links.unite(("address", address), ("mac", each.mac))


def _interfaces(found: Told, links: Links) -> None:
    """A managed device's own cards. One that several list joins them only when they are plainly one box."""
    lists: defaultdict[str, set[str]] = defaultdict(set)
    bridges: set[str] = set()
    for asked, rows in found.managed.items():
        for each in rows:
            for mac in _cards(each):
                lists[mac].add(asked)
            bridges.add(each.facts.get("bridge", ""))
    for mac, askers in sorted(lists.items()):
        first, *others = sorted(askers)
        if others and (is_local(mac) or not all(_may_be_one(found, first, other) for other in others)):
            continue  # the cards that containers and stacks make up are alike everywhere
        for asked in sorted(askers):
            what = "its bridge MAC" if mac in bridges else "one of its own interfaces"
            links.unite(("address", asked), ("mac", mac), f"{mac} is {what}, says {asked}")


def _cards(each: Sighting) -> Sequence[str]:
    """The cards that a managed device lists as its own, without those that it shares."""
    listed = [each.facts.get("bridge", ""), *each.facts.get("macs", "").split()[:_MOST_OWN]]
    return [mac for mac in dict.fromkeys(listed) if len(mac) == 17 and shared.is_card(mac) and not shared.virtual(mac)]


def _may_be_one(found: Told, one: str, other: str) -> bool:
    """Whether nothing that is said at two addresses tells the devices apart."""
    for fact in ("serial", "bridge"):
        ours, theirs = ({each.facts[fact] for each in found.managed[asked] if fact in each.facts} for asked in (one, other))
        if ours and theirs and not ours & theirs:
            return False
    return True


def _addresses(found: Told, links: Links) -> None:
    """A router's other addresses. Two that were asked are one router when each lists the other's."""
    lists = _listed_addresses(found)
    for address in sorted(lists.keys() & found.managed.keys()):
        for asked in sorted(lists[address] - {address}):
            if address in lists.get(asked, ()) and _may_be_one(found, asked, address):
                links.unite(("address", asked), ("address", address), f"{address} is one of its own addresses")
    for address in sorted(lists.keys() - found.managed.keys()):
        if len({links.root(("address", asked)) for asked in lists[address]}) > 1:
            links.notes.add(f"{address} stands in the lists of several routers and is counted to none of them.")
            continue
        for asked in sorted(lists[address]):
            cards = {mac for each in found.managed[asked] for mac in (*_cards(each), each.mac) if mac}
            if not cards or found.owners.get(address, frozenset()) <= cards:
                links.unite(("address", asked), ("address", address), f"{address} is one of its own addresses")


def _listed_addresses(found: Told) -> dict[str, set[str]]:
    """Who lists each address as its own, by the address that was asked."""
    lists: defaultdict[str, set[str]] = defaultdict(set)
    for asked, rows in found.managed.items():
        for each in rows:
            for address in each.facts.get("addresses", "").split()[:_MOST_OWN]:
                if is_unique(address) and address not in found.aside:
                    lists[address].add(asked)
    return dict(lists)


def _announced(found: Told, links: Links) -> None:
    """A chassis of LLDP, or an access point of a controller, holds the address by which it is said to be managed."""
    said: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for each in found.sightings:
        if each.source in _ANNOUNCED and each.mac is not None and each.address is not None and is_unique(each.address):
            said[each.address][each.mac] = each.source
    for address, macs in sorted(said.items()):
        roots = {links.root(("mac", mac)) for mac in macs}
        if len(roots) > 1:
            links.notes.add(f"{len(roots)} devices announce {address} as theirs; it is counted to none of them.")
            continue
        holders = found.owners.get(address, frozenset()) - macs.keys()
        if len(holders) > 1 or any(shared.may_change(holder) for holder in holders):
            continue
        for mac, source in sorted(macs.items()):
            chassis = "the controller lists it" if source == "controller" else f"{source.upper()} chassis {mac} announces it"
            reason = f"{chassis} at {address}" if holders or address in found.managed else ""
            links.unite(("mac", mac), ("address", address), reason)


def _serials(found: Told, links: Links) -> None:
    """One serial number is one device, unless switches with bridges of their own tell it."""
    rows: defaultdict[str, set[str]] = defaultdict(set)
    for each in found.sightings:
        if each.source in LISTS and each.mac is not None and (number := serial(each)):
            rows[each.mac].add(number)
    links.lent = {mac for mac, numbers in rows.items() if len(numbers) > 1}
    if links.lent:
        stand = "hardware addresses stand" if len(links.lent) > 1 else "hardware address stands"
        note = f"{len(links.lent)} {stand} beside several devices of the asset lists, as adapters that are passed round do."
        links.notes.add(note)
    homes: defaultdict[str, set[Node]] = defaultdict(set)
    bridges: defaultdict[str, set[str]] = defaultdict(set)
    for each in found.sightings:
        if number := serial(each):
            homes[number].add(home(each, links) or ("serial", number))
            bridges[number].update(each.facts.get("bridge", "").split())
    links.disputed = {number for number, switches in bridges.items() if len(switches) > 1}
    for number, nodes in sorted(homes.items()):
        if number in links.disputed:
            links.notes.add(f"Serial number {number} is told by {len(bridges[number])} switches and joins none of them.")
            continue
        for node in sorted(nodes):
            links.unite(node, ("serial", number), "same serial number" if len(nodes) > 1 else "")


def _assets(found: Told, links: Links) -> None:
    """The cards of one row of an asset list that has no serial number, by the school's own number for the device."""
    rows: defaultdict[Node, list[Sighting]] = defaultdict(list)
    for each in found.sightings:
        if each.source in LISTS and each.mac is not None and each.mac not in links.lent and (number := each.facts.get("asset")):
            rows["asset", f"{each.source} {number}"].append(each)
    for node, told in sorted(rows.items()):
        if len({serial(each) for each in told} - {""}) > 1:
            continue  # one number was given twice
        cards = sorted({each.mac for each in told if each.mac is not None})
        for mac in cards:
            links.unite(("mac", mac), node, "same row of an asset list" if len(cards) > 1 else "")


def _client_ids(found: Told, links: Links) -> None:
    """One DHCP client id is one device, unless several cards that are not made up send it: then an image was cloned."""
    macs: defaultdict[str, set[str]] = defaultdict(set)
    for each in found.sightings:
        if each.mac is not None and (number := shared.client_id(each.facts.get("client_id", ""), each.mac)):
            macs[number].add(each.mac)
    for number, cards in sorted(macs.items()):
        fixed = sum(not shared.may_change(mac) for mac in cards)
        if fixed > 1:
            links.notes.add(f"{fixed} cards send one DHCP client id, as clones of one image do; it joins none of them.")
            continue
        for mac in sorted(cards):
            links.unite(("mac", mac), ("client", number), "same DHCP client id" if len(cards) > 1 else "")


def _held(found: Told, links: Links) -> None:
    """What was said of an address belongs to the card that holds it, if one device does and no other."""
    tellers: defaultdict[str, set[str]] = defaultdict(set)
    bare: set[str] = set()  # addresses of which something was said without a card
    for each in found.sightings:
        if each.address is None or not is_unique(each.address):
            continue
        if each.mac is None:
            bare.add(each.address)
        else:
            tellers[each.address].add(_TABLES.get(each.source, each.source))
    cards = {each.mac for each in found.sightings if each.mac is not None}
    for address in sorted(bare | found.owners.keys()):
        own = embedded(address)
        macs = found.owners.get(address) or ({own} if own is not None and own in cards else set())
        if len({links.root(("mac", mac)) for mac in macs}) > 1:
            links.claims[address] = tuple(sorted(macs))
            continue
        where = ", ".join(sorted(tellers[address])) or "the address itself"
        for mac in sorted(macs):
            reason = f"address {address} belonged to {mac} in {where}" if address in bare else ""
            links.unite(("mac", mac), ("address", address), reason)


# In the order in which they are applied.
RULES: tuple[Callable[[Told, Links], None], ...] = (
    _asked,
    _interfaces,
    _addresses,
    _announced,
    _serials,
    _assets,
    _client_ids,
    _held,
)


def serial(each: Sighting) -> str:
    """The serial number that a sighting tells; "" when it tells none that names one device."""
    return shared.serial(each.facts.get("serial", ""))


def home(each: Sighting, links: Links) -> Node | None:
    """What a sighting is first of all about: a card, else an address, else a serial number."""
    if each.mac is not None and not (each.source in LISTS and each.mac in links.lent):
        return "mac", each.mac
    if each.address is not None and is_unique(each.address):
        return "address", each.address
    return ("serial", number) if (number := serial(each)) and number not in links.disputed else None
