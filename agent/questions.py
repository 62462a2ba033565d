"""The questions of `netready init`: said once, used for the prompts, the answers file and the config that is written."""

import json
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec

from agent.config import ConfigError
from netready.rate import rate
from netready.refusal import Unfit, near, toml


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question: its key in an answers file, what is asked, and what a good answer looks like.

    check raises ValueError with what was expected; `default` "" means that an answer may be empty.
    """

    key: str
    ask: str
    check: Callable[[str], object]
    default: str = ""
    required: bool = False


def _any(text: str) -> str:
    return text


def _some(text: str) -> str:
    if not text:
        raise ValueError("expected an answer")
    return text


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError("expected a whole number")
    return int(text)


def _count_or_nothing(text: str) -> str:
    if text:
        _count(text)
    return text


def _rate_or_nothing(text: str) -> str:
    if text:
        rate(text)
    return text


def _networks(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in found:
        ip_network(part)
    return found


QUESTIONS: tuple[Question, ...] = (
    Question(key="name", ask="Name of the school", check=_some, required=True),
    Question(key="lea", ask="District or other local education agency", check=_any),
    Question(key="entity_number", ask="Entity number (E-rate) or national id", check=_any),
    Question(key="time_zone", ask="Time zone", check=_some, default="America/Chicago"),
    Question(key="students", ask="Students", check=_count, required=True),
    Question(key="staff", ask="Staff", check=_count, required=True),
    Question(key="classrooms", ask="Classrooms", check=_count, required=True),
    Question(key="guests", ask="Guests on the network on an ordinary day, where known", check=_count_or_nothing),
    Question(key="busiest_shift", ask="Students of the busiest shift, where there are several", check=_count_or_nothing),
    Question(key="concurrent_testers", ask="Students who are tested online at the same time", check=_count_or_nothing),
    Question(key="contracted_down", ask="Contracted Internet rate towards the school, such as 300M", check=_rate_or_nothing),
    Question(key="contracted_up", ask="Contracted Internet rate from the school", check=_rate_or_nothing),
    Question(key="networks", ask="Networks you are allowed to scan, such as 10.20.0.0/24, comma between", check=_networks),
    Question(key="server", ask="Throughput test server, HOST:PORT", check=_any),
    Question(key="lms", ask="Address of the learning platform, https://...", check=_any),
    Question(key="sis", ask="Address of the student information system, https://...", check=_any),
    Question(key="resolver", ask="Name server to time, such as 10.20.0.1", check=_any),
)


_NUMBERS = frozenset({"students", "staff", "classrooms"})


def ask(questions: Iterable[Question], prompt: Callable[[str, str, Callable[[str], object]], str]) -> dict[str, Any]:
    """Ask each question in turn."""
    return {each.key: prompt(each.ask, each.default, each.check) for each in questions}


def read_answers(path: Path) -> dict[str, Any]:
    """The answers in a TOML file; ConfigError names the file and the key that is wrong."""
    try:
        raw = toml(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    known = {each.key: each for each in QUESTIONS}
    for key in raw:
        if key not in known:
            raise Unfit(str(path), key, f"no question has this key; {near(key, known)}")
    answers: dict[str, Any] = {}
    for key, question in known.items():
        value = raw.get(key, question.default)
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if question.required and not text:
            raise Unfit(str(path), key, f"this answer is required and missing ({question.ask})")
        try:
            question.check(text)
        except ValueError as error:
            raise Unfit(str(path), key, str(error)) from error
        answers[key] = text
    return answers


def write_config(answers: dict[str, Any]) -> str:
    """A complete, commented config from the answers."""
    quoted = {key: str(_count(value)) if key in _NUMBERS else _quote(value) for key, value in answers.items()}
    quoted["networks"] = ", ".join(_quote(network) for network in _networks(answers["networks"]))
    parts = [
        _HEAD.format(others=_others(answers), **quoted),
        _CIRCUIT.format(**quoted) if answers["contracted_down"] and answers["contracted_up"] else _NO_CIRCUIT,
        *(
            _ENDPOINT.format(name=_quote(name), url=quoted[key], role=_quote(key))
            for key, name in (("lms", "Learning platform"), ("sis", "Student information system"))
            if answers[key]
        ),
        _TAIL.format(resolvers=f"[{quoted['resolver']}]" if answers["resolver"] else "[]", **quoted),
    ]
    return "\n".join(parts)


def _others(answers: dict[str, Any]) -> str:
    """The people that some standards divide by: those that are known, and the others as examples."""
    examples = {"guests": 25, "busiest_shift": 300, "concurrent_testers": 120}
    rows = (f"{key} = {_count(answers[key])}" if answers[key] else f"# {key} = {number}" for key, number in examples.items())
    return "\n".join(rows)


def _quote(text: object) -> str:
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


_HEAD = """\
# netready: what only the school can know. Times are local; rates are bit/s ("300M", "1G").
[site]
name = {name}
lea = {lea}
entity_number = {entity_number}
time_zone = {time_zone}
students = {students}
staff = {staff}
classrooms = {classrooms}
# Some standards divide by other people (`netready standards`); without these numbers they do not apply.
{others}
# Only these networks are ever scanned. Leave empty until somebody with the right to do so has agreed.
networks = [{networks}]

