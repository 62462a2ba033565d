"""Where M-Lab would have us test: its Locate API v2, asked with consent, seldom, and believed only about M-Lab's own servers.

The API is described at https://www.measurementlab.net and in m-lab/locate's USAGE; the schedule, the pauses and the minute
that an access token lives are in its documents and in the ndt7 protocol (v0.11.0). What may be asked, and when, are pure
functions: they need the moments of earlier requests, which whoever keeps the measurements knows (`locate_requests`).
"""

import re
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Protocol
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import msgspec
from msgspec import Meta

from netready import __version__
from netready.authority import Authority
from netready.failure import Failed, Failure
from netready.text import clean
from probes.throughput.channel import Now, dial
from probes.throughput.exchange import fetch, request
from probes.throughput.ndt7_spec import DOWNLOAD, QUERY_LIMIT, UPLOAD
from probes.throughput.settings import Direction, Endpoint, Throughput, endpoint

LOCATE_MOST = 40  # requests of one site in LOCATE_WINDOW: M-Lab's limit for those who have not registered
LOCATE_WINDOW = timedelta(hours=12)
MEAN, LEAST, MOST = 21_600.0, 2_160.0, 54_000.0  # s between tests that nobody asked for: memoryless, 6 h, 36 min to 15 h
FIRST_PAUSE, LONGEST_PAUSE, PAUSE_SPREAD = 60.0, 960.0, 0.05  # s after a refusal, doubling; a share either way

TRIED = 4  # servers of one answer
FRESH = 40.0  # s for which an answer may be used; its tokens live for a minute
HOPS = 3  # redirects that are followed, all within the Locate host
ANSWER_LIMIT = 1 << 16  # bytes; an honest answer with four servers has about 5,000
ARCHIVE = "M-Lab's public archive: BigQuery view measurement-lab.ndt.ndt7 (newer: ndt7_union), column id"

_NO_CAPACITY = frozenset({204, 500, 503})
_SERVICE = {Direction.DOWN: DOWNLOAD, Direction.UP: UPLOAD}
_PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}
_VISIBLE = re.compile(r"[!-~]+")


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """A Locate service. Only tests name another than M-Lab's.

    url, domains   where it answers, and under which domains its servers are
    scheme         "wss", for tests over TLS
    archive        where a test's UUID can be looked up
    fresh          seconds for which an answer may be used
    """

    url: str
    domains: tuple[str, ...]
    scheme: str = "wss"
    archive: str = ""
    fresh: float = FRESH

    @property
    def host(self) -> str:
        """The host that is asked."""
        return urlsplit(self.url).hostname or ""


MLAB = Directory(
    url="https://locate.measurementlab.net/v2/nearest/ndt/ndt7",
    domains=("measurement-lab.org", "measurementlab.net"),
    archive=ARCHIVE,
)


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One server of an answer. `targets` holds path and query for each direction, verbatim: the token is in them."""

    where: Endpoint
    targets: dict[Direction, str]


class _Result(msgspec.Struct, frozen=True):
    urls: Annotated[dict[str, Annotated[str, Meta(max_length=QUERY_LIMIT + 512)]], Meta(max_length=32)]


class _Answer(msgspec.Struct, frozen=True):
    results: Annotated[list[_Result], Meta(max_length=64)]


class Chances(Protocol):
    """What this file asks of chance."""

    def random(self) -> float: ...

    def expovariate(self, lambd: float) -> float: ...


def missing(settings: Throughput) -> str | None:
    """Why Locate may not be asked with these settings, in one sentence, or None when it may or need not be."""
    if not settings.locate:
        return None
    if settings.server:
        return (
            f"throughput.server ({settings.server}) and throughput.locate are both set: name a server of your own, or let "
            "M-Lab choose one of its own, not both"
        )
    if not settings.accept_mlab_policy:
        return (
            "M-Lab publishes every test together with this school's public IP address; set throughput.accept_mlab_policy = "
            "true once somebody who may agree to that has agreed"
        )
    return None


def allowed(requests: Sequence[datetime], now: datetime) -> datetime | None:
    """When Locate may be asked again, or None for now. `requests` are the moments of earlier ones, in any order.

    At most LOCATE_MOST in any LOCATE_WINDOW. A moment in the future is from before a clock was set back: it counts when it
    is less than a window away, and further ones, which might block for years, do not.
    """
    recent = sorted(moment for moment in requests if now - LOCATE_WINDOW < moment < now + LOCATE_WINDOW)
    return None if len(recent) < LOCATE_MOST else recent[-LOCATE_MOST] + LOCATE_WINDOW


def next_test(chance: Chances) -> float:
    """Seconds until the next test that nobody waits for: memoryless, so that all schools' tests do not come together."""
    return min(max(chance.expovariate(1 / MEAN), LEAST), MOST)


def pause(refusals: int, chance: Chances) -> float:
    """Seconds to wait after so many refusals in a row, 1 or more."""
    mean = min(FIRST_PAUSE * 2.0 ** min(refusals - 1, 16), LONGEST_PAUSE)
    return mean * (1 + PAUSE_SPREAD * (2 * chance.random() - 1))


def parse(body: bytes, directory: Directory) -> list[Server]:
    """The servers of an answer, best first, at most TRIED; raises Failed(MALFORMED) for anything but servers of `directory`."""
    try:
        found = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Failed(Failure.MALFORMED, "the Locate API's answer is not a list of servers") from error
    servers = [server for result in found.results[:TRIED] if (server := _server(result, directory)) is not None]
    if not servers:
        raise Failed(Failure.MALFORMED, f"the Locate API's answer names no server for {directory.scheme}")
    return servers


