"""Walks beside snmpbulkwalk, gufo_snmp, pysnmp and snmp_exporter: one large agent, and many at a distance."""

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from bench.snmp_agents import COLUMN
from bench.snmp_worker import COMMUNITY, HIDE, SIGN, USER, Took, Wanted
from lab import LabFailed

CABLES = 5000  # pairs of interfaces; with the loopback they make 10,001 rows
RUNS = 15  # of snmpd, which reads its interfaces anew now and then, and takes 0.3 s for it
FLEET, ROWS, DELAY = 40, 10_000, 0.002
FEW = 4  # devices that pysnmp is given, which needs seconds for each
FLEET_RUNS = 3
PORT = 20161
QUICK = 0.5  # s
ONE_ROW = (1, 3, 6, 1, 2, 1, 1, 5)  # sysName
LESS = ", less its start"
START = "start of "  # a client that is asked for that only
SNMPD = "/usr/sbin/snmpd"
EXPORTER = "prometheus-snmp-exporter"
Row = tuple[str, ...]
Run = Callable[[], Took]


def snmp() -> Iterator[Row]:
    """One column: of a real snmpd with 10,001 interfaces in a namespace, and of 40 agents of 10,000 rows that answer in 2 ms.

    The clients take turns; each figure is the median of 15 runs (three for the 40 agents). snmpbulkwalk's time is that of the
    whole program, the libraries' is without their loading. "Less its start": less what the client needs for a single row, its
    keys and the engine's discovery among it, and beside netready less the same. pysnmp is given 4 agents instead of 40.
    netready walks 10 devices at a time, as it is set from the start, but without its pace.
    """
    yield (
        "work",
        "client",
        "rows",
        "seconds",
        "lowest to highest",
        "rows/s",
        "processor, s",
        "memory, MiB",
        "netready's rate to it",
    )
    with large_agent() as space:
        for version in ("2c", "3"):
            yield from _rows(f"one snmpd, v{version}", _turns(_alone(space, version), RUNS))
    with fleet() as devices:
        yield from _rows("40 agents at 2 ms", _turns(_together(devices), FLEET_RUNS))


def _turns(clients: dict[str, Run], runs: int) -> dict[str, list[Took]]:
    found: dict[str, list[Took]] = {name: [] for name in clients}
    for _ in range(runs):
        for name, run in clients.items():
            found[name].append(run())
    return found


def _rows(work: str, found: dict[str, list[Took]]) -> Iterator[Row]:
    starts = {name: found.pop(name) for name in list(found) if name.startswith(START)}
    for program, runs in starts.items():
        start = statistics.median(one.seconds for one in runs)
        for name in [name for name in found if name.startswith(program.removeprefix(START))]:
            less = [msgspec.structs.replace(one, seconds=one.seconds - start) for one in found[name]]
            found[f"{name}{LESS}"] = less
    for name, runs in found.items():
        seconds = [one.seconds for one in runs]
        rate = _rate(runs)
        ours = _rate(found[f"netready{LESS}" if name.endswith(LESS) else "netready"])
        yield (
            work,
            name,
            f"{runs[0].rows:,}",
            f"{statistics.median(seconds):.3f}",
            f"{min(seconds):.3f} to {max(seconds):.3f}",
            f"{rate:,.0f}",
            f"{statistics.median(one.processor for one in runs):.2f}",
            f"{max(one.memory for one in runs):.0f}",
            f"{ours / rate:.2f}",
        )


def _rate(runs: list[Took]) -> float:
    return statistics.median(one.rows / one.seconds for one in runs)


