"""Pages of the platforms a school depends on: fetched once each, without logging in, every phase timed."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import msgspec
from msgspec import Meta

from netready import __version__
from netready.authority import Refused
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Endpoint, Site
from netready.text import clean
from probes.deadline import Deadline, Tap
from probes.where import addresses

METHOD = "http_fetch/1"
TOTAL, FIRST_BYTE, CERTIFICATE = "http_total_time", "http_first_byte_time", "tls_certificate_left"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEAD = 128 * 1024  # bytes allowed for status line, headers and chunk sizes beside the body
PAGE = 300_000.0  # bytes: about what a portal's first document weighs, for the plan of a survey only
READ = 64 * 1024
# Octets that may stand in a request target as they are (RFC 3986 section 2); anything else a server sends us is escaped.
SAFE = "/%:=&?~+!$,;'@()*[]-._"


Trust = ssl.SSLContext | Failed  # or why there is none; pages without TLS do not ask


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [http_fetch]. Without endpoints it fetches the site's. `ca_file` replaces the system's authorities."""

    endpoints: Annotated[tuple[Endpoint, ...], Meta(max_length=64)] = ()
    timeout: Annotated[float, Meta(gt=0, le=120)] = 10.0  # seconds for one endpoint, redirects included
    max_bytes: Annotated[int, Meta(ge=1, le=100 * 2**20)] = 5 * 2**20
    max_redirects: Annotated[int, Meta(ge=0, le=20)] = 5
    ca_file: str = ""


class Visit(msgspec.Struct, kw_only=True):
    """What is known of one fetch so far; filled in phase by phase, so that a failure keeps what came before it.

    Times are seconds; dns, connect and tls are summed over the redirects, first_byte and total count from the very start.
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


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """Two or three measurements per endpoint: total time, time to the first byte, for https what is left of the certificate.

    Raises Refused before the first packet when nobody named an endpoint's host. A redirect to another host that nobody named
    is not followed and ends in `not-authorised`.
    """
    for endpoint in settings.endpoints:
        if host := _host(endpoint.url):  # what is no URL is not fetched either, and fails as malformed below
            context.authority.allow_host(host)
    trust = _trust(settings)
    for endpoint in settings.endpoints:
        at = context.clock.now()
        visit = Visit(encrypted=endpoint.url.startswith("https:"))
        context.say(f"http_fetch: {clean(endpoint.url)}")
        try:
            _fetch(endpoint.url, visit, trust, settings, context)
        except (OSError, Failed, http.client.HTTPException) as error:
            failure = failure_of(error)
            if failure is None:
                raise
            yield from emit(endpoint, at, visit, failure, clean(_sentence(error)))
        else:
            yield from emit(endpoint, at, visit)


def failure_of(error: Exception) -> Failure | None:
    """The failure word for whatever a fetch can end in."""
    match error:
        case http.client.RemoteDisconnected() | http.client.IncompleteRead():
            return Failure.CLOSED_EARLY
        case http.client.HTTPException():
            return Failure.MALFORMED
        case _:
            return classify(error)


def _sentence(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return str(error)


def emit(
    endpoint: Endpoint, at: datetime, visit: Visit, failure: Failure | None = None, reason: str = ""
) -> Iterator[Measurement]:
    """The measurements of one visit. A certificate that was seen and verified keeps its value when the page itself failed."""
    target = clean(endpoint.url, limit=500)
    details: dict[str, Detail] = {
        "role": endpoint.role.value,
        "name": clean(endpoint.name),
        "status": visit.status,
        "dns": round(visit.dns, 6),
        "connect": round(visit.connect, 6),
        "tls": round(visit.tls, 6),
        "first_byte": visit.first_byte,
        "total": visit.total,
        "address": visit.address,
        "tls_version": visit.tls_version,
        "redirects": visit.redirects,
        "final": visit.final,
    }
    # Once, with the first measurement: a survey adds them up.
    traffic: dict[str, Detail] = {"bytes_sent": visit.bytes_sent, "bytes_received": visit.bytes_received, "layer": "http"}
    for metric, value, more in ((TOTAL, visit.total, traffic), (FIRST_BYTE, visit.first_byte, {})):
        if failure is None and value is not None:
            yield Measurement.of(metric, target, at, value, METHOD, **details, **more)
        else:
            word = failure or Failure.CLOSED_EARLY
            yield Measurement.failed(metric, target, at, word, METHOD, **details, **more, reason=reason)
    if visit.left is not None:
        details |= {"not_after": visit.not_after, "issuer": visit.issuer}
        yield Measurement.of(CERTIFICATE, target, at, visit.left, METHOD, **details)
    elif visit.encrypted:
        word = failure or Failure.TLS_HANDSHAKE
        yield Measurement.failed(CERTIFICATE, target, at, word, METHOD, **details, reason=reason)


def _fetch(url: str, visit: Visit, trust: Trust, settings: Settings, context: Context) -> None:
    deadline = Deadline(context.clock, settings.timeout)
    seen: set[str] = set()
    while True:
        parts = _split(url)
        # Without the query: redirects carry session tokens, and those belong in no record.
        visit.final = clean(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
        seen.add(url)
        location = _hop(parts, visit, trust, settings, deadline)
        if location is None:
            return
        visit.redirects += 1
        url = _join(url, location)
        if url in seen or visit.redirects > settings.max_redirects:
            raise Failed(Failure.REDIRECT_LOOP, f"{visit.redirects} redirects did not lead to a page")
        host = clean(_split(url).hostname or "")
        try:
            context.authority.allow_host(host)
        except Refused:
            raise Failed(
                Failure.NOT_AUTHORISED, f"redirected to {host}, which is not named; add it as an endpoint to follow it"
            ) from None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
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


def _hop(parts: SplitResult, visit: Visit, trust: Trust, settings: Settings, deadline: Deadline) -> str | None:
    """One request. The page's end is the visit's end and gives None; a redirect gives its Location."""
    with _connect(parts, visit, deadline) as plain:
        if parts.scheme == "https":
            visit.encrypted = True
            with _encrypt(plain, parts.hostname or "", visit, trust, deadline) as sock:
                _certificate(sock, visit, deadline.clock.now())
                return _exchange(sock, parts, visit, settings, deadline)
        return _exchange(plain, parts, visit, settings, deadline)


def _trust(settings: Settings) -> Trust:
    """Whom to trust, read before any clock runs: the system's list of authorities takes longer to load than a handshake."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except (FileNotFoundError, PermissionError, IsADirectoryError, ssl.SSLError) as error:
        return Failed(Failure.LOCAL_RESOURCES, f"http_fetch.ca_file {settings.ca_file} cannot be used ({error})")