def _server(result: _Result, directory: Directory) -> Server | None:
    urls = {direction: result.urls.get(f"{directory.scheme}://{path}") for direction, path in _SERVICE.items()}
    places, targets = set(), {}
    for direction, url in urls.items():
        if url is None:
            return None
        where, targets[direction] = _split(url, _SERVICE[direction], directory)
        places.add(where)
    if len(places) != 1:
        raise Failed(Failure.MALFORMED, "the Locate API names two servers as one")
    return Server(where=places.pop(), targets=targets)


def _split(url: str, path: str, directory: Directory) -> tuple[Endpoint, str]:
    """Where a server's URL points to, and its path and query as they stand; raises Failed for what Locate may not return."""
    shown = clean(url.partition("?")[0], limit=80)  # what follows is a token
    try:
        parts = urlsplit(url)
        where = endpoint(f"{parts.hostname}:{parts.port or _PORTS[directory.scheme]}")
    except ValueError as error:
        raise Failed(Failure.MALFORMED, f"the Locate API names {shown!r}, which is no URL") from error
    plain = parts.scheme == directory.scheme and parts.path == path and not parts.fragment and "@" not in parts.netloc
    if not plain or _VISIBLE.fullmatch(url) is None or len(parts.query) > QUERY_LIMIT:
        raise Failed(Failure.MALFORMED, f"the Locate API names {shown!r}, which is no ndt7 server's URL")
    if not any(where.host == domain or where.host.endswith(f".{domain}") for domain in directory.domains):
        raise Failed(Failure.NOT_AUTHORISED, f"the Locate API names {shown!r}, which is none of its own servers")
    return where, f"{path}?{parts.query}" if parts.query else path


def with_metadata(target: str, about: dict[str, str]) -> str:
    """`target` with the client's own words appended; keys that it has already are left out, for none may come twice."""
    path, _, query = target.partition("?")
    known = {key for key, _ in parse_qsl(query, keep_blank_values=True)}
    added = urlencode({key: value for key, value in about.items() if key not in known})
    return f"{path}?{'&'.join(part for part in (query, added) if part)}"


def admit(authority: Authority, server: Server) -> Authority:
    """`authority` that allows one more host: a server that `parse` has checked, and nothing else."""
    return msgspec.structs.replace(authority, hosts=authority.hosts | {server.where.host.lower()})


class Guide:
    """Asks Locate for one run of tests: right before the first, and again only when its tokens have grown old.

    requests   how many have been sent
    """

    def __init__(self, directory: Directory, authority: Authority, *, seconds: float, now: Now) -> None:
        self.directory = directory
        self.requests = 0
        self._authority = authority
        self._seconds = seconds
        self._now = now
        self._servers: list[Server] = []
        self._asked_at = 0.0
        self._refusal: Failed | OSError | None = None

    def servers(self) -> list[Server]:
        """Servers to try, in order; raises Failed, OSError or Refused. A refusal is final for this run."""
        if self._refusal is not None:
            raise self._refusal
        if not self._servers or self._now() - self._asked_at > self.directory.fresh:
            try:
                self._servers = self._ask()
            except (Failed, OSError) as refusal:
                self._refusal = refusal
                raise
            self._asked_at = self._now()
        return self._servers

    def keep(self, server: Server) -> None:
        """The next direction uses the same server."""
        self._servers = [server]

    def _ask(self) -> list[Server]:
        until = self._now() + self._seconds
        url = f"{self.directory.url}?{urlencode({'client_name': 'netready', 'client_version': __version__})}"
        for _ in range(HOPS + 1):
            self._authority.allow_host(self.directory.host)
            self.requests += 1
            status, onward, body = self._get(url, until)
            if status == 200:
                return parse(body, self.directory)
            if not 300 <= status < 400:
                raise _refused(status)
            url = self._onward(url, onward)
        raise Failed(Failure.REDIRECT_LOOP, f"the Locate API sent us on more than {HOPS} times")

    def _get(self, url: str, until: float) -> tuple[int, str, bytes]:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        head = request("GET", f"{parts.path}?{parts.query}", parts.netloc, {"Connection": "close"})
        with dial(self.directory.host, port, tls=tls, seconds=until - self._now(), now=self._now) as connection:
            answer = fetch(connection, head, most=ANSWER_LIMIT, until=until, now=self._now)
        if answer.response is None:
            raise Failed(Failure.MALFORMED, "the Locate API's answer has no head")
        return answer.response.status, answer.response.fields.get("location", ""), bytes(answer.kept)

    def _onward(self, url: str, location: str) -> str:
        """Where a redirect leads; raises Failed unless that is the Locate API itself."""
        refusal = Failed(Failure.HTTP_STATUS, f"the Locate API sent us on to {clean(location, limit=80)!r}, which it is not")
        try:
            here, there = urlsplit(url), urlsplit(urljoin(url, location))
        except ValueError:
            raise refusal from None
        if (there.scheme, there.netloc) != (here.scheme, here.netloc) or _VISIBLE.fullmatch(there.geturl()) is None:
            raise refusal
        return there.geturl()


def _refused(status: int) -> Failed:
    again = f"try again in {FIRST_PAUSE:g} s, then in twice that, up to {LONGEST_PAUSE:g} s"
    if status == 429:
        return Failed(Failure.SERVER_BUSY, f"the Locate API wants fewer requests from this address (429); {again}")
    if status in _NO_CAPACITY:
        return Failed(Failure.SERVER_BUSY, f"the Locate API has no server to give just now ({status}); {again}")
    return Failed(Failure.HTTP_STATUS, f"the Locate API answered {status}")
