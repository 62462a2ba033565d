"""Pack the IEEE's listing of hardware address prefixes into census/data/vendors.bin, which `census.vendors` reads.

    python docs/vendors.py --date 2026-10-01 [--check FOLDER] LISTING

LISTING is a folder with the IEEE's own oui.csv, mam.csv, oui36.csv and iab.csv (standards-oui.ieee.org), or the manuf.txt of
the PyPI package pymanuf, which is made from exactly those files every month. --check names a folder with another copy of the
CSV files, such as /usr/share/ieee-data of Debian's package: nearly all that an older copy assigns must still be assigned.
"""

import argparse
import csv
import sys
import zlib
from array import array
from datetime import date
from itertools import pairwise
from pathlib import Path

from census.vendors import DATA, MAGIC, SHARED, SIZES
from netready.text import clean

FILES = ("oui.csv", "mam.csv", "oui36.csv", "iab.csv")
NOBODY = {"", "ieee registration authority", "private"}  # a registry's own block, and makers who would not be named
MOST_LOST = 0.01  # of an older copy's prefixes; a few are given back
LARGEST = 400_000  # bytes


def main() -> None:
    """Write the table and say what is in it."""
    parser = argparse.ArgumentParser(description="Pack the IEEE's listing.")
    parser.add_argument("listing", type=Path)
    parser.add_argument("--date", type=date.fromisoformat, required=True)
    parser.add_argument("--check", type=Path)
    wanted = parser.parse_args()
    found = read(wanted.listing)
    if wanted.check:
        compare(found, read(wanted.check))
    packed = pack(found, wanted.date)
    if len(packed) > LARGEST:
        sys.exit(f"the table has {len(packed):,} bytes; {LARGEST:,} are allowed")
    (Path("census") / DATA).write_bytes(packed)
    counts = ", ".join(f"{sum(len(prefix) == size for prefix in found):,} /{4 * size}" for size in SIZES)
    print(f"{counts}; {len(set(found.values())):,} names; {len(packed):,} bytes")  # noqa: T201 - what it is for


def read(listing: Path) -> dict[str, str]:
    """Prefix in lower-case hexadecimal to organisation, without the blocks that name nobody."""
    rows = _csv(listing) if listing.is_dir() else _text(listing)
    found = {prefix.lower(): clean(name) for prefix, name in rows}
    # The second bit says that a prefix is made up locally; those are company numbers (CID), never on a card.
    return {prefix: name for prefix, name in found.items() if name.lower() not in NOBODY and not int(prefix[1], 16) & 2}


def _csv(folder: Path) -> list[tuple[str, str]]:
    rows = []
    for name in FILES:
        with (folder / name).open(newline="", encoding="utf-8") as file:
            rows += [(row["Assignment"], row["Organization Name"]) for row in csv.DictReader(file)]
    return rows


def _text(file: Path) -> list[tuple[str, str]]:
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines():
        prefix, tab, name = line.partition("\t")
        if tab and not line.startswith("#"):
            digits, _, bits = prefix.partition("/")
            rows.append((digits.replace(":", "")[: int(bits or 24) // 4], name))
    return rows


def compare(found: dict[str, str], older: dict[str, str]) -> None:
    """Exit when the listing lacks what an older copy of it had."""
    lost = older.keys() - found.keys()
    print(f"{len(older):,} prefixes in the older copy, {len(lost):,} of them no longer assigned")  # noqa: T201
    if len(lost) > MOST_LOST * len(older):
        sys.exit("too much is missing: is this the whole listing?")


def pack(found: dict[str, str], day: date) -> bytes:
    """The table as `census.vendors` reads it: a line with its date, then names, prefixes and who has each, deflated."""
    names = sorted(set(found.values()))
    number = {name: index for index, name in enumerate(names)}
    body = bytearray(len(names).to_bytes(4, "little"))
    before = b""
    for name in names:
        text = name.encode()
        shared = next((at for at in range(min(len(text), len(before), SHARED)) if text[at] != before[at]), None)
        shared = min(len(text), len(before), SHARED) if shared is None else shared
        body += bytes((shared,)) + text[shared:] + b"\n"
        before = text
    for size in SIZES:
        keys = sorted(int(prefix, 16) for prefix in found if len(prefix) == size)
        steps = array("Q", (later - sooner for sooner, later in pairwise((0, *keys))))
        owners = array("H", (number[found[f"{key:0{size}x}"]] for key in keys))
        if sys.byteorder == "big":
            steps.byteswap()
            owners.byteswap()
        body += len(keys).to_bytes(4, "little") + steps.tobytes() + owners.tobytes()
    return MAGIC + day.isoformat().encode() + b"\n" + zlib.compress(bytes(body), 9)


if __name__ == "__main__":
    main()
