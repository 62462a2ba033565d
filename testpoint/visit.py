"""One visit: a connection from its request to its end, and what a handler may use meanwhile."""

import random
from collections.abc import Callable
from datetime import datetime

import msgspec

from probes.throughput.channel import Channel, Now
from probes.throughput.handshake import Request
from testpoint.limits import Limits

ANSWER_SECONDS = 5.0  # to take a page of a few hundred bytes
LINGER_SECONDS = 1.0  # for the peer to hang up after it


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler is given.

    peer, own   "address:port" of the two ends
    frames      ready load for downloads, shared by all visits
    admit       takes one of the places for tests; False when none is free. The server gives it back.
    stopping    whether the server is being shut down
    log         writes one line
    """

    channel: Channel
    request: Request
    peer: str
    own: str
    limits: Limits
    frames: dict[int, bytes]
    chance: random.Random
    now: Now
    wall: Callable[[], datetime]
    admit: Callable[[], bool]
    stopping: Callable[[], bool]
    log: Callable[[str], None]


_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


def plain(status: int, text: str, **fields: str) -> bytes:
    """A whole plain-text response, after which the connection is closed."""
    body = f"{text}\n".encode()
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"Connection: close\r\n{extra}\r\n"
    ).encode("ascii") + body


def answer(visit: Visit, status: int, text: str, **fields: str) -> None:
    """Send a plain-text response."""
    say(visit.channel, plain(status, text, **fields))


def say(channel: Channel, response: bytes) -> None:
    """Send a whole response and see the peer off."""
    channel.write_all(response, seconds=ANSWER_SECONDS)
    channel.linger(seconds=LINGER_SECONDS)
