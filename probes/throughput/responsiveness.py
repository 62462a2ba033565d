"""Round-trip times while the line is full, in the test's own phase (draft-ietf-ippm-responsiveness).

Pings on an idle connection, pings among the load, and new connections. Arithmetic and one small rider; the pump moves all.
"""

import errno
import os
import socket
from collections.abc import Sequence

import msgspec

from netready.failure import Failed, Failure
from probes.throughput.channel import Now
from probes.throughput.websocket import Message

PING_EVERY = 0.01  # s between pings on the idle connection: a hundred in one second of load, but
PING_SELDOM = 0.04  # s between them on a slow line, so that
PING_SHARE = 0.001  # of its rate is all that they take
PING_BITS = 8 * 74  # of one of them in an IP packet
SELF_EVERY = 0.1  # s between pings on each loaded connection
KNOCK_EVERY = 0.1  # s between new connections; the draft's hundred a second would look like an attack to a firewall
KEPT_SHARE = 0.95  # the draft's trimmed mean leaves out the slowest twentieth
FEWEST = 15  # pings without which nothing is said


class Responsiveness(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, and round trips a minute. `rpm` is None when one of its two halves has no samples.

    p50, p95   of pings on a connection without load, while others fill the line
    rpm        half from those and from new connections, half from pings on the loaded connections
    """

    p50: float
    p95: float
    rpm: float | None
    pings: int
    self_pings: int
    knocks: int


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie, on straight lines between the sorted ones."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def trimmed_mean(values: Sequence[float]) -> float:
    """The mean without the slowest twentieth."""
    ordered = sorted(values)
    kept = ordered[: max(1, round(KEPT_SHARE * len(ordered)))]
    return sum(kept) / len(kept)


def responsiveness(pings: Sequence[float], own: Sequence[float], knocks: Sequence[float]) -> Responsiveness | None:
    """What the round-trip times (s) come to, or None when there are too few.

    The draft's formula without TLS: half of the round trips are those of strangers to the load, a new connection (TCP
    handshake) and an exchange on an idle one, half those of an exchange on the loaded connections themselves.
    """
    if len(pings) < FEWEST:
        return None
    rpm = None
    if own and knocks:
        foreign = (trimmed_mean(knocks) + trimmed_mean(pings)) / 2
        rpm = (60 / max(foreign, 1e-6) + 60 / max(trimmed_mean(own), 1e-6)) / 2
    return Responsiveness(
        p50=quantile(pings, 0.5),
        p95=quantile(pings, 0.95),
        rpm=rpm,
        pings=len(pings),
        self_pings=len(own),
        knocks=len(knocks),
    )


class Knock:
    """A new TCP connection that is closed as soon as it stands. Shaped like a channel, so that the pump can carry it."""

    def __init__(self, family: int, address: tuple[object, ...], now: Now) -> None:
        self.connection = socket.socket(family, socket.SOCK_STREAM)
        self.connection.settimeout(0)
        self.seconds: float | None = None
        self._now = now
        self._begun = now()
        code = self.connection.connect_ex(address)
        if code not in {0, errno.EINPROGRESS}:
            self.connection.close()
            raise OSError(code, os.strerror(code))

    def wants_to_write(self, _load: object) -> bool:
        """Until it stands: that is when the poll says so."""
        return self.seconds is None

    def move(self, _load: object, *, readable: bool, writable: bool) -> list[Message]:
        """The poll says that it stands, or that it failed."""
        code = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code or (readable and not writable):
            raise Failed(Failure.REFUSED, "a new connection was not accepted")
        self.seconds = self._now() - self._begun
        raise Failed(Failure.CLOSED_EARLY, "it stands")
