"""THE VIRTUAL SCHOOL's verdict: what an audit found, figure by figure, beside what is really there."""

from collections import Counter
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from lab.campus import PEOPLE
from lab.truth import TrueHost, Truth
from netready.device import INFRASTRUCTURE
from netready.privacy import FEWEST_PEOPLE

THROUGHPUT_LIMIT = 0.03  # of the shaped rate: 2 % of the emulator's own promise and 1 % for the start of a test
PRINTED_DIGIT = 1e6  # bit/s: reports print whole Mbps per 1,000 users
PAYLOAD = 1448 / 1500  # of an IP packet is TCP payload: 20 bytes of IP header, 32 of TCP header with timestamps


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a finding with the truth, in words that are ready to print."""

    what: str
    truth: str
    found: str
    limit: str
    right: bool


def compare(truth: Truth, report: dict[str, Any], devices: list[dict[str, Any]]) -> list[Check]:
    """Every figure that the lab can vouch for. A figure that is missing is wrong."""
    survey, judgement = report.get("survey") or {}, report.get("judgement") or {}
    rates = {"down": truth.wan.down, "up": truth.wan.up}
    checks = [_throughput(direction, rate, survey) for direction, rate in rates.items()]
    checks += [_per_1000(direction, truth.users, judgement) for direction in rates]
    return [*checks, _hosts(truth, devices), *_places(truth, devices), _counted(truth, survey)]


def _throughput(direction: str, shaped: float, survey: dict[str, Any]) -> Check:
    rows = [row for row in survey.get("measurements", ()) if row["metric"] == f"throughput_{direction}"]
    row: dict[str, Any] = rows[-1] if rows else {"value": None, "failure": "not measured"}
    layer = str(row.get("details", {}).get("layer", "TCP payload"))
    expected = shaped * (PAYLOAD if "payload" in layer.lower() else 1.0)
    value = row["value"]
    return Check(
        what=f"throughput {direction}, {layer}",
        truth=f"{expected / 1e6:,.2f} Mbps",
        found=f"{value / 1e6:,.2f} Mbps ({value / expected - 1:+.1%})" if value is not None else str(row["failure"]),
        limit=f"within {THROUGHPUT_LIMIT:.0%}",
        right=value is not None and abs(value / expected - 1) <= THROUGHPUT_LIMIT,
    )


def _per_1000(direction: str, users: int, judgement: dict[str, Any]) -> Check:
    line = judgement.get(direction) or {}
    available, stated = ((line.get(name) or {}).get("value") for name in ("available", "per_1000"))
    expected = None if available is None else available / users * 1000

    def shown(value: float | None) -> str:
        return "not known" if value is None else f"{value / PRINTED_DIGIT:,.0f}"

    return Check(
        what=f"Mbps per 1,000 users, {direction} ({users} users)",
        truth=shown(expected),
        found=shown(stated),
        limit="the printed digit",
        right=expected is not None and shown(expected) == shown(stated),
    )


def _hosts(truth: Truth, devices: list[dict[str, Any]]) -> Check:
    listed = Counter((device["mac"], address) for device in devices for address in device["addresses"] if _ours(address, truth))
    there = {(host.mac, host.address) for host in truth.hosts}
    allowed = {(host.mac, address) for host in truth.hosts for address in host.others}
    macs = Counter(device["mac"] for device in devices if device["mac"])
    twice = sorted(pair for pair, times in listed.items() if times > 1 or macs[pair[0]] > 1)
    wrong = [
        f"{word} {', '.join(address for _, address in some[:3])}{' ...' if len(some) > 3 else ''}"
        for word, some in (
            ("missing", sorted(there - set(listed))),
            ("not there", sorted(set(listed) - there - allowed, key=str)),
            ("twice", twice),
        )
        if some
    ]
    return Check(
        what="hosts in the inventory, MAC and address",
        truth=f"{len(there)}",
        found="; ".join([str(sum(times for pair, times in listed.items() if pair not in allowed)), *wrong]),
        limit="each once",
        right=not wrong,
    )


def _ours(address: str, truth: Truth) -> bool:
    """Whether an address is of the school's networks; what is veiled may be."""
    try:
        own = ip_address(address)
    except ValueError:
        return True
    return any(own in ip_network(network) for network in truth.networks)


def _places(truth: Truth, devices: list[dict[str, Any]]) -> list[Check]:
    """Where each host is, on a campus: the port nearest to it, its room, and a wireless host's access point."""
    by_mac = {device["mac"]: device for device in devices if device["mac"]}
    names = {host.address: host.name for host in truth.hosts if host.kind == "switch"}
    placed = [host for host in truth.hosts if host.switch]

    def port(device: dict[str, Any]) -> str:
        place = device.get("place") or {"switch": "nowhere", "port": ""}
        return f"{names.get(place['switch'], place['switch'])} {place['port']}".strip()

    def check(what: str, wanted: dict[str, str], found: dict[str, str]) -> Check:
        wrong = sorted(f"{name} at {found.get(name, 'nowhere')}" for name in wanted if found.get(name) != wanted[name])
        said = f"{', '.join(wrong[:3])}{' ...' if len(wrong) > 3 else ''}"
        return Check(
            what=what,
            truth=f"{len(wanted)}",
            found="; ".join(filter(None, [str(len(wanted) - len(wrong)), said])),
            limit="each right",
            right=not wrong,
        )

    here = {host.name: by_mac[host.mac] for host in truth.hosts if host.mac in by_mac}
    if not placed:
        return []
    return [
        check(
            "switch and port of each host",
            {host.name: "nowhere" if withheld(host) else f"{host.switch} {host.port}" for host in placed},
            {name: port(device) for name, device in here.items()},
        ),
        check(
            "room of each host",
            {host.name: "None" if withheld(host) else host.room for host in placed},
            {name: str(device.get("room")) for name, device in here.items()},
        ),
        check(
            "access point of each wireless host",
            {host.name: host.point for host in placed if host.point},
            {name: str(device.get("point")) for name, device in here.items()},
        ),
    ]


def withheld(host: TrueHost) -> bool:
    """Whether the audit must not say where a host is: a person's device in a room that few people use."""
    return host.kind not in INFRASTRUCTURE and PEOPLE.get(host.room, FEWEST_PEOPLE) < FEWEST_PEOPLE


def _counted(truth: Truth, survey: dict[str, Any]) -> Check:
    counted = len(survey.get("devices", ()))
    return Check(
        what="devices counted in the report",
        truth=f"{len(truth.hosts)}",
        found=f"{counted}",
        limit="exactly",
        right=counted == len(truth.hosts),
    )


def table(checks: list[Check]) -> str:
    """The comparison as text."""
    head = Check(what="figure", truth="truth", found="found", limit="limit", right=True)
    rows = [(row.what, row.truth, row.found, row.limit) for row in (head, *checks)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    marks = ["", *("right" if check.right else "WRONG" for check in checks)]
    return "\n".join(f"{line}  {mark}".rstrip() for line, mark in zip(lines, marks, strict=True))
