"""THE VIRTUAL SCHOOL's SNMP agent: `python -m lab.snmp switch|router` answers v2c on its host with the rows of `lab.walk`.

pysnmp's own engine does the protocol. snmpsim would replay a recorded walk, but it needs a Python built with GNU dbm and
a library that it does not declare; and no recording has counters that move.
"""

import bisect
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1902 import ObjectName
from pysnmp.proto.rfc1905 import endOfMibView, noSuchInstance
from pysnmp.smi.instrum import AbstractMibInstrumController

from lab.plan import PLAN_FILE, Plan
from lab.walk import UPTIME, Oid, Row, router, switch

COMMUNITY = "public"  # nothing outside the lab can reach it
FRESH = 1.0  # s for which one reading of live counters serves
SNMP_V2C = 2


class Store(AbstractMibInstrumController):  # type: ignore[misc]  # the library carries no types
    """Rows in the order of their OIDs, read anew when they have aged."""

    def __init__(self, source: Callable[[], list[Row]]) -> None:
        self._source = source
        self._began = time.monotonic()
        self._read_at = -FRESH
        self._rows: list[Row] = []
        self._oids: list[Oid] = []

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._read_at >= FRESH:
            uptime = Row(UPTIME, "TimeTicks", int((now - self._began) * 100))
            self._rows = sorted([*self._source(), uptime], key=lambda row: row.oid)
            self._oids = [row.oid for row in self._rows]
            self._read_at = now

    def read_variables(self, *asked: Any, **_: Any) -> list[tuple[Any, Any]]:
        """Each variable asked for, or noSuchInstance (RFC 3416 section 4.2.1)."""
        self._refresh()
        found = []
        for name, _value in asked:
            at = bisect.bisect_left(self._oids, tuple(name))
            there = at < len(self._oids) and self._oids[at] == tuple(name)
            found.append((name, _value_of(self._rows[at]) if there else noSuchInstance))
        return found

    def read_next_variables(self, *asked: Any, **_: Any) -> list[tuple[Any, Any]]:
        """Each variable after the one asked for, or endOfMibView (RFC 3416 section 4.2.2)."""
        self._refresh()
        found = []
        for name, _value in asked:
            at = bisect.bisect_right(self._oids, tuple(name))
            there = at < len(self._oids)
            found.append((ObjectName(self._oids[at]), _value_of(self._rows[at])) if there else (name, endOfMibView))
        return found


def _value_of(row: Row) -> Any:
    return getattr(v2c, row.kind)(row.value)


def main() -> None:
    """Answer until killed."""
    plan = msgspec.json.decode(PLAN_FILE.read_bytes(), type=Plan)
    fixed = switch(plan)
    source = {"switch": lambda: fixed, "router": router}[sys.argv[1]]
    responder = engine.SnmpEngine()
    # Any address of the host: a router is asked at each of its own.
    config.add_transport(responder, udp.DOMAIN_NAME, udp.UdpTransport().open_server_mode(("0.0.0.0", 161)))
    config.add_v1_system(responder, "lab", COMMUNITY)
    config.add_vacm_user(responder, SNMP_V2C, "lab", "noAuthNoPriv", (1, 3, 6), (), ())
    names = context.SnmpContext(responder)
    names.unregister_context_name(b"")
    names.register_context_name(b"", Store(source))
    for kind in (cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder, cmdrsp.BulkCommandResponder):
        kind(responder, names)
    responder.transport_dispatcher.job_started(1)
    responder.open_dispatcher()


if __name__ == "__main__":
    main()
