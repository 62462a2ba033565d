"""THE VIRTUAL SCHOOL's line, described: one direction of it, and what its emulator shows while it works.

The emulator itself is `lab.emulate`, one process for each direction. Its file holds the counters, the `origin` of its
changing rate, and a history of what left the line, from which the rate that it truly carried is read for any moment of the
last minute.
"""

import struct
import sys
from bisect import bisect_right
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

COUNTERS = (
    "packets",  # admitted to the line
    "bytes",
    "queue_drops",
    "losses",
    "ring_drops",
    "oversized",
    "send_errors",
    "outlet_drops",
    "late",  # packets that left more than TOLERANCE after their time
    "latest",  # ns; the worst lateness since the line began, 0 when no packet was late
    "out_packets",  # that have left the line
    "out_bytes",
    "out_at",  # ns since the epoch; when the last of them were counted, at most a millisecond after they left
    "origin",  # ns since the epoch; where the moments of changing rates count from, 0 until it is known
)
UNWANTED = ("ring_drops", "oversized", "send_errors", "outlet_drops")  # the machine's doing, not the line's

TOLERANCE = 2_000_000  # ns; a batch of 64 frames may take a tenth of that, so what is later was kept from running
LATE_SHARE = 0.05  # of the packets; the rate does not suffer from a late packet, and beyond this the delays are the machine's

UNHARMFUL = 2e8  # bit/s up to which a direction takes so little of its processor that it may go before everything else

SECOND = 1_000_000_000
GRAIN = 20_000_000  # ns of history in each entry
ENTRIES = 4096  # of history: 82 s
HISTORY_AT = 8 * len(COUNTERS)
SIZE = HISTORY_AT + 16 * ENTRIES  # bytes of the whole file


class Wobble(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rate that is never the same, as over the air.

    deviation   standard deviation of the rate, as a ratio of its mean
    time        s after which a rate is mostly forgotten: the correlation of its logarithm has fallen to 1/e
    """

    deviation: Annotated[float, Meta(gt=0, le=1)]
    time: Annotated[float, Meta(ge=0.01, le=60)]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """From `at` s after the origin on, the line's rate is `rate` bit/s."""

    at: float
    rate: float


class Direction(msgspec.Struct, frozen=True, kw_only=True):
    """One direction. `rate` bit/s at the IP layer; `delay` and `buffer` s; `policer` bytes of burst, 0 for a shaper.

    `turns`, `period`, `begin` and `wobble` say how the rate changes: see lab.plan.Wan.
    """

    take: str
    put: str
    rate: float
    delay: float
    buffer: float
    loss: float
    policer: int
    seed: int
    processor: int | None = None  # the only one to run on
    counters: str  # file that shows the counters, 8 bytes each, in the order of COUNTERS, and then the history
    turns: tuple[Turn, ...] = ()
    period: float = 0.0
    begin: str = "load"
    wobble: Wobble | None = None


def counters(path: str | Path) -> dict[str, int]:
    """The counters of one direction by name, read while it works."""
    with Path(path).open("rb", buffering=0) as file:
        return dict(zip(COUNTERS, struct.unpack(f"{len(COUNTERS)}Q", file.read(HISTORY_AT)), strict=True))


def set_origin(path: str | Path, moment: int) -> None:
    """Let the changes of a direction that waits for it count from `moment`, ns since the epoch."""
    with Path(path).open("r+b", buffering=0) as file:
        file.seek(8 * COUNTERS.index("origin"))
        file.write(struct.pack("Q", moment))


def history(path: str | Path) -> list[tuple[int, int]]:
    """What had left before each grain in which something left: (number of the grain, bytes until then), oldest first.

    The last entry is the present: a number beyond all others, and all the bytes so far.
    """
    seen = Path(path).read_bytes()
    words = struct.unpack_from(f"{2 * ENTRIES}Q", seen, HISTORY_AT)
    newest = max(words[0::2])
    kept = sorted(pair for pair in zip(words[0::2], words[1::2], strict=True) if pair[0] > max(0, newest - ENTRIES))
    (total,) = struct.unpack_from("Q", seen, 8 * COUNTERS.index("out_bytes"))
    return [*kept, (sys.maxsize, total)]


def carried(entries: list[tuple[int, int]], begin: float, end: float) -> float:
    """Bit/s of IP packets that left between two moments, s since the epoch; in a grain, bytes count as evenly spread.

    ValueError when the history does not reach back so far.
    """
    if end <= begin:
        raise ValueError("the window has no length")
    if len(entries) > 1 and begin * SECOND < (entries[-2][0] - ENTRIES + 1) * GRAIN:
        raise ValueError(f"the line remembers {ENTRIES * GRAIN / SECOND:.0f} s, and this window begins before")
    return (_left_by(entries, end) - _left_by(entries, begin)) * 8 / (end - begin)


def _left_by(entries: list[tuple[int, int]], moment: float) -> float:
    """Bytes that had left by then."""
    grain, into = divmod(moment * SECOND, GRAIN)
    after = bisect_right(entries, (grain, sys.maxsize))
    end = entries[min(after, len(entries) - 1)][1]
    begin = entries[after - 1][1] if after and entries[after - 1][0] == grain else end
    return begin + (end - begin) * into / GRAIN


def strained(before: dict[str, int], after: dict[str, int], *, late: float = LATE_SHARE) -> str:
    """What the machine kept one direction from doing between two readings of its counters, in a few words; "" when nothing.

    Any frame that the machine lost counts; packets that left late count when they are more than the share `late`.
    """
    grown = {name: after[name] - before[name] for name in COUNTERS}
    said = [f"{name} {grown[name]}" for name in UNWANTED if grown[name]]
    if grown["late"] > late * max(1, grown["out_packets"]):
        worst = f", worst {after['latest'] / 1e6:.0f} ms" if grown["latest"] else ""
        said.append(f"late {grown['late']} of {grown['out_packets']}{worst}")
    return ", ".join(said)
