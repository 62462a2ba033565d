"""What is wrong with addresses: two devices with one, one device that answers for many, and DHCP servers nobody knows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from census.merge import Census
from netready.device import Sighting
from netready.finding import Finding, Trouble
from netready.units import count

_NOW = frozenset({"arp", "nd", "router"})  # who tells what is true at this moment; a lease may be last week's


def duplicates(census: Census, sightings: Iterable[Sighting]) -> Iterator[Finding]:
    """Addresses that several devices hold at once."""
    now: defaultdict[str, set[str]] = defaultdict(set)
    tellers: defaultdict[str, set[str]] = defaultdict(set)
    for each in sightings:
        if each.source in _NOW and each.mac is not None and each.address in census.joined.claims and "proxy" not in each.facts:
            now[each.address].add(each.mac)
            tellers[each.address].add("a router's table" if each.source == "router" else each.source.upper())
    for address, claims in sorted(census.joined.claims.items()):
        macs = sorted(now[address] & set(claims))
        keys = sorted({census.owner[mac] for mac in macs if mac in census.owner})
        if len(keys) > 1:
            yield Finding(
                trouble=Trouble.DUPLICATE_ADDRESS,
                where=address,
                says=f"{count(len(keys), 'device').capitalize()} use {address} ({', '.join(macs)}): each cuts the others off.",
                known_by=tuple(sorted(tellers[address])),
                devices=tuple(keys),
            )


def proxies(census: Census, sightings: Iterable[Sighting]) -> Iterator[Finding]:
    """Devices that answer for the addresses of others."""
    answered: defaultdict[str, set[str]] = defaultdict(set)
    for each in sightings:
        if each.mac is not None and each.address is not None and "proxy" in each.facts:
            answered[each.mac].add(each.address)
    for mac, addresses in sorted(answered.items()):
        key = census.owner.get(mac, mac)
        yield Finding(
            trouble=Trouble.PROXY_ARP,
            where=key,
            says=f"{mac} answers for {count(len(addresses), 'address', 'addresses')} of others (proxy ARP): an answer does"
            " not show that anybody is at home, and none of them is counted.",
            known_by=("ARP",),
            devices=(key,) if mac in census.owner else (),
        )


def rogue_dhcp(census: Census, sightings: Iterable[Sighting], known: Collection[str]) -> Iterator[Finding]:
    """DHCP servers that are not the school's own. While nobody says which are, several of them are one too many."""
    heard: defaultdict[str, dict[str, Sighting]] = defaultdict(dict)
    for each in sightings:
        if each.source == "dhcp-server" and (who := each.address or each.mac):
            heard[who][each.facts.get("serves", "")] = each
    if not known and len(heard) < 2:
        return
    for who, offers in sorted(heard.items()):
        if who in known:
            continue
        first = next(iter(offers.values()))
        number = census.joined.by_address.get(who, census.joined.by_mac.get(first.mac or ""))
        name = who if number is None else census.topology.names[number]
        shown = who if name == who else f"{name} ({who})"
        gives = ", ".join(sorted(address for address in offers if address)[:3])
        place = census.topology.at(first.mac) if first.mac else None
        advice = "it is not in inventory.dhcp_servers" if known else "there are several; inventory.dhcp_servers can say whose"
        yield Finding(
            trouble=Trouble.ROGUE_DHCP,
            where=shown,
            says=f"{shown} gives out addresses{f' such as {gives}' if gives else ''}"
            f"{f' on {place.switch} port {place.port}' if place else ''}: {advice}.",
            known_by=tuple(f"DHCP offer heard on {first.facts[name]}" for name in ("interface",) if name in first.facts),
            devices=(census.owner[first.mac],) if first.mac in census.owner else (),
        )
