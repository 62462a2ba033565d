"""One small HTTP request and its whole answer, within a deadline and a size. The load of a test does not go through here."""

import socket
from collections.abc import Mapping

from netready import __version__
from netready.failure import Failed, Failure
from probes.throughput.answer import Answer
from probes.throughput.channel import Now

AGENT = f"netready/{__version__}"
_READ = 1 << 14


def request(verb: str, target: str, host: str, fields: Mapping[str, str]) -> bytes:
    """A request's head. `target` is path and query, `host` as in a URL; nothing may be compressed on the way back."""
    own = {"Host": host, "User-Agent": AGENT, "Accept-Encoding": "identity", **fields}
    lines = "".join(f"{name}: {value}\r\n" for name, value in own.items())
    return f"{verb} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii")


def fetch(connection: socket.socket, head: bytes, *, most: int, until: float, now: Now) -> Answer:
    """Send a request without a body and read the answer, its body whole in `kept`.

    Raises OSError, or Failed: TIMEOUT at `until` on the clock `now`, TOO_LARGE for a body of more than `most` bytes, and
    what `Answer` refuses. The status is the caller's to judge.
    """
    connection.settimeout(_left(until, now))
    connection.sendall(head)
    answer = Answer(keep=most)
    while not answer.over:
        connection.settimeout(_left(until, now))
        try:
            data = connection.recv(_READ)
        except TimeoutError:
            raise _late() from None
        if data:
            answer.feed(memoryview(data))
        else:
            answer.end()
        if answer.size > most:
            raise Failed(Failure.TOO_LARGE, f"an answer of more than {most} bytes")
    return answer


def _left(until: float, now: Now) -> float:
    left = until - now()
    if left <= 0:
        raise _late()
    return left


def _late() -> Failed:
    return Failed(Failure.TIMEOUT, "the server did not answer in full within the time for it")