# --- One large agent -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def large_agent() -> Iterator[str]:
    """The name of a namespace without a way out, in which snmpd shows very many interfaces."""
    if not Path(SNMPD).exists() or shutil.which("snmpbulkwalk") is None:
        raise LabFailed("snmpd or snmpbulkwalk is not installed; `make tools` installs them")
    space = f"bench-snmp-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", space], check=True)
    try:
        links = "".join(f"link add e{number} type veth peer name p{number}\n" for number in range(CABLES))
        subprocess.run(["ip", "-n", space, "-batch", "-"], input=links + "link set lo up\n", text=True, check=True)
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder) / "snmpd.conf"
            settings.write_text(
                f"agentAddress udp:127.0.0.1:{PORT}\nrocommunity {COMMUNITY}\n"
                f"createUser {USER} SHA-256 {SIGN} AES {HIDE}\nrouser {USER} priv\n"
            )
            argv = ["ip", "netns", "exec", space, SNMPD, "-f", "-LE", "3", "-C", "-c", str(settings), "-p", f"{folder}/pid"]
            environment = {**os.environ, "SNMP_PERSISTENT_DIR": folder, "MIBS": ""}
            with subprocess.Popen(argv, env=environment) as agent:
                try:
                    _settle(space)
                    yield space
                finally:
                    agent.terminate()
    finally:
        subprocess.run(["ip", "netns", "delete", space], check=False)


def _settle(space: str) -> None:
    """Wait until the agent has read its interfaces, which takes it seconds: then ten walks in a row are quick."""
    quick = 0
    for _ in range(100):
        found = _child(["ip", "netns", "exec", space, *_bulkwalk("2c", 50)], check=False)
        quick = quick + 1 if found.rows == 2 * CABLES + 1 and found.seconds < QUICK else 0
        if quick == 10:
            return
        time.sleep(0.2)
    raise LabFailed("snmpd does not come to show its interfaces")


def _alone(space: str, version: str) -> dict[str, Run]:
    inside = ["ip", "netns", "exec", space]
    wanted = Wanted(client="", version=version, port=PORT, column=COLUMN, devices=("127.0.0.1",))
    clients: dict[str, Run] = {"netready": lambda: _library("netready", wanted, inside)}
    for repetitions in (10, 25, 50, 100):
        clients[f"snmpbulkwalk -Cr{repetitions}"] = lambda many=repetitions: _child([*inside, *_bulkwalk(version, many)])
    clients[f"{START}netready"] = lambda: _library("netready", msgspec.structs.replace(wanted, column=ONE_ROW), inside)
    clients[f"{START}snmpbulkwalk"] = lambda: _child([*inside, *_bulkwalk(version, 1, ONE_ROW)])
    for name in ("gufo_snmp", "pysnmp"):
        if name == "pysnmp" or importlib.util.find_spec("gufo"):
            clients[name] = lambda name=name: _library(name, wanted, inside)
    return clients


def _bulkwalk(version: str, repetitions: int, column: tuple[int, ...] = COLUMN, device: str = "127.0.0.1") -> list[str]:
    who = (
        ["-c", COMMUNITY]
        if version == "2c"
        else ["-l", "authPriv", "-u", USER, "-a", "SHA-256", "-A", SIGN, "-x", "AES", "-X", HIDE]
    )
    return [
        "snmpbulkwalk",
        f"-v{version}",
        *who,
        f"-Cr{repetitions}",
        "-On",
        "-Oq",
        f"{device}:{PORT}",
        ".".join(map(str, column)),
    ]


# A process's peak memory counts what its parent had before exec (getrusage(2)), so a parent of a few MiB starts each run.
_STARTER = """
import os, sys, time
begun = time.perf_counter()
read, write = os.pipe()
ends = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_CLOSE, read)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=ends)
os.close(write)
rows = 0
while piece := os.read(read, 1 << 16):
    rows += piece.count(b"\\n")
_, status, used = os.wait4(pid, 0)
print(rows, time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, status)
"""


def _child(argv: list[str], *, check: bool = True) -> Took:
    """A whole program, its rows counted by its lines."""
    environment = {**os.environ, "MIBS": ""}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _STARTER, *argv], env=environment, capture_output=True, text=True, check=True
    )
    rows, seconds, processor, memory, status = (float(word) for word in done.stdout.split())
    if check and status:
        raise LabFailed(f"{argv[0]} ended with status {status:.0f}")
    return Took(rows=int(rows), seconds=seconds, processor=processor, memory=memory)


