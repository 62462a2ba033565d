"""Leases of a Windows DHCP server: Get-DhcpServerv4Lease | Export-Csv.

The client id is the hardware address, unless the client sent another. Expiries are in the server's own time and in its
country's order of day and month, which the other rows usually betray.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import msgspec

from collectors.imports import cells, lease
from collectors.imports.cells import When
from collectors.imports.format import Format, Reading, Source
from collectors.imports.grid import place, rows
from collectors.imports.lease import Lease
from netready.device import Sighting
from netready.refusal import Unfit

IN_FORCE = frozenset({"", "active", "activereservation"})
_HEX = re.compile(r"[0-9a-f]{2}(?:-?[0-9a-f]{2})*", re.IGNORECASE)
_ETHERNET = 6  # octets


def _read(source: Source, reading: Reading) -> Iterator[Sighting]:
    found = list(_leases(source, reading))  # the order of day and month is known when the last row has been seen
    return lease.sightings(lease.current(_dated(found, reading)), reading)


def _dated(found: Iterable[tuple[Lease, When | None]], reading: Reading) -> Iterator[Lease]:
    for entry, moment in found:
        if moment is None:
            yield entry
            continue
        expires = reading.order.settled(moment)
        if expires is None:
            reading.left_out("dates that could be day and month or month and day", entry.line)
        yield msgspec.structs.replace(entry, expires=expires)


def _leases(source: Source, reading: Reading) -> Iterator[tuple[Lease, When | None]]:
    head = source.header
    if head is None:
        raise Unfit(source.opened.name, "", "expected a table with a header")
    for row in rows(source.opened, head, source.columns):
        if not row.cells:
            continue
        address = row.cells.get("address", "").strip()
        try:
            ip_address(address)
        except ValueError:
            column = next((column for field, column in source.columns if field == "address"), 0)
            where = place(head, row.line, column)
            raise Unfit(source.opened.name, where, "expected an address such as 10.20.0.7") from None
        mac, client_id = _client(row.cells.get("client_id", "").strip())
        text = cells.bare(row.cells.get("expires", ""))
        moment = cells.when(text, reading.zone) if text else None
        if text and moment is None:
            reading.left_out("cells that should hold a date and do not", row.line)
        elif moment is not None:
            reading.order.note(moment)
        entry = Lease(
            line=row.line,
            address=address,
            mac=mac,
            client_id=client_id,
            name=row.cells.get("name", ""),
            bound=row.cells.get("state", "").strip().lower() in IN_FORCE,
        )
        yield entry, moment


def _client(text: str) -> tuple[str | None, str]:
    """The hardware address and the client id behind one column that holds either."""
    if not _HEX.fullmatch(text):
        return None, ""
    octets = bytes.fromhex(text.replace("-", ""))
    card = octets[1:] if octets[:1] == b"\x01" and len(octets) == _ETHERNET + 1 else octets
    if len(card) == _ETHERNET:
        found = cells.macs(card.hex(":"))
        return (found[0] if found else None), ""
    return None, lease.client_id(octets.hex())


FORMAT = Format(
    name="windows-dhcp",
    source="lease",
    what="leases of a Windows DHCP server",
    read=_read,
    columns={
        "address": ("IPAddress",),
        "client_id": ("ClientId",),
        "name": ("HostName",),
        "state": ("AddressState",),
        "expires": ("LeaseExpiryTime",),
    },
    marks=("AddressState", "LeaseExpiryTime", "ClientId", "ScopeId", "DnsRegistration", "NapCapable"),
    least=2,
    needs=("address",),
)
