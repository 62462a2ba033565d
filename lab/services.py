"""THE VIRTUAL SCHOOL's programs: what answers on its hosts, each in its namespace, and whether it has begun to."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable

from lab import certificates, estate, inspector, kernel
from lab.campus import Campus
from lab.campus_wiring import ROOMS, controller
from lab.iproute import ip
from lab.plan import (
    PAGES,
    PRIVATE,
    RESOLVER,
    ROUTER,
    STORE,
    SWITCH,
    TESTPOINT,
    TESTPOINT_PORT,
    TESTPOINT_TLS_PORT,
    Plan,
)

UNLIMITED = ("--client-gigabytes", "0", "--client-minutes", "0")  # the lab's own agent may test all day
GLANCE = 0.1  # s that an SNMP agent has to answer, before it is asked again

# A get of sysUpTime.0, SNMP v2c, community "public" (RFC 1157, 3416): only to see whether somebody answers.
ANYBODY_THERE = bytes.fromhex("302602010104067075626c6963a019020101020100020100300e300c06082b060102010103000500")


class Service:
    """One program of the lab, in its namespace, with its log; `ready` says whether it has begun to answer."""

    def __init__(self, name: str, host: str, argv: list[str], ready: Callable[[], bool] | None = None) -> None:
        self.name = name
        self.log = PRIVATE / f"{name}.log"
        self._ready = ready
        with kernel.inside(host), self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")

    def ready(self) -> bool:
        """Whether it answers, or without such a test, whether it has said "ready"."""
        return self._ready() if self._ready else self.log.read_bytes().startswith(b"ready\n")

    def why(self) -> str:
        """The last line it wrote."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def services_of(plan: Plan) -> list[Service]:
    """All that the plan asks for, started."""
    python = [sys.executable, "-m"]
    services = []
    if "names" in plan.services:
        services.append(Service("name server", "isp", [*python, "lab.names"], _accepts("isp", RESOLVER, 53)))
    if "pages" in plan.services:
        services.append(Service("web server", "isp", [*python, "lab.pages"], _accepts("isp", PAGES, 80)))
    if "testpoint" in plan.services:
        argv = [*python, "testpoint", "--listen", f"{TESTPOINT}:{TESTPOINT_PORT}", *UNLIMITED]
        services.append(Service("testpoint", "isp", argv, _accepts("isp", TESTPOINT, TESTPOINT_PORT)))
    services += _tls(plan)
    services += _estate(plan)
    if "snmp" in plan.services:
        services.append(Service("router SNMP", "router", _router_snmp(plan), _answers_snmp("router", ROUTER)))
    if plan.campus is not None:
        return services + _campus_services(plan, plan.campus)
    if "snmp" in plan.services:
        services.append(Service("switch SNMP", "switch", [*python, "lab.snmp", "switch"], _answers_snmp("switch", SWITCH)))
    if "announcements" in plan.services and plan.hosts:
        services.append(Service("announcements", "switch", [*python, "lab.announce"]))
    return services


def _campus_services(plan: Plan, campus: Campus) -> list[Service]:
    """All the hosts as one program; the switches and the controller as another, which answers SNMP for each."""
    services = [Service("residents", ROOMS, [sys.executable, "-m", "lab.residents"])]
    if "snmp" in plan.services:
        wireless = controller(plan, campus)
        managed = [(switch.name, switch.address) for switch in campus.switches]
        managed += [] if wireless is None else [(wireless.name, wireless.address)]
        answering = [_answers_snmp(name, address) for name, address in managed]
        argv = [sys.executable, "-m", "lab.snmp", "campus"]
        services.append(Service("campus SNMP", managed[0][0], argv, lambda: all(ready() for ready in answering)))
    return services


def _tls(plan: Plan) -> list[Service]:
    """The testpoint that speaks TLS, and the middlebox in its way."""
    inspected = "inspector" in plan.services
    if not inspected and "tls" not in plan.services:
        return []
    certificates.issue(inspected=inspected)
    python = [sys.executable, "-m"]
    chain, key = certificates.pair("testpoint")
    argv = [*python, "testpoint", "--listen", f"{TESTPOINT}:{TESTPOINT_TLS_PORT}", "--cert", str(chain), "--key", str(key)]
    services = [Service("testpoint with TLS", "isp", argv, _accepts("isp", TESTPOINT, TESTPOINT_TLS_PORT))]
    if inspected:
        ip(inspector.RULES, "router")
        services.append(Service("inspector", "router", [*python, "lab.inspector"]))
    return services


def _estate(plan: Plan) -> list[Service]:
    """What a school at a later stage has beside its platform."""
    python = [sys.executable, "-m", "lab.estate"]
    services = []
    if "filter" in plan.services:
        for line, where in estate.LEG:
            ip([line], where)
    if "sign-in" in plan.services:
        certificates.issue_sign_in()
        services.append(Service("sign-in", "isp", [*python, "sign-in"], _accepts("isp", PAGES, 443)))
    if "store" in plan.services:
        services.append(Service("stored material", "fileserver", [*python, "store"], _accepts("fileserver", STORE, 80)))
    return services


def _router_snmp(plan: Plan) -> list[str]:
    """The real snmpd where there is one, with nothing of the host's configuration; else our own responder."""
    daemon = shutil.which("snmpd") if plan.snmpd else None
    if daemon is None:
        return [sys.executable, "-m", "lab.snmp", "router"]
    os.environ["SNMP_PERSISTENT_DIR"] = str(PRIVATE / "snmpd")
    settings = PRIVATE / "snmpd.conf"
    settings.write_text(
        "agentaddress udp:161\nrocommunity public\nsysName router\nsysLocation Server room\n"
        "sysDescr RouterOS RB5009UG+S+ (virtual school)\nsysObjectID .1.3.6.1.4.1.14988.1\n"
    )
    return [daemon, "-f", "-LE", "3", "-C", "-c", str(settings), "-p", str(PRIVATE / "snmpd.pid")]


def _accepts(host: str, address: str, port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with kernel.inside(host), socket.socket() as client:
            return client.connect_ex((address, port)) == 0

    return ready


def _answers_snmp(host: str, address: str) -> Callable[[], bool]:
    def ready() -> bool:
        with kernel.inside(host), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(GLANCE)
            client.connect((address, 161))
            try:
                client.send(ANYBODY_THERE)
                return bool(client.recv(1500))
            except OSError:  # nobody listens yet
                return False

    return ready
