"""What could not be seen and why: every inventory has such a list, and a technician needs it as much as the other."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import msgspec

from census.merge import Census
from netready.device import Sighting
from netready.measurement import Measurement
from netready.survey import Run
from netready.text import clean
from netready.units import count

Network = IPv4Network | IPv6Network
_SWEEPS = frozenset({"arp_hosts", "icmp_hosts", "nd_hosts"})
_MOST = 8  # names in one sentence


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """How the survey looked.

    networks      the authorised ones
    sightings     those that the census was counted from
    measurements  of the survey: sweeps with their hosts, devices with the time since their start, frames that were lost
    runs          what each instrument reported of itself
    """

    census: Census
    networks: Sequence[Network]
    sightings: Sequence[Sighting]
    measurements: Sequence[Measurement]
    runs: Sequence[Run]


def unseen(looked: Looked) -> tuple[str, ...]:
    """One sentence for each thing that could not be seen, or not well, in the order in which it matters."""
    return (
        *_networks(looked),
        *_silent(looked.measurements),
        *_instruments(looked.runs),
        *_lost(looked.measurements),
        *_tables(looked),
        *_wireless(looked.census),
        *looked.census.notes,
        "What was switched off or asleep during the survey is not counted.",
    )


def _networks(looked: Looked) -> Iterator[str]:
    """What is known of each authorised network, and from whom."""
    swept = [part for each in looked.measurements if each.metric in _SWEEPS and each.value is not None for part in _parts(each)]
    told = {each.address for each in looked.sightings if each.source == "router" and each.address is not None}
    heard = {each.address for each in looked.sightings if each.source not in {"router", "lease"} and each.address is not None}
    for network in looked.networks:
        smaller = sorted({str(part) for part in swept if part != network and _inside(part, network)})
        if any(_inside(network, part) for part in swept):
            continue
        if smaller:
            yield f"Of {network} only {', '.join(smaller)} was swept, which this machine is in."
        elif _within(told, network):
            yield f"{network} is known from routers' tables alone: who was silent for longer than they remember is missing."
        elif _within(heard, network):
            yield f"{network} was not swept; only what announced itself or a switch told is known of it."
        else:
            yield (
                f"{network} was not seen at all: this machine is not in it, and no router told its table of neighbours there"
                " (snmp.devices names those that are asked)."
            )


def _inside(part: Network, whole: Network) -> bool:
    return part.version == whole.version and part.network_address in whole and part.broadcast_address in whole


def _parts(each: Measurement) -> Iterator[Network]:
    """The network that a sweep was about, or the part of it that was swept."""
    text = each.details.get("swept") or each.target
    try:
        yield (IPv6Network if ":" in str(text) else IPv4Network)(str(text), strict=False)
    except ValueError:
        return


def _within(addresses: Iterable[str], network: Network) -> bool:
    for text in addresses:
        try:
            if ip_address(text) in network:
                return True
        except ValueError:
            continue
    return False


def _silent(measurements: Sequence[Measurement]) -> Iterator[str]:
    """Managed devices that were asked and did not answer, by why, and those that answered in part."""
    why: dict[str, list[str]] = {}
    for each in measurements:
        if each.metric == "device_uptime" and each.failure is not None and each.failure != "not-supported":
            why.setdefault(each.failure.value, []).append(each.target)
    for word, targets in sorted(why.items()):
        shown = _several(sorted(targets))
        yield f"{shown} did not answer SNMP ({word}): the port and the room of what hangs there are not known."
    for each in measurements:
        faults = each.details.get("faults")
        if each.metric == "device_uptime" and isinstance(faults, dict) and faults:
            parts = "; ".join(f"{clean(part)}: {clean(str(fault))}" for part, fault in sorted(faults.items()))
            yield f"{clean(each.target)} answered SNMP in part only ({parts})."


def _several(names: Sequence[str]) -> str:
    shown = [clean(name) for name in names[:_MOST]]
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(shown) + more


def _instruments(runs: Iterable[Run]) -> Iterator[str]:
    for run in runs:
        if run.skipped is not None:
            yield f"{run.instrument} was not run: {clean(run.skipped, limit=300)}."
        elif not run.ok:
            yield f"{run.instrument} broke off, so what it sees is missing ({clean(run.error or 'no reason', limit=300)})."


def _lost(measurements: Iterable[Measurement]) -> Iterator[str]:
    lost = sum(each.value or 0.0 for each in measurements if each.metric == "listen_dropped")
    if lost:
        yield f"{lost:,.0f} frames were lost while listening: this machine was too slow for them."


def _tables(looked: Looked) -> Iterator[str]:
    """How much of what the switches hear is known otherwise: the nearest thing to a measure of completeness."""
    census = looked.census
    macs = {mac for learned in census.topology.learned.values() for mac in learned}
    if not macs:
        yield "No switch told its forwarding table: which port a device hangs on is not known."
        return
    otherwise = {
        each.mac for each in looked.sightings if each.source != "fdb" and each.mac is not None and each.address is not None
    }
    known = len(macs & otherwise)
    rest = len(macs) - known
    yield (
        f"{100 * known // len(macs)} % of the {len(macs):,} hardware addresses in the switches' tables have an address"
        + (f"; {count(rest, 'device')} only a switch heard." if rest else ".")
    )
    if census.topology.lost:
        lost = count(len(census.topology.lost), "device")
        yield f"Of {lost} the port is not known: only the lines between switches have heard of them."
    for port in sorted(census.topology.beyond):
        names = ", ".join(sorted({clean(one.name) for one in census.topology.neighbours.get(port, ())})) or "a switch"
        yield f"Behind {census.topology.shown(port)} is {names}, which was not asked; what hangs there is placed at that port."


def _wireless(census: Census) -> Iterator[str]:
    if not any(each.source == "wifi" for group in census.joined.groups for each in group.sightings):
        yield (
            "No access point or controller told its clients. A Wi-Fi network that keeps its clients apart hides them from this"
            " machine, unless a router or a switch has them in its tables."
        )
