"""The largest packets that pass whole: full TCP segments are sent, and what arrived is what counts.

Routers should say when a packet is too large (RFC 1191, RFC 8201), but many are kept from it, and then full packets vanish
while small ones pass. So no router is believed: a size counts when the other end has received segments of it. Where full
ones vanish, connections that are bound to smaller ones are tried until the limit is known (in the spirit of RFC 4821).
"""

import contextlib
from collections.abc import Callable
from enum import StrEnum

import msgspec

from netready.failure import Failed, Failure
from probes.path_ask import Answer, Place
from probes.path_facts import LOAD_LIMIT, Facts
from probes.throughput.tcp_info import TcpInfo, header_bytes

LEAST, LEAST_SIX = 576, 1280  # bytes that every host must take: RFC 791, 3.1 and RFC 8200, 5


class FoundBy(StrEnum):
    """How a size became known."""

    INTERFACE = "interface"  # this host's own interface sends no larger, and those pass
    ROUTE = "route"  # this host's routes said so before anything was sent: set by hand, or learnt before
    ICMP = "icmp"  # a router said so, and then it passed
    SEARCH = "search"  # larger ones vanish without a word
    MSS = "mss"  # TCP was told to send no larger; the path may carry more
    FAR_END = "far-end"  # the far end found out, however, and went down to it
    KERNEL = "kernel"  # not proven: packets are larger than what we send


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """The largest IP packet in bytes, and how that is known. `black_hole`: larger ones vanish without a word."""

    size: int
    found_by: FoundBy
    black_hole: bool = False


# Asks with so much load, so much filling, packets of at most so many bytes; patient when nothing bounds them.
Talk = Callable[[int, int, int | None], tuple[Answer, Facts]]


def least(place: Place) -> int:
    """Bytes of a packet that passes everywhere."""
    return LEAST_SIX if place.six else LEAST


def upward(place: Place, talk: Talk, interface_mtu: int | None) -> Extent:
    """The largest packet that reaches the far end. Raises OSError, Failed."""
    heard = _twice(lambda: talk(LOAD_LIMIT, 0, None))
    if heard is not None:
        found = judge_upward(*heard, place, interface_mtu)
        if found is not None:
            return found

    def passes(size: int) -> bool:
        try:
            answer, facts = talk(LOAD_LIMIT, 0, size)
        except TimeoutError:
            return False
        return arrived(answer.tcp, facts.tcp, place) == size

    return Extent(size=search(passes, least(place), interface_mtu or 1500), found_by=FoundBy.SEARCH, black_hole=True)


def _twice(talk: Callable[[], tuple[Answer, Facts]]) -> tuple[Answer, Facts] | None:
    """What was heard at the first or second try: bad luck on a line that loses packets is no black hole."""
    for _ in range(2):
        with contextlib.suppress(TimeoutError):
            return talk()
    return None


def judge_upward(answer: Answer, facts: Facts, place: Place, interface_mtu: int | None) -> Extent | None:
    """What a connection tells that carried full packets up; None when they vanished and the kernel made them smaller. Pure.

    Raises Failed(INCONCLUSIVE) when the far end received other segments than ours, Failed(NOT_SUPPORTED) without counters.
    """
    sent, size = answer.tcp.get("SndMSS", 0), arrived(answer.tcp, facts.tcp, place)
    if not sent or not size or answer.mtu is None or answer.known_mtu is None:
        raise Failed(Failure.NOT_SUPPORTED, "a system without TCP's counters (TCP_INFO, IP_MTU)")
    if sent > LOAD_LIMIT:
        return Extent(size=answer.mtu, found_by=FoundBy.KERNEL)
    if facts.tcp["RcvMSS"] != sent:
        raise Failed(Failure.INCONCLUSIVE, f"segments of {sent} bytes went out, and {facts.tcp['RcvMSS']} arrived")
    if size < answer.mtu:
        return None if sent < answer.agreed.get("SndMSS", sent) else Extent(size=size, found_by=FoundBy.MSS)
    if interface_mtu is not None and size >= interface_mtu:
        return Extent(size=size, found_by=FoundBy.INTERFACE)
    return Extent(size=size, found_by=FoundBy.ROUTE if answer.known_mtu == size else FoundBy.ICMP)


def downward(place: Place, talk: Talk, interface_mtu: int | None) -> Extent:
    """The largest packet that reaches us of what the far end sends. Raises OSError, Failed."""
    heard = _twice(lambda: talk(0, LOAD_LIMIT, None))
    if heard is not None:
        return judge_downward(*heard, place, interface_mtu)
    largest = 0

    def passes(size: int) -> bool:
        nonlocal largest
        try:
            answer, _ = talk(0, LOAD_LIMIT, size)
        except TimeoutError:
            return False
        largest = max(largest, _received(answer, place))
        return True

    search(passes, least(place), interface_mtu or 1500)
    return Extent(size=largest, found_by=FoundBy.SEARCH, black_hole=True)


def judge_downward(answer: Answer, facts: Facts, place: Place, interface_mtu: int | None) -> Extent:
    """What a connection tells that carried full packets down. Pure. Raises Failed(NOT_SUPPORTED) without counters."""
    meant = facts.tcp.get("SndMSS", 0)  # before the filling was sent
    if meant > LOAD_LIMIT:
        return Extent(size=min(facts.tcp.get("PMTU", 0), interface_mtu or 0), found_by=FoundBy.KERNEL)
    size = _received(answer, place)
    if interface_mtu is not None and size >= interface_mtu:
        return Extent(size=size, found_by=FoundBy.INTERFACE)
    return Extent(size=size, found_by=FoundBy.MSS if answer.tcp["RcvMSS"] >= meant else FoundBy.FAR_END)


def _received(answer: Answer, place: Place) -> int:
    segment = answer.tcp.get("RcvMSS", 0)
    if not segment:
        raise Failed(Failure.NOT_SUPPORTED, "a system without TCP's counters (TCP_INFO)")
    return segment + header_bytes(answer.tcp, place.family)


def arrived(ours: TcpInfo, theirs: TcpInfo, place: Place) -> int:
    """Bytes of the packets whose segments the far end received; 0 when it does not say."""
    segment = theirs.get("RcvMSS", 0)
    return segment + header_bytes(ours, place.family) if segment else 0


def search(passes: Callable[[int], bool], below: int, above: int) -> int:
    """The largest size from `below` up to, but without, `above` that passes.

    Raises Failed: TIMEOUT when none passes, INCONCLUSIVE when one that did not pass does so at a second try.
    """
    if not passes(below):
        raise Failed(Failure.TIMEOUT, f"not even packets of {below} bytes pass when there are several")
    while above - below > 1:
        middle = (below + above) // 2
        if passes(middle):
            below = middle
        else:
            above = middle
    if passes(above):
        raise Failed(Failure.INCONCLUSIVE, f"packets of {above} bytes pass at one time and not at another")
    return below