def _connect(parts: SplitResult, visit: Visit, deadline: Deadline) -> socket.socket:
    """A connection to the first address that takes one, in the system's order."""
    begun = deadline.spent
    places = addresses(parts.hostname or "", deadline.left())
    visit.dns += deadline.spent - begun
    port = parts.port or (443 if parts.scheme == "https" else 80)
    begun = deadline.spent
    trouble: OSError | None = None
    for number, (family, address) in enumerate(places):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            # A dead first address must not eat the whole time when there are others to try.
            sock.settimeout(deadline.left() / (len(places) - number))
            sock.connect((address, port))
        except OSError as error:
            sock.close()
            trouble = error
        else:
            visit.connect += deadline.spent - begun
            visit.address = address
            return sock
    raise trouble or Failed(Failure.DNS_NO_ADDRESS)


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


def _exchange(sock: socket.socket, parts: SplitResult, visit: Visit, settings: Settings, deadline: Deadline) -> str | None:
    request = _request(parts)
    sock.settimeout(deadline.left())
    sock.sendall(request)
    visit.bytes_sent += len(request)
    tap = Tap(sock, deadline, settings.max_bytes + HEAD)
    response = http.client.HTTPResponse(tap, method="GET")  # type: ignore[arg-type]  # it asks for makefile() only
    try:
        response.begin()
        visit.status = response.status
        location = response.getheader("Location") if response.status in REDIRECTS else None
        if location is not None:
            return location
        if not 200 <= response.status < 300:
            raise Failed(Failure.HTTP_STATUS, f"status {response.status} {clean(response.reason or '')}".strip())
        if (response.length or 0) > settings.max_bytes:
            raise Failed(Failure.TOO_LARGE, f"the page is larger than {settings.max_bytes} bytes")
        size = 0
        while piece := response.read(READ):
            size += len(piece)
            if size > settings.max_bytes:
                raise Failed(Failure.TOO_LARGE, f"the page is larger than {settings.max_bytes} bytes")
        if response.length:
            raise Failed(Failure.CLOSED_EARLY, f"{response.length} bytes of the page never came")
        visit.total = deadline.spent
    finally:
        visit.bytes_received += tap.received
        visit.first_byte = tap.first_byte
        response.close()
    return None


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


def fit(settings: Settings, site: Site) -> Settings:
    """Without endpoints of its own, the site's."""
    return settings if settings.endpoints else msgspec.structs.replace(settings, endpoints=site.endpoints)


INSTRUMENT = Instrument(
    name="http_fetch",
    version=1,
    read=read,
    settings=Settings,
    does="Opens each platform's page once, without logging in, and times every step",
    metrics=(TOTAL, FIRST_BYTE, CERTIFICATE),
    seconds=lambda settings: 1.0 * len(settings.endpoints),
    load=lambda settings, _rate: PAGE * len(settings.endpoints),
    fit=fit,
    hosts=lambda settings: tuple(_host(endpoint.url) for endpoint in settings.endpoints),
    missing=lambda settings: None if settings.endpoints else "no endpoint is named in [[site.endpoints]]",
    files=("ca_file",),
)
