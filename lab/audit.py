"""THE VIRTUAL SCHOOL's examination: netready audits it as its own staff would, and what it found is collected.

What is compared with the truth (lab.comparison) is read as plain JSON: this room knows neither the agent nor the judgement.
"""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from lab import estate, lists, stages
from lab.names import ZONE
from lab.plan import (
    AGENT,
    RESOLVER,
    ROUTER,
    SIGN_IN_AUTHORITY,
    STORE,
    STUDENT_LEG,
    TESTPOINT,
    TESTPOINT_PORT,
    LabFailed,
    Plan,
)
from lab.running import Lab
from lab.truth import Truth
from netready.privacy import Veil

FINISHED = (0, 1, 3)  # exit statuses of an audit that has written its report, whatever its answer

MARK = "# The virtual school, as its own staff would describe it. Written by `netready lab audit`."
SERVER = f"{TESTPOINT}:{TESTPOINT_PORT}"
CONFIG_NAME = "netready.toml"
REPORT_NAME = "audit.json"
KEYS_NAME = "netready.keys"


def config(plan: Plan) -> str:
    """The school's netready.toml."""
    roles = {"lms": "lms", "sis": "sis", "portal": "portal", "content": "content", "assessment": "assessment", "www": "website"}
    if "filter" in plan.services:
        roles |= {"training": "training", "forum": "social", "board": "social"}
    endpoints = "".join(
        f'\n[[site.endpoints]]\nname = "{host}"\nurl = "http://{host}.{ZONE}/"\nrole = "{role}"\n{_signing_in(plan, host)}'
        for host, role in roles.items()
    )
    return f"""\
{MARK}

[site]
name = "Virtual School"
students = {plan.students}
staff = {plan.staff}
classrooms = {plan.classrooms}
labs = {plan.labs}
carts = {plan.carts}
time_zone = "UTC"
networks = {_listed(plan.networks)}

[site.calendar]  # always in session, so that a demonstration counts on any day at any hour
first_bell = 00:00:00
last_bell = 23:59:59
days = [1, 2, 3, 4, 5, 6, 7]

[[site.circuits]]
name = "line to the ISP"
contracted_down = {plan.wan.down!r}
contracted_up = {plan.wan.up!r}
counter = "{ROUTER} wan0"
{endpoints}{_estate(plan)}
[throughput]
server = "{SERVER}"

[latency]
targets = ["{TESTPOINT}"]

[dns_lookup]
names = ["lms.school.test"]
resolvers = ["{RESOLVER}"]

[arp_sweep]

[snmp]
devices = {_listed(plan.managed)}
community_file = "community.txt"

[store]
path = "netready.sqlite"

[inventory]
{_inventory(plan)}"""


def _signing_in(plan: Plan, host: str) -> str:
    if "sign-in" not in plan.services or host not in estate.APPS:
        return ""
    return f'student_data = true\nlogin = "https://{host}.{ZONE}/login"\n'


def _estate(plan: Plan) -> str:
    """What the school says of its filter, its sign-in and its stored material."""
    text = ""
    if "filter" in plan.services:
        for name, source in (("staff", AGENT), ("student", STUDENT_LEG)):
            text += f'\n[[site.nominated]]\nname = "{name}"\npeople = "{name}"\nsource = "{source}"\n'
        for host, shut, free in (
            (estate.FOR_STAFF, ("student",), ("staff",)),
            (estate.FOR_NOBODY, ("student", "staff"), ()),
        ):
            told = "".join(f"{word} = {_listed(names)}\n" for word, names in (("blocked", shut), ("open", free)) if names)
            text += f'\n[[site.filter_pages]]\nurl = "http://{host}/"\nshows = "<h1>{host}</h1>"\n{told}'
        text += f'\n[content_filter]\nblock_words = ["{estate.BLOCKED_WORDS}"]\n'
    if "sign-in" in plan.services:
        text += f'\n[sso]\nidentity = "{estate.IDENTITY}"\nca_file = "{SIGN_IN_AUTHORITY}"\n'
    if "store" in plan.services:
        text += f'\n[[site.stored]]\nname = "stored lessons"\nurl = "http://{STORE}/"\nshows = "{estate.SHOWN}"\n'
    return text


