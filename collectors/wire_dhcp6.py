"""DHCPv6 messages as clients send them (RFC 8415, RFC 4704), read with suspicion; no socket here."""

import msgspec

from netready.dns_name import read_name
from netready.failure import Failed, Failure
from netready.text import clean

# Solicit, request, confirm, renew, rebind, release, decline, information-request. Servers and relays send the others.
FROM_CLIENTS = frozenset({1, 3, 4, 5, 6, 8, 9, 11})
IDENTITY, VENDOR_CLASS, CLIENT_NAME = 1, 16, 39
LONGEST_IDENTITY = 130  # octets of a DUID (RFC 8415 section 11.1); no usual kind has more than 20
MOST_OPTIONS = 64


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of itself: its name, the maker's words that DHCPv4 has in option 60, and its DUID in hexadecimal.

    A DUID that is too long is left out, for half of it might be another's.
    """

    name: str = ""
    vendor_class: str = ""
    identity: str = ""


def client(payload: bytes) -> Client | None:
    """The client behind a message; None for what servers and relays send. Raises Failed(malformed)."""
    if len(payload) < 4:
        raise Failed(Failure.MALFORMED, "not DHCPv6")
    if payload[0] not in FROM_CLIENTS:
        return None
    options = _options(payload, 4)
    name = options.get(CLIENT_NAME, b"")
    words = options.get(VENDOR_CLASS, b"")
    size = int.from_bytes(words[4:6], "big")  # after the enterprise number; the first of its words is enough
    if len(words) < 6 + size and words:
        raise Failed(Failure.MALFORMED, "a vendor class runs past the end")
    # A name that is not meant to be complete lacks the root's octet (RFC 4704, section 4.2).
    labels = read_name(name[1:] + b"\x00", 0)[0] if name else ()
    identity = options.get(IDENTITY, b"")
    return Client(
        name=clean(b".".join(labels)),
        vendor_class=clean(words[6 : 6 + size]),
        identity=identity.hex() if len(identity) <= LONGEST_IDENTITY else "",
    )


def _options(payload: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for _ in range(MOST_OPTIONS):
        if at == len(payload):
            break
        option, size = int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 4], "big")
        if at + 4 + size > len(payload):
            raise Failed(Failure.MALFORMED, "an option runs past the end")
        found.setdefault(option, payload[at + 4 : at + 4 + size])
        at += 4 + size
    return found
