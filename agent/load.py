"""The load during a test: what others moved over the line meanwhile, worked out from counters. Pure arithmetic, no I/O.

The router counts everything, this machine's interface counts (nearly) only the test. Both count the packets that the far end
sends after the test has stopped listening, which the test itself cannot: hence the interface, not the test's own sum.
Every doubt is decided for the smaller load, because what a test proves is added to it: "at least available + load".
"""

import msgspec

from netready.measurement import Detail, Measurement

# What a router may count for each packet beyond this machine's 14 bytes of Ethernet: checksum 4, VLAN 4, PPPoE 8, rounded
# down to what 1,514-byte frames make of it.
FRAMING = 0.01
HEADERS = 66  # Ethernet, IPv4, TCP with timestamps: what a driver counts once for many segments it hands over as one
PAYLOAD = 1448  # bytes of one such segment on an ordinary Ethernet
LARGEST_FRAME = 1522  # above it, "packets" are bundles of segments (GRO, TSO)
IP_OVER_PAYLOAD = 1.04  # when a method does not tell its rate at the IP layer: 1500 / 1448, rounded up
TELLING = 1_000_000  # bytes that a counter which is alive cannot fail to show
SHOWN = 0.8  # of the test's own bytes; with less, the counter is stale or counts another line


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Both counters at one moment: the line's (all zero-based or not, only growth counts) and this machine's."""

    at: float
    down: int
    up: int
    own_down: int = 0
    own_down_packets: int = 0
    own_up: int = 0
    own_up_packets: int = 0


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A test and the moments round it.

    total, own     bytes on the line in the direction of the test, and this machine's share
    total_other    bytes on the line in the other direction
    seconds        from the first reading to the last
    active         s of it in which the test ran
    after          s of it behind the test, until the line's counter showed all of it
    before         bit/s that others used before the test
    step           s by which the moment of a reading may be wrong
    """

    total: float
    own: float
    total_other: float
    seconds: float
    active: float
    after: float
    before: float
    step: float


def span(first: Sample, last: Sample, direction: str, *, ended: float, active: float, before: float, step: float) -> Span:
    """The span between two samples as the test in `direction` ("down" or "up") sees it, which ended at `ended`."""
    down, up = last.down - first.down, last.up - first.up
    own = {
        "down": on_the_wire(last.own_down - first.own_down, last.own_down_packets - first.own_down_packets),
        "up": on_the_wire(last.own_up - first.own_up, last.own_up_packets - first.own_up_packets),
    }
    total, other = (down, up) if direction == "down" else (up, down)
    seconds = last.at - first.at
    return Span(
        total=total,
        own=own[direction],
        total_other=other,
        seconds=seconds,
        active=min(active, seconds),
        after=min(max(0.0, last.at - ended), max(0.0, seconds - active)),
        before=before,
        step=step,
    )


def on_the_wire(count: float, packets: float) -> float:
    """An interface's bytes with a header for each segment, where its driver counted one for a whole bundle."""
    if packets <= 0 or count / packets <= LARGEST_FRAME:
        return count
    segments = (count - HEADERS * packets) / PAYLOAD
    return count + HEADERS * max(0.0, segments - packets)


def annotate(reading: Measurement, found: Span, source: str) -> Measurement:
    """The measurement with the line's load instead of the interface's, or with the reason why that is not possible."""
    moved = reading.detail("bytes_received" if "_down" in reading.metric else "bytes_sent") or 0.0
    own = max(found.own, moved * _ip_ratio(reading))
    if doubt := _doubt(found, moved, source):
        return noted(reading, doubt)
    others = 8 * (found.total - own * (1 + FRAMING))
    likely = max(0.0, (others - found.before * (found.seconds - found.active)) / found.active)
    details: dict[str, Detail] = {
        "load_during": likely,
        "load_during_from": source,
        "load_resolution": likely
        - min(likely, _sure(reading, found, own, others))
        + (8 * own * FRAMING + 2 * found.step * found.before) / found.active,
        "load_seconds": round(found.seconds, 2),
    }
    kept = {name: value for name, value in reading.details.items() if name != "load_other_way"}
    return msgspec.structs.replace(reading, details=kept | details)


def _sure(reading: Measurement, found: Span, own: float, others: float) -> float:
    """The load that others had at the very least, bit/s.

    Whoever was kept down by the test may make up for it as soon as it is over. The line carries no more than it did during
    the test: that much of the others' bits may have come behind it.
    """
    rate = max((reading.value or 0.0) * _ip_ratio(reading), 8 * own / found.active)
    ahead = found.before * (found.seconds - found.active - found.after)
    return max(0.0, (others - ahead - rate * found.after) / (found.active + found.after))


def noted(reading: Measurement, note: str) -> Measurement:
    """The measurement with the load that this machine saw by itself, and why there is no better figure."""
    details: dict[str, Detail] = {"load_during_note": note} if note else {}
    if "load_during" in reading.details:
        details["load_during_from"] = "this machine's interface"
    return msgspec.structs.replace(reading, details=reading.details | details)


def _ip_ratio(reading: Measurement) -> float:
    ip_rate = reading.detail("ip_rate")
    if ip_rate is None or not reading.value:
        return IP_OVER_PAYLOAD
    # A strange server's word must not decide how much of the line's traffic was ours.
    return min(max(ip_rate / reading.value, 1.0), 2.0)


def _doubt(found: Span, moved: float, source: str) -> str:
    if found.active <= 0 or found.seconds <= 0:
        return f"{source}: no time passed between two readings"
    if moved < TELLING or found.total >= SHOWN * moved:
        return ""
    if found.total_other >= SHOWN * moved:
        return f"{source}: the test's bytes are in its other counter; it seems to face the school, not the Internet"
    return (
        f"{source}: the counter grew by {found.total / 1e6:,.1f} MB while the test moved {moved / 1e6:,.1f} MB; "
        "it is refreshed too slowly, or counts another line"
    )
