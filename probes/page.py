"""One page: asked for by GET and followed through its redirects, every phase timed, nothing submitted and nobody logged in."""

import http.client
import socket
import ssl
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import msgspec

from netready import __version__
from netready.authority import Refused
from netready.failure import Failed, Failure, classify
from netready.instrument import Context
from netready.text import clean
from probes.deadline import Deadline, Tap
from probes.leg import HERE, Leg, joined

REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEAD = 128 * 1024  # bytes allowed for status line, headers and chunk sizes beside the body
READ = 64 * 1024
# Octets that may stand in a request target as they are (RFC 3986 section 2); anything else a server sends us is escaped.
SAFE = "/%:=&?~+!$,;'@()*[]-._"

Trust = ssl.SSLContext | Failed  # or why there is none; pages without TLS do not ask


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How pages are asked for.

    timeout  seconds for one visit, redirects included
    keep     bytes of the page that are kept for a look, also when its status is that of an error
    inside   connect to addresses of the authorised networks only, whatever the name leads to
    """

    trust: Trust
    timeout: float
    max_bytes: int
    max_redirects: int
    leg: Leg = HERE
    keep: int = 0
    inside: bool = False


class Visit(msgspec.Struct, kw_only=True):
    """What is known of one visit so far; filled in phase by phase, so that a failure keeps what came before it.

    Times are seconds; dns, connect and tls are summed over the redirects, first_byte and total count from the very start.
    host is the last that was asked, places the addresses it led to, heading the host that the last redirect leads to, and plain
    whether any hop was without TLS.
    """

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float | None = None
    total: float | None = None
    status: int | None = None
    bytes_received: int = 0
    bytes_sent: int = 0
    redirects: int = 0
    address: str = ""
    tls_version: str = ""
    final: str = ""
    left: float | None = None  # seconds until the first of the certificates met expires
    not_after: str = ""
    issuer: str = ""
    encrypted: bool = False
    plain: bool = False
    places: tuple[str, ...] = ()
    host: str = ""
    heading: str = ""
    page: bytes = b""

    @property
    def text(self) -> str:
        """What was kept of the page, as text; whatever is no UTF-8 in it is replaced."""
        return self.page.decode("utf-8", "replace")


def failure_of(error: Exception) -> Failure | None:
    """The failure word for whatever a fetch can end in."""
    match error:
        case http.client.RemoteDisconnected() | http.client.IncompleteRead():
            return Failure.CLOSED_EARLY
        case http.client.HTTPException():
            return Failure.MALFORMED
        case _:
            return classify(error)


def sentence(error: Exception) -> str:
    """What the error says, made safe to print."""
    return clean(error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error))


def attempt(url: str, visit: Visit, way: Way, context: Context) -> tuple[Failure, str] | None:
    """Visit `url`, and the word and the sentence for what went wrong; None when the page came whole."""
    try:
        fetch(url, visit, way, context)
    except (OSError, Failed, http.client.HTTPException) as error:
        failure = failure_of(error)
        if failure is None:
            raise
        return failure, sentence(error)
    return None


def fetch(url: str, visit: Visit, way: Way, context: Context) -> None:
    """Fill in `visit`. A redirect to a host that nobody named is not followed. Raises OSError, HTTPException and Failed."""
    deadline = Deadline(context.clock, way.timeout)
    seen: set[str] = set()
    while True:
        parts = _split(url)
        # Without the query: redirects carry session tokens, and those belong in no record.
        visit.final = clean(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
        visit.host = clean((parts.hostname or "").rstrip("."))
        seen.add(url)
        location = _hop(parts, visit, way, deadline, context)
        if location is None:
            return
        visit.redirects += 1
        url = _join(url, location)
        visit.heading = host = clean(_split(url).hostname or "")
        if url in seen or visit.redirects > way.max_redirects:
            raise Failed(Failure.REDIRECT_LOOP, f"{visit.redirects} redirects did not lead to a page")
        try:
            context.authority.allow_host(host)
        except Refused:
            raise Failed(
                Failure.NOT_AUTHORISED, f"redirected to {host}, which is not named; add it as an endpoint to follow it"
            ) from None


def host_of(url: str) -> str:
    """The host of a URL, lower case; nothing when it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _join(url: str, location: str) -> str:
    try:
        return urljoin(url, quote(location.encode("latin-1", "replace"), safe=SAFE + "#"))
    except ValueError as error:
        raise Failed(Failure.MALFORMED, f"redirected to what is not a URL: {error}") from None


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Failed(Failure.MALFORMED, f"not a URL: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise Failed(Failure.MALFORMED, "not an http or https URL")
    return parts


def _hop(parts: SplitResult, visit: Visit, way: Way, deadline: Deadline, context: Context) -> str | None:
    """One request. The page's end is the visit's end and gives None; a redirect gives its Location."""
    with _connect(parts, visit, way, deadline, context) as plain:
        if parts.scheme == "https":
            visit.encrypted = True
            with _encrypt(plain, parts.hostname or "", visit, way.trust, deadline) as sock:
                _certificate(sock, visit, deadline.clock.now())
                return exchange(sock, parts, visit, way, deadline)
        visit.plain = True
        return exchange(plain, parts, visit, way, deadline)


def trust(ca_file: str, field: str) -> Trust:
    """Whom to trust, read before any clock runs: the system's list of authorities takes longer to load than a handshake.

    `field` is where the config names the file.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (FileNotFoundError, PermissionError, IsADirectoryError, ssl.SSLError) as error:
        return Failed(Failure.LOCAL_RESOURCES, f"{field} {ca_file} cannot be used ({error})")


def _connect(parts: SplitResult, visit: Visit, way: Way, deadline: Deadline, context: Context) -> socket.socket:
    """A connection to the first address that takes one, in the resolver's order."""
    begun = deadline.spent
    places = way.leg.places(parts.hostname or "", deadline.left(), context)
    visit.dns += deadline.spent - begun
    visit.places = tuple(address for _, address in places)
    if way.inside:
        for address in visit.places:
            if not context.authority.holds(ip_address(address)):
                raise Failed(Failure.NOT_AUTHORISED, f"{address} is outside the authorised networks; nothing was sent")
    begun = deadline.spent
    sock, visit.address = joined(places, parts.port or (443 if parts.scheme == "https" else 80), way.leg, deadline.left)
    visit.connect += deadline.spent - begun
    return sock


def _encrypt(plain: socket.socket, host: str, visit: Visit, trust: Trust, deadline: Deadline) -> ssl.SSLSocket:
    if isinstance(trust, Failed):
        raise trust
    begun = deadline.spent
    plain.settimeout(deadline.left())
    sock = trust.wrap_socket(plain, server_hostname=host)
    visit.tls += deadline.spent - begun
    visit.tls_version = sock.version() or ""
    return sock


def _certificate(sock: ssl.SSLSocket, visit: Visit, now: datetime) -> None:
    certificate = sock.getpeercert() or {}
    not_after = certificate.get("notAfter")
    if not isinstance(not_after, str):
        return
    left = ssl.cert_time_to_seconds(not_after) - now.timestamp()
    if visit.left is None or left < visit.left:
        visit.left, visit.not_after = left, clean(not_after)
        visit.issuer = issuer_of(certificate)


def issuer_of(certificate: object) -> str:
    """Organisation or common name of who signed, from what `SSLSocket.getpeercert` gives."""
    match certificate:
        case {"issuer": tuple(names)}:
            found = {key: value for rdn in names for key, value in rdn}
            return clean(found.get("organizationName") or found.get("commonName") or "")
        case _:
            return ""


def exchange(sock: socket.socket, parts: SplitResult, visit: Visit, way: Way, deadline: Deadline) -> str | None:
    """One request on a connection: None at the end of the page, else where it redirects to."""
    request = _request(parts)
    sock.settimeout(deadline.left())
    sock.sendall(request)
    visit.bytes_sent += len(request)
    tap = Tap(sock, deadline, way.max_bytes + HEAD)
    response = http.client.HTTPResponse(tap, method="GET")  # type: ignore[arg-type]  # it asks for makefile() only
    try:
        response.begin()
        visit.status = response.status
        location = response.getheader("Location") if response.status in REDIRECTS else None
        if location is not None:
            return location
        proper = 200 <= response.status < 300
        if proper or way.keep:
            _body(response, visit, way)
        if not proper:
            raise Failed(Failure.HTTP_STATUS, f"status {response.status} {clean(response.reason or '')}".strip())
        visit.total = deadline.spent
    finally:
        visit.bytes_received += tap.received
        visit.first_byte = tap.first_byte
        response.close()
    return None


def _body(response: http.client.HTTPResponse, visit: Visit, way: Way) -> None:
    """Read the page to its end, and keep what is wanted of it."""
    if (response.length or 0) > way.max_bytes:
        raise Failed(Failure.TOO_LARGE, f"the page is larger than {way.max_bytes} bytes")
    size = 0
    visit.page = b""
    while piece := response.read(READ):
        visit.page += piece[: max(way.keep - size, 0)]
        size += len(piece)
        if size > way.max_bytes:
            raise Failed(Failure.TOO_LARGE, f"the page is larger than {way.max_bytes} bytes")
    if response.length:
        raise Failed(Failure.CLOSED_EARLY, f"{response.length} bytes of the page never came")


def _request(parts: SplitResult) -> bytes:
    host = (parts.hostname or "").encode("idna").decode("ascii") if ":" not in (parts.hostname or "") else f"[{parts.hostname}]"
    port = f":{parts.port}" if parts.port else ""
    path = quote(parts.path or "/", safe=SAFE) + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}{port}",
        f"User-Agent: netready/{__version__}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")
