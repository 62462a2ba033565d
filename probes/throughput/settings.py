"""What every throughput method is told: which server, which way, for how long. The config's [throughput] table."""

import re
from enum import StrEnum
from ipaddress import IPv6Address
from typing import Annotated

import msgspec
from msgspec import Meta

# A name or an address, then a port; an IPv6 address stands in brackets, as in a URL (RFC 3986, 3.2.2). Labels of a name
# have 1 to 63 characters (RFC 1035, 2.3.4); the resolver's own check of that is an exception of another kind.
_LABEL = r"[A-Za-z0-9_-]{1,63}"
_ENDPOINT = re.compile(rf"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>{_LABEL}(?:\.{_LABEL})*\.?)):(?P<port>[0-9]{{1,5}})")
HOST_LIMIT = 253  # characters in a domain name (RFC 1035, 2.3.4)


class Direction(StrEnum):
    """Which way the load goes, seen from the school."""

    DOWN = "down"
    UP = "up"
    BOTH = "both"


class Endpoint(msgspec.Struct, frozen=True):
    """Where to connect to, or what to listen on. `host` is without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def endpoint(text: str) -> Endpoint:
    """Read "HOST:PORT" or "[IPv6]:PORT"; ValueError says what was expected. Port 0 is left to the caller to judge."""
    found = _ENDPOINT.fullmatch(text) if len(text) <= HOST_LIMIT + 8 else None
    if found is None:
        raise ValueError(f"{text[:80]!r} is not HOST:PORT, such as test.example.org:4444 or [2001:db8::1]:4444")
    port = int(found["port"])
    if port > 65535:
        raise ValueError(f"{text!r}: port {port} is above 65535")
    if found["six"] is None:
        return Endpoint(found["host"], port)
    try:
        return Endpoint(str(IPv6Address(found["six"])), port)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from error


class Method(StrEnum):
    """The throughput methods, by the names of their rows."""

    NETREADY = "netready"
    NDT7 = "ndt7"
    IPERF3 = "iperf3"
    LIBRESPEED = "librespeed"
    SPEEDTEST = "speedtest"


class Throughput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a throughput test.

    methods            which methods a survey uses; their figures are never mixed
    server             "HOST:PORT"; empty means that nobody has named one, and then nothing is tested
    tls                speak TLS; the server's certificate must be valid for its name
    ca                 a PEM file with the authority that signed the server's certificate, when it is the school's own
    pin                SHA-256 of the server's public key (SubjectPublicKeyInfo), hex; another key ends the test
    token_file         a file with the bearer token that the server asks for
    seconds            how long each direction may be loaded; unset, the method's own time
    streams            parallel TCP connections, for the methods that have several; unset, the method's own number
    precision          half-width of the interval at which `netready` stops, as a ratio of the rate
    congestion         TCP congestion control asked of both ends ("bbr", "cubic"); empty, theirs
    at_least           bit/s; with it, `netready` only answers whether the line carries that much
    most_bytes         bytes a direction may move at most; 0 is no limit
    handshake_timeout  seconds until the server must have agreed to the test
    timeout            seconds without a byte after which the server counts as stalled
    locate             ndt7 only: let M-Lab's Locate API choose a public server
    accept_mlab_policy ndt7 only: M-Lab publishes the test with the school's public address, and somebody has agreed to that
    """

    methods: tuple[Method, ...] = (Method.NETREADY,)
    server: str = ""
    direction: Direction = Direction.BOTH
    tls: bool = False
    ca: str = ""
    pin: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{64})?$")] = ""
    token_file: str = ""
    seconds: Annotated[float, Meta(gt=0, le=60)] | None = None
    streams: Annotated[int, Meta(ge=1, le=16)] | None = None
    precision: Annotated[float, Meta(ge=0.005, le=0.5)] = 0.02
    congestion: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{0,15}$")] = ""
    at_least: Annotated[float, Meta(ge=0)] = 0.0
    most_bytes: Annotated[int, Meta(ge=0)] = 0
    handshake_timeout: Annotated[float, Meta(gt=0, le=30)] = 7.0
    timeout: Annotated[float, Meta(gt=0, le=30)] = 7.0
    locate: bool = False
    accept_mlab_policy: bool = False

    def __post_init__(self) -> None:
        if self.server and endpoint(self.server).port == 0:
            raise ValueError(f"server: {self.server!r} has no port to connect to")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions to test, one after the other."""
        match self.direction:
            case Direction.BOTH:
                return (Direction.DOWN, Direction.UP)
            case Direction.DOWN | Direction.UP:
                return (self.direction,)

    def time(self, own: float) -> float:
        """Seconds for each direction: as set, else the method's own."""
        return own if self.seconds is None else self.seconds

    def moved(self, each: float) -> float:
        """Bytes of load that a test moves when each direction would move `each`, were it not for `most_bytes`."""
        return len(self.directions) * min(each, self.most_bytes or each)


def missing(settings: Throughput) -> str | None:
    """Why no throughput method can run with these settings, or None when one can."""
    return None if settings.server else "no test server is named in [throughput]"


def hosts(settings: Throughput) -> tuple[str, ...]:
    """The host of the test server, when one is named."""
    return (endpoint(settings.server).host,) if settings.server else ()
