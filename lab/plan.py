"""THE VIRTUAL SCHOOL as asked for: the line, the people, the hosts."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lab.campus import LAYOUT, Campus
from lab.course import mean_rate
from lab.link import Turn, Wobble
from lab.population import PEOPLE_AND_THINGS
from lab.school import HOSTS, Host

# The plan's addresses are those that RFC 5737 keeps for documentation, and one private network.
TESTPOINT = "192.0.2.10"
TESTPOINT_NAME = "testpoint.school.test"
TESTPOINT_PORT = 4433
TESTPOINT_TLS_PORT = 4443
RESOLVER = "192.0.2.53"
PAGES = "192.0.2.80"
ISP_WAN = "198.51.100.1"
ROUTER_WAN = "198.51.100.2"
SCHOOL_NETWORK = "10.20.0.0/24"
ROUTER = "10.20.0.1"
SWITCH = "10.20.0.2"
AGENT = "10.20.0.9"
STUDENT_LEG = "10.30.0.9"  # the agent among the students, where the plan has a filter
STORE = "10.20.0.10"  # the file server, where the plan has stored material

ROUTER_MAC = "4c:5e:0c:00:00:01"
ROUTER_WAN_MAC = "4c:5e:0c:00:00:02"
ISP_MAC = "00:1b:21:00:00:01"
SWITCH_MAC = "94:b4:0f:00:00:02"
AGENT_MAC = "00:1b:21:00:00:09"

PRIVATE = Path("/run/lab")  # inside: configuration, logs and counters of the lab, on its own tmpfs
PLAN_FILE = PRIVATE / "plan.json"
THERE = PRIVATE / "residents.json"  # a copy of the plan's file once its hosts are there (lab.residents)
AUTHORITY = PRIVATE / "authority.pem"  # who signed the testpoint's certificate
PIN = PRIVATE / "testpoint.pin"  # SHA-256 of the testpoint's public key (SubjectPublicKeyInfo), hex
SIGN_IN_AUTHORITY = PRIVATE / "sign-in-authority.pem"  # who signed the apps' sign-in
INSPECTOR = PRIVATE / "inspector.pem"  # the authority of the middlebox, which nobody should believe

LARGEST_RATE = 1e9  # held within 2 % on two processors with little else to do (tests/lab/test_link.py)
SLOWEST_RATE = 64e3  # one full packet takes 190 ms; anything slower outlasts every probe's patience
LONGEST_QUEUE = 65536  # slots of the receive ring, 2 KiB each: at most 128 MiB for each direction
MTU = 1500


class LabFailed(Exception):  # noqa: N818 - a sentence for people, not an error of ours
    """The lab cannot be built, or has ended. One sentence that says what is missing and how to get it."""


Rate = Annotated[float, Meta(ge=SLOWEST_RATE, le=LARGEST_RATE)]
Way = Literal["down", "up"]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `at` s after the origin on, the line has these rates, bit/s; None: as before."""

    at: Annotated[float, Meta(ge=0)]
    down: Rate | None = None
    up: Rate | None = None


