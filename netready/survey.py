"""A survey: one visit to a site. Its JSON is the wire format and carries its own version."""

from datetime import datetime
from typing import Literal

import msgspec

from netready.device import Device
from netready.measurement import Measurement


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


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """One visit. `version` is the format's, `software` the program's."""

    version: Literal[1] = 1
    id: str
    site: str
    software: str
    started_at: datetime
    finished_at: datetime
    measurements: tuple[Measurement, ...] = ()
    devices: tuple[Device, ...] = ()
    runs: tuple[Run, ...] = ()
    bytes_sent: int = 0
    bytes_received: int = 0
