"""THE VIRTUAL SCHOOL's line: one direction of a link with a rate, a delay, a buffer, losses or a policer.

The kernel's netem is a module that many machines lack, so this is ours: a process for each direction that takes frames
from one veth and puts them on another. It keeps its promise in *when* a packet leaves, not in how fast Python runs:

- the kernel stamps each frame as it arrives in a shared receive ring (packet(7), PACKET_RX_RING);
- a virtual clock gives it a departure time: max(previous departure, arrival) + bytes * 8 / rate, plus the delay;
- frames stay in the ring until then and leave in batches by one sendmmsg(2) that points straight into the ring.

So a late wake-up makes a packet late by some ten microseconds, and never changes the rate, the buffer or what is dropped.
Bytes are those of IP: the frame without its Ethernet header.
"""

import contextlib
import ctypes
import gc
import mmap
import os
import random
import select
import socket
import struct
import sys
import time
from pathlib import Path

import msgspec

from lab import kernel
from lab.link import COUNTERS, Direction

# Of packet(7) and linux/if_packet.h.
SOL_PACKET = 263
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
PACKET_QDISC_BYPASS = 20
PACKET_IGNORE_OUTGOING = 23
TPACKET_V2 = 1
TP_STATUS_USER = 1
ETH_P_ALL = 3
ETHERNET = 14  # bytes of header that the rate does not count

SLOT = 2048  # bytes of ring for each frame
BLOCK = 1 << 20
WORDS = SLOT // 4
# Where TPACKET_V2 puts the frame in its slot: the header and a sockaddr_ll (52 bytes), 16 of room for the link layer,
# rounded up to 16, minus the Ethernet header itself.
FRAME_AT = 66
LARGEST_FRAME = 1514
FEWEST_SLOTS = 16384  # also holds 0.2 s of a flood at 1 Gbit/s, so that the drops are the line's and not the ring's

BATCH = 64  # frames for each sendmmsg: well below the 1,000 of net.core.netdev_max_backlog, beyond which veth drops
HARVEST = 256
SLICE = 200_000  # ns; the shortest sleep while a queue stands, so that a busy line costs five thousand wake-ups a second
QUEUE = 4  # packets; with fewer, each is sent at its own moment
LONGEST_SLEEP = 50_000_000  # ns
STRANGE = 2_000_000_000  # ns; a departure this much further off than the line allows means that the clock was set
SECOND = 1_000_000_000
NICE = -10
PAUSE = 200  # ms of silence after which the counters are brought up to date once more


def slots_for(direction: Direction) -> int:
    """How many slots the ring needs to hold all that may wait, with as much again to spare; a power of two."""
    waiting = direction.rate * (direction.delay + direction.buffer) / 8 / (LARGEST_FRAME - ETHERNET)
    slots = FEWEST_SLOTS
    while slots < 2 * waiting:
        slots *= 2
    return slots


