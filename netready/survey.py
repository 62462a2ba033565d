"""A survey: one visit to a site. Its JSON is the wire format and carries its own version."""

from datetime import datetime
from typing import Literal

import msgspec

from netready.device import Device
from netready.finding import Finding
from netready.measurement import Measurement
from netready.sent import Sent


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one instrument reported of itself.

    ok        it did its work; a network that failed is ok, an instrument that broke is not
    skipped   why it was not run at all, in one sentence
    """

    instrument: str
    method: str
    ok: bool
    seconds: float
    measurements: int = 0
    sightings: int = 0
    skipped: str | None = None
    error: str | None = None
    sent: tuple[Sent, ...] = ()


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """One visit. `version` is the format's, `software` the program's.

    findings  what a technician should look at
    unseen    what could not be seen and why, one sentence each
    answers   what a school asks of its device list: question and answer
    period    of the key behind the pseudonyms of devices that may be a person's; "": there are none
    forgotten how many of those devices, by kind, have been forgotten since
    """

    version: Literal[1] = 1
    id: str
    site: str
    software: str
    started_at: datetime
    finished_at: datetime
    measurements: tuple[Measurement, ...] = ()
    devices: tuple[Device, ...] = ()
    runs: tuple[Run, ...] = ()
    findings: tuple[Finding, ...] = ()
    unseen: tuple[str, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    period: str = ""
    forgotten: dict[str, int] = {}
    bytes_sent: int = 0
    bytes_received: int = 0
