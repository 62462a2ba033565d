"""Where a child's load leaves this machine, and what else went on there: for methods whose connections we cannot ask."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import msgspec

from netready.measurement import Detail
from probes.throughput.channel import ADDRESSES
from probes.throughput.ndt7_report import HOST_SHARE
from probes.throughput.surroundings import (
    ETHERNET_HEADER,
    Card,
    Kind,
    Moment,
    Own,
    card,
    cpu_share,
    limits,
    other_traffic,
    read_moment,
    route_interface,
)

_MTU = 1500  # bytes; where the interface does not say
_HEADERS = {4: 20 + 20 + 12, 6: 40 + 20 + 12}  # bytes of IP, TCP and its time stamps, which every system of today sends


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """This machine at one moment; `resent` counts the TCP segments that it has sent more than once, for anybody."""

    moment: Moment
    resent: int


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One of the server's addresses, and the network card that leads to it, when there is a route."""

    address: str
    card: Card | None

    @property
    def loopback(self) -> bool:
        """Whether no line lies between."""
        return ip_address(self.address.partition("%")[0]).is_loopback or (
            self.card is not None and self.card.kind is Kind.LOOPBACK
        )

    @property
    def headers(self) -> int:
        """Bytes of IP and TCP headers on each full segment."""
        return _HEADERS[ip_address(self.address.partition("%")[0]).version]

    @property
    def mss(self) -> int:
        """Bytes of payload in a full segment, as far as this end of the path tells."""
        mtu = self.card.mtu if self.card is not None and self.card.mtu else _MTU
        return max(1, mtu - self.headers)


def ways(host: str, port: int) -> list[Way]:
    """The server's addresses in the system's order of preference (RFC 6724), without a packet to them; raises OSError."""
    found: list[Way] = []
    for _, _, _, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:ADDRESSES]:
        address = str(where[0])
        interface = route_interface(address)
        found.append(Way(address=address, card=card(interface) if interface else None))
    return found


def look(way: Way, now: Callable[[], float]) -> Look:
    """Counters of the interface, of the processors and of TCP, now."""
    interface = way.card.interface if way.card is not None else None
    try:
        text = Path("/proc/self/net/snmp").read_text(encoding="ascii", errors="replace")
    except OSError:
        text = ""
    return Look(moment=read_moment(now(), interface), resent=parse_resent(text))


def parse_resent(text: str) -> int:
    """RetransSegs in /proc/net/snmp, whose lines come in pairs of names and numbers; 0 when it is not there. Pure."""
    names: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if words and words[0] == "Tcp:":
            if names:
                row = dict(zip(names, words, strict=False))
                return int(row["RetransSegs"]) if row.get("RetransSegs", "").isdigit() else 0
            names = words
    return 0


def wire_rate(way: Way, value: float, mss: int | None = None) -> float:
    """Bit/s of IP packets for `value` bit/s of payload in full segments."""
    size = mss or way.mss
    return value * (size + way.headers) / size


def describe(way: Way, before: Look, after: Look, *, down: bool, payload: int | None) -> dict[str, Detail]:
    """The interface, and the traffic that was not the test's in the direction of the load.

    payload   bytes that the test moved that way between the two looks, or None when nobody knows
    What this machine sent again counts as the test's: while it fills the line, nearly all of it is.
    """
    details: dict[str, Detail] = {}
    if way.card is not None:
        details["interface"] = way.card.interface
        if way.card.line_speed is not None:
            details["interface_rate"] = way.card.line_speed
    _, host = cpu_share(before.moment, after.moment)
    if host is not None:
        details["cpu_host"] = round(host, 3)
    old, new = before.moment.counters, after.moment.counters
    seconds = after.moment.at - before.moment.at
    if payload is None or way.loopback or old is None or new is None or seconds <= 0:
        return details
    if down:
        total, packets, again = new.received - old.received, new.received_packets - old.received_packets, 0
    else:
        total, packets, again = new.sent - old.sent, new.sent_packets - old.sent_packets, max(0, after.resent - before.resent)
    own = Own(
        payload=payload + again * way.mss,
        segments=payload // way.mss + again + 1,
        header=way.headers + ETHERNET_HEADER,
    )
    details["load_during"] = other_traffic(total, packets, own, seconds)
    return details


def limited(way: Way, before: Look, after: Look, value: float) -> list[str]:
    """What at this end may have kept the figure down, in words; "loopback" says that no line was measured at all."""
    if way.loopback:
        return ["loopback"]
    _, host = cpu_share(before.moment, after.moment)
    busy = ["cpu"] if host is not None and host >= HOST_SHARE else []
    return busy + (limits(way.card, wire_rate(way, value)) if way.card is not None else [])


def said(words: list[str]) -> Detail:
    """`limited_by` as measurements carry it: one word alone, several as a list, each once."""
    each = list(dict.fromkeys(words))
    return each[0] if len(each) == 1 else [*each]
