"""One question to the far end over one connection, and what this end's kernel saw of it."""

import contextlib
import http.client
import socket
import ssl
import struct

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean
from probes.deadline import Deadline, Tap
from probes.path_facts import FACTS_LIMIT, Tls, session_of
from probes.throughput import secure, tcp_info
from probes.throughput.settings import Endpoint
from probes.throughput.tcp_info import TcpInfo

_HEAD = 64 * 1024  # bytes that an answer's head and chunk sizes may have
_MOST_FIELDS = 100
_FAREWELL = 0.5  # s for the far end to say goodbye too

# linux/in.h, linux/in6.h
_IP_MTU_DISCOVER, _IP_MTU, _IPV6_MTU_DISCOVER, _IPV6_MTU = 10, 14, 23, 24
_PMTUDISC_DO = 2  # never fragment here, and ask routers not to (DF)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One address of the far end; `host` is the name that its certificate must have."""

    family: socket.AddressFamily
    address: str
    port: int
    host: str

    @property
    def six(self) -> bool:
        """Whether this is IPv6."""
        return self.family == socket.AF_INET6

    @property
    def headers(self) -> int:
        """Bytes of IP and TCP headers before any option."""
        return 60 if self.six else 40


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, and what was seen of the connection.

    fields          lower-case names; cleaned
    body            what was read of it, at most FACTS_LIMIT
    own             our "address:port"
    known_mtu, mtu  bytes of the largest packet that the kernel would send there, before and after; None where it does not say
    agreed, tcp     TCP_INFO, before and after
    tls             of this end, None for clear text
    """

    status: int
    fields: dict[str, str]
    body: bytes
    own: str
    known_mtu: int | None
    mtu: int | None
    agreed: TcpInfo
    tcp: TcpInfo
    tls: Tls | None
    bytes_sent: int
    bytes_received: int


def connect(place: Place, deadline: Deadline, *, packet: int | None = None, narrow: bool = False) -> socket.socket:
    """A TCP connection whose packets are never fragmented.

    `packet` bounds their size in bytes, both ways; `narrow` only that of the peer's, to a few hundred bytes.

    Raises OSError, and Failed(TIMEOUT) where it cannot even be made: a TimeoutError of other functions here says that a
    connection was made and then fell silent.
    """
    connection = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        if place.six:
            connection.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_DO)
        else:
            connection.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DO)
        if packet is not None:
            # What is announced in our SYN bounds the peer too (RFC 9293, 3.7.1).
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, packet - place.headers)
        if narrow:
            # A sender keeps its segments within half of the largest window it has seen (RFC 9293, 3.8.6.2.1, and Linux).
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel makes it its least: 2,304 bytes
        connection.settimeout(deadline.left())
        connection.connect((place.address, place.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError as error:
        connection.close()
        raise Failed(Failure.TIMEOUT, "nothing answers there") from error
    except OSError:
        connection.close()
        raise
    return connection


def certificate(place: Place, deadline: Deadline, *, packet: int | None = None, narrow: bool = False) -> tuple[str, str]:
    """Key (SHA-256, hex) and issuer of whatever certificate is shown at `place`; nothing is sent over that session.

    Raises OSError, and Failed when the certificate cannot be read.
    """
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE  # it is looked at here, and judged by the caller
    with connect(place, deadline, packet=packet, narrow=narrow) as plain:
        plain.settimeout(deadline.left())
        with anybody.wrap_socket(plain, server_hostname=place.host) as shown:
            found = shown.getpeercert(binary_form=True) or b""
            _part(shown, deadline)
    return secure.describe(found)


def ask(
    place: Place,
    request: bytes,
    tls: ssl.SSLContext | None,
    deadline: Deadline,
    *,
    packet: int | None = None,
    narrow: bool = False,
) -> Answer:
    """Send `request` and read one answer. Raises OSError, Failed; Failed(MALFORMED) for what is not HTTP."""
    connection = connect(place, deadline, packet=packet, narrow=narrow)
    try:
        known, agreed = _mtu(connection, place), tcp_info.read(connection)
        if tls is not None:
            connection.settimeout(deadline.left())
            connection = tls.wrap_socket(connection, server_hostname=place.host)
        connection.settimeout(deadline.left())
        connection.sendall(request)
        tap = Tap(connection, deadline, FACTS_LIMIT + _HEAD)
        response = http.client.HTTPResponse(tap, method="GET")  # type: ignore[arg-type]  # it asks for makefile() only
        with contextlib.closing(response):
            status, fields, body = _read(response)
        answer = Answer(
            status=status,
            fields=fields,
            body=body,
            own=str(Endpoint(*connection.getsockname()[:2])),
            known_mtu=known,
            mtu=_mtu(connection, place),
            agreed=agreed,
            tcp=tcp_info.read(connection),
            tls=session_of(connection) if isinstance(connection, ssl.SSLSocket) else None,
            bytes_sent=len(request),
            bytes_received=tap.received,
        )
    except BaseException:
        _abort(connection)
        raise
    connection.close()
    return answer


def _read(response: http.client.HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    try:
        response.begin()
        found = response.getheaders()[:_MOST_FIELDS]
        return response.status, {clean(name).lower(): clean(value) for name, value in found}, response.read(FACTS_LIMIT)
    except (http.client.RemoteDisconnected, http.client.IncompleteRead) as error:
        raise Failed(Failure.CLOSED_EARLY, "the connection was closed before the answer was whole") from error
    except http.client.HTTPException as error:
        raise Failed(Failure.MALFORMED, f"what answered does not speak HTTP ({clean(str(error))})") from error


def _part(connection: ssl.SSLSocket, deadline: Deadline) -> None:
    """Say goodbye in TLS, so that the far end sees an end and not a reset: tickets of TLS 1.3 may lie here unread."""
    with contextlib.suppress(OSError):
        connection.settimeout(min(_FAREWELL, deadline.left()))
        connection.unwrap().close()


def _abort(connection: socket.socket) -> None:
    """Close and forget what the kernel has not got rid of: full packets that do not pass would be tried for minutes."""
    with contextlib.suppress(OSError):  # a failed TLS handshake has closed it already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _mtu(connection: socket.socket, place: Place) -> int | None:
    level, option = (socket.IPPROTO_IPV6, _IPV6_MTU) if place.six else (socket.IPPROTO_IP, _IP_MTU)
    try:
        return connection.getsockopt(level, option)
    except OSError:
        return None
