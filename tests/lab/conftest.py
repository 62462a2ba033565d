"""Labs for tests: one school for a whole run, small ones with a line of one's own, and exact traffic over that line."""

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from lab import BARE, CAMPUS, Lab, Plan, Wan, open_lab
from lab.plan import AGENT
from lab.running import environment

# Receives datagrams of (sequence, time sent) until none has come for a while; prints [sequence, sent, received], ns.
# The kernel says when each came (SO_TIMESTAMPNS, 35), so that a busy machine's late wake-ups are not taken for the line's.
SINK = """
import json, socket, struct, sys
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
sink.setsockopt(socket.SOL_SOCKET, 35, 1)
sink.bind(("", 9))
sink.settimeout(8)
print("ready", flush=True)
seen = []
try:
    while True:
        data, [(_, _, stamp)], _, _ = sink.recvmsg(2000, 100)
        seconds, nanoseconds = struct.unpack("qq", stamp)
        seen.append((*struct.unpack_from("QQ", data), seconds * 10**9 + nanoseconds))
        sink.settimeout(float(sys.argv[1]))
except TimeoutError:
    print(json.dumps(seen))
"""

# Sends `count` datagrams of `size` bytes, spread over `seconds`.
SOURCE = """
import socket, struct, sys, time
host, count, size, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
source.connect((host, 9))
began = time.monotonic()
for number in range(count):
    while time.monotonic() - began < number * seconds / count:
        time.sleep(0.0005)
    source.send(struct.pack("QQ", number, time.time_ns()).ljust(size, b"x"))
"""

# Walks columns, each "community/oid", one after the other, and prints [{oid: value}, ...].
SNMP = """
import asyncio, json, sys
from pysnmp.hlapi.v3arch.asyncio import *

async def main():
    engine, tables = SnmpEngine(), []
    target = await UdpTransportTarget.create((sys.argv[1], 161), timeout=2, retries=2)
    for word in sys.argv[2:]:
        community, _, oid = word.partition("/")
        tables.append({})
        async for error, status, _, binds in bulk_walk_cmd(engine, CommunityData(community), target, ContextData(), 0, 40,
                ObjectType(ObjectIdentity(oid)), lexicographicMode=False):
            assert not error and not status, (error, status)
            for name, value in binds:
                tables[-1][str(name)] = value.prettyPrint()
    engine.close_dispatcher()
    print(json.dumps(tables))

asyncio.run(main())
"""


@pytest.fixture(scope="session")
def namespaces():
    """Skips, with the reason, where the lab cannot be built."""
    if shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin") is None:
        pytest.skip("the program `ip` is missing: apt install iproute2")
    script = "from lab.isolation import isolate, furnish\nisolate()"
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def school(namespaces):
    """The whole school but for the testpoint, which has tests of its own."""
    with open_lab(Plan(services=Plan().services - {"testpoint"})) as lab:
        yield lab


@pytest.fixture(scope="session")
def campus(namespaces):
    """Three VLANs behind a router and two switches, with everything but what lies beyond the line."""
    with open_lab(msgspec.structs.replace(CAMPUS, services=frozenset({"snmp", "announcements"}))) as lab:
        yield lab


@pytest.fixture(scope="session")
def tables():
    """Asks a device from the agent: tables(lab, address, "community/oid", ...), [{oid: value as pysnmp shows it}, ...]."""

    def walk(lab: Lab, address: str, *words: str) -> list[dict[str, str]]:
        done = lab.run("agent", ["python", "-c", SNMP, address, *words], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return walk


@pytest.fixture(scope="session")
def walked(tables):
    """The same with the school's community, in one: walked(lab, address, oid, ...), {oid: value}."""

    def walk(lab: Lab, address: str, *oids: str) -> dict[str, str]:
        return {
            oid: value for table in tables(lab, address, *(f"public/{oid}" for oid in oids)) for oid, value in table.items()
        }

    return walk


@pytest.fixture
def line(namespaces):
    """Opens a bare lab whose line is as the test says: line(down=10e6, ...)."""
    with contextlib.ExitStack() as stack:
        yield lambda **wan: stack.enter_context(open_lab(msgspec.structs.replace(BARE, wan=Wan(**wan))))


@pytest.fixture(scope="session")
def blast():
    """Sends datagrams from the ISP to the agent; (sequence, ns on the way, ns of arrival) for each that came."""

    def send(lab: Lab, count: int, *, size: int = 1472, seconds: float = 0.0, quiet: float = 0.5):
        sink = lab.popen("agent", ["python", "-c", SINK, str(quiet)], stdout=subprocess.PIPE, text=True)
        with sink:
            assert sink.stdout.readline() == "ready\n"
            argv = ["python", "-c", SOURCE, AGENT, str(count), str(size), str(seconds)]
            assert lab.run("isp", argv).returncode == 0
            out, _ = sink.communicate(timeout=30)
        return [(number, arrived - sent, arrived) for number, sent, arrived in json.loads(out)]

    return send


@pytest.fixture(scope="session")
def of_lab():
    """The processes of a lab, by the inode of their PID namespace: of_lab(inode)."""

    def find(inode: int) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with contextlib.suppress(OSError):
                    if (entry / "ns/pid").stat().st_ino == inode:
                        found.append(int(entry.name))
        return found

    return find


@pytest.fixture(scope="session")
def host_network():
    """The host's interfaces, addresses and routes, as `ip` shows them, without the counters that move."""

    def look() -> str:
        views = (["link"], ["address"], ["route", "show", "table", "all"], ["rule"])
        said = [subprocess.run(["ip", *view], capture_output=True, text=True, check=True).stdout for view in views]
        return "\n".join(said)

    return look
