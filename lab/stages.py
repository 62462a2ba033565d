"""THE VIRTUAL SCHOOL at each stage of the roadmap: four example schools, each a description of its network and its answers.

What a machine can see is seen: line, devices and pages are built as described and audited over real packets. What only people
know is answered on the form that `netready attest export` writes. And because a stage asks for tests on several school days,
the same audit is made again as if it were an earlier day (lab.dated); only the date is moved, and this says so.
"""

import csv
import io
import re
import textwrap
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lab.plan import ROUTER, LabFailed, Plan, Wan
from lab.school import HOSTS, Host

if TYPE_CHECKING:
    from lab.running import Lab

NAMES = ("entry", "emerging", "scaling", "transforming")
MODEL = "Lenovo 300e Chromebook Gen 3"  # one whose end of support lab.lists knows
FORM_NAME, LINE_NAME, COUNTERS_NAME = "answers.csv", "line.toml", "counters.toml"
PACE = timedelta(minutes=5)  # between readings of the router's counters
GOOD_FOR = timedelta(days=180)
_BLOCK: dict[str, Any] = {"width": 100, "initial_indent": "    ", "subsequent_indent": "    "}

# What an audit of an earlier day leaves out: all but the line and the pages, or all but the router's counters.
_LOOKS = ("capture", "host", "listen", "latency", "dns_lookup", "path", "arp_sweep", "icmp_sweep", "nd_sweep")
_PAGES = ("http_fetch", "sso", "content_filter", "segmentation", "offline", "failover")
BUT_LINE = (*_LOOKS, *_PAGES[1:], "snmp")
# What the example's own audit leaves out, so that a demonstration stays short.
LESS = ("capture", "host", "latency", "path", "dns_lookup", "nd_sweep")
BUT_COUNTERS = (*_LOOKS, *_PAGES, "netready", "ndt7", "iperf3", "librespeed", "speedtest")

