"""What decides how fast one thread of Python moves load: the size of its pieces, what may wait in the kernel, acknowledgements.

A bare loop at either end, no protocol: `python -m bench.pieces JSON` is one end, `pieces` runs both in namespaces of its own.
"""

import contextlib
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import msgspec

from bench.ceiling import FAR, pair
from probes.throughput import tcp_info
from probes.throughput.throughput1 import PIECE

PORT = 4434
SECONDS = 3.0
STREAMS = 4
RUNS = 3
READ = 1 << 18  # bytes at once
WORDS_EVERY = 0.1  # s between words that the receiver sends back on each stream
Row = tuple[str, ...]


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """How one end behaves; `backlog` 0 is no limit, bytes as is `piece`."""

    receives: bool = False
    piece: int = PIECE
    backlog: int = 0
    words: bool = False
    at_once: bool = False


def pieces() -> Iterator[Row]:
    """A bare sender and receiver of load on an unshaped veth pair, BBR, four streams, 3 s; the median of three runs."""
    yield ("loop", "Gbit/s", "lowest to highest", "to ours")
    loops = {
        "as ours: 112 KiB, words back, acknowledged at once": Loop(words=True, at_once=True),
        "words back, acknowledged as the kernel likes": Loop(words=True),
        "no words back": Loop(),
        "64 KiB": Loop(piece=1 << 16),
        "128 KiB": Loop(piece=1 << 17),
        "256 KiB": Loop(piece=1 << 18),
        "1 MiB": Loop(piece=1 << 20),
        "112 KiB, 256 KiB may wait unsent": Loop(backlog=1 << 18),
    }
    found: dict[str, list[float]] = {name: [] for name in loops}
    with pair() as (near, far):
        for _ in range(RUNS):
            for name, loop in loops.items():
                found[name].append(_both(near, far, loop))
    ours = statistics.median(next(iter(found.values())))
    for name, rates in found.items():
        median = statistics.median(rates)
        yield (name, f"{median:.1f}", f"{min(rates):.0f} to {max(rates):.0f}", f"{median / ours:.2f}")


def _both(near: str, far: str, loop: Loop) -> float:
    """Gbit/s that arrived."""
    ends = []
    for space, receives in ((far, True), (near, False)):
        asked = msgspec.json.encode(msgspec.structs.replace(loop, receives=receives)).decode()
        argv = ["ip", "netns", "exec", space, sys.executable, "-m", "bench.pieces", asked]
        ends.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        if receives and ends[0].stdout is not None:
            ends[0].stdout.readline()  # it listens
    out, _ = ends[0].communicate(timeout=30)
    ends[1].wait(10)
    return float(out)


def receive(loop: Loop) -> float:
    """Gbit/s until the sender has gone; load is dropped in the kernel."""
    with socket.create_server((FAR, PORT)) as listener:
        print("listens", flush=True)
        streams = {made.fileno(): made for made in (listener.accept()[0] for _ in range(STREAMS))}
    poll, buffer, count = select.epoll(), bytearray(READ), 0
    for descriptor, stream in streams.items():
        stream.settimeout(0)
        poll.register(descriptor, select.EPOLLIN)
    begun = time.monotonic()
    due = begun if loop.words else float("inf")
    while streams:
        for descriptor, _ in poll.poll():
            try:
                came = streams[descriptor].recv_into(buffer, READ, socket.MSG_TRUNC)
            except ConnectionResetError:
                came = 0
            if not came:
                poll.unregister(descriptor)
                streams.pop(descriptor).close()
            count += came
        if time.monotonic() >= due:
            due += WORDS_EVERY
            for stream in streams.values():
                with contextlib.suppress(OSError):  # the sender may have gone
                    stream.send(b"a word")
                if loop.at_once:
                    tcp_info.acknowledge_at_once(stream)
    return 8 * count / (time.monotonic() - begun) / 1e9


def send(loop: Loop) -> None:
    """Load on every stream for SECONDS."""
    streams = {}
    poll, piece = select.epoll(), os.urandom(loop.piece)
    for _ in range(STREAMS):
        stream = socket.create_connection((FAR, PORT))
        tcp_info.use_congestion(stream, "bbr")
        if loop.backlog:
            tcp_info.limit_backlog(stream, loop.backlog)
        stream.settimeout(0)
        streams[stream.fileno()] = stream
        poll.register(stream, select.EPOLLOUT)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for descriptor, _ in poll.poll():
            streams[descriptor].send(piece)


def main() -> None:
    """One end, as the JSON on the command line says."""
    loop = msgspec.json.decode(sys.argv[1], type=Loop)
    if loop.receives:
        print(receive(loop))
    else:
        send(loop)


if __name__ == "__main__":
    main()
