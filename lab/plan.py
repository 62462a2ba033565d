"""THE VIRTUAL SCHOOL as asked for: the line, the people, the hosts; and the truth that an audit is compared with."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from lab.school import HOSTS, Host

# The plan's addresses are those that RFC 5737 keeps for documentation, and one private network.
TESTPOINT = "192.0.2.10"
TESTPOINT_PORT = 4433
RESOLVER = "192.0.2.53"
PAGES = "192.0.2.80"
ISP_WAN = "198.51.100.1"
ROUTER_WAN = "198.51.100.2"
SCHOOL_NETWORK = "10.20.0.0/24"
ROUTER = "10.20.0.1"
SWITCH = "10.20.0.2"
AGENT = "10.20.0.9"

ROUTER_MAC = "4c:5e:0c:00:00:01"
ROUTER_WAN_MAC = "4c:5e:0c:00:00:02"
ISP_MAC = "00:1b:21:00:00:01"
SWITCH_MAC = "94:b4:0f:00:00:02"
AGENT_MAC = "00:1b:21:00:00:09"

PRIVATE = Path("/run/lab")  # inside: configuration, logs and counters of the lab, on its own tmpfs
PLAN_FILE = PRIVATE / "plan.json"

LARGEST_RATE = 1e9  # held within 2 % on two processors with little else to do (tests/lab/test_link.py)
SLOWEST_RATE = 64e3  # one full packet takes 190 ms; anything slower outlasts every probe's patience
LONGEST_QUEUE = 65536  # slots of the receive ring, 2 KiB each: at most 128 MiB for each direction
MTU = 1500


class LabFailed(Exception):  # noqa: N818 - a sentence for people, not an error of ours
    """The lab cannot be built, or has ended. One sentence that says what is missing and how to get it."""


class Wan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The line between the school and its ISP.

    down, up   bit/s of IP packets (the frame without its 14-byte Ethernet header), towards and from the school
    delay      s, one way, in each direction; the round trip is twice that
    buffer     s, the longest that a packet may wait for its turn; one that would wait longer is dropped (drop-tail)
    loss       ratio, independent for each packet, each direction
    policer    bytes of burst: packets beyond the rate are dropped at once instead of waiting (token bucket); 0: a shaper
    seed       of the random losses
    """

    down: Annotated[float, Meta(ge=SLOWEST_RATE, le=LARGEST_RATE)] = 100e6
    up: Annotated[float, Meta(ge=SLOWEST_RATE, le=LARGEST_RATE)] = 20e6
    delay: Annotated[float, Meta(ge=0, le=2)] = 0.005
    buffer: Annotated[float, Meta(ge=0, le=5)] = 0.025
    loss: Annotated[float, Meta(ge=0, le=1)] = 0.0
    policer: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if 0 < self.policer < MTU:
            msg = f"the policer's burst must hold at least one packet of {MTU} bytes"
            raise ValueError(msg)
        longest = max(self.down, self.up) * (self.buffer + self.delay) / 8 / MTU
        if longest > LONGEST_QUEUE / 2:
            msg = f"this rate, delay and buffer would hold {longest:,.0f} packets; the emulator holds {LONGEST_QUEUE // 2:,}"
            raise ValueError(msg)


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to build.

    services   any of "names" (DNS), "pages" (the platform's web pages), "testpoint", "snmp", "announcements"
    snmpd      let the real snmpd, where it is installed, answer for the router; else our own responder does
    """

    wan: Wan = Wan()
    students: Annotated[int, Meta(ge=1)] = 480
    staff: Annotated[int, Meta(ge=0)] = 40
    classrooms: Annotated[int, Meta(ge=1)] = 24
    hosts: tuple[Host, ...] = HOSTS
    services: frozenset[str] = frozenset({"names", "pages", "testpoint", "snmp", "announcements"})
    snmpd: bool = True


BARE = Plan(hosts=(), services=frozenset())  # isp, router, switch and agent only: for tests of probes over a shaped line


class TrueHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host on the school's network that is really there and answers."""

    name: str
    kind: str
    mac: str
    address: str


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What is really there. Rates in bit/s at the IP layer; `hosts` are all that answer ARP, the agent's own included."""

    wan: Wan
    users: int
    hosts: tuple[TrueHost, ...]


def truth(plan: Plan) -> Truth:
    """What an audit of this plan should find."""
    fixed = (
        TrueHost(name="router", kind="router", mac=ROUTER_MAC, address=ROUTER),
        TrueHost(name="switch", kind="switch", mac=SWITCH_MAC, address=SWITCH),
        TrueHost(name="agent", kind="computer", mac=AGENT_MAC, address=AGENT),
    )
    others = tuple(TrueHost(name=h.name, kind=h.kind, mac=h.mac, address=h.address) for h in plan.hosts)
    return Truth(wan=plan.wan, users=plan.students + plan.staff, hosts=fixed + others)


def share(text: str) -> float:
    """A ratio from "0.01" or "1%"; ValueError says what was expected."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    if not number.replace(".", "", 1).isdecimal():
        msg = f"expected a share such as 0.01 or 1%, got {text!r}"
        raise ValueError(msg)
    return float(number) / (100 if percent else 1)
