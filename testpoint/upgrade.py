"""A request to begin a WebSocket test: whether it is one, and what its query says. Pure."""

from urllib.parse import parse_qsl

from netready.failure import Failed, Failure
from probes.throughput.handshake import Request, has_token, is_key

_MOST_KEYS = 64
QUERY_LIMIT = 4096  # bytes; ndt7's bound, and ample


def refusal(request: Request, subprotocol: str) -> tuple[int, str] | None:
    """Status and sentence for a request that does not ask for a test of `subprotocol` as RFC 6455, 4.2.1 wants it, or None."""
    fields = request.fields
    if request.method != "GET":
        return 405, "a test begins with GET"
    if not fields.get("host") or "," in fields["host"]:
        return 400, "exactly one Host is needed"
    if fields.get("upgrade", "").lower() != "websocket" or not has_token(fields.get("connection", ""), "upgrade"):
        return 426, "this test is a WebSocket"
    if fields.get("sec-websocket-version") != "13":
        return 426, "only WebSocket version 13 is spoken"
    if not is_key(fields.get("sec-websocket-key", "")):
        return 400, "Sec-WebSocket-Key must be the base64 of 16 bytes"
    if fields.get("sec-websocket-protocol") != subprotocol:
        return 400, f"Sec-WebSocket-Protocol must be exactly {subprotocol}"
    return None


def parse_query(text: str, *, blank: bool = False) -> dict[str, str]:
    """The query's keys and values; raises Failed for what no test allows: too long or duplicate, and empty unless `blank`."""
    if len(text) > QUERY_LIMIT:
        raise Failed(Failure.TOO_LARGE, f"a query of more than {QUERY_LIMIT} bytes")
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_KEYS)
    except ValueError as error:
        raise Failed(Failure.MALFORMED, "a query that is not key=value&...") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Failed(Failure.MALFORMED, "a query with a key more than once")
    if not all(key and (value or blank) for key, value in pairs):
        raise Failed(Failure.MALFORMED, "a query with an empty key or value")
    return found
