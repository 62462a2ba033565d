"""Multicast DNS announcements (RFC 6762, RFC 6763), read with suspicion; no socket here."""

import struct
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from netready.dns_name import Name, read_name
from netready.failure import Failed, Failure
from netready.text import clean

HEADER = struct.Struct("!HHHHHH")
FIXED = struct.Struct("!HHIH")  # type, class, TTL, length of the data
RESPONSE = 0x8000
A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33
SIZES = {A: 4, AAAA: 16}
INTERNET = 0x0001  # the class's top bit says "flush your cache" and is no part of it
MOST_RECORDS = 128
MOST_TYPES = 32
# TXT keys that name a model, a maker or a place: Bonjour printing (ty, product, usb_mfg, note), Cast (md), AirPlay and
# _device-info (model).
MODEL_KEYS = (b"ty", b"md", b"model", b"product", b"am")
MAKER_KEYS = (b"usb_mfg", b"manufacturer", b"mfg", b"vendor")
PLACE_KEYS = (b"note",)
KEYS = frozenset(MODEL_KEYS + MAKER_KEYS + PLACE_KEYS)


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a host says of itself: service types such as "_ipp._tcp", its name, model, maker and place if told.

    `addresses` are packed, four octets for IPv4 and sixteen for IPv6.
    """

    types: tuple[str, ...] = ()
    name: str = ""
    addresses: tuple[bytes, ...] = ()
    model: str = ""
    maker: str = ""
    place: str = ""


def announcement(payload: bytes) -> Announcement | None:
    """The announcement in `payload`; None for questions. Raises Failed(malformed) for what cannot be read."""
    if len(payload) < HEADER.size:
        raise Failed(Failure.MALFORMED, "too short")
    _, flags, questions, *counts = HEADER.unpack_from(payload)
    if not flags & RESPONSE:
        return None
    types: dict[bytes, None] = {}
    names: list[Name] = []
    addresses: list[bytes] = []
    texts: dict[bytes, bytes] = {}
    for kind, owner, at, end in _records(payload, questions, sum(counts)):
        if kind in {SRV, TXT, PTR}:
            _note_type(types, owner)
        if end - at == SIZES.get(kind):
            addresses.append(payload[at:end])
            names.append(owner)
        elif kind == SRV and end - at > 6:  # priority, weight and port come before the target
            names.append(read_name(payload, at + 6)[0])
        elif kind == TXT:
            texts = _texts(payload[at:end]) | texts
    return Announcement(
        types=tuple(map(clean, types)),
        name=_host(names),
        addresses=tuple(dict.fromkeys(addresses)),
        model=_first(texts, MODEL_KEYS),
        maker=_first(texts, MAKER_KEYS),
        place=_first(texts, PLACE_KEYS),
    )


def _records(payload: bytes, questions: int, count: int) -> Iterator[tuple[int, Name, int, int]]:
    """Type and owner of each record that is not a farewell, and where its data begins and ends."""
    at = HEADER.size
    for _ in range(min(questions, MOST_RECORDS)):
        _, at = read_name(payload, at)
        at += 4
    for _ in range(min(count, MOST_RECORDS)):
        owner, at = read_name(payload, at)
        if at + FIXED.size > len(payload):
            raise Failed(Failure.MALFORMED, "a record is cut off")
        kind, family, ttl, size = FIXED.unpack_from(payload, at)
        at += FIXED.size
        if at + size > len(payload):
            raise Failed(Failure.MALFORMED, "a record is cut off")
        if family & 0x7FFF == INTERNET and ttl:  # a TTL of zero says goodbye
            yield kind, owner, at, at + size
        at += size


def _first(texts: dict[bytes, bytes], keys: tuple[bytes, ...]) -> str:
    return next((text for key in keys if key in texts and (text := clean(texts[key]))), "")


def _host(names: list[Name]) -> str:
    return clean(b".".join(names[0])).removesuffix(".local") if names else ""


def _note_type(types: dict[bytes, None], owner: Name) -> None:
    """The "_service._proto" pair in an owner name: "HP 9015._ipp._tcp.local", "_ipp._tcp.local"."""
    for service, protocol in pairwise(owner):
        if protocol.lower() in {b"_tcp", b"_udp"} and service.startswith(b"_") and len(types) < MOST_TYPES:
            if service.lower() not in {b"_dns-sd", b"_services"}:
                types.setdefault(service.lower() + b"." + protocol.lower())
            return


def _texts(data: bytes) -> dict[bytes, bytes]:
    """The strings of a TXT record that have one of `KEYS`, in any case; a string that runs past the end ends it."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        size = data[at]
        key, _, value = data[at + 1 : at + 1 + size].partition(b"=")
        if (key := key.lower()) in KEYS:
            found.setdefault(key, value)
        at += 1 + size
    return found
