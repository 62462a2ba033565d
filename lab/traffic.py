"""THE VIRTUAL SCHOOL's other traffic: what other people send over the line while somebody measures it.

`python -m lab.traffic sink` waits on a free port and counts; `python -m lab.traffic source JSON` sends. Both stop when their
standard input ends. The sink's count is the truth: what arrived, whatever the source meant to send.

Datagrams are counted without being received: a filter that accepts nothing makes the kernel count each of them as dropped
(packet filter of socket(7), SO_MEMINFO). Streams are received with MSG_TRUNC: counted and thrown away inside the kernel.
"""

import contextlib
import ctypes
import random
import select
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator

import msgspec

from lab import kernel
from lab.crossing import Datagrams, Sample, Streams

HEADERS = 28  # bytes of IPv4 and UDP before a datagram's payload
SO_MEMINFO = 55
DROPS = 8  # SK_MEMINFO_DROPS of linux/sock_diag.h, among nine words
SO_ATTACH_FILTER = 26
NOTHING = struct.pack("HBBI", 6, 0, 0, 0)  # BPF: return 0
WORD = 2**32  # the kernel's count of drops is this wide
MOST_AT_ONCE = 1 << 20  # bytes of a stream
CHUNK = bytes(1 << 17)

GRAIN = 0.02  # s between samples of the count
SAMPLES = 15_000  # kept: five minutes
SHORTEST_SLEEP = 0.0003  # s; datagrams due sooner go at once
STALLED = 0.05  # s; a source that was kept from running so long does not make up for it with a burst


def departures(sent: Datagrams) -> Iterator[float]:
    """When each datagram leaves, in s after the start, without end."""
    chance, gap, now = random.Random(sent.seed), sent.size * 8 / sent.rate, 0.0
    match sent.shape:
        case "constant":
            while True:
                yield now
                now += gap
        case "poisson":
            while True:
                now += chance.expovariate(1 / gap)
                yield now
        case "bursts":
            left = chance.expovariate(1 / sent.burst)
            while True:
                if left < gap * sent.duty:  # the rest of this burst is the beginning of the next
                    now += chance.expovariate(sent.duty / (sent.burst * (1 - sent.duty)))
                    left += chance.expovariate(1 / sent.burst)
                else:
                    left -= gap * sent.duty
                    now += gap * sent.duty
                    yield now


def _send_datagrams(sent: Datagrams) -> None:
    payload = bytes(sent.size - HEADERS)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        began = time.monotonic()
        for moment in departures(sent):
            wait = began + moment - time.monotonic()
            if wait > SHORTEST_SLEEP:
                time.sleep(wait)
            elif wait < -STALLED:
                began -= wait
            source.sendto(payload, sent.target)


def _send_stream(sent: Streams) -> None:
    with socket.socket() as source:
        if sent.congestion:
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, sent.congestion.encode())
        source.connect(sent.target)
        while True:
            source.sendall(CHUNK)


def source(sent: Datagrams | Streams) -> None:
    """Send until standard input ends."""
    match sent:
        case Datagrams():
            threads = [threading.Thread(target=_send_datagrams, args=(sent,), daemon=True)]
        case Streams():
            threads = [threading.Thread(target=_send_stream, args=(sent,), daemon=True) for _ in range(sent.streams)]
    for thread in threads:
        thread.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while all(thread.is_alive() for thread in threads):
        if select.select([sys.stdin], [], [], GRAIN)[0]:
            return
    sys.exit("a source of the lab's traffic ended early")


class Sink:
    """Counts what comes to one free port: datagrams, and the bytes of streams."""

    def __init__(self, address: str) -> None:
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        code = ctypes.create_string_buffer(NOTHING, len(NOTHING))
        self._datagrams.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(code)))
        self._datagrams.bind((address, self.port))
        self._streams: list[socket.socket] = []
        self._octets = self._arrived = self._seen = 0

    def sample(self) -> Sample:
        """The counts of this moment."""
        words = struct.unpack("9I", self._datagrams.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))
        self._arrived += (words[DROPS] - self._seen) % WORD
        self._seen = words[DROPS]
        return Sample(time.time(), self._arrived, self._octets)

    def wait(self, seconds: float) -> bool:
        """Count for at most so long; whether somebody has written to standard input."""
        ready = select.select([sys.stdin, self._listener, *self._streams], [], [], max(0.0, seconds))[0]
        for one in self._streams:
            if one in ready:
                self._receive(one)
        if self._listener in ready:
            self._streams.append(self._listener.accept()[0])
        return sys.stdin in ready

    def _receive(self, stream: socket.socket) -> None:
        got = 0
        with contextlib.suppress(OSError):
            got = kernel.discard(stream, MOST_AT_ONCE)
        self._octets += got
        if not got:
            stream.close()
            self._streams = [one for one in self._streams if one is not stream]


def sink(address: str) -> None:
    """Count until standard input ends; for each line there, print all samples as one line of JSON."""
    here = Sink(address)
    sys.stdout.write(f"{here.port}\n")
    sys.stdout.flush()
    samples = deque([here.sample()], SAMPLES)
    following = time.monotonic()
    while True:
        asked = here.wait(following - time.monotonic())
        if time.monotonic() >= following or asked:
            samples.append(here.sample())
            following = time.monotonic() + GRAIN
        if asked:
            if not sys.stdin.readline():
                return
            sys.stdout.write(msgspec.json.encode(list(samples)).decode() + "\n")
            sys.stdout.flush()


def main() -> None:
    """Be one end of some traffic."""
    if sys.argv[1] == "sink":
        sink(sys.argv[2])
    else:
        source(msgspec.json.decode(sys.argv[2], type=Datagrams | Streams))


if __name__ == "__main__":
    main()
