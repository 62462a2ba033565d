"""How long and how much an iperf3 run may load the line. No I/O.

iperf3 ends after whole seconds or after a number of bytes, never after whichever comes first. Under a data budget a short
run at a known pace tells which of the two keeps within it.
"""

import msgspec

# s of load in each direction: two that are left out, seven that count. BBR stops sending for 0.2 s, to see the round trip of
# an empty line, whenever it has not seen that for 10 s. Measured at 50 and 20 Mbit/s and 20 ms, where four streams do so
# together: 1.8 to 3.0 % too low in 12 s, within 0.7 % in 9 s.
RUNTIME = 9.0
STREAMS = 4
LEAST_BUDGET = 1_000_000  # bytes in each direction, below which four streams cannot begin
_SCOUT_SHARE = 4  # the scout takes at most this part of the budget
_PACED = 0.8  # of its pace, above which a run says nothing of the line
_ROOM = 0.7  # of the budget that a timed run is meant to take, for the scout's second began with a slow start
_COUNTED = 0.95  # of the budget that a counted run takes, for each stream overshoots by a block
_BLOCK = 131_072  # bytes, what iperf3 writes at once by itself
_LEAST_BLOCK = 1448  # bytes, one segment on Ethernet
_BLOCKS_A_SECOND = 20  # of a paced stream, so that a pace is kept within a second


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run: `seconds` that count after `omit` that do not, or `count` bytes. `pace` is bit/s of all streams; 0 is none."""

    streams: int
    seconds: int = 0
    omit: int = 0
    count: int = 0
    pace: float = 0.0
    length: float = 0.0

    @property
    def lasts(self) -> float:
        """About how many seconds of load."""
        return self.length or self.seconds + self.omit

    @property
    def arguments(self) -> list[str]:
        """The part of iperf3's command line that says so."""
        end = ["-n", str(self.count)] if self.count else ["-t", str(self.seconds), "-O", str(self.omit)]
        paced: list[str] = []
        if self.pace:
            each = self.pace / self.streams
            block = min(_BLOCK, max(_LEAST_BLOCK, int(each / 8 / _BLOCKS_A_SECOND)))
            paced = ["-b", str(int(each)), "-l", str(block)]
        return ["-P", str(self.streams), *end, *paced]


def whole(seconds: float, streams: int, *, pace: float = 0.0) -> Run:
    """A run of `seconds` in all, the first of which are left out as warm-up: two, or fewer of a short run."""
    total = max(1, int(seconds))
    omit = 2 if total >= 8 else 1 if total >= 4 else 0
    return Run(streams=streams, seconds=total - omit, omit=omit, pace=pace)


def scout(most: int, streams: int) -> Run:
    """A second at a pace that a quarter of the budget allows."""
    return Run(streams=streams, seconds=1, pace=8 * most / _SCOUT_SHARE)


def within(most: int, found: float, left: int, seconds: float, streams: int) -> Run:
    """The run that keeps within `left` bytes after a scout of a budget of `most` found `found` bit/s.

    A line that kept the scout's pace may be any faster: the run is counted in bytes, and has no warm-up that could be left
    out. A slower line is timed, and paced above its own rate, so that the budget holds even if the scout was wrong.
    """
    if found >= _PACED * 8 * most / _SCOUT_SHARE:
        return Run(streams=streams, count=int(_COUNTED * left), length=8 * left / found)
    total = min(int(seconds), int(_ROOM * 8 * left / found))
    return whole(total, streams, pace=_COUNTED * 8 * left / max(1, total))
