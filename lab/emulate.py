"""THE VIRTUAL SCHOOL's line: one direction of a link with a rate, fixed or changing, a delay, a buffer, losses or a policer.

The kernel's netem is a module that many machines lack, so this is ours: a process for each direction that takes frames
from one veth and puts them on another. It keeps its promise in *when* a packet leaves, not in how fast Python runs:

- the kernel stamps each frame as it arrives in a shared receive ring (packet(7), PACKET_RX_RING);
- a virtual clock gives it a departure time: max(previous departure, arrival) + bytes * 8 / rate, plus the delay;
- frames stay in the ring until then and leave in batches by one sendmmsg(2) that points straight into the ring.

So a late wake-up makes a packet late by some ten microseconds, and never changes the rate, the buffer or what is dropped.
On a busy machine it is more; the counters tell how many packets were late and by how much.
Bytes are those of IP: the frame without its Ethernet header.
"""

import gc
import mmap
import os
import random
import select
import sys
import time
from bisect import bisect_left
from pathlib import Path

import msgspec

from lab import kernel
from lab.course import LOAD, Course
from lab.link import ENTRIES, GRAIN, HISTORY_AT, SECOND, SIZE, TOLERANCE, UNHARMFUL, Direction
from lab.ring import FRAME_AT, SLOT, TP_STATUS_USER, Outlet, Ring

ETHERNET = 14  # bytes of header that the rate does not count
LARGEST_FRAME = 1514
BITS = [max(0, size - ETHERNET) * 8 for size in range(LARGEST_FRAME + 1)]  # of a frame that the rate counts
FEWEST_SLOTS = 16384  # also holds 0.2 s of a flood at 1 Gbit/s, so that the drops are the line's and not the ring's

WOBBLE = 4  # times its mean that a wobbling line hardly exceeds; what its ring cannot hold then, ring_drops tells

BATCH = 64  # frames for each sendmmsg: well below the 1,000 of net.core.netdev_max_backlog, beyond which veth drops
HARVEST = 256
SLICE = 200_000  # ns; the shortest sleep while a queue stands, so that a busy line costs five thousand wake-ups a second
QUEUE = 4  # packets; with fewer, each is sent at its own moment
LONGEST_SLEEP = 50_000_000  # ns
STRANGE = 2_000_000_000  # ns; a departure this much further off than the line allows means that the clock was set
NOTED = 1_000_000  # ns; what has left is counted once in so long, or once in a batch: the loop has better things to do
PAUSE = 200  # ms of silence after which the counters are brought up to date once more


def fastest(direction: Direction) -> float:
    """Bit/s beyond which the line never, or with a wobble hardly ever, goes."""
    return max([direction.rate, *(turn.rate for turn in direction.turns)]) * (WOBBLE if direction.wobble else 1)


def slots_for(direction: Direction) -> int:
    """How many slots the ring needs to hold all that may wait, with as much again to spare; a power of two."""
    waiting = fastest(direction) * (direction.delay + direction.buffer) / 8 / (LARGEST_FRAME - ETHERNET)
    slots = FEWEST_SLOTS
    while slots < 2 * waiting:
        slots *= 2
    return slots


class Costs(dict[int, int]):
    """Ns on the line for a frame of each length, at a rate that may not last: worked out when first asked for."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def __missing__(self, length: int) -> int:
        cost = self[length] = round(BITS[length] * SECOND / self.rate)
        return cost


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
        self.cost: list[int] | Costs = [round(bits * SECOND / direction.rate) for bits in BITS]
        self.burst = round(direction.policer * 8 * SECOND / direction.rate)
        self.due = [0] * self.slots
        self.slot_of = [0] * self.slots
        self.clock = 0
        self.taken = self.freed = self.queued = self.sent = 0
        with Path(direction.counters).open("w+b") as file:
            file.truncate(SIZE)
            self._shown = mmap.mmap(file.fileno(), SIZE)
        self.count = memoryview(self._shown).cast("Q")
        self.lengths = self.outlet.vectors[1::2]
        self.noted = self.note_at = self.grain = 0
        self.accept = self._admit
        if direction.turns or direction.wobble:
            self.accept = self._admit_changing
            self.course = Course(direction)
            self.policer, self.begin = direction.policer, direction.begin
            self.rate = direction.rate
            self.turn = self.origin = self.mark = 0
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
            self.accept(first, first + ready)
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

    def _admit_changing(self, first: int, end: int) -> None:
        """The same where the rate changes: frame by frame, each at the rate of the moment at which its turn comes."""
        seconds, nanoseconds = self.ring.second, self.ring.nanosecond
        for slot in range(first, end):
            arrival = seconds[slot] * SECOND + nanoseconds[slot]
            if self.count[13] != self.origin or (not self.origin and self.begin == "load"):
                self._look_for_origin(arrival)
            start = arrival if self.burst else max(arrival, self.clock)
            if start >= self.turn:
                self._change(start)
            self._admit(slot, slot + 1)

    def _look_for_origin(self, arrival: int) -> None:
        """Take over an origin that was set from outside, or set it when the load begins."""
        if self.count[13] != self.origin:
            self.origin, self.mark, self.turn = self.count[13], self.count[1], 0
        elif self.count[1] - self.mark >= LOAD:
            self.origin = self.count[13] = arrival
            self.turn = 0

    def _change(self, start: int) -> None:
        """Go over to the rate that holds at `start`. What a policer's bucket lacks then comes back at the new rate."""
        while start >= self.turn:
            moment = self.turn if self.burst and 0 < self.turn < self.clock else start
            before = self.rate
            self.rate, self.turn = self.course.at(moment, self.origin)
            self.cost = Costs(self.rate)
            if self.burst:
                self.clock = moment + round(max(0, self.clock - moment) * before / self.rate)
                self.burst = round(self.policer * 8 * SECOND / self.rate)

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
            left = time.time_ns()
            if left - due[first] > TOLERANCE:
                self._late(left, first, max(done, 0))
            if done < 0:  # the first of them was refused (ENOBUFS): it is gone, as it would be from a full card
                self.count[6] += 1
                self._note(left)
                self.noted += 1
                done = 1
            self.sent += done
            if left > self.note_at or self.sent - self.noted >= BATCH:
                self._note(left)
            self._release(self.slot_of[(self.sent - 1) & mask])

    def _late(self, left: int, first: int, done: int) -> None:
        """Count what has left too late; in a batch the first frame was due first."""
        self.count[8] += bisect_left(self.due, left - TOLERANCE, first, first + done) - first
        self.count[9] = max(self.count[9], left - self.due[first])

    def _note(self, left: int) -> None:
        """Count what has left since the last time, as of the moment `left`: for a batch or a millisecond at once."""
        count, begin, end = self.count, self.noted & (self.slots - 1), self.sent & (self.slots - 1)
        frames = self.lengths[begin:end] if begin <= end else [*self.lengths[begin:], *self.lengths[:end]]
        if (grain := left // GRAIN) != self.grain:
            self.grain = grain
            entry = HISTORY_AT // 8 + 2 * (grain % ENTRIES)
            count[entry + 1] = count[11]  # before the number: a reader takes an old number for an old entry
            count[entry] = grain
        count[10] += len(frames)
        count[11] += sum(frames) - ETHERNET * len(frames)
        count[12] = left
        self.noted, self.note_at = self.sent, left + NOTED

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
        """Bring the counters up to date, those of what was lost outside the line included."""
        self.unchecked = False
        if self.noted != self.sent:
            self._note(self.note_at)  # what is not noted yet left within that time
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
    kernel.hurry(first=fastest(direction) <= UNHARMFUL)
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
