"""The inventory as Snipe-IT's importer takes assets.

The headers are those that its command line maps by itself (app/Importer/Importer.php), which its page recognises too; "MAC
Address" is the custom field that Snipe-IT comes with. An asset is found again by its tag: the school's own where an asset list
told it, else what the device is known by here, so that a second import updates and does not double. Models, categories, makers
and locations that do not exist yet are made by the importer; the status label must exist.

No byte order mark: it would become part of the first header. A cell that a spreadsheet would take for a formula begins with an
apostrophe (OWASP, "CSV injection").
"""

import csv
import io

from netready.device import Device
from netready.survey import Survey
from netready.text import safe_cell
from reports import wording
from reports.inventory_exports import UNKNOWN, exported, maker, named

COLUMNS = (
    "Asset Tag",
    "Item Name",
    "Serial Number",
    "Model Name",
    "Model Number",
    "Manufacturer",
    "Category",
    "Location",
    "Status",
    "MAC Address",
    "Notes",
)
STATUS = "Ready to Deploy"  # the label every Snipe-IT begins with


def render(survey: Survey, *, include_clients: bool = False) -> str:
    """The table as text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, dialect="excel")
    writer.writerow(COLUMNS)
    for device in exported(survey, include_clients=include_clients):
        writer.writerow([safe_cell(cell) for cell in _cells(survey, device)])
    return out.getvalue()


def _cells(survey: Survey, device: Device) -> tuple[str, ...]:
    kind = wording.KINDS[device.kind][0]
    model = device.facts.get("model", "")
    seen = f"netready, {survey.finished_at.date().isoformat()}"
    return (
        device.facts.get("asset") or device.key,
        named(device),
        device.facts.get("serial", ""),
        model or f"{UNKNOWN} {kind}",
        model,
        maker(device),
        kind.capitalize(),
        device.room or "",
        STATUS,
        device.mac or "",
        ". ".join((seen, *device.addresses, *device.why)),
    )
