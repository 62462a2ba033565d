"""THE VIRTUAL SCHOOL's SNMP agent: `python -m lab.snmp switch|router` answers v2c on its host with the rows of `lab.walk`.

`python -m lab.snmp campus` does so on each switch of a campus and on the access point that answers for all of them.

pysnmp's own engine does the protocol. snmpsim would replay a recorded walk, but it needs a Python built with GNU dbm and
a library that it does not declare; and no recording has counters that move.
"""

import bisect
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1902 import ObjectName
from pysnmp.proto.rfc1905 import endOfMibView, noSuchInstance
from pysnmp.smi.instrum import AbstractMibInstrumController

from lab import kernel, switch_agent, switch_walk, wireless_walk
from lab.campus import Campus, Switch
from lab.plan import PLAN_FILE, Plan
from lab.walk import UPTIME, Oid, Row, router, switch

COMMUNITY = "public"  # nothing outside the lab can reach it
FRESH = 1.0  # s for which one reading of live counters serves
SNMP_V2C = 2

Source = Callable[[], list[Row]]


class Store(AbstractMibInstrumController):  # type: ignore[misc]  # the library carries no types
    """Rows in the order of their OIDs, read anew when they have aged."""

    def __init__(self, source: Source) -> None:
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


def serve(sources: dict[str, Source]) -> None:
    """Answer until killed: rows by community."""
    responder = engine.SnmpEngine()
    # Any address of the host: a router is asked at each of its own.
    config.add_transport(responder, udp.DOMAIN_NAME, udp.UdpTransport().open_server_mode(("0.0.0.0", 161)))
    names = context.SnmpContext(responder)
    names.unregister_context_name(b"")
    for community, source in sources.items():
        name = community.removeprefix(COMMUNITY).encode()
        config.add_v1_system(responder, f"lab{name.decode()}", community, contextName=name)
        config.add_vacm_user(responder, SNMP_V2C, f"lab{name.decode()}", "noAuthNoPriv", (1, 3, 6), (), (), contextName=name)
        names.register_context_name(name, Store(source))
    for kind in (cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder, cmdrsp.BulkCommandResponder):
        kind(responder, names)
    responder.transport_dispatcher.job_started(1)
    responder.open_dispatcher()


def of_switch(campus: Campus, switch: Switch) -> dict[str, Source]:
    """What a switch of a campus says, by community."""
    neighbours = switch_agent.Neighbours(switch)

    def all_of_it() -> list[Row]:
        return switch_walk.rows(_plan(), campus, switch, switch_agent.look(switch, neighbours))

    def of_vlan(number: int) -> list[Row]:
        return switch_walk.rows_of_vlan(switch, switch_agent.look(switch, neighbours), number)

    found: dict[str, Source] = {COMMUNITY: all_of_it}
    if switch.tables == "by community":
        found |= {f"{COMMUNITY}@{vlan.number}": partial(of_vlan, vlan.number) for vlan in campus.vlans}
    return found


def everything(campus: Campus) -> None:
    """A process for each device of a campus; this one ends when one of them does, and they with it."""
    for one in campus.switches:
        _fork(one.name, partial(of_switch, campus, one))
    _fork(campus.controller, lambda: {COMMUNITY: lambda: wireless_walk.rows(_plan(), campus)})
    os.wait()


def _fork(host: str, sources: Callable[[], dict[str, Source]]) -> None:
    if os.fork():
        return
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        kernel.enter(kernel.NAMESPACES / host, kernel.CLONE_NEWNET)
        serve(sources())
    except BaseException:  # noqa: BLE001 - a fork must not climb back into its parent's code; it ends here, aloud
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


def _plan() -> Plan:
    return msgspec.json.decode(PLAN_FILE.read_bytes(), type=Plan)


def main() -> None:
    """Answer until killed."""
    plan = _plan()
    match sys.argv[1], plan.campus:
        case "campus", Campus() as campus:
            everything(campus)
        case "router", _:
            serve({COMMUNITY: lambda: router(plan)})
        case _:
            fixed = switch(plan)
            serve({COMMUNITY: lambda: fixed})


if __name__ == "__main__":
    main()
