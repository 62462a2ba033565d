"""THE VIRTUAL SCHOOL's hosts on the campus, all in one process: `python -m lab.residents` answers for each at its own cable.

The plan's file says who is there. When it changes, those who have come plug in and speak; those who have gone unplug, and the
school's tables forget them, as they would in the hours between two surveys.
"""

import contextlib
import os
import select
import socket
import sys
import time

import msgspec

from lab import announce, kernel, six
from lab.campus import Campus, Outlet
from lab.campus_wiring import ROOMS, cable, controller, far_end, outlet_of
from lab.host_frames import ARP, IPV4, Place, answers, places, said_unasked
from lab.iproute import ask, ip, strike
from lab.plan import PLAN_FILE, THERE, LabFailed, Plan
from lab.school import Host

LOOK = 0.05  # s between looks at the plan's file
PATIENCE = 5.0  # s for a switch to see that a cable has been plugged in; a busy kernel takes one
RECEIVE = 4 << 20  # bytes; a sweep of a /23 reaches every cable of the VLAN
LONGEST = 2048

# ARP, ICMP in IPv4, ICMPv6; what else is shouted is dropped before it costs anything (linux/filter.h).
FILTER = (
    (0x28, 0, 0, 12),  # the EtherType
    (0x15, 6, 0, ARP),
    (0x15, 0, 2, IPV4),
    (0x30, 0, 0, 23),  # the protocol
    (0x15, 3, 4, socket.IPPROTO_ICMP),
    (0x15, 0, 3, six.ETHERTYPE),
    (0x30, 0, 0, 20),  # the next header
    (0x15, 0, 1, socket.IPPROTO_ICMPV6),
    (0x06, 0, 0, LONGEST),
    (0x06, 0, 0, 0),
)


def cable_socket(space: str) -> socket.socket:
    """A socket for all the cables that end in a namespace."""
    with kernel.inside(space):
        found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kernel.ETH_P_ALL))
    kernel.sift(found, FILTER)
    found.setsockopt(kernel.SOL_PACKET, kernel.PACKET_IGNORE_OUTGOING, 1)
    with contextlib.suppress(PermissionError):
        found.setsockopt(socket.SOL_SOCKET, kernel.SO_RCVBUFFORCE, RECEIVE)
    found.settimeout(0)
    return found


def plugged(plan: Plan, campus: Campus) -> set[str]:
    """The far ends, in ROOMS, of the cables that somebody has plugged in: all VLANs of a port at once."""
    outlets = {campus.outlet(host, plan.hosts) for host in plan.hosts}
    ends = {far_end(campus, outlet, vlan) for outlet in outlets for vlan in campus.port(outlet).vlans}
    whole = controller(plan, campus)
    return ends - ({far_end(campus, campus.outlet(whole, plan.hosts), whole.vlan)} if whole else set())


def forget(campus: Campus, gone: list[Host]) -> None:
    """Strike hosts from the switches' forwarding tables and from the neighbour tables of the kernels."""
    macs = {host.mac for host in gone}
    for switch in campus.switches:
        learnt = [
            (row["mac"], row["ifname"])
            for row in ask("bridge", "fdb", "show", host=switch.name)
            if row["mac"] in macs and outlet_of(row["ifname"])
        ]
        if learnt:
            strike("bridge", [f"fdb del {mac} dev {interface} master" for mac, interface in learnt], switch.name)
    for space in ("router", "agent"):
        rows = [row for row in ask("ip", "neighbour", "show", host=space) if row.get("lladdr") in macs]
        if rows:
            strike("ip", [f"neighbour del {row['dst']} dev {row['dev']}" for row in rows], space)


def settle(campus: Campus, outlets: set[Outlet]) -> None:
    """Wait until the switches forward what comes from these outlets."""
    deadline = time.monotonic() + PATIENCE
    for switch in campus.switches:
        wanted = {
            cable(outlet.port, vlan) for outlet in outlets if outlet.switch == switch.name for vlan in campus.port(outlet).vlans
        }
        while not wanted <= {row["ifname"] for row in ask("bridge", "link", "show", host=switch.name) if _forwards(row)}:
            if time.monotonic() > deadline:
                raise LabFailed(f"{switch.name} does not see all the cables that are plugged in")
            time.sleep(LOOK)


