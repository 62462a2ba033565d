"""THE VIRTUAL SCHOOL's examination: netready audits it, and what it found is compared with what is really there.

The report is read as plain JSON, as any stranger would: this room knows neither the agent nor the judgement.
"""

import subprocess
from collections import Counter
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec

from lab.plan import (
    RESOLVER,
    ROUTER,
    SCHOOL_NETWORK,
    SWITCH,
    TESTPOINT,
    TESTPOINT_PORT,
    LabFailed,
    Plan,
    Truth,
)
from lab.running import Lab

THROUGHPUT_LIMIT = 0.03  # of the shaped rate: 2 % of the emulator's own promise and 1 % for the start of a test
PRINTED_DIGIT = 1e6  # bit/s: reports print whole Mbps per 1,000 users
PAYLOAD = 1448 / 1500  # of an IP packet is TCP payload: 20 bytes of IP header, 32 of TCP header with timestamps
FINISHED = (0, 1, 3)  # exit statuses of an audit that has written its report, whatever its answer

MARK = "# The virtual school, as its own staff would describe it. Written by `netready lab audit`."
SERVER = f"{TESTPOINT}:{TESTPOINT_PORT}"
CONFIG_NAME = "netready.toml"
REPORT_NAME = "audit.json"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a finding with the truth, in words that are ready to print."""

    what: str
    truth: str
    found: str
    limit: str
    right: bool


def config(plan: Plan) -> str:
    """The school's netready.toml."""
    roles = {"lms": "lms", "sis": "sis", "portal": "portal", "content": "content", "assessment": "assessment", "www": "website"}
    endpoints = "".join(
        f'\n[[site.endpoints]]\nname = "{host}"\nurl = "http://{host}.school.test/"\nrole = "{role}"\n'
        for host, role in roles.items()
    )
    return f"""\
{MARK}

[site]
name = "Virtual School"
students = {plan.students}
staff = {plan.staff}
classrooms = {plan.classrooms}
labs = 1
carts = 2
time_zone = "UTC"
networks = ["{SCHOOL_NETWORK}"]

[site.calendar]  # always in session, so that a demonstration counts on any day at any hour
first_bell = 00:00:00
last_bell = 23:59:59
days = [1, 2, 3, 4, 5, 6, 7]

[[site.circuits]]
name = "line to the ISP"
contracted_down = {plan.wan.down!r}
contracted_up = {plan.wan.up!r}
counter = "{ROUTER} wan0"
{endpoints}
[throughput]
server = "{SERVER}"

[latency]
targets = ["{TESTPOINT}"]

[dns_lookup]
names = ["lms.school.test"]
resolvers = ["{RESOLVER}"]

[arp_sweep]

[snmp]
devices = ["{ROUTER}", "{SWITCH}"]
community_file = "community.txt"

[store]
path = "netready.sqlite"

[inventory]
student_names = ["chromebook-*", "phone-pupil-*"]
staff_names = ["staff-laptop-*"]
"""


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit left behind.

    status    its exit status
    report    its page as data, or None when it wrote none; people's own devices are only counted there
    devices   the inventory in its store, with every device's address
    """

    status: int
    report: dict[str, Any] | None = None
    devices: list[dict[str, Any]] = []


def prepare(plan: Plan, out: Path) -> None:
    """Write the school's config into `out`; LabFailed when somebody else's lies there.

    The records of a different school go: its line and its people would spoil every figure of this one.
    """
    file, wanted = out / CONFIG_NAME, config(plan)
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if before and not before.startswith(MARK):
            raise LabFailed(f"{file} is not the virtual school's; choose another folder with --out")
        if before != wanted:
            for ending in ("", "-wal", "-shm"):
                (out / f"netready.sqlite{ending}").unlink(missing_ok=True)
        file.write_text(wanted, encoding="utf-8")
        community = out / "community.txt"
        community.touch(mode=0o600)
        community.write_text("public\n", encoding="utf-8")
    except OSError as error:
        raise LabFailed(f"{out}: cannot write there: {error.strerror}") from error


def examine(lab: Lab, out: Path, **options: Any) -> Examination:
    """Write the config into `out`, run the audit on the agent's host, and collect what it found.

    `options` are those of subprocess.run, for the audit's own words.
    """
    prepare(lab.plan, out)
    page = out / REPORT_NAME
    page.unlink(missing_ok=True)  # an older audit's figures must not pass for this one's
    netready = ["python", "-m", "agent", "--config", str(out / CONFIG_NAME)]
    status = lab.run("agent", [*netready, "audit", "--out", str(out)], **options).returncode
    if status not in FINISHED or not page.exists():
        return Examination(status=status)
    listed = lab.run("agent", [*netready, "inventory", "list", "--json"], stdout=subprocess.PIPE)
    return Examination(
        status=status,
        report=msgspec.json.decode(page.read_bytes(), type=dict[str, Any])["report"],
        devices=msgspec.json.decode(listed.stdout, type=dict[str, Any])["devices"] if listed.returncode == 0 else [],
    )


def compare(truth: Truth, report: dict[str, Any], devices: list[dict[str, Any]]) -> list[Check]:
    """Every figure that the lab can vouch for. A figure that is missing is wrong."""
    survey, judgement = report.get("survey") or {}, report.get("judgement") or {}
    rates = {"down": truth.wan.down, "up": truth.wan.up}
    checks = [_throughput(direction, rate, survey) for direction, rate in rates.items()]
    checks += [_per_1000(direction, truth.users, judgement) for direction in rates]
    return [*checks, _hosts(truth, devices), _counted(truth, survey)]


def _throughput(direction: str, shaped: float, survey: dict[str, Any]) -> Check:
    rows = [row for row in survey.get("measurements", ()) if row["metric"] == f"throughput_{direction}"]
    row: dict[str, Any] = rows[-1] if rows else {"value": None, "failure": "not measured"}
    layer = str(row.get("details", {}).get("layer", "TCP payload"))
    expected = shaped * (PAYLOAD if "payload" in layer.lower() else 1.0)
    value = row["value"]
    return Check(
        what=f"throughput {direction}, {layer}",
        truth=f"{expected / 1e6:,.2f} Mbps",
        found=f"{value / 1e6:,.2f} Mbps ({value / expected - 1:+.1%})" if value is not None else str(row["failure"]),
        limit=f"within {THROUGHPUT_LIMIT:.0%}",
        right=value is not None and abs(value / expected - 1) <= THROUGHPUT_LIMIT,
    )


def _per_1000(direction: str, users: int, judgement: dict[str, Any]) -> Check:
    line = judgement.get(direction) or {}
    available, stated = ((line.get(name) or {}).get("value") for name in ("available", "per_1000"))
    expected = None if available is None else available / users * 1000

    def shown(value: float | None) -> str:
        return "not known" if value is None else f"{value / PRINTED_DIGIT:,.0f}"

    return Check(
        what=f"Mbps per 1,000 users, {direction} ({users} users)",
        truth=shown(expected),
        found=shown(stated),
        limit="the printed digit",
        right=expected is not None and shown(expected) == shown(stated),
    )


def _hosts(truth: Truth, devices: list[dict[str, Any]]) -> Check:
    network = ip_network(SCHOOL_NETWORK)
    listed = Counter(
        (device["mac"], address) for device in devices for address in device["addresses"] if ip_address(address) in network
    )
    there = {(host.mac, host.address) for host in truth.hosts}
    wrong = [
        f"{word} {', '.join(address for _, address in some[:3])}{' ...' if len(some) > 3 else ''}"
        for word, some in (
            ("missing", sorted(there - set(listed))),
            ("not there", sorted(set(listed) - there)),
            ("twice", sorted(pair for pair, times in listed.items() if times > 1)),
        )
        if some
    ]
    return Check(
        what="hosts in the inventory, MAC and address",
        truth=f"{len(there)}",
        found="; ".join([str(listed.total()), *wrong]),
        limit="each once",
        right=not wrong,
    )


def _counted(truth: Truth, survey: dict[str, Any]) -> Check:
    counted = len(survey.get("devices", ()))
    return Check(
        what="devices counted in the report",
        truth=f"{len(truth.hosts)}",
        found=f"{counted}",
        limit="exactly",
        right=counted == len(truth.hosts),
    )


def table(checks: list[Check]) -> str:
    """The comparison as text."""
    head = Check(what="figure", truth="truth", found="found", limit="limit", right=True)
    rows = [(row.what, row.truth, row.found, row.limit) for row in (head, *checks)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    marks = ["", *("right" if check.right else "WRONG" for check in checks)]
    return "\n".join(f"{line}  {mark}".rstrip() for line, mark in zip(lines, marks, strict=True))
