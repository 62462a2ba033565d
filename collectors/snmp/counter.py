"""One interface's counters, read over SNMP often and at known moments: how much passed the router between two readings.

A reading is one question and one answer of a few milliseconds, so it is as good as taken at the middle between the two.
Counters of 64 bits where the device has them (ifXTable, RFC 2863), else of 32, which go round.
"""

from ipaddress import ip_address

import msgspec

from collectors.snmp.ber import Oid, Value
from collectors.snmp.credentials import Credential
from collectors.snmp.interfaces import IF, IF_IN, IF_NAME, IF_OUT, IFX, interface_names
from collectors.snmp.reading import UP_TIME
from collectors.snmp.session import Session
from collectors.snmp.settings import Settings
from collectors.snmp.walk import walk
from netready.clock import Clock
from netready.failure import Failed, Failure
from netready.instrument import Chance

# RFC 2863: 32-bit counters of ifTable, and when an interface's counters last lost their thread.
OLD_IN, OLD_OUT = (*IF, 10), (*IF, 16)
DISCONTINUITY = (*IFX, 19)
CELLS = {"in": IF_IN, "out": IF_OUT, "old_in": OLD_IN, "old_out": OLD_OUT, "gap": DISCONTINUITY}
ROUND = 1 << 32  # a Counter32 and TimeTicks go round here
# A 32-bit counter goes round in 34 s at 1 Gbit/s (RFC 2863, 3.1.6): over a longer gap its growth could be anything.
LONGEST_GAP = 30.0  # s
ATTEMPTS = 3  # questions for one reading; each has its own moment, which a repeat of an old one would not
NEAR_ROUND = 360_000  # hundredths of a second; sysUpTime that falls from within the last hour before 2**32 went round


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """A reading. `at` is monotonic, s; `uptime` and `discontinuity` are TimeTicks, where the device tells."""

    at: float
    received: int
    sent: int
    bits: int
    uptime: int | None = None
    discontinuity: int | None = None


class Interface:
    """One interface of one device, found by its ifName; raises Failed and OSError when it cannot be read."""

    def __init__(
        self, device: str, name: str, credential: Credential, settings: Settings, *, clock: Clock, chance: Chance
    ) -> None:
        """`device` is an address; the name is as the collector prints it ("wan0", or "wan0#7" for the second of a name)."""
        self.device = str(ip_address(device))
        self.name = name
        self._credential = credential
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._index: Oid | None = None

    def read(self) -> Counter:
        """The counters now."""
        if self._index is None:
            self._index = self._find()
        row = self._index
        columns = {name: (*column, *row) for name, column in CELLS.items()}
        failed = Failed(Failure.NO_ANSWER, "no answer")
        for _ in range(ATTEMPTS):
            try:
                with self._session(retries=0) as session:
                    session.connect()
                    asked = self._clock.monotonic()
                    found = session.get((*columns.values(), UP_TIME))
                    at = (asked + self._clock.monotonic()) / 2
            except Failed as error:
                failed = error
                continue
            return parse({name: found.get(oid) for name, oid in columns.items()} | {"uptime": found.get(UP_TIME)}, at)
        raise failed

    def _find(self) -> Oid:
        with self._session(retries=self._settings.retries) as session:
            session.connect()
            table = walk(session, (IF_NAME,), self._settings.max_rows, self._clock)
        names = interface_names(table)
        if self.name in names:
            return names[self.name]
        if table.fault:
            raise Failed(Failure.NO_ANSWER, f"its interfaces cannot be listed ({table.fault})")
        raise Failed(Failure.NOT_SUPPORTED, f"it has no interface {self.name}; it has {', '.join(list(names)[:20]) or 'none'}")

    def _session(self, *, retries: int) -> Session:
        return Session(self.device, self._credential, self._settings, clock=self._clock, chance=self._chance, retries=retries)


def parse(found: dict[str, Value], at: float) -> Counter:
    """A reading from the cells "in", "out" (64 bits), "old_in", "old_out" (32), "gap" and "uptime"; raises Failed."""
    for into, out, bits in (("in", "out", 64), ("old_in", "old_out", 32)):
        received, sent = _count(found.get(into)), _count(found.get(out))
        if received is not None and sent is not None:
            return Counter(
                at=at,
                received=received,
                sent=sent,
                bits=bits,
                uptime=_count(found.get("uptime")),
                discontinuity=_count(found.get("gap")),
            )
    raise Failed(Failure.NOT_SUPPORTED, "the device does not count this interface's bytes")


def growth(before: Counter, after: Counter) -> tuple[int, int]:
    """Bytes (received, sent) between two readings; raises Failed when the counters do not tell."""
    if before.bits != after.bits:
        raise Failed(Failure.INCONCLUSIVE, "the device counted in 64 bits once and in 32 bits once")
    if before.uptime is not None and after.uptime is not None and after.uptime < before.uptime < ROUND - NEAR_ROUND:
        raise Failed(Failure.INCONCLUSIVE, "the device was started again in between")
    if before.discontinuity != after.discontinuity:
        raise Failed(Failure.INCONCLUSIVE, "the device says that its counters lost their thread (ifCounterDiscontinuityTime)")
    grown = after.received - before.received, after.sent - before.sent
    if min(grown) >= 0:
        if before.bits == 32 and after.at - before.at > LONGEST_GAP:
            raise Failed(Failure.INCONCLUSIVE, f"32-bit counters may have gone round within {after.at - before.at:.0f} s")
        return grown
    if before.bits == 32 and after.at - before.at <= LONGEST_GAP:
        return grown[0] % ROUND, grown[1] % ROUND
    raise Failed(Failure.INCONCLUSIVE, "a counter was set back in between")


def _count(value: Value) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
