"""What was altered between the two ends of a path, judged from what each end saw. No I/O."""

import re
from urllib.parse import urlsplit

import msgspec

from netready.failure import Failed, Failure
from netready.measurement import Detail
from netready.text import clean
from probes.path_ask import Answer, Place
from probes.path_facts import LOAD_FIELD, TELLING, Facts, parse_facts
from probes.throughput.tcp_info import TcpInfo

PORTAL, PROXY, INSPECTION, CLAMPED, SPLIT = "captive-portal", "http-proxy", "tls-inspection", "mss-clamped", "tcp-proxy"

_MOST_NAMED = 16  # fields that are named in the details
_LOAD = re.compile(rf"{LOAD_FIELD}-[0-9]+")
# Fields of an answer that the testpoint never sends and proxies do (RFC 9110, 7.6.3; RFC 9111, 5.1; Squid's and Varnish's own).
_FROM_PROXIES = frozenset(
    {"via", "age", "x-cache", "x-cache-lookup", "x-varnish", "x-squid-error", "proxy-connection", "proxy-agent"}
    | {"content-encoding", "transfer-encoding", "x-bluecoat-via"}
)
_OPTIONS = 0b111  # timestamps, selective acknowledgements, window scaling: TCPI_OPT_*, linux/tcp.h
_WINDOW_SCALING = 0b100
_TIMESTAMPS = 12  # bytes of each segment
_UNKNOWN_TRIP = 2**32 - 1  # microseconds; the kernel's word for a round trip that it has not seen
# The kernel uses no segment above half the peer's window (tcp_bound_to_half_wnd), which the first window of 64 KiB bounds.
_MOST_COMPARED = 16_000


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    facts    None when it was not the testpoint that answered
    through  our own packets reached it; nothing on the way took them and sent others
    failure  why nothing can be said
    """

    changes: tuple[str, ...] = ()
    details: dict[str, Detail] = {}
    facts: Facts | None = None
    through: bool = False
    failure: Failed | None = None


def judge(answer: Answer, place: Place, sent: dict[str, str], nonce: str, *, pinned: bool, bounded: bool) -> Verdict:
    """What `answer` to a request with the fields `sent` shows.

    `pinned`: the server's key was the pinned one. `bounded`: we ourselves kept this connection's segments small.
    """
    facts = parse_facts(answer.body) if answer.status == 200 else None
    if facts is None:
        return judge_stranger(answer, place)
    if facts.nonce != nonce:
        return Verdict(changes=(PROXY,), details={"seen": "an answer that was made for another request"})
    changes: list[str] = []
    details: dict[str, Detail] = {"server_version": clean(facts.version, limit=32), "nat": facts.peer != answer.own}
    fields = altered_fields(sent, facts, answer.fields)
    if any(fields.values()) or (answer.tls is None and facts.tls is not None):
        changes.append(PROXY)
        details |= {name: list(found[:_MOST_NAMED]) for name, found in fields.items() if found}
    whole = True
    if answer.tls is not None:
        whole = facts.tls is not None and bool(answer.tls.session) and facts.tls.session == answer.tls.session
        if whole:
            details["tls_inspection"] = "none: both ends hold the same TLS session"
        elif pinned:
            details["tls_inspection"] = "none: TLS ends before the testpoint, at the holder of the pinned key"
        else:
            changes.append(INSPECTION)
            details["tls_inspection"] = "found: the two ends do not hold the same TLS session"
    split = is_split(answer.agreed, facts.tcp)
    if split:
        changes.append(SPLIT)
    # A far end that is much nearer than we are says that TCP ends on the way; our own first packet may also have been slow
    # (a radio that woke up, an address that was looked up), so this is told and not judged.
    trips = {"round_trip": answer.tcp.get("MinRTT", 0), "round_trip_there": facts.tcp.get("MinRTT", 0)}
    details |= {name: micro / 1e6 for name, micro in trips.items() if 0 < micro < _UNKNOWN_TRIP}
    if not bounded:
        details |= {name: size for name, size in segment_sizes(answer.agreed, facts.tcp).items() if size}
        clamped = not split and is_clamped(answer.agreed, facts.tcp, place)
        details["mss_clamped"] = clamped
        if clamped:
            changes.append(CLAMPED)
    through = whole and not {PROXY, SPLIT} & set(changes)
    return Verdict(changes=tuple(changes), details=details, facts=facts, through=through)


def judge_stranger(answer: Answer, place: Place) -> Verdict:
    """What an answer says that is not the testpoint's own.

    A certificate that was verified, or a pinned key, shows that the named server itself answered; then it is merely another
    server than ours. In clear text anybody can answer, and who sends us elsewhere or shows a page is a captive portal.
    """
    status, seen = answer.status, f"status {answer.status}"
    location = answer.fields.get("location", "")
    if location:
        seen += f", sent on to {_host(location) or 'another page of the same host'}"
    details: dict[str, Detail] = {"seen": seen}
    page = "html" in answer.fields.get("content-type", "") or answer.body[:256].lstrip().startswith(b"<")
    elsewhere = _host(location) not in {"", place.host.lower(), place.address}
    if answer.tls is None:
        if status == 511 or (status == 200 and page) or (300 <= status < 400 and elsewhere):  # 511: RFC 6585, 6
            return Verdict(changes=(PORTAL,), details=details)
        if status == 407:  # RFC 9110, 15.5.8: only a proxy says it
            return Verdict(changes=(PROXY,), details=details)
    match status:
        case 401 | 403 | 451:
            failure = Failed(Failure.HTTP_STATUS, f"{seen}: the server or a filter does not let us ask")
        case 429 | 503:
            failure = Failed(Failure.SERVER_BUSY, seen)
        case 500 | 502 | 504:
            failure = Failed(Failure.HTTP_STATUS, seen)
        case _:
            failure = Failed(Failure.NOT_SUPPORTED, f"the server does not say what it sees of the path ({seen})")
    return Verdict(details=details, failure=failure)


def altered_fields(sent: dict[str, str], facts: Facts, answered: dict[str, str]) -> dict[str, list[str]]:
    """Names of the request's fields that something added, took away or changed, and of the answer's that it added."""
    came = {clean(name) for name in facts.names if not _LOAD.fullmatch(name)}
    return {
        "fields_added": sorted(came - set(sent)),
        "fields_removed": sorted(set(sent) - came),
        "fields_changed": sorted(
            name for name, value in sent.items() if name in TELLING & came and facts.fields.get(name) != clean(value)
        ),
        "answer_fields_added": sorted(_FROM_PROXIES & set(answered)),
    }


def is_split(ours: TcpInfo, theirs: TcpInfo) -> bool:
    """Whether the two ends cannot be those of one TCP connection: what was agreed at its beginning differs."""
    if not {"Options", "WScale"} <= set(ours) & set(theirs):
        return False
    if (ours["Options"] ^ theirs["Options"]) & _OPTIONS:
        return True
    if ours["Options"] & _WINDOW_SCALING:
        send, receive = theirs["WScale"] & 0xF, theirs["WScale"] >> 4
        return ours["WScale"] != (send << 4 | receive)
    return False


def segment_sizes(ours: TcpInfo, theirs: TcpInfo) -> dict[str, int]:
    """The maximum segment sizes, in bytes as in the MSS option (RFC 9293, 3.7.1): announced here, used each way."""
    return {
        "mss_announced": _option(ours, "AdvMSS"),
        "mss_up": _option(ours, "SndMSS"),
        "mss_down": _option(theirs, "SndMSS"),
        "mss_announced_there": _option(theirs, "AdvMSS"),
    }


def is_clamped(ours: TcpInfo, theirs: TcpInfo, place: Place) -> bool:
    """Whether an end uses smaller segments than its own path and the other end's announcement let it."""
    return _below(ours, theirs, place) or _below(theirs, ours, place)


def _below(sender: TcpInfo, receiver: TcpInfo, place: Place) -> bool:
    if not {"SndMSS", "PMTU", "Options"} <= set(sender) or not {"AdvMSS", "Options"} <= set(receiver):
        return False
    allowed = min(sender["PMTU"] - place.headers, _option(receiver, "AdvMSS"))
    return _option(sender, "SndMSS") < allowed <= _MOST_COMPARED


def _option(info: TcpInfo, name: str) -> int:
    """A segment size as it stands in the MSS option; the kernel's counters have the timestamps taken off."""
    size = info.get(name, 0)
    return size + (_TIMESTAMPS if size and info.get("Options", 0) & 1 else 0)


def _host(location: str) -> str:
    try:
        return clean(urlsplit(location).hostname or "", limit=80)
    except ValueError:
        return "what is not a URL"
