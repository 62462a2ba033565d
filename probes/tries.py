"""Asking many addresses more than once: at a limited pace, patient with slow ones, and no longer than it helps.

It knows no protocol. A question may be lost on the way and so may its answer, and telephones sleep between beacons; so the
silent ones are asked again. Most silent addresses are nobody's, and questions to them load every host of the segment; so the
asking ends as soon as a try has found nobody new.
"""

import math
from array import array
from collections.abc import Sequence
from typing import Protocol

import msgspec

from netready.clock import Clock

# Seconds until an address may be asked again. Telephones that sleep between beacons answer after up to about 350 ms.
PATIENCE = 0.4
ENOUGH = 3  # tries that are always made where somebody answers: a host that sleeps through two of them is ordinary
# Where nobody at all answers, further questions in all. Of a network of up to 1,024 addresses everybody is still asked twice.
FURTHER = 1024
CREDIT = 0.01  # seconds of a pause that are made up for: as long as a busy machine often keeps a program waiting
LATE = 256  # answers taken in between two questions when the next one is due, so that a flood cannot hold them up


class Wire(Protocol):
    """How questions go out and answers come in."""

    @property
    def answers(self) -> int:
        """How many addresses have answered so far."""
        ...

    def answered(self, address: int) -> bool:
        """Whether this one has."""
        ...

    def ask(self, address: int) -> bool:
        """Send one question; False when the machine's own queue was full."""
        ...

    def listen(self, until: float) -> None:
        """Take in what has come, and what comes before `until` on the clock."""
        ...


class Account(msgspec.Struct, kw_only=True):
    """What was done: questions sent and addresses found in each try, and why there were no more of them."""

    asked: list[int] = []
    found: list[int] = []
    ended: str = ""


class Pace:
    """At most `per_second` questions a second, and no burst after a pause of the machine beyond what CREDIT allows."""

    def __init__(self, per_second: int, clock: Clock) -> None:
        self.clock = clock
        self.due = clock.monotonic()
        self._gap = 1 / per_second

    def went(self) -> float:
        """Note that a question goes out now; the time on the clock."""
        now = self.clock.monotonic()
        self.due = max(self.due, now - CREDIT) + self._gap
        return now


def ask(addresses: Sequence[int], wire: Wire, pace: Pace, *, tries: int, wait: float, account: Account) -> None:
    """Ask every address, then those that are still silent, up to `tries` times; at the end listen for `wait` seconds.

    What was done goes into `account` as it is done, because whatever `wire` raises goes through.
    """
    silent, times = list(addresses), array("d", [-math.inf]) * len(addresses)
    begun = wire.answers
    while silent and not account.ended:
        before = wire.answers
        account.asked.append(0)
        account.found.append(0)
        number = len(account.asked)
        try:
            complete = _once(silent, times, wire, pace, account, wait=wait)
            left = [place for place, address in enumerate(silent) if not wire.answered(address)]
            silent, times = [silent[place] for place in left], array("d", [times[place] for place in left])
            if not silent:
                account.ended = "no silent address left"
                if account.asked[-1]:  # a second host may claim the last one's address
                    wire.listen(pace.clock.monotonic() + PATIENCE)
            elif not complete:
                account.ended = "nobody answered at all"
            elif number == tries:
                account.ended = "all tries were made"
                wire.listen(pace.clock.monotonic() + wait)
            elif number >= ENOUGH and wire.answers == before:
                wire.listen(pace.clock.monotonic() + wait)
                account.ended = "nobody new in the last try" if wire.answers == before else ""
        finally:
            account.found[-1] = wire.answers - begun - sum(account.found)
    if len(account.asked) > 1 and not account.asked[-1]:  # the last ones answered before they were asked again
        account.asked.pop()
        account.found[-2:] = [sum(account.found[-2:])]


def _once(silent: Sequence[int], times: "array[float]", wire: Wire, pace: Pace, account: Account, *, wait: float) -> bool:
    """One try. False when it was given up because nobody has answered anything so far."""
    for place, address in enumerate(silent):
        if wire.answered(address):
            continue
        if not wire.answers and sum(account.asked[1:]) == FURTHER:
            wire.listen(pace.clock.monotonic() + wait)
            if not wire.answers:
                return False
        # Each try keeps the order, so this seldom waits for the address itself.
        wire.listen(max(pace.due, times[place] + PATIENCE))
        if wire.answered(address):
            continue
        times[place] = pace.went()
        account.asked[-1] += wire.ask(address)
    return True
