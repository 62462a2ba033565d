"""The census: many sightings, each device once. Merged by MAC address; an address without one stands for itself."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from census.kinds import Naming, classify
from census.vendors import vendor
from netready.device import Device, Sighting

_MULTICAST_BIT = 0x01
_LOCAL_BIT = 0x02  # locally administered: chosen by software, often at random


def count(sightings: Iterable[Sighting], naming: Naming) -> tuple[Device, ...]:
    """The devices behind `sightings`, in order of address. The order of the sightings does not matter."""
    seen = sorted(sightings, key=lambda each: (each.at, each.source, each.mac or "", each.address or "", each.name or ""))
    owner = _owners(seen)
    groups: defaultdict[str, list[Sighting]] = defaultdict(list)
    for sighting in seen:
        key = sighting.mac or owner.get(sighting.address or "") or sighting.address
        if key is not None:
            groups[key].append(sighting)
    devices = [_device(key, group, naming) for key, group in groups.items()]
    return tuple(sorted(devices, key=_order))


def _owners(seen: Sequence[Sighting]) -> dict[str, str]:
    """Address to MAC, for sources that know only the address. An address that two MACs claim belongs to neither."""
    claims: defaultdict[str, set[str]] = defaultdict(set)
    for sighting in seen:
        if sighting.mac is not None and sighting.address is not None:
            claims[sighting.address].add(sighting.mac)
    return {address: next(iter(macs)) for address, macs in claims.items() if len(macs) == 1}


def _device(key: str, group: Sequence[Sighting], naming: Naming) -> Device:
    kind, why = classify(group, naming)
    mac = next((each.mac for each in group if each.mac is not None), None)
    rooms = [each.facts["location"] for each in group if each.facts.get("location")]
    return Device(
        key=key,
        mac=mac,
        addresses=tuple(dict.fromkeys(each.address for each in group if each.address is not None)),
        names=tuple(dict.fromkeys(each.name for each in group if each.name)),
        kind=kind,
        vendor=None if mac is None else vendor(mac),
        room=rooms[-1] if rooms else None,
        random=mac is not None and _is_local(mac),
        why=tuple(why),
        how=tuple(sorted({each.source for each in group})),
    )


def _is_local(mac: str) -> bool:
    first = int(mac[:2], 16)
    return bool(first & _LOCAL_BIT) and not first & _MULTICAST_BIT


def _order(device: Device) -> tuple[int, tuple[int, ...] | tuple[()], str]:
    """IPv4 by number, then everything else by key."""
    for address in device.addresses:
        parts = address.split(".")
        if len(parts) == 4 and all(part.isdigit() for part in parts):
            return 0, tuple(int(part) for part in parts), device.key
    return 1, (), device.key