# When school is in session: measurements at other times are kept, but do not count as school days.
[site.calendar]
first_bell = "07:30:00"
last_bell = "15:30:00"
days = [1, 2, 3, 4, 5]   # Monday is 1
holidays = []            # such as 2026-12-25
"""
_CIRCUIT = """\
# What the bill says, not what a test shows. `counter` may name a router's interface, such as "10.20.0.1 wan0".
[[site.circuits]]
name = "Internet"
contracted_down = {contracted_down}
contracted_up = {contracted_up}
"""
_NO_CIRCUIT = """\
# What the bill says. Without it the report cannot compare the line with what is paid for.
# [[site.circuits]]
# name = "Internet"
# contracted_down = "300M"
# contracted_up = "300M"
"""
_ENDPOINT = """\
[[site.endpoints]]
name = {name}
url = {url}
role = {role}
"""
_TAIL = """\
# Roles: lms, sis, portal, content, assessment, analytics, portfolio, integration, training, helpdesk, website, social.
# [[site.endpoints]]
# name = "Open textbook library"
# url = "https://library.example/"
# role = "content"

# Networks of the school that pages are to be checked from, where this machine has a leg in each. Each endpoint may name those
# it is for: networks = ["staff"]. One that holds student data says so: student_data = true, and where its sign-in begins.
# [[site.nominated]]
# name = "students"
# people = "student"     # student, staff, guest, other
# interface = "eth0.20"  # or source = "10.20.30.9"
# resolver = "10.20.30.1"

# The far end of throughput tests; `netready testpoint` is one. Methods: netready, ndt7, iperf3, librespeed, speedtest. Their
# figures are never mixed; one is enough. With `at_least`, the test is small and only answers "at least that much?".
[throughput]
methods = ["netready"]
server = {server}
# at_least = "100M"

# A test waits while others use more than this share of the contracted rate, and is given up after some tries. With a
# circuit's `counter` the router is asked how much that is; without one only this machine's own traffic is seen.
[line]
busy = 0.3
tries = 3
wait = "60s"
quiet = []               # no test then: "08:00-09:30" on school days, "2026-05-12 08:00-12:00" for an exam

# What tests may cost, both ways. Profiles: unmetered (no cap), metered (500 MB a day, 5 GB a month), satellite (50 MB a day,
# 1 GB a month, only `at_least` tests, only at night). Caps of your own: per_day = "200M", per_month = "4G".
[budget]
profile = "unmetered"

[latency]
targets = []             # hosts of your own networks, or named above

[dns_lookup]
names = []
resolvers = {resolvers}

# Switches and routers to ask, and the file that holds the SNMP community (never the community itself).
# [snmp]
# devices = ["10.20.0.1", "10.20.0.2"]
# community_file = "community.txt"

# Packets alone cannot tell a student's computer from a teacher's; your naming can.
[inventory]
student_names = []       # such as "chromebook-*"
staff_names = []

# What things cost you turns gaps into sums. All optional; `circuits` are the lines on offer, in place of `mbps`.
# [prices]
# currency = "USD"
# student_device = 350
# access_point = 600
# server = 4000
# insured_device = 20      # a year
# mbps = 1.50              # each Mbps a month
# What you want for yourself, beside what the roadmap and the rollout ask for.
# [wanted]
# student_devices = 480
# servers = 1

[survey]
interval = "6h"

[store]
path = "netready.sqlite"

[exporter]
listen = "127.0.0.1:9810"
"""
