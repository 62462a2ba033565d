"""Who made a network card, from an offline table of the IEEE's listing: a hint about the card, no proof of what the device is.

The table holds the large, medium and small blocks (/24, /28 and /36), says its own date, and is unpacked when somebody first
asks. docs/vendors.py makes it. Blocks that the IEEE divides among small makers name nobody at /24.
"""

import functools
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from itertools import accumulate

import msgspec

LOCAL = 0x02  # of the first octet: administered locally, so made up by the device and known to no registry (IEEE 802-2014, 8.4)
DATA = "data/vendors.bin"
MAGIC = b"netready vendors 1 "
SIZES = (6, 7, 9)  # hexadecimal digits of the prefixes
SHARED = 255  # most octets that a name can share with the one before it


class Table(msgspec.Struct, frozen=True):
    """Prefixes of each length in order, and the number of each one's name."""

    day: date
    names: list[str]
    blocks: tuple[tuple[int, Sequence[int], Sequence[int]], ...]  # the longest prefix first


def is_local(mac: str) -> bool:
    """Whether `mac` is locally administered, as the changing addresses of phones and laptops are."""
    return bool(int(mac[:2], 16) & LOCAL)


@functools.lru_cache(maxsize=8192)
def vendor(mac: str) -> str | None:
    """The organisation that has the smallest registered block around `mac`; None for local addresses and unknown ones.

    `mac` is lower case with colons.
    """
    if is_local(mac):
        return None
    digits = mac.replace(":", "")
    table = _table()
    for size, keys, owners in table.blocks:
        key = int(digits[:size], 16)
        at = bisect_left(keys, key)
        if at < len(keys) and keys[at] == key:
            return table.names[owners[at]]
    return None


def table_date() -> date:
    """The day of the listing behind the table. Blocks that were given out later have no vendor here."""
    return _table().day


@functools.cache
def _table() -> Table:
    """The table as it was shipped. A damaged one is our bug: ValueError."""
    head, _, packed = files("census").joinpath(DATA).read_bytes().partition(b"\n")
    if not head.startswith(MAGIC):
        raise ValueError(f"census/{DATA} is not a table of vendors")
    body = zlib.decompress(packed)
    names, at = _names(body)
    blocks = []
    for size in SIZES:
        count = int.from_bytes(body[at : at + 4], "little")
        steps, owners = array("Q"), array("H")
        middle = at + 4 + steps.itemsize * count
        end = middle + owners.itemsize * count
        steps.frombytes(body[at + 4 : middle])
        owners.frombytes(body[middle:end])
        if sys.byteorder == "big":
            steps.byteswap()
            owners.byteswap()
        blocks.append((size, array("Q", accumulate(steps)), owners))
        at = end
    day = date.fromisoformat(head.removeprefix(MAGIC).decode())
    return Table(day=day, names=names, blocks=tuple(reversed(blocks)))


def _names(body: bytes) -> tuple[list[str], int]:
    """The names, each written as how much it shares with the one before and what follows; and where they end."""
    count, at = int.from_bytes(body[:4], "little"), 4
    names: list[str] = []
    name = b""
    for _ in range(count):
        end = body.index(b"\n", at + 1)
        name = name[: body[at]] + body[at + 1 : end]
        names.append(name.decode())
        at = end + 1
    return names, at
