"""THE VIRTUAL SCHOOL's papers: the room plan that its caretaker keeps, and the asset list that Google Admin exports.

Like every such paper they are not quite right: two of the enrolled Chromebooks are not there, and one that is there is not
enrolled (lab.population). A room's people stand in each of its rows.
"""

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta

from lab.campus import PEOPLE, Campus
from lab.plan import Plan
from lab.population import ENROLLED_NOT_SEEN, SEEN_NOT_ENROLLED
from lab.school import Host

ROOMS_NAME, ASSETS_NAME = "rooms.csv", "google.csv"
MEMORY = 4 << 30  # bytes
LONG_AGO = timedelta(days=75)  # since an enrolled device that is nowhere was last in touch

# Until when ChromeOS is updated on a model; a lab's own dates, so that one is always past and one is not.
UPDATES_UNTIL = {"Lenovo 100e Chromebook": "2024-06-01", "Lenovo 300e Chromebook Gen 3": "2039-06-01"}
_ASSET_COLUMNS = (
    "deviceId",
    "serialNumber",
    "status",
    "lastSync",
    "model",
    "osVersion",
    "macAddress",
    "annotatedAssetId",
    "annotatedLocation",
    "orgUnitPath",
    "systemRamTotal",
    "autoUpdateThrough",
)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([columns, *rows])
    return text.getvalue()


def rooms(plan: Plan, campus: Campus) -> str:
    """The room plan: which room each socket and each access point is in, and how many people a room has when it is full."""
    people = {room: str(number) for room, number in PEOPLE.items()}
    taken = {(outlet.switch, outlet.port) for outlet in campus.trunk}
    sockets = [
        (switch.name, switch.port_name(port.number), "", port.room, people.get(port.room, ""))
        for switch in campus.switches
        for port in switch.ports
        if (switch.name, port.number) not in taken
    ]
    points = [
        ("", "", host.name, room, people.get(room, ""))
        for host in plan.hosts
        if host.kind == "access-point"
        for room in [campus.port(campus.outlet(host, plan.hosts)).room]
    ]
    return _table(("switch", "port", "access_point", "room", "people"), [*sockets, *points])


def enrolled(plan: Plan) -> tuple[Host, ...]:
    """The hosts that stand in the asset list."""
    return tuple(host for host in plan.hosts if host.model in UPDATES_UNTIL and host.name not in SEEN_NOT_ENROLLED)


def google_admin(plan: Plan, now: datetime) -> str:
    """The Chromebooks, as a script prints the Directory API's fields (REST resource chromeosdevices)."""
    rows = [_asset(host, now) for host in enrolled(plan)] + [_asset(host, now - LONG_AGO) for host in ENROLLED_NOT_SEEN]
    return _table(_ASSET_COLUMNS, rows)


def _asset(host: Host, touched: datetime) -> tuple[str, ...]:
    return (
        f"00000000-0000-4000-8000-{host.mac.replace(':', '')}",
        host.serial,
        "ACTIVE",
        touched.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        host.model,
        "126.0.6478.222",
        host.mac.replace(":", ""),  # Google writes it without separators
        f"CB-{host.serial[-3:]}",
        f"Cart {1 + int(host.serial[-3:]) % 2}",
        "/Students/Devices",
        str(MEMORY),
        UPDATES_UNTIL[host.model],
    )
