"""Numbers inside the judgement's sentences: amounts with their unit, plurals, and what limited a test."""

from collections import Counter
from collections.abc import Iterable

from netready.metric import Unit, metric

# What instruments call a limit, as a reader of the report would. A word that is not here is printed as it is.
_LIMITS = {
    "cpu": "this machine's processor",
    "interface": "this machine's network card",
    "receive-window": "the receiver's window",
    "send-buffer": "the sender's buffer",
    "sender": "the sending end",
    "data-budget": "the data budget that was set for the test",
    "loopback": "running inside this machine, where there is no line",
}
LINK = "link"  # the one limit that a test is meant to meet
NO_LINE = "loopback"  # the server was this machine itself, so the rate says nothing about any line

# What a metric is about, in the words of a sentence; the catalogue's help is a definition and too long for one.
_ABOUT = {
    "internet_down_per_1000": "the line towards the school",
    "internet_up_per_1000": "the line from the school",
    "contracted_down_per_1000": "the contracted rate towards the school",
    "contracted_up_per_1000": "the contracted rate from the school",
    "test_days": "school days with tests",
    "platform_success": "checks of endpoints with role {}",
    "platform_time_p95": "page times of endpoints with role {}",
    "platform_hosts": "endpoints with role {}",
    "devices": "devices of kind {}",
    "student_devices_per_classroom": "student devices",
    "students_per_device": "student devices",
    "access_points_per_classroom": "access points",
    "clients_per_access_point": "end devices and access points",
    "labs_and_carts": "labs and carts",
    "audit_age": "the last audit",
}


def about(name: str, narrowed: str = "") -> str:
    """What the metric `name` is about; `narrowed` is the role or kind it is counted for."""
    return _ABOUT.get(name, name).format(narrowed)


def number(value: float, digits: int) -> str:
    """With thousands separated and no idle zeros: 1,000 or 0.25."""
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def rate(value: float, digits: int = 1) -> str:
    """bit/s as Mbps."""
    return f"{number(value / 1e6, digits)} Mbps"


def amount(name: str, value: float, digits: int = 2) -> str:
    """A value of the metric `name`, with its unit."""
    match metric(name).unit:
        case Unit.BITS_PER_SECOND:
            each = " per 1,000 users" if name.endswith("_per_1000") else ""
            return f"{rate(value, max(digits - 1, 1))}{each}"
        case Unit.SECONDS:
            return f"{number(value, digits)} s"
        case Unit.RATIO:
            return f"{number(value * 100, digits)} %"
        case Unit.BYTES:
            return f"{number(value, 0)} bytes"
        case Unit.DAYS:
            text = number(value, digits - 1)
            return f"{text} day" if text == "1" else f"{text} days"
        case Unit.COUNT:
            return number(value, digits)


def apart(name: str, value: float, limit: float) -> tuple[str, str]:
    """Both amounts, with as many digits as it takes to tell them apart: never "100 misses 100"."""
    digits = 2
    while value != limit and digits < 12 and amount(name, value, digits) == amount(name, limit, digits):
        digits += 1
    return amount(name, value, digits), amount(name, limit, digits)


def plural(count: int, one: str, many: str = "") -> str:
    """The count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def tally(words: Iterable[str]) -> str:
    """Failure words, the most frequent first: "timeout", or "timeout (2), refused (1)"."""
    counts = sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))
    if len(counts) == 1:
        return counts[0][0]
    return ", ".join(f"{word} ({count:,})" for word, count in counts)


def limits(words: Iterable[str]) -> str:
    """What kept a value down, other than the line itself; empty when it was the line or nothing is known."""
    return " and ".join(_LIMITS.get(word, word) for word in sorted(set(words)) if word != LINK)
