"""THE VIRTUAL SCHOOL's building: namespaces, cables and services, as PID 1 puts them up inside the walls.

isp (192.0.2.0/24) --- wan: the emulated line --- router --- switch --- agent, and one namespace for each host
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from lab import card, certificates, inspector, kernel
from lab.link import Direction
from lab.plan import (
    AGENT,
    AGENT_MAC,
    ISP_MAC,
    ISP_WAN,
    PAGES,
    PLAN_FILE,
    PRIVATE,
    RESOLVER,
    ROUTER,
    ROUTER_MAC,
    ROUTER_WAN,
    ROUTER_WAN_MAC,
    SCHOOL_NETWORK,
    SWITCH,
    SWITCH_MAC,
    TESTPOINT,
    TESTPOINT_PORT,
    TESTPOINT_TLS_PORT,
    LabFailed,
    Plan,
    Wan,
    Way,
)

PATIENCE = 20.0  # s for a service to answer; on two busy cores Python alone takes two
GLANCE = 0.02  # s between looks
CARD_QUEUE = 200  # frames that the agent's own card holds before it drops
PREFIX = "/24"
UNLIMITED = ("--client-gigabytes", "0", "--client-minutes", "0")  # the lab's own agent may test all day
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # where `ip` and `snmpd` live, and an ordinary user's PATH does not look

SYSFS = PRIVATE / "sys"  # where a namespace's /sys is mounted for a moment

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


def build(plan: Plan) -> list[Service]:
    """Put everything up and wait until all of it answers. LabFailed says what did not."""
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":" + SBIN
    if shutil.which("ip") is None:
        msg = "the program `ip` is missing: apt install iproute2"
        raise LabFailed(msg)
    PLAN_FILE.write_bytes(msgspec.json.encode(plan))
    _spaces(plan)
    _cables(plan)
    _addresses(plan)
    services = [*_line(plan.wan), *_card(plan), *_services(plan)]
    deadline = time.monotonic() + PATIENCE
    for service in services:
        while not service.ready():
            if service.process.poll() is not None or time.monotonic() > deadline:
                msg = f"the lab's {service.name} did not start: {service.why()}"
                raise LabFailed(msg)
            time.sleep(GLANCE)
    return services


def watch(services: list[Service]) -> str:
    """Be init: reap what is left behind, until a part of the lab ends; a sentence about that."""
    while True:
        ended, _ = os.waitpid(-1, 0)
        for service in services:
            if service.process.pid == ended:
                return f"the lab's {service.name} ended: {service.why()}"


def _ip(lines: list[str], host: str | None = None) -> None:
    where = ["-netns", host] if host else []
    argv = ["ip", *where, "-batch", "-"]
    done = subprocess.run(argv, input="\n".join(lines) + "\n", text=True, capture_output=True, check=False)
    if done.returncode:
        msg = f"`ip` could not build the lab{f' in {host}' if host else ''}: {' '.join(done.stderr.split())[:300]}"
        raise LabFailed(msg)


def _spaces(plan: Plan) -> None:
    names = ["isp", "wan", "router", "switch", "agent", *(["card"] if plan.card else []), *(host.name for host in plan.hosts)]
    _ip([f"netns add {name}" for name in names])
    for name in names:
        with kernel.inside(name):
            for scope in ("all", "default"):  # IPv4 only: no router advertisements, no duplicate address detection
                switch = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
                if switch.exists():
                    switch.write_text("1")
    with kernel.inside("router"):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _cables(plan: Plan) -> None:
    _ip([f"link add name wan0 address {ISP_MAC} type veth peer name isp0 netns wan"], "isp")
    _ip(
        [
            f"link add name wan0 address {ROUTER_WAN_MAC} type veth peer name school0 netns wan",
            f"link add name lan0 address {ROUTER_MAC} type veth peer name uplink netns switch",
        ],
        "router",
    )
    # Each cable ends at a host's card; the agent's own, when it has one, in a namespace where lab.card carries it on.
    agent = "jack netns card" if plan.card else f"eth0 address {AGENT_MAC} netns agent"
    ends = [agent, *(f"eth0 address {host.mac} netns {host.name}" for host in plan.hosts)]
    if plan.card:
        _tap(plan.card)
    _ip(
        # No snooping: an announcement to a multicast group reaches every port, as on the plain switches schools have.
        [f"link add name br0 address {SWITCH_MAC} type bridge mcast_snooping 0 forward_delay 0 stp_state 0"]
        + [f"link add name port{number} type veth peer name {end}" for number, end in enumerate(ends, start=1)]
        + [f"link set dev {port} master br0" for port in ("uplink", *(f"port{n}" for n in range(1, len(ends) + 1)))],
        "switch",
    )
    ports = ["uplink", *(f"port{number}" for number in range(1, len(ends) + 1))]
    for space, interfaces in (
        ("isp", ["wan0"]),
        ("wan", ["isp0", "school0"]),
        ("router", ["wan0", "lan0"]),
        ("switch", ports),
        *([("card", ["jack"])] if plan.card else []),
        *((name, ["eth0"]) for name in ("agent", *(host.name for host in plan.hosts))),
    ):
        with kernel.inside(space):
            for interface in interfaces:
                kernel.honest_frames(interface)
    _cards()


def _tap(rate: float) -> None:
    """The agent's interface as a card of that rate."""
    if not card.TUN.exists():
        raise LabFailed(f"Plan.card needs {card.TUN}, which this machine lacks: modprobe tun")
    _ip(["tuntap add dev eth0 mode tap", f"link set dev eth0 address {AGENT_MAC} txqueuelen {CARD_QUEUE}"], "agent")
    with kernel.inside("agent"):
        kernel.set_speed("eth0", round(rate / 1e6))


