"""THE VIRTUAL SCHOOL's line, described: one direction of it, and the counters that its emulator shows.

The emulator itself is `lab.emulate`, one process for each direction.
"""

import struct
from pathlib import Path

import msgspec

COUNTERS = ("packets", "bytes", "queue_drops", "losses", "ring_drops", "oversized", "send_errors", "outlet_drops")
UNWANTED = ("ring_drops", "oversized", "send_errors", "outlet_drops")  # the machine's doing, not the line's


class Direction(msgspec.Struct, frozen=True, kw_only=True):
    """One direction. `rate` bit/s at the IP layer; `delay` and `buffer` s; `policer` bytes of burst, 0 for a shaper."""

    take: str
    put: str
    rate: float
    delay: float
    buffer: float
    loss: float
    policer: int
    seed: int
    processor: int | None = None  # the only one to run on
    counters: str  # file that shows the counters, 8 bytes each, in the order of COUNTERS


def counters(path: str | Path) -> dict[str, int]:
    """The counters of one direction by name, read while it works."""
    return dict(zip(COUNTERS, struct.unpack(f"{len(COUNTERS)}Q", Path(path).read_bytes()), strict=True))
