"""What the `speedtest` method asks of its child process, and what the child answers. No I/O."""

import msgspec

from probes.throughput.settings import Direction, Throughput

SECONDS = 10.0  # the package's own limit for each direction
THREADS = 8  # speedtest-cli's own: downloads always, uploads once it has seen a download above 0.1 Mbit/s
PATH = "/"  # the page that names the upload's extension

LEAST_BUDGET = 4_000_000  # bytes in each direction; a first object for each thread

# What speedtest-cli 2.1.3 makes of the configuration that speedtest.net gives to everybody: pictures of these widths are
# fetched four times each, and bodies of these sizes posted 17 times each, the smallest first.
PICTURES = {
    350: 245_388,  # bytes, as Speedtest Mini serves them; the client never checks
    500: 505_544,
    750: 1_118_012,
    1000: 1_986_284,
    1500: 4_468_241,
    2000: 7_907_740,
    2500: 12_407_926,
    3000: 17_816_816,
    3500: 24_262_167,
    4000: 31_625_365,
}
OBJECTS = {
    Direction.DOWN: tuple(width for width in PICTURES for _ in range(4)),
    Direction.UP: tuple(size for size in (524_288, 1_048_576, 7_340_032) for _ in range(17)),
}


def size(direction: Direction, item: int) -> int:
    """Bytes of one of a direction's objects."""
    return PICTURES[item] if direction is Direction.DOWN else item


CAP = {way: sum(size(way, item) for item in items) for way, items in OBJECTS.items()}  # bytes, after which a test ends


def within(direction: Direction, most: int) -> tuple[int, ...]:
    """The first objects of a direction, as many as have at most `most` bytes together; all of them when `most` is 0."""
    kept: list[int] = []
    left = most or CAP[direction]
    for item in OBJECTS[direction]:
        left -= size(direction, item)
        if left < 0:
            break
        kept.append(item)
    return tuple(kept)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a test."""

    settings: Throughput
    direction: Direction


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The child's answer.

    failure     a failure word, and `reason`, when there is no figure
    rate        bit/s, as the package reckons it: `moved` by `seconds`, waiting for its threads included
    requests    made; `answered` with success; `failed` otherwise, but for those that the end of the time cut off
    over        whether the data budget ended it, before the time was up and all objects were through
    silent      seconds at the end in which nothing moved, which the package takes for time of the test
    processor   seconds of processor time while the line was loaded
    """

    failure: str = ""
    reason: str = ""
    rate: float = 0.0
    moved: int = 0
    seconds: float = 0.0
    requests: int = 0
    answered: int = 0
    failed: int = 0
    over: bool = False
    silent: float = 0.0
    processor: float = 0.0
    version: str = ""