Count = Annotated[int, Meta(ge=0)]


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An example school.

    chromebooks       student devices that are there, beside two telephones of pupils
    down, up          the line's rate, bit/s; the contract says the same
    earlier_days      days before today on which line and pages were tested
    counter_readings  readings of the router's counters before the audit, five minutes apart
    specification     what it asks of a student device (netready's list), "": nothing
    estate            what it has beside its platform: "filter", "sign-in", "store" (lab.estate)
    yes, no           criteria that a person vouches for, or denies, as shell patterns over their ids
    """

    title: str
    students: Count
    staff: Count
    classrooms: Count
    chromebooks: Annotated[int, Meta(ge=0, le=28)]
    labs: Count
    carts: Count
    down: float
    up: float
    earlier_days: Count = 0
    counter_readings: Count = 0
    specification: str = ""
    estate: frozenset[Literal["filter", "sign-in", "store"]] = frozenset()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()

    def answer(self, criterion: str) -> str:
        """What is written on the form: "yes", "no" or nothing."""
        for word, patterns in (("no", self.no), ("yes", self.yes)):
            if any(fnmatchcase(criterion, pattern) for pattern in patterns):
                return word
        return ""


@cache
def example(name: str) -> Example:
    """The example called `name`."""
    text = (files("lab") / "schools" / f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Example)


def plan(name: str) -> Plan:
    """What to build for it."""
    wanted = example(name)
    return Plan(
        example=name,
        wan=Wan(down=wanted.down, up=wanted.up),
        students=wanted.students,
        staff=wanted.staff,
        classrooms=wanted.classrooms,
        labs=wanted.labs,
        carts=wanted.carts,
        hosts=tuple(_hosts(wanted)),
        services=Plan().services | wanted.estate,
    )


def _hosts(wanted: Example) -> Iterator[Host]:
    """The one-switch school's hosts, its Chromebooks enrolled, and no more of them than are wanted."""
    number = 0
    for host in HOSTS:
        if not host.name.startswith("chromebook-"):
            yield host
        elif number < wanted.chromebooks:
            number += 1
            yield msgspec.structs.replace(host, model=MODEL, serial=f"PF1VS{number:03}")


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One run of netready as if it were `ago` s earlier."""

    ago: float
    argv: tuple[str, ...]


def turns(wanted: Example, folder: Path) -> tuple[Turn, ...]:
    """What was done before the audit. Tests of the line stand between readings of the counters, and are the use they show."""
    lines = [_audit(timedelta(days=day), folder, LINE_NAME) for day in range(wanted.earlier_days, 0, -1)]
    readings = [_audit(number * PACE, folder, COUNTERS_NAME) for number in range(wanted.counter_readings, 0, -1)]
    found: list[Turn] = []
    for number, reading in enumerate(readings):
        found.append(reading)
        if number % 3 == 0 and lines:
            found.append(lines.pop(0))
    return (*found, *lines)


def _audit(ago: timedelta, folder: Path, config: str) -> Turn:
    argv = ("audit", "--config", str(folder / config), "--out", str(folder / "earlier"), "--even-if-busy")
    return Turn(ago=ago.total_seconds(), argv=argv)


def prepare(name: str, config: str, folder: Path) -> None:
    """Write the school's config, shortened for a demonstration, and those of its earlier audits; it ends in [inventory]."""
    if asked := example(name).specification:
        config += f'specification = "{asked}"\n'
    managed = re.compile(r"^devices = .*$", re.MULTILINE)
    quick = config.replace("[throughput]\n", "[throughput]\nprecision = 0.1\n")
    unwatched = re.sub(r"^counter = .*\n", "", quick, flags=re.MULTILINE)  # or every test would look at the line first
    router = managed.sub(f'devices = ["{ROUTER}"]', config)
    for file, text, skip in (
        ("netready.toml", f'{config}\n[line]\nlook = "1s"\n', LESS),
        (LINE_NAME, unwatched, BUT_LINE),
        (COUNTERS_NAME, router, BUT_COUNTERS),
    ):
        listed = msgspec.json.encode(skip).decode()
        (folder / file).write_text(f"{text}\n[survey]\nskip = {listed}\n", encoding="utf-8")


def live(lab: "Lab", folder: Path) -> None:
    """Give the school its earlier days and its answers; raises LabFailed when netready refuses."""
    wanted = example(lab.plan.example)
    if made := turns(wanted, folder):
        _run(lab, "an earlier day", ["-m", "lab.dated"], said=msgspec.json.encode(made).decode())
    if not (wanted.yes or wanted.no):
        return
    form, own = folder / FORM_NAME, ["--config", str(folder / "netready.toml")]
    _run(lab, "the form", ["-m", "agent", "attest", "export", *own, "--out", str(form)])
    text = filled(form.read_text(encoding="utf-8-sig"), wanted, datetime.now(UTC).date())
    form.write_text(text, encoding="utf-8", newline="")
    _run(lab, "the answers", ["-m", "agent", "attest", "import", str(form), *own])


def _run(lab: "Lab", what: str, argv: list[str], said: str = "") -> None:
    done = lab.run("agent", ["python", *argv], input=said, capture_output=True, text=True)
    if done.returncode:
        complaint = done.stderr.strip().splitlines()
        raise LabFailed(f"{what} of the example could not be made: {complaint[-1] if complaint else done.returncode}")


def filled(form: str, wanted: Example, today: date) -> str:
    """The form with the example's answers."""
    reader = csv.DictReader(io.StringIO(form, newline=""))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=reader.fieldnames or ())
    writer.writeheader()
    for row in reader:
        if answer := wanted.answer(row["criterion"]):
            row |= {
                "answer": answer,
                "name": "A. Example",
                "role": "head of the virtual school",
                "on": f"{today}",
                "until": f"{today + GOOD_FOR}",
                "document": "Answers of the virtual school",
            }
        writer.writerow(row)
    return text.getvalue()


def table(report: dict[str, Any]) -> str:
    """Each row of the roadmap with its stage, with answers and by machine alone, and the easiest step to the next."""
    advances = {one["dimension"]: one for one in report["outlook"]["next_steps"]}
    titles = {one["id"]: one["title"] for one in report["roadmap"]["dimensions"]}
    lines = []
    for row in report["judgement"]["stages"]:
        machine = "no machine decides here" if row["by_machine"] is None else f"by machine {_title(row['by_machine'])}"
        lines.append(f"{titles[row['dimension']]}: {_title(row['with_attestations'])} ({machine})")
        for step in advances[row["dimension"]]["steps"][:1]:
            lines += textwrap.wrap(f"{step['criterion']}: {step['what']}", **_BLOCK)
            lines += textwrap.wrap(f"{step['outcome'].replace('_', ' ')}; {step['reason']}", **_BLOCK)
    return "\n".join(lines)


def _title(stage: int) -> str:
    return NAMES[stage - 1].capitalize()