def _listed(words: tuple[str, ...]) -> str:
    return msgspec.json.encode(words).decode().replace('","', '", "')


def _inventory(plan: Plan) -> str:
    if plan.campus is None:
        enrolled = f'lists = ["{lists.ASSETS_NAME}"]\n' if lists.enrolled(plan) else ""
        return f'student_names = ["chromebook-*", "phone-pupil-*"]\nstaff_names = ["staff-laptop-*"]\n{enrolled}'
    return f"""\
student_names = ["chromebook-*", "phone-pupil-*", "lab-pc-*"]
staff_names = ["staff-laptop-*", "staff-desktop-*", "teacher-*", "*-desktop"]
student_units = ["/Students/*"]
rooms = "{lists.ROOMS_NAME}"
lists = ["{lists.ASSETS_NAME}"]
dhcp_servers = ["{ROUTER}"]
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

    The records of a different school go: its line and its people would spoil every figure of this one. An example school
    begins anew every time, with its earlier days.
    """
    file, wanted = out / CONFIG_NAME, config(plan)
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if before and not before.startswith(MARK):
            raise LabFailed(f"{file} is not the virtual school's; choose another folder with --out")
        if before != wanted or plan.example:
            for ending in ("sqlite", "sqlite-wal", "sqlite-shm", "keys"):
                (out / f"netready.{ending}").unlink(missing_ok=True)
        file.write_text(wanted, encoding="utf-8")
        if plan.campus is not None:
            (out / lists.ROOMS_NAME).write_text(lists.rooms(plan, plan.campus), encoding="utf-8", newline="")
        if lists.enrolled(plan):
            (out / lists.ASSETS_NAME).write_text(lists.google_admin(plan, datetime.now(UTC)), encoding="utf-8", newline="")
        community = out / "community.txt"
        community.touch(mode=0o600)
        community.write_text("public\n", encoding="utf-8")
        if plan.example:
            stages.prepare(plan.example, wanted, out)
    except OSError as error:
        raise LabFailed(f"{out}: cannot write there: {error.strerror}") from error


def examine(lab: Lab, out: Path, **options: Any) -> Examination:
    """Write the config into `out`, run the audit on the agent's host, and collect what it found.

    `options` are those of subprocess.run, for the audit's own words.
    """
    prepare(lab.plan, out)
    if lab.plan.example:
        stages.live(lab, out)
    page = out / REPORT_NAME
    page.unlink(missing_ok=True)  # an older audit's figures must not pass for this one's
    netready = ["python", "-m", "agent", "--config", str(out / CONFIG_NAME)]
    status = lab.run("agent", [*netready, "audit", "--out", str(out)], **options).returncode
    if status not in FINISHED or not page.exists():
        return Examination(status=status)
    listed = lab.run("agent", [*netready, "inventory", "list", "--json"], stdout=subprocess.PIPE)
    devices = msgspec.json.decode(listed.stdout, type=dict[str, Any])["devices"] if listed.returncode == 0 else []
    return Examination(
        status=status,
        report=msgspec.json.decode(page.read_bytes(), type=dict[str, Any])["report"],
        devices=unveiled(devices, lab.truth, out / KEYS_NAME),
    )


class _Keys(msgspec.Struct):
    """What the audit's key file has that we need."""

    keys: dict[str, str]


def unveiled(devices: list[dict[str, Any]], truth: Truth, keys: Path) -> list[dict[str, Any]]:
    """The stored devices with the names of those that were kept under pseudonyms; who is not of the truth stays veiled.

    Only the lab can do so: it knows every name that may be meant, and lies in the same folder as the site's keys.
    """
    if not keys.exists():
        return devices
    known: dict[str, str] = {}
    for period, key in msgspec.json.decode(keys.read_bytes(), type=_Keys).keys.items():
        veil = Veil(key=bytes.fromhex(key), period=period)
        for host in truth.hosts:
            known[veil.pseudonym("mac", host.mac)] = host.mac
            known |= {veil.pseudonym("address", address): address for address in (host.address, *host.others)}
            known[veil.pseudonym("name", host.name)] = host.name
    return [
        device
        | {
            "mac": device["mac"] or known.get(device["key"]),
            "addresses": [known.get(address, address) for address in device["addresses"]],
            "names": [known.get(name, name) for name in device["names"]],
        }
        for device in devices
    ]
