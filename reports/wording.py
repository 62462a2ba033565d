"""The words for outcomes, answers, failures and kinds: what the code calls one thing, said as a reader would."""

from collections.abc import Iterable

from netready import units
from netready.device import Kind
from netready.failure import Failure
from netready.finding import Trouble
from netready.measurement import Measurement
from readiness.evidence import Grade
from readiness.gate import Acceptance, Answer, Level, RuleOutcome
from readiness.judgement import Outcome
from readiness.next_steps import Effort
from readiness.roadmap import EvidenceKind, Who
from readiness.wording import LIMITS

_SURE = 0.95  # of a load, above which its lower bound is not said beside it
ANSWERS = {
    Answer.GO: "Ready",
    Answer.GO_WITH_CONDITIONS: "Ready with conditions",
    Answer.NO_GO: "Not yet",
    Answer.INDETERMINATE: "Cannot say",
}

OUTCOMES = {
    Outcome.MET: "met",
    Outcome.NOT_MET: "not met",
    Outcome.UNKNOWN: "not known",
    Outcome.WAIVED: "waived",
    Outcome.NOT_APPLICABLE: "does not apply",
}

RULE_OUTCOMES = {
    RuleOutcome.PASS: "met",
    RuleOutcome.FAIL: "not met",
    RuleOutcome.UNKNOWN: "not known",
    RuleOutcome.WAIVED: "waived",
}

LEVELS = {Level.HARD: "must hold", Level.SOFT: "must hold, or be waived", Level.ADVISORY: "advice"}

EVIDENCE = {
    EvidenceKind.MEASURED: "measurement",
    EvidenceKind.INVENTORIED: "device list",
    EvidenceKind.PROBED: "check of a service",
    EvidenceKind.ATTESTED: "a named person's word",
}

GRADES = {
    Grade.CONCLUSIVE: "conclusive",
    Grade.PROVISIONAL: "provisional: too few school days",
    Grade.LIMITED: "limited: something other than the line kept the number down",
}

WHO = {Who.IT: "IT staff", Who.LEADERSHIP: "leadership", Who.DISTRICT: "the district"}

EFFORTS = {
    Effort.ANSWER: "an answer",
    Effort.CHECK: "a check",
    Effort.MEASURE: "a measurement",
    Effort.WORK: "work",
    Effort.BUY: "a purchase",
    Effort.WAIT: "cannot be settled yet",
}

DIRECTIONS = {"down": "Towards the school", "up": "From the school"}

FAILURES = {
    Failure.TIMEOUT: "no answer in time",
    Failure.REFUSED: "the other side refused the connection",
    Failure.RESET: "the connection was cut off",
    Failure.CLOSED_EARLY: "the other side hung up too early",
    Failure.UNREACHABLE: "no way there through the network",
    Failure.NOT_PERMITTED: "this machine does not allow it",
    Failure.NOT_AUTHORISED: "nobody authorised it; nothing was sent",
    Failure.NO_ANSWER: "no answer",
    Failure.DNS_NXDOMAIN: "the name does not exist",
    Failure.DNS_NO_ADDRESS: "the name has no address",
    Failure.DNS_SERVFAIL: "the name server failed",
    Failure.DNS_REFUSED: "the name server refused to answer",
    Failure.DNS_FAILED: "the name could not be looked up",
    Failure.TLS_CERTIFICATE: "the certificate is not valid",
    Failure.TLS_HANDSHAKE: "no encrypted connection could be agreed",
    Failure.HTTP_STATUS: "the page answered with an error",
    Failure.REDIRECT_LOOP: "the page redirects in a circle",
    Failure.MALFORMED: "the answer made no sense",
    Failure.TOO_LARGE: "the answer was larger than is safe to read",
    Failure.SERVER_BUSY: "the test server was busy",
    Failure.LOCAL_RESOURCES: "this machine ran out of resources",
    Failure.NOT_SUPPORTED: "not supported here",
    Failure.INCONCLUSIVE: "it could not be told either way",
    Failure.LINE_BUSY: "the line was busy; the test was put off",
    Failure.DATA_BUDGET: "the data budget was used up",
}