class Ring:
    """The receive ring as columns: element i of a column belongs to slot i."""

    def __init__(self, interface: str, slots: int) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack("IIII", BLOCK, slots * SLOT // BLOCK, SLOT, slots))
        self.memory = mmap.mmap(self.socket.fileno(), slots * SLOT, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self.socket.bind((interface, ETH_P_ALL))
        words = memoryview(self.memory).cast("I")
        self.status, self.length = words[0::WORDS], words[1::WORDS]
        self.second, self.nanosecond = words[4::WORDS], words[5::WORDS]
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.free = memoryview(bytes(4 * slots)).cast("I")

    def drops(self) -> int:
        """Frames the kernel could not store since the last call."""
        found = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return int(struct.unpack("II", found)[1])


class Outlet:
    """The sending side: `slots` prepared messages whose one vector points wherever a frame lies in the ring."""

    def __init__(self, interface: str, slots: int) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self.socket.bind((interface, 0))
        store = bytearray(16 * slots)
        self._keep = store
        self.vectors = memoryview(store).cast("Q")  # iov_base, iov_len
        vectors = ctypes.addressof(ctypes.c_char.from_buffer(store))
        self._messages = bytearray(64 * slots)
        for number in range(slots):  # struct mmsghdr: name, namelen, iov, iovlen, control, controllen, flags, len
            struct.pack_into("QIIQQQQIIII", self._messages, 64 * number, 0, 0, 0, vectors + 16 * number, 1, 0, 0, 0, 0, 0, 0)
        self.messages = ctypes.addressof(ctypes.c_char.from_buffer(self._messages))
        libc = ctypes.CDLL(None, use_errno=True)
        self.sendmmsg = libc.sendmmsg
        self.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]


class Link:
    """One direction at work. `taken`, `freed`, `queued`, `sent` only grow; slots and messages are they modulo the size."""

    def __init__(self, direction: Direction) -> None:
        self.slots = slots_for(direction)
        self.ring = Ring(direction.take, self.slots)
        self.outlet = Outlet(direction.put, self.slots)
        self.put_to = direction.put
        self.delay = round(direction.delay * SECOND)
        self.room = round(direction.buffer * SECOND)
        self.loss = direction.loss
        self.chance = random.Random(f"{direction.seed} {direction.take}")
        self.cost = [round(max(0, size - ETHERNET) * 8 * SECOND / direction.rate) for size in range(LARGEST_FRAME + 1)]
        self.burst = round(direction.policer * 8 * SECOND / direction.rate)
        self.due = [0] * self.slots
        self.slot_of = [0] * self.slots
        self.clock = 0
        self.taken = self.freed = self.queued = self.sent = 0
        with Path(direction.counters).open("w+b") as file:
            file.truncate(8 * len(COUNTERS))
            self._counters = mmap.mmap(file.fileno(), 8 * len(COUNTERS))
        self.count = memoryview(self._counters).cast("Q")
        self.checked = 0
        self.unchecked = True

    def take(self) -> None:
        """Give every frame that has arrived its departure, or drop it."""
        ring, mask = self.ring, self.slots - 1
        while self.taken - self.freed < self.slots - HARVEST:
            first = self.taken & mask
            end = min(first + HARVEST, self.slots)
            ready = 0
            for status in ring.status[first:end].tolist():
                if not status & TP_STATUS_USER:
                    break
                ready += 1
            if not ready:
                return
            self._admit(first, first + ready)
            self.taken += ready

    def _admit(self, first: int, end: int) -> None:  # the inner loop: about a microsecond for each frame, so all is local
        ring, cost, due, slot_of, vectors = self.ring, self.cost, self.due, self.slot_of, self.outlet.vectors
        mask, delay, room, burst, loss, chance = (
            self.slots - 1,
            self.delay,
            self.room,
            self.burst,
            self.loss,
            self.chance.random,
        )
        clock, queued, base = self.clock, self.queued, ring.address + FRAME_AT
        dropped = lost = octets = 0
        slot = first - 1
        for length, second, nanosecond in zip(
            ring.length[first:end].tolist(), ring.second[first:end].tolist(), ring.nanosecond[first:end].tolist(), strict=True
        ):
            slot += 1
            arrival = second * SECOND + nanosecond
            if length > LARGEST_FRAME:
                self.count[5] += 1
                continue
            if loss and chance() < loss:
                lost += 1
                continue
            if burst:
                # A token bucket as a clock: `clock` is when the bucket will be full again (GCRA, ITU-T I.371).
                full = (max(arrival, clock)) + cost[length]
                if full - arrival > burst:
                    dropped += 1
                    continue
                clock, leaves = full, arrival
            else:
                start = max(arrival, clock)
                if start - arrival > room:
                    dropped += 1
                    continue
                clock = leaves = start + cost[length]
            message = queued & mask
            due[message] = leaves + delay
            slot_of[message] = slot
            vectors[message + message] = base + slot * SLOT
            vectors[message + message + 1] = length
            octets += length - ETHERNET
            queued += 1
        self.count[0] += queued - self.queued
        self.count[1] += octets
        self.count[2] += dropped
        self.count[3] += lost
        self.clock, self.queued = clock, queued

    def put(self, now: int) -> None:
        """Send every frame whose departure has come, at most BATCH with one call."""
        due, mask, outlet = self.due, self.slots - 1, self.outlet
        while self.sent != self.queued:
            first = self.sent & mask
            end = min(first + BATCH, self.slots, first + self.queued - self.sent)
            if due[end - 1] <= now:
                ready = end - first
            else:
                ready = 0
                while due[first + ready] <= now:
                    ready += 1
                if not ready:
                    return
            done = outlet.sendmmsg(outlet.socket.fileno(), outlet.messages + 64 * first, ready, 0)
            if done < 0:  # the first of them was refused (ENOBUFS): it is gone, as it would be from a full card
                self.count[6] += 1
                done = 1
            self.sent += done
            self._release(self.slot_of[(self.sent - 1) & mask])

    def _release(self, last: int) -> None:
        """Hand the kernel back all slots up to `last`; those between were dropped."""
        self._release_count(((last - self.freed) & (self.slots - 1)) + 1)

    def _release_count(self, left: int) -> None:
        mask, ring = self.slots - 1, self.ring
        while left:
            first = self.freed & mask
            some = min(left, self.slots - first)
            ring.status[first : first + some] = ring.free[:some]
            self.freed += some
            left -= some

    def run(self) -> None:
        """Carry frames until killed. Idle, it sleeps in poll(2) until a frame arrives."""
        poll = select.poll()
        poll.register(self.ring.socket.fileno(), select.POLLIN)
        now_of, sleep = time.time_ns, time.sleep
        strange = self.delay + self.room + STRANGE
        while True:
            self.take()
            if self.queued == self.sent:
                self._release_count(self.taken - self.freed)
                if not poll.poll(PAUSE if self.unchecked else None):
                    self._check()
                continue
            now = now_of()
            wait = self.due[self.sent & (self.slots - 1)] - now
            if wait > strange:  # somebody set the clock back: let go of what waits, and begin anew
                self.clock = 0
                self.put(sys.maxsize)
                continue
            if wait > 0:
                shortest = SLICE if self.queued - self.sent > QUEUE else 0
                sleep(min(max(wait, shortest), LONGEST_SLEEP) / SECOND)
                continue
            self.put(now)
            self.unchecked = True
            if now - self.checked > SECOND:
                self.checked = now
                self._check()

    def _check(self) -> None:
        """Bring the counters of what was lost outside the line up to date."""
        self.unchecked = False
        self.count[4] += self.ring.drops()
        self.count[7] = tx_drops(Path("/proc/net/dev").read_text(), self.put_to)


def tx_drops(table: str, interface: str) -> int:
    """Frames that an interface could not hand on, from proc_net(5)'s dev: for a veth, those its peer's backlog refused."""
    rest = next(line.partition(":")[2] for line in table.splitlines() if line.partition(":")[0].strip() == interface)
    return int(rest.split()[11])


def main() -> None:
    """Run one direction, described as JSON in the only argument, inside the namespace that holds both ends."""
    direction = msgspec.json.decode(sys.argv[1], type=Direction)
    kernel.prctl(kernel.PR_SET_TIMERSLACK, 1)
    with contextlib.suppress(PermissionError):  # root only; a line waits for nobody
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    if direction.processor is not None:
        os.sched_setaffinity(0, {direction.processor})
    link = Link(direction)
    gc.collect()
    gc.disable()  # the loop makes no cycles
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    link.run()


if __name__ == "__main__":
    main()
