"""The path to the test server, over IPv4 and IPv6: how large a packet passes whole, and what alters connections on the way."""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from probes.deadline import Deadline
from probes.path_ask import Answer, Place, ask, certificate
from probes.path_changes import INSPECTION, Verdict, judge
from probes.path_facts import Facts, parse_facts, request, request_fields
from probes.path_mtu import Extent, Talk, downward, least, upward
from probes.throughput import secure
from probes.throughput.nic import card, route_interface
from probes.throughput.settings import Endpoint, Throughput, endpoint, hosts, missing
from probes.where import addresses, is_address

METHOD = "path/1"
MTU, CHANGES = "path_mtu", "path_changes"
FAMILIES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}

# Seconds that full packets may be silent before they count as lost, beside the round trips of TCP, TLS and the question. The
# kernel sends again after 0.2 s and then 0.4 s (RFC 6298 with Linux's least), so two losses in a row are no black hole.
_PATIENT, _BRISK = 2.0, 1.0
_ROUND_TRIPS = 6
_LONGEST_ROUND_TRIP = 1.0  # s that a round trip may add to a patience, whatever the kernel's first guess was
_SEARCH = 20.0  # s for all questions about one direction
_PLANNED_SECONDS, _PLANNED_BYTES = 1.0, 40_000.0  # for each family, where nothing is in the way


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the first questions told. `narrow`: only packets of the least size brought an answer."""

    verdict: Verdict
    issuer: str = ""
    narrow: bool = False
    round_trip: float = 0.0


def read(settings: Throughput, context: Context) -> Iterator[Measurement]:
    """Two measurements for each address family that the server has, one failed one for a family that it has not.

    Raises Refused before the first packet when nobody named the server.
    """
    where = endpoint(settings.server)
    context.authority.allow_host(where.host)
    context.say(f"path: {settings.server}, over IPv4 and IPv6")
    try:
        found = addresses(where.host, settings.handshake_timeout)
    except (Failed, OSError) as error:
        failed = _failed(error)
        for family, name in FAMILIES.items():
            yield _failure(MTU, _target(settings, family), context.clock.now(), failed, {"family": name})
        return
    for family in FAMILIES:
        address = next((address for its, address in found if its == family), None)
        if address is None:
            yield _absent(settings, family, context.clock.now())
        else:
            yield from _Path(Place(family=family, address=address, port=where.port, host=where.host), settings, context).read()


def _absent(settings: Throughput, family: socket.AddressFamily, at: datetime) -> Measurement:
    name = FAMILIES[family]
    host = endpoint(settings.server).host
    reason = (
        f"the test server is given by an address that is not {name}" if is_address(host) else f"{host} has no {name} address"
    )
    failed = Failed(Failure.DNS_NO_ADDRESS, reason)
    return _failure(MTU, _target(settings, family), at, failed, {"family": name})


def _target(settings: Throughput, family: socket.AddressFamily) -> str:
    return f"{settings.server} over {FAMILIES[family]}"


def _failed(error: OSError | Failed) -> Failed:
    """The failure for an error of the network; another kind of error is our bug and is raised again."""
    if isinstance(error, Failed):
        return error
    failure = classify(error)
    if failure is None:
        raise error
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failed(failure, error.verify_message)
    return Failed(failure, str(error))


def _failure(metric: str, target: str, at: datetime, failed: Failed, details: dict[str, Detail]) -> Measurement:
    return Measurement.failed(metric, target, at, failed.failure, METHOD, **details, reason=failed.reason)


class _Path:
    """The path to one address."""

    def __init__(self, place: Place, settings: Throughput, context: Context) -> None:
        self._place = place
        self._settings = settings
        self._clock = context.clock
        self._chance = context.chance
        self._begun = context.clock.monotonic()
        self._at = context.clock.now()
        self._target = _target(settings, place.family)
        self._sent = self._received = 0
        self._deadline = Deadline(context.clock, settings.handshake_timeout)
        self._trust: ssl.SSLContext | None = None
        self._fields: dict[str, str] = {}

    def read(self) -> Iterator[Measurement]:
        """Both measurements."""
        details: dict[str, Detail] = {"family": FAMILIES[self._place.family], "address": self._place.address}
        issuers: dict[str, Detail] = {}
        try:
            self._trust = secure.context(self._settings)
            self._fields = request_fields(str(Endpoint(self._place.host, self._place.port)), secure.headers(self._settings))
            seen = self._look(issuers)
        except (Failed, OSError) as error:
            failed = _failed(error)
            if issuers and not self._settings.pin and failed.failure is Failure.TLS_CERTIFICATE:
                issuers["tls_inspection"] = "cannot tell: the certificate is not valid, and no key is pinned"
            for metric in (MTU, CHANGES):
                yield _failure(metric, self._target, self._at, failed, details | issuers)
            return
        yield self._emit_mtu(seen, details)
        yield self._emit_changes(seen.verdict, details | issuers)

    def _look(self, issuers: dict[str, Detail]) -> _Seen:
        """The first questions; asked again with the smallest packets when a connection was made and then fell silent."""
        try:
            return self._ask_for_facts(issuers, narrow=False)
        except TimeoutError:
            self._deadline = Deadline(self._clock, self._settings.handshake_timeout)
            return self._ask_for_facts(issuers, narrow=True)

    def _ask_for_facts(self, issuers: dict[str, Detail], *, narrow: bool) -> _Seen:
        pinned, packet = False, least(self._place) if narrow else None
        if self._trust is not None:
            key, issuers["issuer"] = certificate(self._place, self._deadline, packet=packet, narrow=narrow)
            pinned = bool(self._settings.pin)
            if pinned and key != self._settings.pin.lower():
                return _Seen(verdict=_inspected(str(issuers["issuer"])))
        nonce = f"{self._chance.getrandbits(128):032x}"
        answer = ask(self._place, request(self._fields, nonce), self._trust, self._deadline, packet=packet, narrow=narrow)
        self._count(answer)
        verdict = judge(answer, self._place, self._fields, nonce, pinned=pinned, bounded=narrow)
        round_trip = min(answer.tcp.get("RTT", 0) / 1e6, _LONGEST_ROUND_TRIP)
        return _Seen(verdict=verdict, narrow=narrow, round_trip=round_trip)

    def _emit_changes(self, verdict: Verdict, details: dict[str, Detail]) -> Measurement:
        details = details | verdict.details
        if verdict.failure is not None and not verdict.changes:
            return _failure(CHANGES, self._target, self._at, verdict.failure, details)
        details["changes"] = list(verdict.changes)
        return Measurement.of(CHANGES, self._target, self._at, float(len(verdict.changes)), METHOD, **details)

    def _emit_mtu(self, seen: _Seen, details: dict[str, Detail]) -> Measurement:
        interface = route_interface(self._place.address)
        own = card(interface) if interface else None
        details = details | {"interface": interface, "interface_mtu": own.mtu if own else None}
        verdict = seen.verdict
        for name in ("mss_announced", "mss_up", "mss_down", "mss_clamped"):
            if name in verdict.details:
                details[name] = verdict.details[name]
        obstacle = _obstacle(verdict)
        if obstacle is not None:
            return _failure(MTU, self._target, self._at, obstacle, details | self._cost())
        try:
            up = self._extent(upward, seen, own.mtu if own else None)
            details |= {"found_by": up.found_by.value, "black_hole": up.black_hole}
        except (Failed, OSError) as error:
            return _failure(MTU, self._target, self._at, _failed(error), details | self._cost())
        try:
            down = self._extent(downward, seen, own.mtu if own else None)
            details |= {"mtu_down": down.size, "found_by_down": down.found_by.value, "black_hole_down": down.black_hole}
        except (Failed, OSError) as error:
            failed = _failed(error)
            details["reason_down"] = f"{failed.failure.value}: {failed.reason}"
        return Measurement.of(MTU, self._target, self._at, float(up.size), METHOD, **details, **self._cost())

    def _extent(self, find: Callable[[Place, Talk, int | None], Extent], seen: _Seen, interface_mtu: int | None) -> Extent:
        """The limit of one direction, within `_SEARCH` seconds."""
        end = self._clock.monotonic() + _SEARCH

        def talk(load: int, fill: int, packet: int | None) -> tuple[Answer, Facts]:
            patience = (_PATIENT if packet is None else _BRISK) + _ROUND_TRIPS * seen.round_trip
            if self._clock.monotonic() + patience > end:
                raise Failed(Failure.TIMEOUT, f"the largest packet was not found within {_SEARCH:g} s")
            nonce = f"{self._chance.getrandbits(128):032x}"
            question = request(self._fields, nonce, load=load, fill=fill)
            # So that what is tried is our packets and not those of the far end's certificate.
            narrow = seen.narrow and load > 0
            answer = ask(self._place, question, self._trust, Deadline(self._clock, patience), packet=packet, narrow=narrow)
            self._count(answer)
            facts = parse_facts(answer.body)
            if facts is None or facts.nonce != nonce:
                raise Failed(
                    Failure.MALFORMED, f"the testpoint answered once, and then something else (status {answer.status})"
                )
            return answer, facts

        return find(self._place, talk, interface_mtu)

    def _count(self, answer: Answer) -> None:
        self._sent += answer.bytes_sent
        self._received += answer.bytes_received

    def _cost(self) -> dict[str, Detail]:
        """What both measurements took; told with the first, because a survey adds them up."""
        seconds = round(self._clock.monotonic() - self._begun, 3)
        return {"bytes_sent": self._sent, "bytes_received": self._received, "layer": "http", "seconds": seconds}


def _inspected(issuer: str) -> Verdict:
    reason = f"the key is not the pinned one; the certificate was issued by {issuer} (or the server has a new key)"
    failure = Failed(Failure.TLS_CERTIFICATE, reason)
    return Verdict(changes=(INSPECTION,), details={"tls_inspection": f"found: {reason}"}, failure=failure)


def _obstacle(verdict: Verdict) -> Failed | None:
    """Why the size of packets to the far end cannot be known."""
    if verdict.failure is not None:
        return verdict.failure
    changes = ", ".join(verdict.changes)
    if verdict.facts is None:
        return Failed(Failure.INCONCLUSIVE, f"it was not the testpoint that answered ({changes})")
    if not verdict.through:
        ends = changes or "TLS ends before the testpoint"
        return Failed(Failure.INCONCLUSIVE, f"something on the path takes our packets and sends its own ({ends})")
    return None


INSTRUMENT = Instrument(
    name="path",
    version=1,
    read=read,
    settings=Throughput,
    does="Asks the named test server, over IPv4 and IPv6, what reached it, and tries how large a packet passes whole",
    metrics=(MTU, CHANGES),
    seconds=lambda _settings: _PLANNED_SECONDS * len(FAMILIES),
    load=lambda _settings, _rate: _PLANNED_BYTES * len(FAMILIES),
    missing=lambda settings: missing(settings) or secure.unreadable(settings),
    hosts=hosts,
    table="throughput",
    files=("ca", "token_file"),
)
