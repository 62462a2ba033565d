"""The inventory for other programs: which formats there are, and which devices go into them.

Only infrastructure is exported unless clients are asked for, because a client may be somebody's own; a client that was stored
is exported under its pseudonym, in every format. Snipe-IT and NetBox were not at hand: their formats follow the columns that
their documentation and their importers name.
"""

from importlib import import_module
from typing import Protocol

import msgspec

from netready.device import INFRASTRUCTURE, Device
from netready.finding import Finding
from netready.survey import Survey

UNKNOWN = "Unknown"  # where another program insists on a maker


class Render(Protocol):
    """What every format's module offers."""

    def __call__(self, survey: Survey, *, include_clients: bool = False) -> str: ...


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One format.

    what    what it is for, in words
    suffix  of the file, with its dot
    render  the survey as text
    """

    name: str
    what: str
    suffix: str
    render: Render


def _later(module: str, function: str = "render") -> Render:
    """A module's function, imported when it is first used."""

    def render(survey: Survey, *, include_clients: bool = False) -> str:
        found: Render = getattr(import_module(module), function)
        return found(survey, include_clients=include_clients)

    return render


EXPORTS: dict[str, Export] = {
    export.name: export
    for export in (
        Export(name="csv", what="a spreadsheet, one line a device", suffix=".csv", render=_later("reports.inventory_csv")),
        Export(
            name="json",
            what="another program, everything that is known",
            suffix=".json",
            render=_later("reports.inventory_json"),
        ),
        Export(name="snipe-it", what="Snipe-IT's import of assets", suffix=".csv", render=_later("reports.snipe_it")),
        Export(name="netbox", what="NetBox's bulk import of devices", suffix=".csv", render=_later("reports.netbox")),
        Export(
            name="netbox-api",
            what="NetBox's REST API, to be posted to /api/dcim/devices/",
            suffix=".json",
            render=_later("reports.netbox", "render_api"),
        ),
    )
}


def exported(survey: Survey, *, include_clients: bool) -> tuple[Device, ...]:
    """The devices that are exported, in the survey's order."""
    return tuple(device for device in survey.devices if include_clients or device.kind in INFRASTRUCTURE)


def findings(survey: Survey, devices: tuple[Device, ...]) -> tuple[Finding, ...]:
    """The findings about `devices`, and those about no device: a room, a port."""
    keys, all_keys = {device.key for device in devices}, {device.key for device in survey.devices}
    return tuple(found for found in survey.findings if keys & set(found.devices) or not all_keys & set(found.devices))


def named(device: Device) -> str:
    """What a device is called: its first name, else what it is known by."""
    return device.names[0] if device.names else device.key


def maker(device: Device) -> str:
    """Who made a device, or who made its network card; "Unknown" when neither is known."""
    return device.facts.get("maker") or device.vendor or UNKNOWN
