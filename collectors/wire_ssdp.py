"""SSDP announcements (UPnP Device Architecture 2.0, section 1.2), read with suspicion; no socket here."""

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

MOST_LINES = 64


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a device announces: the kind of thing it is, and the product behind it. Its own number is no kind."""

    kind: str
    server: str


def notice(payload: bytes) -> Notice | None:
    """The announcement in `payload`; None for searches and farewells. Raises Failed(malformed) for what is no SSDP."""
    lines = payload[:4096].split(b"\r\n")
    if lines[0] == b"M-SEARCH * HTTP/1.1":
        return None
    if lines[0] != b"NOTIFY * HTTP/1.1":
        raise Failed(Failure.MALFORMED, "not SSDP")
    headers: dict[bytes, bytes] = {}
    for line in lines[1:MOST_LINES]:
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.strip().upper(), value.strip())
    if headers.get(b"NTS") != b"ssdp:alive":
        return None
    kind = headers.get(b"NT", b"")
    return Notice(kind="" if kind.lower().startswith(b"uuid:") else clean(kind), server=clean(headers.get(b"SERVER", b"")))
