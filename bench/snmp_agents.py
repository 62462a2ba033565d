"""The agents of the `snmp` part, a program: one column of many rows on many loopback addresses, each answer after a delay.

`python -m bench.snmp_agents AGENTS ROWS DELAY PORT` answers v2c GETBULK, GETNEXT and GET on 127.0.1.1 and those after it.
The rows are encoded once, and an answer is a slice of them, so that what is measured is whoever asks. It prints "ready".
"""

import bisect
import ctypes
import select
import socket
import sys
import time
from collections import deque

from collectors.snmp import ber

COLUMN = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)  # ifHCInOctets
AFTER = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 7, 1)
LARGEST = 1400  # bytes of values in one answer, as switches have it
COUNTER64 = 0x46
PR_SET_TIMERSLACK = 29  # prctl(2); the kernel otherwise ends a wait up to 50 us late


class Rows:
    """All answers there can be."""

    def __init__(self, rows: int) -> None:
        oids = [(*COLUMN, row) for row in range(1, rows + 1)] + [AFTER]
        entries = [
            ber.tlv(
                ber.SEQUENCE, ber.tlv(ber.IDENTIFIER, ber.name(oid)), ber.tlv(COUNTER64, (1 << 38 | row).to_bytes(5, "big"))
            )
            for row, oid in enumerate(oids)
        ]
        self._oids = oids
        self._all = b"".join(entries)
        self._starts = [0]
        for entry in entries:
            self._starts.append(self._starts[-1] + len(entry))

    def answer(self, request: bytes) -> bytes:
        """The response to one request for one object identifier."""
        at, end = ber.open_(request, 0, len(request), ber.SEQUENCE)
        _, at = ber.read_integer(request, at, end)
        _, at = ber.read_octets(request, at, end)
        head = request[:at]
        kind = request[at]
        at, end = ber.open_(request, at, end, kind)
        number, at = ber.read_integer(request, at, end)
        _, at = ber.read_integer(request, at, end)
        repetitions, at = ber.read_integer(request, at, end)
        for tag in (ber.SEQUENCE, ber.SEQUENCE, ber.IDENTIFIER):
            at, end = ber.open_(request, at, end, tag)
        first = bisect.bisect_right(self._oids, ber.oid_of(request[at:end]))
        last = min(first + (repetitions if kind == 0xA5 else 1), len(self._oids))
        last = min(last, max(bisect.bisect_right(self._starts, self._starts[first] + LARGEST) - 1, first + 1))
        values = self._all[self._starts[first] : self._starts[last]]
        pdu = ber.tlv(0xA2, ber.integer(number), ber.integer(0), ber.integer(0), ber.tlv(ber.SEQUENCE, values))
        begin, _ = ber.open_(request, 0, len(request), ber.SEQUENCE)
        return ber.tlv(ber.SEQUENCE, head[begin:], pdu)


def main() -> None:
    agents, rows, delay, port = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    answers = Rows(rows)
    waiting: deque[tuple[float, socket.socket, bytes, tuple[str, int]]] = deque()
    socks = []
    for number in range(agents):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((f"127.0.1.{number + 1}", port))
        sock.settimeout(0)
        socks.append(sock)
    print("ready", flush=True)
    while True:
        # Not epoll: its timeout is in whole milliseconds, and select's is not.
        ready, _, _ = select.select(socks, (), (), max(waiting[0][0] - time.monotonic(), 0) if waiting else None)
        for sock in ready:
            request, peer = sock.recvfrom(2048)
            due = time.monotonic() + delay
            waiting.append((due, sock, answers.answer(request), peer))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, sock, answer, peer = waiting.popleft()
            sock.sendto(answer, peer)


if __name__ == "__main__":
    main()
