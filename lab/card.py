"""THE VIRTUAL SCHOOL's network card: the agent's cable when Plan.card says how fast its interface is.

The agent's eth0 is then a TAP whose speed is set to the card's, as ethtool and /sys/class/net/eth0/speed show it; this process
carries its frames to the switch's port and back, each way no faster than that. As on a real cable a frame takes 24 bytes more
than it is long: preamble, frame check and gap (IEEE 802.3). Of a 100 Mbit/s card that leaves 97.5 Mbit/s for IP packets of
1500 bytes, and 94.1 for the payload of TCP. Towards the agent, the switch holds what waits for up to ROOM; from the agent, the
interface's own queue does.
"""

import contextlib
import fcntl
import os
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from lab import kernel
from lab.link import SECOND, UNHARMFUL
from lab.plan import PLAN_FILE, Plan

# Of linux/if_tun.h.
TUN = Path("/dev/net/tun")
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x2, 0x1000

ETH_P_ALL = 3
BETWEEN = 24  # bytes of time that a frame takes beside its own: 8 of preamble, 4 of check, 12 of gap
SHORTEST = 60  # bytes; what is shorter is padded
LONGEST = 2048
ROOM = 20_000_000  # ns that a frame may wait for its turn
AHEAD = 2_000_000  # ns of frames taken out of the interface's queue before their turn
SLICE = 200_000  # ns; the shortest sleep
LONGEST_SLEEP = 1_000_000  # ns; after which frames of the other way are looked at
RECEIVE = 8 << 20  # bytes of socket buffer, so that what is dropped is dropped here


class Way:
    """One way of the cable. `take` gives the next frame or None, `put` hands one on."""

    def __init__(self, rate: float, room: int, take: Callable[[], bytes | None], put: Callable[[bytes], None]) -> None:
        self._byte = 8 * SECOND / rate
        self._room = room
        self._take, self._put = take, put
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._clock = 0

    def fill(self, since: int, now: int, *, drop: bool) -> None:
        """Give the frames that came since the last look their times. Beyond the room they are dropped, or left alone."""
        while drop or self._clock - now <= self._room:
            frame = self._take()
            if frame is None:
                return
            start = max(self._clock, since)
            if start - now > self._room:
                continue
            self._clock = start + round((max(len(frame), SHORTEST) + BETWEEN) * self._byte)
            self._waiting.append((self._clock, frame))

    def empty(self, now: int) -> int | None:
        """Hand on what is due; the moment of the next frame, or None when none waits."""
        while self._waiting:
            due, frame = self._waiting[0]
            if due > now:
                return due
            self._waiting.popleft()
            self._put(frame)
        return None


def _tap(name: str) -> int:
    handle = os.open(TUN, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI).ljust(40, b"\0"))
    return handle


def _jack(name: str) -> socket.socket:
    jack = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    jack.setsockopt(kernel.SOL_PACKET, kernel.PACKET_IGNORE_OUTGOING, 1)
    try:
        jack.setsockopt(socket.SOL_SOCKET, kernel.SO_RCVBUFFORCE, RECEIVE)
    except PermissionError:
        jack.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
    jack.bind((name, ETH_P_ALL))
    jack.settimeout(0)
    return jack


def carry(up: Way, down: Way, ends: list[int]) -> None:
    """Carry frames until killed. Idle, it sleeps until one arrives."""
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    looked = time.monotonic_ns()
    while True:
        now = time.monotonic_ns()
        up.fill(looked, now, drop=False)
        down.fill(looked, now, drop=True)
        looked = now
        dues = [due for due in (up.empty(now), down.empty(now)) if due is not None]
        if dues:
            time.sleep(min(max(min(dues) - now, SLICE), LONGEST_SLEEP) / SECOND)
        else:
            poll.poll()
            looked = time.monotonic_ns()


def main() -> None:
    """Be the card: in the agent's namespace, with the other end of the cable in the namespace "card"."""
    plan = msgspec.json.decode(PLAN_FILE.read_bytes(), type=Plan)
    tap = _tap("eth0")
    with kernel.inside("card"):
        jack = _jack("jack")

    def from_tap() -> bytes | None:
        try:
            return os.read(tap, LONGEST)
        except BlockingIOError:
            return None

    def from_jack() -> bytes | None:
        try:
            return jack.recv(LONGEST)
        except BlockingIOError:
            return None

    def to_tap(frame: bytes) -> None:
        os.write(tap, frame)

    def to_jack(frame: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # the port is full: the frame is gone, as on a real one
            jack.send(frame)

    kernel.hurry(first=plan.card <= UNHARMFUL)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    carry(Way(plan.card, AHEAD, from_tap, to_jack), Way(plan.card, ROOM, from_jack, to_tap), [tap, jack.fileno()])


if __name__ == "__main__":
    main()
