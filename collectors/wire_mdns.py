"""Multicast DNS announcements (RFC 6762, RFC 6763), read with suspicion; no socket here."""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import pairwise

import msgspec

from netready.dns_name import Name, read_name
from netready.failure import Failed, Failure
from netready.text import clean

HEADER = struct.Struct("!HHHHHH")
FIXED = struct.Struct("!HHIH")  # type, class, TTL, length of the data
RESPONSE = 0x8000
A, PTR, TXT, SRV = 1, 12, 16, 33
INTERNET = 0x0001  # the class's top bit says "flush your cache" and is no part of it
MOST_RECORDS = 128
MOST_TYPES = 32
# TXT keys that name a model or a place: Bonjour printing (ty, product, note), Cast (md), AirPlay and _device-info (model).
MODEL_KEYS = ("ty", "md", "model", "product", "am")
PLACE_KEYS = ("note",)


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a host says of itself: service types such as "_ipp._tcp", its name and IPv4 addresses, model and place if told."""

    types: tuple[str, ...] = ()
    name: str = ""
    addresses: tuple[str, ...] = ()
    model: str = ""
    place: str = ""


def announcement(payload: bytes) -> Announcement | None:
    """The announcement in `payload`; None for questions. Raises Failed(malformed) for what cannot be read."""
    if len(payload) < HEADER.size:
        raise Failed(Failure.MALFORMED, "too short")
    _, flags, questions, *counts = HEADER.unpack_from(payload)
    if not flags & RESPONSE:
        return None
    types: dict[str, None] = {}
    names: list[str] = []
    addresses: list[str] = []
    texts: dict[str, str] = {}
    for kind, owner, at, end in _records(payload, questions, sum(counts)):
        if kind in {SRV, TXT, PTR}:
            _note_type(types, owner)
        if kind == A and end - at == 4:
            addresses.append(str(IPv4Address(payload[at:end])))
            names.append(clean(b".".join(owner)))
        elif kind == SRV and end - at > 6:  # priority, weight and port come before the target
            names.append(clean(b".".join(read_name(payload, at + 6)[0])))
        elif kind == TXT:
            texts = _texts(payload[at:end]) | texts
    return Announcement(
        types=tuple(types),
        name=_host(names),
        addresses=tuple(dict.fromkeys(addresses)),
        model=next((texts[key] for key in MODEL_KEYS if texts.get(key)), ""),
        place=next((texts[key] for key in PLACE_KEYS if texts.get(key)), ""),
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


def _host(names: list[str]) -> str:
    return names[0].removesuffix(".local") if names else ""


def _note_type(types: dict[str, None], owner: Name) -> None:
    """The "_service._proto" pair in an owner name: "HP 9015._ipp._tcp.local", "_ipp._tcp.local"."""
    for service, protocol in pairwise(owner):
        if protocol.lower() in {b"_tcp", b"_udp"} and service.startswith(b"_") and len(types) < MOST_TYPES:
            if service.lower() not in {b"_dns-sd", b"_services"}:
                types.setdefault(clean(service.lower() + b"." + protocol.lower()))
            return


def _texts(data: bytes) -> dict[str, str]:
    """The key=value strings of a TXT record, keys in lower case; a string that runs past the end ends it."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        size = data[at]
        key, equals, value = data[at + 1 : at + 1 + size].partition(b"=")
        if equals:
            found.setdefault(clean(key.lower()), clean(value))
        at += 1 + size
    return found
