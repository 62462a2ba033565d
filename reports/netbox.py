"""The inventory as NetBox takes devices: in bulk as CSV, or as the list of objects that its REST API takes.

CSV has the columns of NetBox's own import form (netbox/dcim/forms/bulk_import.py), where role, manufacturer, device type, site
and location are given by name and must exist. The API takes related objects by their attributes (REST API, "Brief format" and
"Writable objects"); `POST /api/dcim/devices/` takes the whole list, and all of it or nothing.

A name may stand once in a site, so that a second device of the same name gets its key behind it. Addresses are in the
description: NetBox hangs them on interfaces, which a device must have first.
"""

import csv
import io

import msgspec

from netready.device import Device
from netready.survey import Survey
from netready.text import safe_cell
from reports import wording
from reports.inventory_exports import UNKNOWN, exported, maker, named

COLUMNS = (
    "name",
    "role",
    "manufacturer",
    "device_type",
    "serial",
    "status",
    "site",
    "location",
    "description",
    "comments",
)
# Characters that NetBox's fields hold (netbox/dcim/models), of which one is kept for an apostrophe.
LONGEST = {
    "name": 64,
    "serial": 50,
    "description": 200,
    "role": 100,
    "manufacturer": 100,
    "device_type": 100,
    "site": 100,
    "location": 100,
}
ACTIVE, OFFLINE = "active", "offline"  # of its statuses: seen by this survey, or only in an asset list


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A related object, by its name."""

    name: str


class DeviceType(msgspec.Struct, frozen=True, kw_only=True):
    """A model and its maker."""

    manufacturer: Named
    model: str


class Posted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device as the API takes it."""

    name: str
    role: Named
    device_type: DeviceType
    site: Named
    status: str
    location: Named | None = None
    serial: str = ""
    description: str = ""
    comments: str = ""


def render(survey: Survey, *, include_clients: bool = False) -> str:
    """The CSV table as text, without a byte order mark.

    A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV injection").
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, dialect="excel")
    writer.writerow(COLUMNS)
    for row in _rows(survey, include_clients=include_clients):
        writer.writerow([safe_cell(row[column]) for column in COLUMNS])
    return out.getvalue()


def render_api(survey: Survey, *, include_clients: bool = False) -> str:
    """The objects as JSON, in the CSV's order, with a line end."""
    posted = [
        Posted(
            name=row["name"],
            role=Named(name=row["role"]),
            device_type=DeviceType(manufacturer=Named(name=row["manufacturer"]), model=row["device_type"]),
            site=Named(name=row["site"]),
            location=Named(name=row["location"]) if row["location"] else None,
            serial=row["serial"],
            status=row["status"],
            description=row["description"],
            comments=row["comments"],
        )
        for row in _rows(survey, include_clients=include_clients)
    ]
    return msgspec.json.format(msgspec.json.encode(posted).decode(), indent=1) + "\n"


def _rows(survey: Survey, *, include_clients: bool) -> list[dict[str, str]]:
    taken: set[str] = set()
    return [_row(survey, device, taken) for device in exported(survey, include_clients=include_clients)]


def _row(survey: Survey, device: Device, taken: set[str]) -> dict[str, str]:
    kind = wording.KINDS[device.kind][0]
    name = _cut("name", named(device))
    if name.casefold() in taken:
        behind = f" ({device.key})"
        name = name[: max(0, LONGEST["name"] - 1 - len(behind))] + behind
    taken.add(name.casefold())
    row = {
        "name": name,
        "role": kind.capitalize(),
        "manufacturer": maker(device),
        "device_type": device.facts.get("model") or f"{UNKNOWN} {kind}",
        "serial": device.facts.get("serial", ""),
        "status": ACTIVE if device.how else OFFLINE,
        "site": survey.site,
        "location": device.room or "",
        "description": ", ".join((*device.addresses, *((device.mac,) if device.mac else ()))),
        "comments": "; ".join((*device.why, *device.merged)),
    }
    return {column: _cut(column, text) for column, text in row.items()}


def _cut(column: str, text: str) -> str:
    most = LONGEST.get(column)
    return text if most is None or len(text) < most else f"{text[: most - 2]}…"
