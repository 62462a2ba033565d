"""The school's lists beside the network: enrolled but not seen, seen but not enrolled."""

from collections import defaultdict
from collections.abc import Iterator, Sized
from datetime import date, timedelta

from census.merge import Census
from netready.device import Device, Kind
from netready.finding import Finding, Trouble
from netready.units import count

LATELY = timedelta(days=30)
OWN = frozenset({Kind.STUDENT_DEVICE, Kind.STAFF_DEVICE, Kind.COMPUTER})  # what a school's lists are about


def not_seen(census: Census, today: date) -> Iterator[Finding]:
    """Devices of each list that the network did not see, and how many of them reported to it lately all the same."""
    lists: defaultdict[str, list[Device]] = defaultdict(list)
    for device in census.enrolled_unseen:
        for name in device.enrolled:
            lists[name].append(device)
    for name, group in sorted(lists.items()):
        every = len(group) + sum(name in device.enrolled for device in census.devices)
        lately = sum(_is_late(device, today) for device in group)
        many = "device" if every == 1 else "devices"
        says = f"{len(group):,} of {every:,} {many} in the {name} list {_were(group)} not seen on the network."
        if lately:
            words = count(lately, "of them", "of them")
            says += f" {words[0].upper()}{words[1:]} reported to it in the last {LATELY.days} days."
        elif not any("last_seen" in device.facts for device in group):
            says += " The list does not say when it last heard of them."
        yield Finding(
            trouble=Trouble.ENROLLED_NOT_SEEN,
            where=f"list {name}",
            says=says,
            known_by=(f"{name} list",),
            devices=tuple(sorted(device.key for device in group if device.mac is not None)),
        )


def _were(group: Sized) -> str:
    return "was" if len(group) == 1 else "were"


def _is_late(device: Device, today: date) -> bool:
    try:
        seen = date.fromisoformat(device.facts.get("last_seen", "")[:10])
    except ValueError:
        return False
    return today - LATELY <= seen <= today


def not_enrolled(census: Census) -> Iterator[Finding]:
    """Computers that the network saw and no list has. Made-up hardware addresses cannot be looked up in a list."""
    everything = (*census.devices, *census.enrolled_unseen)
    lists = sorted({name for device in everything for name in device.enrolled})
    if not lists:
        return
    same: defaultdict[Kind, list[Device]] = defaultdict(list)
    for device in census.devices:
        if device.kind in OWN and not device.enrolled and not device.random:
            same[device.kind].append(device)
    for kind, group in sorted(same.items()):
        number = count(len(group), kind.value.replace("-", " "))
        yield Finding(
            trouble=Trouble.SEEN_NOT_ENROLLED,
            where=kind.value,
            says=f"{number[0].upper()}{number[1:]} {_were(group)} seen that no list of the school has ({', '.join(lists)}).",
            known_by=tuple(f"{name} list" for name in lists),
            devices=tuple(sorted(device.key for device in group)),
        )
