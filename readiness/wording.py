"""Words inside the judgement's sentences: what a number is about, plurals, and what limited a test."""

from collections import Counter
from collections.abc import Iterable

from netready.site import Role
from netready.units import Side, mbps
from readiness.demand import COMPARISONS

# What instruments call a limit, as a reader of the report would. A word that is not here is printed as it is.
# What instruments say kept a rate down, after the words "limited by". A word that is not here is printed as it is.
LIMITS = {
    "link": "the line itself",
    "cpu": "this machine's processor",
    "interface": "this machine's network card",
    "half-duplex": "a network card that runs at half duplex",
    "wifi": "Wi-Fi between this machine and the school's network",
    "tunnel": "a VPN or tunnel on the way",
    "tls-inspection": "something on the way that opens encrypted connections",
    "proxy": "something on the way that ends connections and makes its own",
    "receive-window": "the receiver's window",
    "send-buffer": "the sender's buffer",
    "sender": "the sending end",
    "server": "the test server",
    "loss": "packets lost on the way while the line was not full",
    "method": "the method itself, whose known errors are listed with it",
    "unsettled": "a rate that did not settle while the test ran",
    "data-budget": "the data budget that was set for the test",
    "time": "the time that was set for the test",
    "unknown": "something that the test could not name",
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
    "platform_success": "checks of {}",
    "platform_time_p95": "page times of {}",
    "platform_hosts": "answers of {}",
    "platform_certificate_left": "certificates of {}",
    "five_jobs_success": "checks of the tools for five jobs",
    "seven_jobs_success": "checks of the tools for seven jobs",
    "single_sign_on": "the sign-in of apps with student data",
    "filter_blocks": "test pages that the filter must block for students",
    "filter_open": "pages that must open for staff",
    "filter_tiers": "test pages on students' and staff's networks",
    "network_rules": "the site's rules on pages and addresses",
    "stored_material": "material kept in the school",
    "circuits_working": "circuits, each by itself",
    "devices": "devices of kind {}",
    "student_devices_per_classroom": "student devices",
    "students_per_device": "student devices",
    "access_points_per_classroom": "access points",
    "clients_per_access_point": "end devices and access points",
    "labs_and_carts": "labs and carts",
    "audit_age": "the last audit",
    "inventory_age": "the last count of devices",
    "devices_in_support": "devices and the end of their support",
    "devices_held_to_specification": "student devices and what they can do",
    **{name: f"the comparison of {what}" for name, what in COMPARISONS.items()},
}


# What an endpoint of each role is, in the words of a sentence.
_ROLES = {
    Role.LMS: "the learning platform",
    Role.SIS: "the student information system",
    Role.PORTAL: "the portal",
    Role.CONTENT: "the content library",
    Role.ASSESSMENT: "the assessment platform",
    Role.ANALYTICS: "the analysis tool",
    Role.PORTFOLIO: "the portfolio",
    Role.INTEGRATION: "the data exchange",
    Role.TRAINING: "the training site",
    Role.HELPDESK: "the help desk",
    Role.WEBSITE: "the school's website",
    Role.SOCIAL: "the social media site",
    Role.OTHER: "the other endpoints",
}


def platform(role: Role | str) -> str:
    """An endpoint's role in the words of a sentence: "the learning platform"."""
    return _ROLES[Role(role)]


def about(name: str, narrowed: str = "") -> str:
    """What the metric `name` is about; `narrowed` is the role or kind it is counted for."""
    what = platform(narrowed) if narrowed in set(Role) else narrowed
    return _ABOUT.get(name, name).format(what)


def rate(value: float) -> str:
    """bit/s as Mbps."""
    return f"{mbps(value)} Mbps"


def short(value: float) -> str:
    """What is missing, in bit/s, as Mbps that are enough: rounded up, as everywhere."""
    return f"{mbps(value, Side.UP)} Mbps short"


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
    return " and ".join(LIMITS.get(word, word) for word in sorted(set(words)) if word != LINK)
