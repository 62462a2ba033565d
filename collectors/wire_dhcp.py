"""DHCP as clients and servers say it aloud (RFC 2131, RFC 2132), read with suspicion; no socket here."""

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

FIXED = 236  # bytes before the magic cookie
MAGIC = b"\x63\x82\x53\x63"
FROM_CLIENT, FROM_SERVER, ETHERNET = 1, 2, 1
PAD, HOST_NAME, WANTED_ADDRESS, MESSAGE, SERVER, PARAMETERS, VENDOR_CLASS, IDENTITY, END = 0, 12, 50, 53, 54, 55, 60, 61, 255
OFFER, REQUEST, ACKNOWLEDGED, REFUSED = 2, 3, 5, 6  # kinds of message (option 53)
NOBODY = b"\x00\x00\x00\x00"
MOST_PARAMETERS = 64
LONGEST_IDENTITY = 135  # octets: a type, an interface and a DUID of 130 (RFC 4361 section 6.1, RFC 8415 section 11.1)


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of itself. `address` is the one it has or has asked for, packed; empty when it has none.

    `identity` is by what the server is to know it (option 61, RFC 4361), in hexadecimal digits; empty when it is too long, for
    half of it might be another's.
    """

    mac: bytes
    address: bytes = b""
    name: str = ""
    vendor_class: str = ""
    parameters: tuple[int, ...] = ()
    identity: str = ""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server's answer. `address` is the server's own, `serves` the one it gives; both packed, empty when not said."""

    address: bytes
    serves: bytes = b""


def client(payload: bytes) -> Client | None:
    """The client behind a message; None for a server's. Raises Failed(malformed) for what is no DHCP at all."""
    if _operation(payload) != FROM_CLIENT:
        return None
    hardware, length = payload[1], payload[2]
    mac = payload[28:34]
    if (hardware, length) != (ETHERNET, 6) or mac[0] & 1 or not any(mac):
        raise Failed(Failure.MALFORMED, "not an Ethernet client")
    options = _options(payload, FIXED + len(MAGIC))
    identity = options.get(IDENTITY, b"")
    address = payload[12:16]
    if address == NOBODY:
        # In a discovery the option is only a wish, and in a refusal it is an address that somebody else has.
        address = options.get(WANTED_ADDRESS, b"") if options.get(MESSAGE) == bytes([REQUEST]) else b""
    return Client(
        mac=mac,
        address=address if len(address) == 4 else b"",
        name=clean(options.get(HOST_NAME, b"").rstrip(b"\x00")),
        vendor_class=clean(options.get(VENDOR_CLASS, b"").rstrip(b"\x00")),
        parameters=tuple(options.get(PARAMETERS, b"")[:MOST_PARAMETERS]),
        identity=identity.hex() if len(identity) <= LONGEST_IDENTITY else "",
    )


def server(payload: bytes) -> Server | None:
    """The server behind an offer, an acknowledgement or a refusal; None for anything else. Raises Failed(malformed)."""
    if _operation(payload) != FROM_SERVER:
        return None
    options = _options(payload, FIXED + len(MAGIC))
    kind, own = options.get(MESSAGE, b""), options.get(SERVER, b"")
    if kind not in {bytes([OFFER]), bytes([ACKNOWLEDGED]), bytes([REFUSED])}:
        return None
    if len(own) != 4 or own == NOBODY:
        raise Failed(Failure.MALFORMED, "a server that does not say who it is")
    serves = payload[16:20]
    return Server(address=own, serves=b"" if serves == NOBODY or kind == bytes([REFUSED]) else serves)


def _operation(payload: bytes) -> int:
    if len(payload) < FIXED + len(MAGIC) or payload[FIXED : FIXED + 4] != MAGIC:
        raise Failed(Failure.MALFORMED, "not DHCP")
    return payload[0]


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