class Wan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The line between the school and its ISP.

    down, up   bit/s of IP packets (the frame without its 14-byte Ethernet header), towards and from the school
    delay      s, one way, in each direction; the round trip is twice that
    buffer     s, the longest that a packet may wait for its turn; one that would wait longer is dropped (drop-tail)
    loss       ratio, independent for each packet, each direction
    policer    bytes of burst: packets beyond the rate are dropped at once instead of waiting (token bucket); 0: a shaper
    seed       of the random losses and of the wobble
    steps      later rates, in the order of their moments. A packet has the rate of the moment at which its turn on the line
               comes, so the capacity is exactly that of the steps, to one packet at each. `mean_rate` is the truth
    period     s after which everything begins anew with down and up; 0: never
    begin      what the moments count from, in each direction: "load", the moment at which it has carried its first
               256 KiB (a test; handshakes and pings are less), or "go", when Lab.go() is called. Until then: down and up
    wobble     the rates are means of a random rate (log-normal, stationary, see lab.course), as of a line over the air. The
               truth is the long-run mean, which is exactly down and up. The mean over T s strays from it by a standard
               deviation of about the rate * deviation * sqrt(2 * time / T), for T well beyond `time`
    """

    down: Rate = 100e6
    up: Rate = 20e6
    delay: Annotated[float, Meta(ge=0, le=2)] = 0.005
    buffer: Annotated[float, Meta(ge=0, le=5)] = 0.025
    loss: Annotated[float, Meta(ge=0, le=1)] = 0.0
    policer: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    seed: int = 1
    steps: tuple[Step, ...] = ()
    period: Annotated[float, Meta(ge=0)] = 0.0
    begin: Literal["load", "go"] = "load"
    wobble: Wobble | None = None

    def turns(self, way: Way) -> tuple[Turn, ...]:
        """The steps of one direction."""
        rates = ((step.at, getattr(step, way)) for step in self.steps)
        return tuple(Turn(at=at, rate=rate) for at, rate in rates if rate is not None)

    def mean_rate(self, way: Way, begin: float, end: float) -> float:
        """What the steps let through on average between two moments, s after the origin, in bit/s of IP packets."""
        return mean_rate(getattr(self, way), self.turns(way), self.period, begin, end)

    def __post_init__(self) -> None:
        if 0 < self.policer < MTU:
            msg = f"the policer's burst must hold at least one packet of {MTU} bytes"
            raise ValueError(msg)
        moments = [step.at for step in self.steps]
        if moments != sorted(set(moments)):
            raise ValueError("the steps must be in the order of their moments, each at a moment of its own")
        if self.period and moments and moments[-1] >= self.period:
            raise ValueError(f"the last step, at {moments[-1]:g} s, is not within the period of {self.period:g} s")
        fastest = max(self.down, self.up, *(rate for step in self.steps for rate in (step.down, step.up) if rate))
        longest = fastest * (self.buffer + self.delay) / 8 / MTU
        if longest > LONGEST_QUEUE / 2:
            msg = f"this rate, delay and buffer would hold {longest:,.0f} packets; the emulator holds {LONGEST_QUEUE // 2:,}"
            raise ValueError(msg)


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to build.

    services   any of "names" (DNS), "pages" (the platform's web pages), "testpoint", "snmp", "announcements";
               "tls": a testpoint that speaks TLS at TESTPOINT_TLS_PORT, with a certificate for its address and name by
               AUTHORITY; "inspector": that, and a middlebox in the router which opens whatever TLS comes from the school for
               it and shows a certificate by INSPECTOR instead (see lab.inspector). Lab.inside reads these files;
               "filter": the agent has a leg among the students, whom the pages know; "sign-in": apps with one sign-in over TLS;
               "store": material kept on the file server (see lab.estate)
    snmpd      let the real snmpd, where it is installed, answer for the router; else our own responder does
    card       bit/s, in whole Mbit/s, of the agent's network card: its interface says so (ethtool, /sys/class/net/eth0/speed)
               and carries no more, each way (see lab.card); 0: a veth, which names 10 Gbit/s and has no limit of its own
    labs, carts  what its own list says of computer labs and mobile carts
    example    name of the example school that this is (lab.stages), which has earlier days and answers; "": none
    campus     VLANs and switches; None: one segment with one switch. `hosts` are then plugged in where they say, and may come
               and go (Lab.add, Lab.remove)
    """

    wan: Wan = Wan()
    students: Annotated[int, Meta(ge=1)] = 480
    staff: Annotated[int, Meta(ge=0)] = 40
    classrooms: Annotated[int, Meta(ge=1)] = 24
    labs: Annotated[int, Meta(ge=0)] = 1
    carts: Annotated[int, Meta(ge=0)] = 2
    example: str = ""
    hosts: tuple[Host, ...] = HOSTS
    services: frozenset[str] = frozenset({"names", "pages", "testpoint", "snmp", "announcements"})
    snmpd: bool = True
    card: Annotated[float, Meta(ge=0, le=LARGEST_RATE, multiple_of=1e6)] = 0.0
    campus: Campus | None = None

    def __post_init__(self) -> None:
        if self.campus is not None:
            self.campus.check(self.hosts)

    @property
    def networks(self) -> tuple[str, ...]:
        """The school's own networks, the agent's first."""
        return (SCHOOL_NETWORK,) if self.campus is None else tuple(vlan.network for vlan in self.campus.vlans)

    @property
    def managed(self) -> tuple[str, ...]:
        """The addresses that answer SNMP."""
        if self.campus is None:
            return (ROUTER, SWITCH)
        points = [host.address for host in self.hosts if host.name == self.campus.controller]
        return (ROUTER, *(switch.address for switch in self.campus.switches), *points)


BARE = Plan(hosts=(), services=frozenset())  # isp, router, switch and agent only: for tests of probes over a shaped line
CAMPUS = Plan(hosts=PEOPLE_AND_THINGS, campus=LAYOUT, students=180, staff=24, classrooms=8)


def share(text: str) -> float:
    """A ratio from "0.01" or "1%"; ValueError says what was expected."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    if not number.replace(".", "", 1).isdecimal():
        msg = f"expected a share such as 0.01 or 1%, got {text!r}"
        raise ValueError(msg)
    return float(number) / (100 if percent else 1)
