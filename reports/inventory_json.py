"""The inventory as JSON, for other programs.

Version 1 has these fields. More may be added within a version; none is removed or given another meaning.

format, version   "netready-inventory" and 1
survey            id, site, software, started_at and finished_at (ISO 8601, UTC)
clients           whether devices that may be a person's are in it
left_out          how many devices were left out because they may be
devices           each as `netready.device.Device` has it: key, kind, mac, addresses, names, vendor, room, place, point, random,
                  why, merged, how, enrolled, facts
findings          what a technician should look at: trouble, where, says, known_by, devices (keys), room
unseen            what could not be seen and why, one sentence each
"""

from typing import Literal

import msgspec

from netready.device import Device
from netready.finding import Finding
from netready.survey import Survey
from reports.inventory_exports import exported, findings


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """Which survey it is of."""

    id: str
    site: str
    software: str
    started_at: str
    finished_at: str


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    format: Literal["netready-inventory"] = "netready-inventory"
    version: Literal[1] = 1
    survey: Made
    clients: bool
    left_out: int
    devices: tuple[Device, ...]
    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]


def render(survey: Survey, *, include_clients: bool = False) -> str:
    """The document with sorted keys and a line end: the same survey always gives the same text."""
    devices = exported(survey, include_clients=include_clients)
    content = Inventory(
        survey=Made(
            id=survey.id,
            site=survey.site,
            software=survey.software,
            started_at=survey.started_at.isoformat(),
            finished_at=survey.finished_at.isoformat(),
        ),
        clients=include_clients,
        left_out=len(survey.devices) - len(devices),
        devices=devices,
        findings=findings(survey, devices),
        unseen=survey.unseen,
    )
    text = msgspec.json.encode(content, order="sorted").decode()
    return msgspec.json.format(text, indent=1) + "\n"