def _library(client: str, wanted: Wanted, inside: list[str]) -> Took:
    said = msgspec.json.encode(msgspec.structs.replace(wanted, client=client)).decode()
    argv = [*inside, sys.executable, "-m", "bench.snmp_worker", said]
    return msgspec.json.decode(subprocess.run(argv, capture_output=True, check=True).stdout, type=Took)


# --- Many agents at a distance -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def fleet() -> Iterator[tuple[str, ...]]:
    """The addresses of agents on loopback, each with so many rows, each answer after a delay."""
    argv = [sys.executable, "-m", "bench.snmp_agents", str(FLEET), str(ROWS), str(DELAY), str(PORT)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as agents:
        try:
            assert agents.stdout is not None  # noqa: S101 - for the type checker
            agents.stdout.readline()
            yield tuple(f"127.0.1.{number + 1}" for number in range(FLEET))
        finally:
            agents.terminate()


def _together(devices: tuple[str, ...]) -> dict[str, Run]:
    wanted = Wanted(client="", version="2c", port=PORT, column=COLUMN, devices=devices)
    wider = msgspec.structs.replace(wanted, parallel=32)
    few = msgspec.structs.replace(wanted, devices=devices[:FEW])
    clients: dict[str, Run] = {
        "netready": lambda: _library("netready", wanted, []),
        "netready, 32 at a time": lambda: _library("netready", wider, []),
        "snmpbulkwalk -Cr50, 40 programs": lambda: _programs(devices),
        "pysnmp, 4 agents": lambda: _library("pysnmp", few, []),
    }
    if importlib.util.find_spec("gufo"):
        clients["gufo_snmp, 40 threads"] = lambda: _library("gufo_snmp", msgspec.structs.replace(wanted, parallel=FLEET), [])
    if shutil.which(EXPORTER):
        clients["snmp_exporter"] = lambda: _exporter(devices)
    return clients


def _programs(devices: tuple[str, ...]) -> Took:
    """One program for each device, all at once."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(devices)) as pool:
        found = list(pool.map(lambda device: _child(_bulkwalk("2c", 50, device=device)), devices))
    return Took(
        rows=sum(one.rows for one in found),
        seconds=time.perf_counter() - begun,
        processor=sum(one.processor for one in found),
        memory=sum(one.memory for one in found),
    )


def _exporter(devices: tuple[str, ...]) -> Took:
    """snmp_exporter asked for all devices at once, as Prometheus would."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        oid = ".".join(map(str, COLUMN))
        metric = {"name": "ifHCInOctets", "oid": oid, "type": "counter", "indexes": [{"labelname": "ifIndex", "type": "gauge"}]}
        module = {"walk": [oid], "metrics": [metric], "version": 2, "max_repetitions": 50, "auth": {"community": COMMUNITY}}
        settings = Path(folder) / "snmp.yml"
        settings.write_text(json.dumps({"column": module}))  # JSON is YAML
        argv = [EXPORTER, f"--config.file={settings}", f"--web.listen-address={place}", "--log.level=error"]
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as exporter:
            try:
                _until_it_answers(f"http://{place}/")
                status = Path(f"/proc/{exporter.pid}")
                before = _ticks(status)
                begun = time.perf_counter()
                with ThreadPoolExecutor(len(devices)) as pool:
                    rows = sum(
                        pool.map(lambda device: _scrape(f"http://{place}/snmp?module=column&target={device}:{PORT}"), devices)
                    )
                seconds, processor = time.perf_counter() - begun, _ticks(status) - before
                peak = next(line for line in (status / "status").read_text().splitlines() if line.startswith("VmHWM"))
            finally:
                exporter.terminate()
    return Took(rows=rows, seconds=seconds, processor=processor, memory=int(peak.split()[1]) / 1024)


def _scrape(url: str) -> int:
    with urllib.request.urlopen(url, timeout=60) as page:  # noqa: S310 - loopback, and an address of our own making
        return page.read().count(b"\nifHCInOctets{")


def _until_it_answers(url: str) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):  # noqa: S310
            return
        time.sleep(0.05)
    raise LabFailed("snmp_exporter does not answer")


def _ticks(status: Path) -> float:
    fields = (status / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
