"""Load as the body of an HTTP response, for the methods that download files."""

from collections.abc import Mapping

from netready.failure import Failed, Failure
from testpoint.visit import ANSWER_SECONDS, KEPT_SECONDS, NO_FIELDS, Visit, head, reply, turn_away

# Handed to the kernel at once, over and over from one block that all visits share. Measured on loopback: pieces of 1 MiB
# fall out of the processor's second-level cache and halve the rate.
PIECE = 1 << 17
_TOLD = 1 << 20  # bytes after which the client's account is looked at


def send_load(visit: Visit, length: int, kind: str, fields: Mapping[str, str] = NO_FIELDS, *, group: str) -> None:
    """Answer with `length` random bytes of the media type `kind`, as part of the test `group`.

    Raises Failed or OSError when it was broken off: by the client, by a limit, or at shutdown. The connection is then reset,
    so that nobody takes the body for whole.
    """
    if visit.request.method == "HEAD":
        reply(visit, b"", kind, fields, length=length)
        return
    if not visit.admit(group=group, seconds=KEPT_SECONDS):
        turn_away(visit)
        return
    visit.channel.write_all(head(200, kind, length, fields, close=not visit.keep()), seconds=ANSWER_SECONDS)
    try:
        _fill(visit, length)
    except Failed:
        visit.channel.close(abort=True)
        raise


def _fill(visit: Visit, left: int) -> None:
    load = memoryview(visit.frames[PIECE])[-PIECE:]
    deadline = visit.now() + visit.limits.bulk
    told = 0
    while left:
        visit.channel.write_all(load[:left], seconds=visit.limits.stall)
        left -= min(left, PIECE)
        told += PIECE
        if told >= _TOLD and left:
            problem = _problem(visit, told, deadline)
            if problem is not None:
                raise problem
            told = 0


def _problem(visit: Visit, count: int, deadline: float) -> Failed | None:
    """Why a download must end here."""
    if not visit.moved(count):
        visit.ended("budget")
        return Failed(Failure.DATA_BUDGET, visit.refusal().sentence)
    if visit.stopping():
        visit.ended("shutdown")
        return Failed(Failure.CLOSED_EARLY, "the server stops")
    if visit.now() >= deadline:
        visit.ended("time")
        return Failed(Failure.TIMEOUT, f"a body may take {visit.limits.bulk:g} s")
    return None
