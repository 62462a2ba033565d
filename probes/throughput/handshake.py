"""Heads of HTTP/1.1 requests and responses, and the WebSocket handshake in them (RFC 9112; RFC 6455, 4). No I/O.

Strict and bounded: what is not a plain head is refused with `Failed`, never guessed at.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

HEAD_LIMIT = 16 * 1024  # bytes
_MOST_FIELDS = 100
_END = b"\r\n\r\n"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3

# A client that takes a server for a proxy names it once more before the path; servers must accept that (RFC 9112, 3.2.2).
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (?:http://[!-.0-~]{1,255}(?=/))?(/[!-~]*) HTTP/1\.1")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: .*)?")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_BUSY = frozenset({401, 429, 503})  # how an ndt7 platform says "not now, not you": try another time or server


class Request(msgspec.Struct, frozen=True):
    """A request's head. Field names are lower case; a repeated field's values are joined with commas (RFC 9110, 5.3)."""

    method: str
    path: str
    query: str
    fields: dict[str, str]


class Response(msgspec.Struct, frozen=True):
    """A response's head, with fields as in `Request`. `minor` is of HTTP/1.1 or HTTP/1.0."""

    status: int
    fields: dict[str, str]
    minor: int = 1

    @property
    def lasting(self) -> bool:
        """Whether the server keeps the connection for another request (RFC 9112, 9.3)."""
        said = self.fields.get("connection", "")
        return not has_token(said, "close") and (self.minor == 1 or has_token(said, "keep-alive"))


def head_end(data: bytes | bytearray) -> int | None:
    """Length of the head at the start of `data`, blank line included, or None while it is incomplete.

    Raises Failed(TOO_LARGE) when it is longer than HEAD_LIMIT.
    """
    found = data.find(_END, 0, HEAD_LIMIT)
    if found >= 0:
        return found + len(_END)
    if len(data) >= HEAD_LIMIT:
        raise Failed(Failure.TOO_LARGE, f"an HTTP head of more than {HEAD_LIMIT} bytes")
    return None


def _split(head: bytes) -> tuple[str, dict[str, str]]:
    if not head.endswith(_END):
        raise Failed(Failure.MALFORMED, "an HTTP head without an end")
    first, *lines = head[: -len(_END)].decode("latin-1").split("\r\n")
    if len(lines) > _MOST_FIELDS:
        raise Failed(Failure.TOO_LARGE, f"an HTTP head with {len(lines)} fields")
    fields: dict[str, str] = {}
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None or any(char < " " and char != "\t" for char in line):
            raise Failed(Failure.MALFORMED, f"not an HTTP field: {clean(line, limit=60)!r}")
        name = found[1].lower()
        fields[name] = f"{fields[name]}, {found[2]}" if name in fields else found[2]
    return first, fields


def parse_request(head: bytes) -> Request:
    """The request in `head`; raises Failed."""
    first, fields = _split(head)
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        raise Failed(Failure.MALFORMED, f"not an HTTP/1.1 request: {clean(first, limit=60)!r}")
    path, _, query = line[2].partition("?")
    return Request(line[1], path, query, fields)


def parse_response(head: bytes) -> Response:
    """The response in `head`; raises Failed."""
    first, fields = _split(head)
    line = _STATUS_LINE.fullmatch(first)
    if line is None:
        raise Failed(Failure.MALFORMED, f"not an HTTP/1.1 response: {clean(first, limit=60)!r}")
    return Response(int(line[2]), fields, int(line[1]))


def accept_key(key: str) -> str:
    """What a server must answer to `key` (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1((key + _GUID).encode("latin-1"), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def is_key(key: str) -> bool:
    """Whether `key` is the base64 of 16 bytes, as RFC 6455, 4.1 asks."""
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        return False


def has_token(value: str, token: str) -> bool:
    """Whether the comma-separated `value` lists `token`, in any case."""
    return token in (part.strip().lower() for part in value.split(","))


def upgrade_request(
    host: str, target: str, *, key: str, protocol: str, agent: str, fields: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """A client's request to turn the connection into a WebSocket. No extension is offered, so nothing is compressed."""
    extra = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {protocol}\r\n{extra}\r\n"
    ).encode("ascii")


def upgrade_response(key: str, protocol: str) -> bytes:
    """A server's consent."""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    ).encode("ascii")


def check_status(response: Response, wanted: int) -> None:
    """Raises Failed, with the reason, unless the server answered with the status `wanted`. No redirect is ever followed."""
    if response.status == wanted:
        return
    if response.status in _BUSY:
        raise Failed(Failure.SERVER_BUSY, f"the server answered {response.status}")
    if 300 <= response.status < 400:
        where = clean(response.fields.get("location", "nowhere"), limit=80)
        raise Failed(Failure.HTTP_STATUS, f"the server sent us on to {where} ({response.status}); nobody authorised that")
    raise Failed(Failure.HTTP_STATUS, f"the server answered {response.status} instead of {wanted}")


def check_upgrade(response: Response, *, key: str, protocol: str) -> None:
    """Raises Failed, with the reason, unless the server agreed to exactly what was asked (RFC 6455, 4.1)."""
    fields = response.fields
    check_status(response, 101)
    if fields.get("upgrade", "").lower() != "websocket" or not has_token(fields.get("connection", ""), "upgrade"):
        raise Failed(Failure.MALFORMED, "the server's 101 does not upgrade to a WebSocket")
    if fields.get("sec-websocket-accept") != accept_key(key):
        raise Failed(Failure.MALFORMED, "the server's 101 does not answer our key")
    if fields.get("sec-websocket-protocol") != protocol:
        raise Failed(Failure.MALFORMED, f"the server's 101 does not speak {protocol}")
    if fields.get("sec-websocket-extensions"):
        raise Failed(Failure.MALFORMED, "the server's 101 has extensions that we did not offer")
