"""Leases of Kea, as its memfile backend keeps them: kea-leases4.csv and kea-leases6.csv (Kea 2.2 to 3, csv_lease_file4.cc).

A log: of each address the last row counts. Nothing is quoted; what could not stand in a cell is written as &#x and two digits.
State 0 is a lease in force; 1 was declined, 2 reclaimed, 3 released, 4 registered by the client itself.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

from collectors.imports import lease
from collectors.imports.cells import macs
from collectors.imports.format import Format, Reading, Source
from collectors.imports.grid import Header, Row, place, rows
from collectors.imports.lease import Lease
from netready.device import Sighting
from netready.refusal import Unfit

IN_FORCE = frozenset({"0", "4"})
NO_INTERFACE = "ff00000000"  # before the DUID of an IPv6 lease it makes a client id as IPv4 has it (RFC 4361)
FOREVER = 0xFFFFFFFF  # RFC 2131, 3.3
PREFIX = "2"  # a lease of a whole network to a router
_ESCAPED = re.compile(r"&#x([0-9a-fA-F]{2})")
_LAST = 253_402_300_799  # the end of the year 9999


def _read(source: Source, reading: Reading) -> Iterator[Sighting]:
    return lease.sightings(lease.current(_leases(source)), reading)


def _leases(source: Source) -> Iterator[Lease]:
    head = source.header
    if head is None:
        raise Unfit(source.opened.name, "", "expected a table with a header")
    for row in rows(source.opened, head, source.columns, quoted=False):
        if row.cells.get("type") == PREFIX:
            continue
        expires, lifetime = (_number(source, head, row, field) for field in ("expires", "lifetime"))
        address = row.cells.get("address", "")
        try:
            ip_address(address)
        except ValueError:
            raise _unfit(source, head, row, "address", "expected an address such as 10.20.0.7") from None
        found = macs(row.cells.get("mac", ""))
        yield Lease(
            line=row.line,
            address=address,
            mac=found[0] if found else None,
            client_id=_client_id(row),
            name=_ESCAPED.sub(lambda each: chr(int(each[1], 16)), row.cells.get("name", "")),
            expires=None if lifetime == FOREVER else datetime.fromtimestamp(expires, UTC),
            bound=row.cells.get("state", "0") in IN_FORCE and lifetime > 0,
        )


def _client_id(row: Row) -> str:
    found = lease.client_id(row.cells.get("client_id", ""))
    return f"{NO_INTERFACE}{found}" if found and "type" in row.cells else found


def _number(source: Source, head: Header, row: Row, field: str) -> int:
    text = row.cells.get(field, "")
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > _LAST:
        raise _unfit(source, head, row, field, "expected a whole number of seconds")
    return int(text)


def _unfit(source: Source, head: Header, row: Row, field: str, expected: str) -> Unfit:
    column = next((column for other, column in source.columns if other == field), 0)
    return Unfit(source.opened.name, place(head, row.line, column), expected)


FORMAT = Format(
    name="kea",
    source="lease",
    what="leases of Kea",
    read=_read,
    columns={
        "address": ("address",),
        "mac": ("hwaddr",),
        "client_id": ("client_id", "duid"),
        "lifetime": ("valid_lifetime",),
        "expires": ("expire",),
        "name": ("hostname",),
        "state": ("state",),
        "type": ("lease_type",),
    },
    marks=("hwaddr", "valid_lifetime", "expire", "subnet_id"),
    least=4,
    needs=("address",),
)
