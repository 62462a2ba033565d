"""What the two ends of a path tell each other: one request with a nonce, and the far end's account of how it came. No I/O."""

import hashlib
import ssl
from typing import Annotated

import msgspec
from msgspec import Meta

from netready import __version__
from probes.throughput.tcp_info import INT53

PATH = "/path"
NONCE = r"[0-9a-f]{32}"
LOAD_FIELD = "x-load"
LOAD_LIMIT = 12_000  # bytes of filling, either way: a full packet even where packets have 9,000 bytes, in a head of 16 KiB
_LOAD_LINE = 1_000  # bytes; proxies commonly take no field above 8 KiB, and no request with more than a hundred
FACTS_LIMIT = 32 * 1024  # bytes of an answer that are read: the facts and their filling

# Fields whose values the far end returns: what proxies add to name themselves or their client, and what they like to change.
TELLING = frozenset(
    {"via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "x-bluecoat-via"}
    | {"user-agent", "accept", "accept-encoding", "connection", "host"}
)
# Of a connection's TCP_INFO, the counters that say what each end agreed to and saw.
COUNTERS = ("SndMSS", "RcvMSS", "AdvMSS", "PMTU", "Options", "WScale", "RTT", "MinRTT")

_Count = Annotated[int, Meta(ge=0, lt=INT53)]
_Word = Annotated[str, Meta(max_length=256)]


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """A TLS session as one end holds it; `session` is the same at both ends of one session, and of no other."""

    version: _Word
    cipher: _Word
    session: _Word


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The far end's account of one request.

    nonce     of the request; an answer to somebody else has another
    peer      "address:port" that the request came from
    version   of netready at the far end
    tls       None for clear text
    tcp       COUNTERS of its connection, as ndt7 names them: bytes, and microseconds
    fields    the request's fields that are in TELLING
    names     of all fields of the request, in lower case
    filling   bytes asked for, to make full packets
    """

    nonce: _Word
    peer: _Word
    version: _Word
    tls: Tls | None
    tcp: Annotated[dict[str, _Count], Meta(max_length=32)]
    fields: Annotated[dict[str, _Word], Meta(max_length=32)]
    names: Annotated[list[_Word], Meta(max_length=128)]
    filling: str = ""


def request_fields(host: str, extra: dict[str, str]) -> dict[str, str]:
    """The fields of our request; the far end must have received exactly these."""
    own = {
        "host": host,
        "user-agent": f"netready/{__version__}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "close",
    }
    return own | {name.lower(): value for name, value in extra.items()}


def request(fields: dict[str, str], nonce: str, *, load: int = 0, fill: int = 0) -> bytes:
    """A whole request that carries `load` bytes of filling and asks for `fill` in the answer; both at most LOAD_LIMIT."""
    query = f"nonce={nonce}" + (f"&fill={fill}" if fill else "")
    lines = [f"GET {PATH}?{query} HTTP/1.1", *(f"{name.title()}: {value}" for name, value in fields.items())]
    for number, start in enumerate(range(0, load, _LOAD_LINE)):
        lines.append(f"{LOAD_FIELD}-{number}: {'x' * min(_LOAD_LINE, load - start)}")
    return "\r\n".join((*lines, "", "")).encode("ascii")


def parse_facts(body: bytes) -> Facts | None:
    """The facts in an answer's body, or None when it is something else. Pure; never raises."""
    try:
        return msgspec.json.decode(body, type=Facts)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def session_of(connection: ssl.SSLSocket) -> Tls:
    """How this end holds its TLS session.

    The session's word is a digest of the client's Finished message, a MAC over the whole handshake. RFC 9266 would have
    the exporter of TLS 1.3, which Python's ssl does not offer; to see whether two ends share one session this does as well.
    """
    binding = connection.get_channel_binding("tls-unique") or b""
    cipher = connection.cipher()
    return Tls(
        version=connection.version() or "",
        cipher=cipher[0] if cipher else "",
        session=hashlib.sha256(binding).hexdigest() if binding else "",
    )
