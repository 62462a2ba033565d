"""Walks one column of agents with one library and prints, as JSON, what it took: `python -m bench.snmp_worker JSON`.

A client first loads what it needs; time is then from the first session to the last row. Memory is the process's peak, with the
interpreter and all modules.
"""

import random
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

USER, SIGN, HIDE, COMMUNITY = "audit", "authpass123", "privpass123", "public"
REPETITIONS = 50  # of the libraries whose caller must say it; ours finds its own


class Wanted(msgspec.Struct, kw_only=True):
    """One run; `devices` are walked side by side, `parallel` at a time where the client can limit it."""

    client: str
    version: str
    port: int
    column: tuple[int, ...]
    devices: tuple[str, ...]
    parallel: int = 10


class Took(msgspec.Struct, kw_only=True):
    """What came of it; processor time in seconds, memory in MiB."""

    rows: int
    seconds: float
    processor: float
    memory: float


Work = Callable[[], int]


def netready(wanted: Wanted) -> Work:
    """Our session and walk, without the pace that spares real switches."""
    from agent.clock import SystemClock  # noqa: PLC0415 - each run loads what its client needs
    from collectors.snmp.credentials import Community, Secret, User  # noqa: PLC0415
    from collectors.snmp.session import Session  # noqa: PLC0415
    from collectors.snmp.settings import Auth, Priv, Settings  # noqa: PLC0415
    from collectors.snmp.walk import walk  # noqa: PLC0415

    settings = Settings(port=wanted.port, requests_per_second=0, timeout=5)
    clock, chance = SystemClock(), random.Random()
    credential: Community | User = Community(community=Secret(COMMUNITY.encode()))
    if wanted.version == "3":
        import collectors.snmp.cipher  # noqa: F401, PLC0415 - so that its loading is not measured

        credential = User(
            name=USER,
            auth=Auth.SHA256,
            auth_secret=Secret(SIGN.encode()),
            priv=Priv.AES128,
            priv_secret=Secret(HIDE.encode()),
        )

    def visit(device: str) -> int:
        with Session(device, credential, settings, clock=clock, chance=chance) as session:
            session.connect()
            table = walk(session, (wanted.column,), 1_000_000, clock)
        if table.fault:
            raise RuntimeError(table.reason)
        return table.size

    return lambda: _side_by_side(visit, wanted)


def gufo_snmp(wanted: Wanted) -> Work:
    from gufo.snmp import Aes128Key, Sha256Key, SnmpVersion, User  # noqa: PLC0415
    from gufo.snmp.sync import SnmpSession  # noqa: PLC0415

    column = ".".join(map(str, wanted.column))
    speaks = {"version": SnmpVersion.v2c, "community": COMMUNITY}
    if wanted.version == "3":
        user = User(name=USER, auth_key=Sha256Key(SIGN.encode()), priv_key=Aes128Key(HIDE.encode()))
        speaks = {"version": SnmpVersion.v3, "user": user}

    def visit(device: str) -> int:
        with SnmpSession(device, port=wanted.port, max_repetitions=REPETITIONS, **speaks) as session:
            return len(dict(session.getbulk(column)))

    return lambda: _side_by_side(visit, wanted)


def _side_by_side(visit: Callable[[str], int], wanted: Wanted) -> int:
    if len(wanted.devices) == 1:
        return visit(wanted.devices[0])
    with ThreadPoolExecutor(wanted.parallel) as pool:
        return sum(pool.map(visit, wanted.devices))


def pysnmp(wanted: Wanted) -> Work:
    import asyncio  # noqa: PLC0415

    from pysnmp.hlapi.v3arch import asyncio as api  # noqa: PLC0415

    who = api.CommunityData(COMMUNITY)
    if wanted.version == "3":
        protocols = {"authProtocol": api.USM_AUTH_HMAC192_SHA256, "privProtocol": api.USM_PRIV_CFB128_AES}
        who = api.UsmUserData(USER, SIGN, HIDE, **protocols)

    async def visit(engine: api.SnmpEngine, device: str) -> int:
        rows = {}
        target = await api.UdpTransportTarget.create((device, wanted.port))
        column = api.ObjectType(api.ObjectIdentity(wanted.column))
        options = {"lexicographicMode": False, "lookupMib": False}
        answers = api.bulk_walk_cmd(engine, who, target, api.ContextData(), 0, REPETITIONS, column, **options)
        async for trouble, status, _, binds in answers:
            if trouble or status:
                raise RuntimeError(str(trouble or status))
            rows.update((tuple(bind[0]), bind[1]) for bind in binds)
        return len(rows)

    async def everybody() -> int:
        engine = api.SnmpEngine()
        found = await asyncio.gather(*(visit(engine, device) for device in wanted.devices))
        engine.close_dispatcher()
        return sum(found)

    return lambda: asyncio.run(everybody())


CLIENTS = {"netready": netready, "gufo_snmp": gufo_snmp, "pysnmp": pysnmp}


def main() -> None:
    wanted = msgspec.json.decode(sys.argv[1], type=Wanted)
    work = CLIENTS[wanted.client](wanted)
    begun, used = time.perf_counter(), _processor()
    rows = work()
    seconds, processor = time.perf_counter() - begun, _processor() - used
    print(msgspec.json.encode(Took(rows=rows, seconds=seconds, processor=processor, memory=_peak())).decode())


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
