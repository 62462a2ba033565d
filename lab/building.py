"""THE VIRTUAL SCHOOL's building: namespaces, cables and services, as PID 1 puts them up inside the walls.

isp (192.0.2.0/24) --- wan: the emulated line --- router --- switch --- agent, and one namespace for each host
                                                 (or the switches and rooms of a campus: lab.campus)
"""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

import msgspec

from lab import card, kernel
from lab.campus_wiring import campus_wiring
from lab.iproute import ip
from lab.link import Direction
from lab.plan import (
    AGENT_MAC,
    ISP_MAC,
    ISP_WAN,
    PAGES,
    PLAN_FILE,
    PRIVATE,
    RESOLVER,
    ROUTER_WAN,
    ROUTER_WAN_MAC,
    TESTPOINT,
    LabFailed,
    Plan,
    Wan,
    Way,
)
from lab.services import Service, services_of
from lab.wiring import Wiring, one_segment, up

PATIENCE = 20.0  # s for a service to answer; on two busy cores Python alone takes two
GLANCE = 0.02  # s between looks
CARD_QUEUE = 200  # frames that the agent's own card holds before it drops
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"  # where `ip` and `snmpd` live, and an ordinary user's PATH does not look

SIX = Path("/proc/sys/net/ipv6")
SYSFS = PRIVATE / "sys"  # where a namespace's /sys is mounted for a moment


def build(plan: Plan) -> list[Service]:
    """Put everything up and wait until all of it answers. LabFailed says what did not."""
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":" + SBIN
    for program in ("ip", "bridge") if plan.campus else ("ip",):
        if shutil.which(program) is None:
            raise LabFailed(f"the program `{program}` is missing: apt install iproute2")
    PLAN_FILE.write_bytes(msgspec.json.encode(plan))
    wiring = one_segment(plan) if plan.campus is None else campus_wiring(plan, plan.campus)
    _spaces(wiring)
    _cables(plan, wiring)
    _addresses(plan, wiring)
    _six(wiring)
    services = [*_line(plan.wan, wiring.inward), *_card(plan), *services_of(plan)]
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


def _spaces(wiring: Wiring) -> None:
    names = ["isp", "wan", "router", *wiring.spaces]
    ip([f"netns add {name}" for name in names])
    for name in names:
        with kernel.inside(name):
            for scope in ("all", "default"):  # IPv4 only: no router advertisements, no duplicate address detection
                switch = SIX / "conf" / scope / "disable_ipv6"
                if switch.exists():
                    switch.write_text("1")
    with kernel.inside("router"):
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _cables(plan: Plan, wiring: Wiring) -> None:
    ip([f"link add name wan0 address {ISP_MAC} type veth peer name isp0 netns wan"], "isp")
    ip([f"link add name wan0 address {ROUTER_WAN_MAC} type veth peer name school0 netns wan"], "router")
    if plan.card:
        _tap(plan.card)
    for space, lines in wiring.cables:
        ip(lines, space)
    for space, interfaces in (("isp", ["wan0"]), ("wan", ["isp0", "school0"]), ("router", ["wan0"]), *wiring.ends):
        with kernel.inside(space):
            for interface in interfaces:
                kernel.honest_frames(interface)
    _cards()


def _tap(rate: float) -> None:
    """The agent's interface as a card of that rate."""
    if not card.TUN.exists():
        raise LabFailed(f"Plan.card needs {card.TUN}, which this machine lacks: modprobe tun")
    ip(["tuntap add dev eth0 mode tap", f"link set dev eth0 address {AGENT_MAC} txqueuelen {CARD_QUEUE}"], "agent")
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


def _processors(inward: tuple[str, ...]) -> tuple[int, int] | tuple[None, None]:
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
            for interface in inward:
                kernel.steer(interface, SYSFS, down)
        with kernel.inside("isp"):
            kernel.steer("wan0", SYSFS, down)
    except OSError:
        return None, None
    return down, up


def _addresses(plan: Plan, wiring: Wiring) -> None:
    # A line has no ARP: a query that it lost or delayed would lose whole packets of what is being measured.
    ip(up("isp0", "school0"), "wan")
    ip(
        [f"address add {address}/32 dev lo" for address in (TESTPOINT, RESOLVER, PAGES)]
        + [f"address add {ISP_WAN}/30 dev wan0", *up("wan0")]
        + [f"route add {network} via {ROUTER_WAN}" for network in plan.networks]
        + [f"neighbour add {ROUTER_WAN} lladdr {ROUTER_WAN_MAC} dev wan0 nud permanent"],
        "isp",
    )
    ip(
        [
            f"address add {ROUTER_WAN}/30 dev wan0",
            *up("wan0"),
            f"route add default via {ISP_WAN}",
            f"neighbour add {ISP_WAN} lladdr {ISP_MAC} dev wan0 nud permanent",
        ],
        "router",
    )
    for space, lines in wiring.addresses:
        ip(lines, space)


def _six(wiring: Wiring) -> None:
    """IPv6 where the plan has it. A kernel without it leaves the school with IPv4 alone."""
    if not SIX.exists():
        return
    lines: dict[str, list[str]] = {}
    for space, interface, address, router in wiring.six:
        with kernel.inside(space):
            # No duplicate address detection: nobody is there twice, and an address would have to wait for it.
            for name, value in (("accept_dad", "0"), ("accept_ra", "0"), ("disable_ipv6", "0")):
                (SIX / "conf" / interface / name).write_text(value)
            if not router:
                (SIX / "conf/all/forwarding").write_text("1")
        lines.setdefault(space, []).append(f"address add {address} dev {interface} nodad")
        lines[space] += [f"route add ::/0 via {router}"] if router else []
    for space, some in lines.items():
        ip(some, space)


def _line(wan: Wan, inward: tuple[str, ...]) -> list[Service]:
    down, up = _processors(inward)
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
