"""Leases of dnsmasq, as it keeps them in dnsmasq.leases: expiry, hardware address, address, name and client id in a line.

The expiry is in seconds since 1970, 0 for never; * stands for no name and for no client id (seen in files of version 2.90).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

from collectors.imports import lease
from collectors.imports.cells import macs
from collectors.imports.format import Format, Reading, Source
from collectors.imports.grid import MOST_ROWS
from collectors.imports.lease import Lease
from netready.device import Sighting
from netready.refusal import Unfit

_LAST = 253_402_300_799  # the end of the year 9999


def _read(source: Source, reading: Reading) -> Iterator[Sighting]:
    return lease.sightings(lease.current(_leases(source)), reading)


def _leases(source: Source) -> Iterator[Lease]:
    name = source.opened.name
    for line, text in enumerate(source.opened.lines(), 1):
        words = text.split()
        if not words or words[0] == "duid":  # the server's own, before its leases for IPv6
            continue
        if line > MOST_ROWS:
            raise Unfit(name, f"line {line}", f"expected at most {MOST_ROWS:,} leases")
        if len(words) != 5:
            raise Unfit(
                name, f"line {line}", f"expected 5 words: expiry, hardware address, address, name, id; got {len(words)}"
            )
        expires, card, address, called, client_id = words
        if not (expires.isascii() and expires.isdecimal()) or int(expires[:20]) > _LAST:
            raise Unfit(name, f"line {line}, word 1", "expected the seconds since 1970 at which the lease runs out, or 0")
        try:
            ip_address(address)
        except ValueError:
            raise Unfit(name, f"line {line}, word 3", "expected an address such as 10.20.0.7") from None
        found = macs(card)
        yield Lease(
            line=line,
            address=address,
            mac=found[0] if found else None,
            client_id=lease.client_id(client_id),
            name="" if called == "*" else called,
            expires=datetime.fromtimestamp(int(expires), UTC) if int(expires) else None,
        )


FORMAT = Format(
    name="dnsmasq",
    source="lease",
    what="leases of dnsmasq",
    read=_read,
    opening=r"(?:duid [0-9a-f:]+\s+)?\d{1,12} \S+ [0-9a-fA-F.:]+ \S+ \S+[ \t]*(?:\r?\n|\r|$)",
)