# One and many.
KINDS = {
    Kind.ACCESS_POINT: ("access point", "access points"),
    Kind.SWITCH: ("switch", "switches"),
    Kind.ROUTER: ("router", "routers"),
    Kind.FIREWALL: ("firewall", "firewalls"),
    Kind.SERVER: ("server", "servers"),
    Kind.PRINTER: ("printer", "printers"),
    Kind.CAMERA: ("camera", "cameras"),
    Kind.PHONE: ("phone", "phones"),
    Kind.UPS: ("backup power unit", "backup power units"),
    Kind.DISPLAY: ("display", "displays"),
    Kind.IOT: ("building or classroom gadget", "building or classroom gadgets"),
    Kind.STUDENT_DEVICE: ("student device", "student devices"),
    Kind.STAFF_DEVICE: ("staff device", "staff devices"),
    Kind.COMPUTER: ("other computer", "other computers"),
    Kind.UNKNOWN: ("device of unknown kind", "devices of unknown kind"),
}

TROUBLES = {
    Trouble.HALF_DUPLEX: "half duplex",
    Trouble.PORT_ERRORS: "failing port",
    Trouble.POE_SHORT: "little power left",
    Trouble.UNMANAGED_SWITCH: "unmanaged switch",
    Trouble.LOOP: "loop",
    Trouble.ROGUE_DHCP: "unexpected DHCP server",
    Trouble.DUPLICATE_ADDRESS: "address used twice",
    Trouble.PROXY_ARP: "answers for others",
    Trouble.PAST_SUPPORT: "past its support date",
    Trouble.BELOW_SPECIFICATION: "below the specification",
    Trouble.CROWDED_ACCESS_POINT: "crowded access point",
    Trouble.ROOM_WITHOUT_COVERAGE: "room without an access point",
    Trouble.ENROLLED_NOT_SEEN: "in a list, not seen",
    Trouble.SEEN_NOT_ENROLLED: "seen, in no list",
}


def accepted(found: Acceptance) -> str:
    """A waiver that runs, and what becomes of it."""
    waiver = found.waiver
    agreed = f", {waiver.approver} agreed" if waiver.approver else ""
    meanwhile = f"; meanwhile: {waiver.mitigation}" if waiver.mitigation else ""
    who = f"{waiver.owner} accepts the risk of {waiver.rule} until {waiver.until}{agreed}"
    return f"{who} ({waiver.reason}){meanwhile}; {found.why}"


def words(found: object) -> list[str]:
    """A detail that is a word or a list of words."""
    match found:
        case str() if found:
            return [found]
        case list():
            return [str(word) for word in found if word]
        case _:
            return []


def limits(words: Iterable[str]) -> str:
    """What kept a number down, for a sentence; empty when there are no words."""
    return ", ".join(dict.fromkeys(LIMITS.get(word, word) for word in words))


def shortened(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, cut between words where it can be; a cut text ends in an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    whole = head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head
    return whole.rstrip(" ,;:.") + "…"


def capital(text: str) -> str:
    """`text` with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """`text` with a capital and a full stop, unless it ends in a mark of its own."""
    stripped = capital(text.strip())
    return stripped if not stripped or stripped[-1] in ".!?…" else f"{stripped}."


def load(reading: Measurement) -> str:
    """The other traffic beside a test: "31 Mbps of other traffic", "6 to 31 Mbps" where less is sure; "" when not known."""
    if reading.load is None:
        return ""
    sure, most = reading.load
    least = f"{units.mbps(sure, units.Side.DOWN)} to " if sure < _SURE * most else ""
    return f"{least}{units.mbps(most)} Mbps of other traffic"
