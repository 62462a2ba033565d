"""Access points and their clients, as controllers list them and as access points tell of themselves.

Which tables there are is said in `wireless_rows`; this makes sightings and counts of them, whoever made the controller.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from collectors.snmp.ber import Oid, Value
from collectors.snmp.cells import address, count, mac, mac_at, octets, said, text
from collectors.snmp.reading import METHOD, NAME, Told, Yield
from collectors.snmp.wireless_rows import SYSTEMS, System
from netready.device import Sighting
from netready.measurement import Detail, Measurement

CLIENTS, BUSY = "access_point_clients", "radio_utilisation"
METRICS = (CLIENTS, BUSY)
PER_CENT = 100
OCTETS = 6


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One access point: its index in the controller's table, what it is called, how many clients it has, if that is told."""

    row: Oid
    name: str
    mac: str | None
    address: str | None
    up: bool
    clients: int | None
    facts: dict[str, str]


def own_clients(told: Told) -> int | None:
    """How many clients a device has that is an access point itself; None when it is none, or does not say."""
    found = [
        clients
        for system in SYSTEMS
        if system.points is None
        for module in (system.radios, system.networks)
        if module is not None and "clients" in module.columns
        for value in told.column(module.name, "clients").values()
        if (clients := count(value)) is not None
    ]
    return sum(found) if found else None


def measure(told: Told) -> Iterator[Yield]:
    """Sightings of access points and clients, and for each access point how many clients it has and how busy its radios are."""
    own = own_clients(told)
    if own is not None:
        yield Measurement.of(CLIENTS, told.device, told.at, float(own), METHOD, source="snmp")
    for system in SYSTEMS:
        points = list(_points(told, system))
        clients = list(_clients(told, system, points))
        listed = Counter(client.facts.get("point") for client in clients)
        whole = system.clients is not None and told.has(system.clients.name) and system.clients.name not in told.faults
        for point in points:
            counted = listed[point.name] if whole and point.clients is None else point.clients
            yield from _point(told, system, msgspec.structs.replace(point, clients=counted))
        if system.points is None and system.radios is not None:
            for row, cell in told.rows(system.radios.name):
                yield from _busy(told, told.device, said(cell.get("name")) or f"radio {row[-1] if row else 1}", cell)
        yield from clients


# --- access points ------------------------------------------------------------------------------------------------------------


def _points(told: Told, system: System) -> Iterator[Point]:
    if system.points is None:
        return
    by_radio = _by_radio(told, system)
    for row, cell in told.rows(system.points.name):
        base = (mac_at(row) or None) if len(row) == OCTETS else None
        own = mac(cell.get("mac")) or base
        state, clients = cell["state"], count(cell.get("clients"))
        word = system.states.get(state, "unknown") if isinstance(state, int) else text(state)
        if own is None:
            told.malformed[system.points.name] += 1
            continue
        facts = {fact: said(cell.get(fact)) for fact in ("model", "serial", "location", "software")} | {"state": word}
        facts["location"] = "" if facts["location"].lower() == "default location" else facts["location"]
        yield Point(
            row=row,
            name=text(cell["name"]) or own,
            mac=own,
            address=address(cell["address"]),
            up=(state if isinstance(state, int) else word.lower()) in system.up,
            clients=clients if clients is not None else by_radio.get(row),
            facts=facts,
        )


def _by_radio(told: Told, system: System) -> Counter[Oid]:
    """Clients of each access point, added up over its radios."""
    found: Counter[Oid] = Counter()
    if system.radios is not None and "clients" in system.radios.columns:
        for row, value in told.column(system.radios.name, "clients").items():
            found[row[:-1]] += count(value) or 0
    return found


def _point(told: Told, system: System, point: Point) -> Iterator[Yield]:
    known = point.up and point.clients is not None
    facts = {"controller": told.device, **point.facts, "clients": str(point.clients) if known else ""}
    yield Sighting(
        source="controller",
        at=told.at,
        mac=point.mac,
        address=point.address,
        name=point.name,
        facts={name: fact for name, fact in facts.items() if fact},
    )
    if not point.up:
        return
    target = f"{told.device} {point.name}"
    if point.clients is not None:
        details: dict[str, Detail] = {"source": "snmp", "location": point.facts["location"], "mac": point.mac}
        yield Measurement.of(CLIENTS, target, told.at, float(point.clients), METHOD, **details)
    if system.radios is not None:
        for row, cell in told.once(_radios).get((system.radios.name, point.row), ()):
            yield from _busy(told, target, f"radio {row[-1]}", cell)


