"""One visit: a request on a connection, and what its handler may use until it has answered."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

import msgspec

from probes.throughput.channel import Channel, Now
from probes.throughput.handshake import Request
from testpoint.limits import Limits
from testpoint.places import Refusal

ANSWER_SECONDS = 5.0  # to take a page of a few hundred bytes
LINGER_SECONDS = 1.0  # for the peer to hang up after it
KEPT_SECONDS = 2.0  # that a place waits for the next of many short requests that are one test

TEXT = "text/plain; charset=utf-8"
NO_FIELDS: Mapping[str, str] = MappingProxyType({})


class Admit(Protocol):
    """Takes a place for a test; False when there is none for this client now, and then `turn_away` says why.

    Connections of one client that name the same `group` share one place, as the streams of one test do; without a name each
    takes its own. The server gives the place back when the handler returns. `seconds` is how long the place of a group is
    kept for it after its last connection left, for tests that are made of many short requests.
    """

    def __call__(self, *, group: str = "", seconds: float = 0.0) -> bool: ...


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler is given.

    peer, own   "address:port" of the two ends
    frames      ready load for downloads, shared by all visits
    admit       takes a place for a test
    refusal     why the last `admit` said no
    moved       counts bytes that moved either way, load and all; False when this client has used up what it may move or
                how long it may test, and then the test must end with Close. What a handler does not count is counted when
                it returns
    ended       says in a word how a test ended, for /metrics: "done", "client-closed", "budget", "time", "shutdown" or
                "broken"; without it a test that ends without an exception is "done"
    keep        asks to keep the connection for another request after this answer; False when it must be closed. Who asks
                must have read the whole body
    stopping    whether the server is being shut down
    log         writes one line
    metrics     the exposition for /metrics, or None when this server shows none to this peer
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
    admit: Admit
    refusal: Callable[[], Refusal]
    moved: Callable[[int], bool]
    ended: Callable[[str], None]
    keep: Callable[[], bool]
    stopping: Callable[[], bool]
    log: Callable[[str], None]
    metrics: Callable[[], bytes] | None


_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}


def head(status: int, kind: str, length: int, fields: Mapping[str, str] = NO_FIELDS, *, close: bool = True) -> bytes:
    """A response's head, for a body of `length` bytes of the media type `kind`; in the names of `fields`, _ is a hyphen."""
    own = {
        "Content-Type": kind,
        "Content-Length": str(length),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close" if close else "keep-alive",
    }
    own |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    return f"HTTP/1.1 {status} {_REASONS[status]}\r\n{lines}\r\n".encode("ascii")


def plain(status: int, text: str, **fields: str) -> bytes:
    """A whole plain-text response, after which the connection is closed."""
    body = f"{text}\n".encode()
    return head(status, TEXT, len(body), fields) + body


def answer(visit: Visit, status: int, text: str, **fields: str) -> None:
    """Send a plain-text response, and close."""
    body = f"{text}\n".encode()
    response = head(status, TEXT, len(body), fields)
    say(visit.channel, response if visit.request.method == "HEAD" else response + body)


def reply(visit: Visit, body: bytes, kind: str, fields: Mapping[str, str] = NO_FIELDS, *, length: int | None = None) -> None:
    """Send a whole response with status 200, and keep the connection when that may be.

    `length` is what GET would bring, where a HEAD is answered without making its body.
    """
    close = not visit.keep()
    response = head(200, kind, len(body) if length is None else length, fields, close=close)
    if visit.request.method != "HEAD":
        response += body
    say(visit.channel, response)


def is_read(visit: Visit) -> bool:
    """Whether the method asks for a page; any other is refused here."""
    if visit.request.method in {"GET", "HEAD"}:
        return True
    answer(visit, 405, "this is only to be read", Allow="GET, HEAD")
    return False


def turn_away(visit: Visit) -> None:
    """Answer after `admit` said no: what is used up, and when to come again."""
    refusal = visit.refusal()
    answer(visit, refusal.status, refusal.sentence, Retry_After=str(refusal.retry_after))
    visit.log(f"{visit.peer} {visit.request.path} refused: {refusal.sentence}")


def say(channel: Channel, response: bytes) -> None:
    """Send a whole response. The server sees the peer off when the handler returns."""
    channel.write_all(response, seconds=ANSWER_SECONDS)