def _card(plan: Plan) -> list[Service]:
    return [Service("card", "agent", [sys.executable, "-m", "lab.card"])] if plan.card else []


def _cards() -> None:
    """The agent receives like a host with a network card; where that is not allowed, at more cost."""
    SYSFS.mkdir()
    _merge("agent", "eth0")


def _merge(space: str, interface: str) -> None:
    with kernel.inside(space), contextlib.suppress(OSError):
        kernel.merge_on_receipt(interface, SYSFS)


def _processors() -> tuple[int, int] | tuple[None, None]:
    """The processors for the line down and up, when both sides of it could be told to receive each on the other; else none.

    Then no processor carries both a direction of the line and the rest of its packets' way.
    """
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        return None, None
    down, up = processors[-2:]
    try:
        with kernel.inside("router"):
            kernel.steer("wan0", SYSFS, up)
            kernel.steer("lan0", SYSFS, down)
        with kernel.inside("isp"):
            kernel.steer("wan0", SYSFS, down)
    except OSError:
        return None, None
    return down, up


def _addresses(plan: Plan) -> None:
    def up(*interfaces: str) -> list[str]:
        return [f"link set dev {interface} up" for interface in ("lo", *interfaces)]

    # A line has no ARP: a query that it lost or delayed would lose whole packets of what is being measured.
    _ip(up("isp0", "school0"), "wan")
    _ip(
        [f"address add {address}/32 dev lo" for address in (TESTPOINT, RESOLVER, PAGES)]
        + [f"address add {ISP_WAN}/30 dev wan0", *up("wan0"), f"route add {SCHOOL_NETWORK} via {ROUTER_WAN}"]
        + [f"neighbour add {ROUTER_WAN} lladdr {ROUTER_WAN_MAC} dev wan0 nud permanent"],
        "isp",
    )
    _ip(
        [
            f"address add {ROUTER_WAN}/30 dev wan0",
            f"address add {ROUTER}{PREFIX} dev lan0",
            *up("wan0", "lan0"),
            f"route add default via {ISP_WAN}",
            f"neighbour add {ISP_WAN} lladdr {ISP_MAC} dev wan0 nud permanent",
        ],
        "router",
    )
    if plan.card:
        _ip(up("jack"), "card")
    ports = [f"port{number}" for number in range(1, len(plan.hosts) + 2)]
    _ip([f"address add {SWITCH}{PREFIX} dev br0", *up("br0", "uplink", *ports), f"route add default via {ROUTER}"], "switch")
    for name, address in (("agent", AGENT), *((host.name, host.address) for host in plan.hosts)):
        _ip([f"address add {address}{PREFIX} dev eth0", *up("eth0"), f"route add default via {ROUTER}"], name)


def _line(wan: Wan) -> list[Service]:
    down, up = _processors()
    if down is None:
        # Merging is done on the processor that sends, before RPS can move a frame: with RPS it would tie the isp's receiving
        # to the emulator (1 Gbit/s up, 20 ms: 10 to 25 % too slow with it, 1 % without).
        _merge("isp", "wan0")
    ends: dict[Way, tuple[str, str, float, int | None]] = {
        "down": ("isp0", "school0", wan.down, down),
        "up": ("school0", "isp0", wan.up, up),
    }
    services = []
    way: Way
    for way, (take, put, rate, processor) in ends.items():
        direction = Direction(
            take=take,
            put=put,
            rate=rate,
            delay=wan.delay,
            buffer=wan.buffer,
            loss=wan.loss,
            policer=wan.policer,
            seed=wan.seed,
            processor=processor,
            counters=str(PRIVATE / f"{way}.counters"),
            turns=wan.turns(way),
            period=wan.period,
            begin=wan.begin,
            wobble=wan.wobble,
        )
        argv = [sys.executable, "-m", "lab.emulate", msgspec.json.encode(direction).decode()]
        services.append(Service(f"line {way}", "wan", argv))
    return services


def _services(plan: Plan) -> list[Service]:
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
    if "snmp" in plan.services:
        services.append(Service("router SNMP", "router", _router_snmp(plan), _answers_snmp("router", ROUTER)))
        services.append(Service("switch SNMP", "switch", [*python, "lab.snmp", "switch"], _answers_snmp("switch", SWITCH)))
    if "announcements" in plan.services and plan.hosts:
        services.append(Service("announcements", "switch", [*python, "lab.announce"]))
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
        _ip(inspector.RULES, "router")
        services.append(Service("inspector", "router", [*python, "lab.inspector"]))
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
            client.settimeout(GLANCE * 5)
            client.connect((address, 161))
            try:
                client.send(ANYBODY_THERE)
                return bool(client.recv(1500))
            except OSError:  # nobody listens yet
                return False

    return ready
