"""What several surveys saw of the addresses that devices make up, for the estimate of how many devices are behind them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, tzinfo

from census.randoms import Trace
from netready.device import Device
from netready.survey import Survey

# Sources that heard a device at the time of the survey; a router's table and a DHCP server's list remember for hours.
_HEARD = frozenset({"arp", "icmp", "nd", "wifi", "fdb", "dhcp", "mdns", "ssdp", "lldp"})
_LIKE = ("parameters", "vendor_class", "os")


def traces(surveys: Iterable[Survey], zone: tzinfo) -> tuple[Trace, ...]:
    """One trace for each made-up address, or pseudonym of one, in the latest period whose surveys there are.

    A pseudonym says nothing across periods, for the key behind it was changed.
    """
    found = sorted(surveys, key=lambda survey: survey.started_at)
    latest = [survey for survey in found if survey.period == found[-1].period]
    seen: defaultdict[str, list[tuple[datetime, Device]]] = defaultdict(list)
    for survey in latest:
        for device in survey.devices:
            if device.random:
                seen[device.key].append((survey.started_at.astimezone(zone), device))
    return tuple(_trace(key, rows) for key, rows in sorted(seen.items()))


def _trace(key: str, rows: list[tuple[datetime, Device]]) -> Trace:
    heard = [(at, device) for at, device in rows if _HEARD & set(device.how)]
    facts: dict[str, str] = {}
    for _, device in rows:
        facts |= device.facts
    like = " ".join(f"{name}={facts[name]}" for name in _LIKE if facts.get(name))
    return Trace(
        key=key,
        seen=tuple(at for at, _ in heard or rows),
        like=like if "parameters" in facts else "",  # half a fingerprint would make one device look like two
        network=facts.get("ssid", ""),
        fresh=bool(heard),
    )