def _forwards(row: dict[str, object]) -> bool:
    flags = row.get("flags")
    return row.get("state") == "forwarding" and isinstance(flags, list) and "LOWER_UP" in flags


class Residents:
    """Everybody who is there, and their cables."""

    def __init__(self, campus: Campus, *, loud: bool) -> None:
        self._campus = campus
        self._loud = loud
        self._plan: Plan | None = None
        self._sockets: dict[str, socket.socket] = {}
        self._at: dict[str, list[Place]] = {}
        self._words: list[tuple[Place, bytes]] = []
        self._next = 0

    def become(self, plan: Plan) -> None:
        """Have exactly the hosts of `plan`, and everybody know of them."""
        before = self._plan or msgspec.structs.replace(plan, hosts=())
        was, is_now = plugged(before, self._campus), plugged(plan, self._campus)
        lines = [f"link set dev {end} down" for end in sorted(was - is_now)]
        lines += [f"link set dev {end} up" for end in sorted(is_now - was)]
        if lines:
            ip(lines, ROOMS)
        here = list(places(plan, self._campus))
        new = [place for place in here if place.host not in before.hosts]
        forget(self._campus, [host for host in before.hosts if host not in plan.hosts])
        settle(self._campus, {self._campus.outlet(place.host, plan.hosts) for place in new})
        for space in {place.space for place in here} - set(self._sockets):
            self._sockets[space] = cable_socket(space)
        self._at = {}
        for place in here:
            if place.space == ROOMS:  # elsewhere a kernel answers
                self._at.setdefault(place.interface, []).append(place)
        self._words = [(place, frame) for place in here for frame in said_unasked(place, loud=self._loud)]
        self._next = 0
        for place in new:
            for frame in said_unasked(place, loud=False):
                self._send(place, frame)
        self._plan = plan

    def live(self, until: float) -> None:
        """Answer whoever asks, until a moment of the monotonic clock."""
        while (left := until - time.monotonic()) > 0:
            for ready in select.select(list(self._sockets.values()), [], [], left)[0]:
                self._answer(ready)

    def speak(self) -> float:
        """Say the next thing that is said unasked; after how many s it is somebody's turn again."""
        if not self._words:
            return announce.PERIOD
        self._send(*self._words[self._next % len(self._words)])
        self._next += 1
        return announce.PERIOD / len(self._words)

    def _send(self, place: Place, frame: bytes) -> None:
        with contextlib.suppress(OSError):  # unplugged
            self._sockets[place.space].sendto(frame, (place.interface, 0))

    def _answer(self, ready: socket.socket) -> None:
        with contextlib.suppress(OSError):  # nothing more to read; or what was read cannot be answered
            while True:
                frame, (interface, *_) = ready.recvfrom(LONGEST)
                for said in answers(frame, self._at.get(interface, [])):
                    ready.sendto(said, (interface, 0))


def main() -> None:
    """Be everybody until killed."""
    seen, data = PLAN_FILE.stat().st_ino, PLAN_FILE.read_bytes()
    plan = msgspec.json.decode(data, type=Plan)
    if plan.campus is None:
        raise LabFailed("this plan has no campus")
    everybody = Residents(plan.campus, loud="announcements" in plan.services)
    everybody.become(plan)
    THERE.write_bytes(data)
    os.write(sys.stdout.fileno(), b"ready\n")
    turn = time.monotonic()
    while True:
        turn += everybody.speak()
        while time.monotonic() < turn:
            everybody.live(min(turn, time.monotonic() + LOOK))
        if PLAN_FILE.stat().st_ino != seen:
            seen, data = PLAN_FILE.stat().st_ino, PLAN_FILE.read_bytes()
            everybody.become(msgspec.json.decode(data, type=Plan))
            THERE.write_bytes(data)


if __name__ == "__main__":
    main()