def _radios(told: Told) -> dict[tuple[str, Oid], list[tuple[Oid, dict[str, Value]]]]:
    """The radios of each access point, by the radios' table and the access point's index."""
    found: dict[tuple[str, Oid], list[tuple[Oid, dict[str, Value]]]] = {}
    for system in SYSTEMS:
        if system.radios is not None and system.points is not None:
            for row, cell in told.rows(system.radios.name):
                found.setdefault((system.radios.name, row[:-1]), []).append((row, cell))
    return found


def _busy(told: Told, target: str, radio: str, cell: Mapping[str, Value]) -> Iterator[Measurement]:
    value = count(cell.get("utilisation"))
    if value is not None and value <= PER_CENT:
        details: dict[str, Detail] = {"source": "snmp"}
        if (clients := count(cell.get("clients"))) is not None:
            details["clients"] = clients
        yield Measurement.of(BUSY, f"{target} {radio}", told.at, value / PER_CENT, METHOD, **details)


# --- clients ------------------------------------------------------------------------------------------------------------------


def _clients(told: Told, system: System, points: list[Point]) -> Iterator[Sighting]:
    """Each client, with the access point that it is at, by that one's name."""
    if system.clients is None:
        return
    names = _names(told, system, points)
    networks = _networks(told, system)
    own = text(told.system.get(NAME)) or told.device
    for row, cell in told.rows(system.clients.name):
        holder = mac(cell.get("mac")) or mac_at(row)
        if not holder:
            told.malformed[system.clients.name] += 1
            continue
        bssid = mac(cell.get("bssid")) or (mac(cell.get("point")) if system.point_is == "bssid" else None)
        ssid = text(cell.get("ssid")) or networks.get(bssid or "", "")
        if system.client_at == "mac-interface":
            ssid = networks.get(".".join(map(str, row[OCTETS:])), "")
        facts = {
            "point": names.get(_point_key(system, cell), own if system.points is None else ""),
            "ssid": ssid,
            "os": said(cell.get("os")),
        }
        yield Sighting(
            source="wifi",
            at=told.at,
            mac=holder,
            address=address(cell.get("address")) or _indexed(system, row),
            facts={name: fact for name, fact in facts.items() if fact},
        )


def _point_key(system: System, cell: Mapping[str, Value]) -> str:
    value = cell.get("point")
    return (address(value) if system.point_is == "address" else mac(value)) or ""


def _indexed(system: System, row: Oid) -> str | None:
    """A client's address, where the index has it after the hardware address."""
    parts = octets(row[OCTETS:]) if system.client_at == "mac-address" else None
    return address(parts)


def _names(told: Told, system: System, points: list[Point]) -> dict[str, str]:
    """Names of access points, by what clients call them: their own addresses, that of their radios, or a network's."""
    if system.point_is == "address":
        return {point.address: point.name for point in points if point.address}
    found = {key: point.name for point in points for key in (mac_at(point.row), point.mac) if key}
    if system.point_is == "bssid" and system.networks is not None:
        by_row = {point.row: point.name for point in points}
        for row, _ in told.rows(system.networks.name):  # index: access point, radio, BSSID
            bssid, name = mac_at(row, len(row) - OCTETS) if len(row) > OCTETS else None, by_row.get(row[:OCTETS])
            if bssid and name:
                found[bssid] = name
    return found


def _networks(told: Told, system: System) -> dict[str, str]:
    """Names of networks, by their BSSID, and by the end of their index for those who count interfaces."""
    found: dict[str, str] = {}
    if system.networks is None:
        return found
    for row, cell in told.rows(system.networks.name):
        ssid = text(cell["ssid"])
        bssid = mac(cell.get("bssid")) or (mac_at(row, len(row) - OCTETS) if len(row) > OCTETS else None)
        found[bssid or ".".join(map(str, row))] = ssid
    return found
