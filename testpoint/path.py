"""What a request looked like when it came: the far end's half of finding out what lies on the path."""

import re
import ssl
from urllib.parse import parse_qsl

import msgspec

from netready import __version__
from netready.text import clean
from probes.path_facts import COUNTERS, LOAD_LIMIT, NONCE, TELLING, Facts, session_of
from probes.throughput import tcp_info
from testpoint.visit import Visit, answer, head, say

_MOST_PARAMETERS = 4
_NAME_LIMIT = 64  # characters of a field's name; a request has at most a hundred (probes.throughput.handshake)


def facts(visit: Visit) -> None:
    """Say who asked, over what connection, with which fields; echo the nonce and add the filling that was asked for."""
    if visit.request.method != "GET":
        answer(visit, 405, "the facts of a path are asked for with GET", Allow="GET")
        return
    asked = parse_query(visit.request.query)
    if asked is None:
        answer(visit, 400, f"nonce must be 32 hexadecimal digits, and fill a number up to {LOAD_LIMIT}")
        return
    body = msgspec.json.encode(_facts(visit, *asked))
    say(visit.channel, head(200, "application/json", len(body)) + body)


def parse_query(text: str) -> tuple[str, int] | None:
    """Nonce and bytes of filling, or None for anything but these. Pure."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return None
    found = dict(pairs)
    nonce, fill = found.pop("nonce", ""), found.pop("fill", "0")
    if found or re.fullmatch(NONCE, nonce) is None or re.fullmatch("[0-9]{1,5}", fill) is None or int(fill) > LOAD_LIMIT:
        return None
    return nonce, int(fill)


def _facts(visit: Visit, nonce: str, fill: int) -> Facts:
    connection, fields = visit.channel.connection, visit.request.fields
    counters = tcp_info.read(connection)
    return Facts(
        nonce=nonce,
        peer=visit.peer,
        version=__version__,
        tls=session_of(connection) if isinstance(connection, ssl.SSLSocket) else None,
        tcp={name: counters[name] for name in COUNTERS if name in counters},
        fields={name: clean(value) for name, value in fields.items() if name in TELLING},
        names=[clean(name, limit=_NAME_LIMIT) for name in fields],
        filling="x" * fill,
    )
