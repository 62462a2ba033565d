"""DHCP requests as clients broadcast them (RFC 2131, RFC 2132), read with suspicion; no socket here."""

import struct
from ipaddress import IPv4Address

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

FIXED = 236  # bytes before the magic cookie
MAGIC = b"\x63\x82\x53\x63"
REQUEST, ETHERNET = 1, 1
PAD, HOST_NAME, WANTED_ADDRESS, PARAMETERS, VENDOR_CLASS, END = 0, 12, 50, 55, 60, 255
MOST_PARAMETERS = 64


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of itself. `address` is the one it has or asks to keep."""

    mac: str
    address: str | None = None
    name: str = ""
    vendor_class: str = ""
    parameters: tuple[int, ...] = ()


def client(payload: bytes) -> Client | None:
    """The client behind a request; None for a server's message. Raises Failed(malformed) for what is no DHCP at all."""
    if len(payload) < FIXED + len(MAGIC) or payload[FIXED : FIXED + 4] != MAGIC:
        raise Failed(Failure.MALFORMED, "not DHCP")
    operation, hardware, length = struct.unpack_from("!BBB", payload)
    if operation != REQUEST:
        return None
    mac = payload[28:34]
    if (hardware, length) != (ETHERNET, 6) or mac[0] & 1 or not any(mac):
        raise Failed(Failure.MALFORMED, "not an Ethernet client")
    options = _options(payload, FIXED + len(MAGIC))
    wanted = options.get(WANTED_ADDRESS, b"")
    current = payload[12:16] if any(payload[12:16]) else wanted
    return Client(
        mac=mac.hex(":"),
        address=str(IPv4Address(current)) if len(current) == 4 else None,
        name=clean(options.get(HOST_NAME, b"").rstrip(b"\x00")),
        vendor_class=clean(options.get(VENDOR_CLASS, b"").rstrip(b"\x00")),
        parameters=tuple(options.get(PARAMETERS, b"")[:MOST_PARAMETERS]),
    )


def _options(payload: bytes, at: int) -> dict[int, bytes]:
    """Options by number; the parts of a long one are joined (RFC 3396)."""
    found: dict[int, bytes] = {}
    while at < len(payload):
        option = payload[at]
        if option == END:
            break
        if option == PAD:
            at += 1
            continue
        if at + 2 > len(payload) or at + 2 + payload[at + 1] > len(payload):
            raise Failed(Failure.MALFORMED, "an option runs past the end")
        size = payload[at + 1]
        found[option] = found.get(option, b"") + payload[at + 2 : at + 2 + size]
        at += 2 + size
    return found
