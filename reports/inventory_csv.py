"""The inventory as CSV, one line a device, safe to open in a spreadsheet.

RFC 4180 line ends and quoting; UTF-8 with a byte order mark, without which spreadsheets read names in the wrong alphabet. A
cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV injection"); a program that reads the
file takes it off again. The columns and their order are a promise; new ones come at the end.
"""

import csv
import io
from collections import defaultdict

from netready.device import Device
from netready.survey import Survey
from netready.text import safe_cell
from reports import wording
from reports.as_csv import BYTE_ORDER_MARK
from reports.inventory_exports import exported, findings

COLUMNS = (
    "key",
    "kind",
    "names",
    "mac",
    "addresses",
    "vendor",
    "maker",
    "model",
    "serial",
    "os",
    "room",
    "switch",
    "port",
    "vlan",
    "access point",
    "updates until",
    "made-up address",
    "seen by",
    "stands in",
    "troubles",
    "evidence",
)
_BETWEEN = "; "


def render(survey: Survey, *, include_clients: bool = False) -> str:
    """The table as text, byte order mark first. Several values of one cell have "; " between them."""
    devices = exported(survey, include_clients=include_clients)
    troubles: defaultdict[str, list[str]] = defaultdict(list)
    for found in findings(survey, devices):
        for key in found.devices:
            troubles[key].append(wording.TROUBLES[found.trouble])
    out = io.StringIO(newline="")
    writer = csv.writer(out, dialect="excel")
    writer.writerow(COLUMNS)
    for device in devices:
        writer.writerow([safe_cell(cell) for cell in _cells(device, troubles[device.key])])
    return BYTE_ORDER_MARK + out.getvalue()


def _cells(device: Device, troubles: list[str]) -> tuple[str, ...]:
    place = device.place
    facts = device.facts
    return (
        device.key,
        wording.KINDS[device.kind][0],
        _BETWEEN.join(device.names),
        device.mac or "",
        _BETWEEN.join(device.addresses),
        device.vendor or "",
        facts.get("maker", ""),
        facts.get("model", ""),
        facts.get("serial", ""),
        " ".join(text for fact in ("os", "os_version") if (text := facts.get(fact))),
        device.room or "",
        place.switch if place else "",
        place.port if place else "",
        (place.vlan or "") if place else "",
        device.point or "",
        facts.get("updates_until", ""),
        "yes" if device.random else "no",
        _BETWEEN.join(device.how),
        _BETWEEN.join(device.enrolled),
        _BETWEEN.join(troubles),
        _BETWEEN.join((*device.why, *device.merged)),
    )
