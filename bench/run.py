"""Every part of the bench, one after the other; the table goes to standard output and to RESULTS.md."""

import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from agent import shelf
from bench import accuracy, ceiling, decided, kinds, listening, mutation, pieces, randoms, snmp, stored, sweep
from lab import BARE, Lab, LabFailed, Plan, Wan, open_lab
from lab.plan import TESTPOINT
from netready.measurement import Measurement
from netready.site import Circuit, Endpoint, Role, Site
from readiness.evidence import Attestation, Reading
from readiness.gather import gather
from readiness.judge import judge
from readiness.roadmap import Roadmap

RESULTS = Path(__file__).with_name("RESULTS.md")
Row = tuple[str, ...]


def start() -> Iterator[Row]:
    """How long a command takes to say what it can do, against the interpreter alone."""
    yield ("command", "median, ms", "peak memory, MiB", "ratio to `python -c pass`")
    bare = 0.0
    for name, argv in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("netready --help", [sys.executable, "-m", "agent", "--help"]),
        ("netready audit --help", [sys.executable, "-m", "agent", "audit", "--help"]),
        ("netready metrics --json", [sys.executable, "-m", "agent", "metrics", "--json"]),
    ):
        seconds, memory = _whole(argv)
        bare = bare or seconds
        yield (name, f"{seconds * 1e3:.0f}", f"{memory:.0f}", f"{seconds / bare:.1f}")


def line() -> Iterator[Row]:
    """The emulator's rate as iperf3 -P4 -O2 -t4 sees it, in IP bytes, against what was set: three runs and their median."""
    yield ("set, Mbit/s", "round trip, ms", "direction", "seen by iperf3, Mbit/s", "error of the median", "errors")
    for rate, rtt in ((10e6, 0.02), (100e6, 0.02), (300e6, 0.02), (1000e6, 0.002), (1000e6, 0.02)):
        for reverse in (True, False):
            with open_lab(_plan(rate, rate, rtt, [])) as lab:
                runs = [_iperf3_test(lab, reverse=reverse, seconds=4, streams=4, omit=2)[0] * 1500 / 1448 for _ in range(3)]
            seen, name = statistics.median(runs), "down" if reverse else "up"
            errors = ", ".join(f"{run / rate - 1:+.1%}" for run in sorted(runs))
            yield (f"{rate / 1e6:.0f}", f"{rtt * 1e3:.0f}", name, f"{seen / 1e6:.1f}", f"{seen / rate - 1:+.1%}", errors)


def judgement() -> Iterator[Row]:
    """Weighing a year of one school's readings against all criteria, 10,000 schools in one process, a year from SQLite."""
    yield ("what", "readings", "median, ms")
    roadmap = shelf.roadmap()
    site = Site(
        name="Bench",
        students=480,
        staff=40,
        classrooms=24,
        circuits=(Circuit(name="Fibre", contracted_down=3e8, contracted_up=3e8),),
        endpoints=(Endpoint(name="LMS", url="https://lms.school.test/", role=Role.LMS),),
    )
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    readings = list(_year(now))
    gathered = gather(site, readings, (), now=now, audits=[now], window_days=365)
    yield (
        "gather a year",
        f"{len(readings):,}",
        f"{_median(lambda: gather(site, readings, (), now=now, window_days=365)):.1f}",
    )
    yield ("judge 187 criteria", "-", f"{_median(lambda: judge(roadmap, site, gathered, (), now=now)):.2f}")
    begun = time.perf_counter()
    judged = sum(bool(judge(roadmap, each, gathered, words, now=now).stages) for each, words in _schools(roadmap, site, now))
    yield (f"judge {judged:,} sites", "-", f"{(time.perf_counter() - begun) * 1e3:,.0f}")
    yield from stored.year(now)


def _schools(roadmap: Roadmap, site: Site, now: datetime) -> Iterator[tuple[Site, list[Attestation]]]:
    """10,000 schools, no two alike: another number of students, and persons' words on other criteria."""
    chance = random.Random(1)
    asked = [one.id for one in roadmap.criteria]
    on, until = now.date() - timedelta(days=30), now.date() + timedelta(days=300)
    for number in range(10_000):
        words = [
            Attestation(criterion=name, answer=chance.random() < 0.8, name="A. Head", role="principal", on=on, until=until)
            for name in chance.sample(asked, 60)
        ]
        yield msgspec.structs.replace(site, name=f"School {number}", students=chance.randint(50, 3000)), words


def _year(now: datetime) -> Iterator[Reading]:
    for hours in range(0, 365 * 24, 6):
        at = now - timedelta(hours=hours)
        for metric in ("throughput_down", "throughput_up"):
            made = Measurement.of(metric, "t:1", at, 2e8 + hours, "ndt7/1", load_during=1e6, limited_by="link")
            yield Reading(survey=f"s{hours}", measurement=made)
        page = Measurement.of("http_total_time", "https://lms.school.test/", at, 0.4, "http_fetch/1", role="lms")
        yield Reading(survey=f"s{hours}", measurement=page)


def _plan(down: float, up: float, rtt: float, services: list[str]) -> Plan:
    wan = Wan(down=down, up=up, delay=rtt / 2, buffer=0.025)
    return msgspec.structs.replace(BARE, wan=wan, services=frozenset(services))


def _iperf3_test(lab: Lab, *, reverse: bool, seconds: int, streams: int, omit: int = 0) -> tuple[float, float]:
    """What the receiver counted, bit/s, and the client's processor time, s."""
    server = lab.popen("isp", ["iperf3", "-s", "-1", "-B", TESTPOINT], stdout=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        argv = ["iperf3", "-c", TESTPOINT, "-t", str(seconds), "-O", str(omit), "-P", str(streams), "-J"]
        argv += ["-R"] if reverse else []
        done = lab.run("agent", argv, capture_output=True, text=True, check=True, timeout=seconds + omit + 20)
        found = json.loads(done.stdout)["end"]
        used = found["cpu_utilization_percent"]["host_total"] / 100 * seconds
        return float(found["sum_received"]["bits_per_second"]), used
    finally:
        server.terminate()
        server.wait()


# A process's peak memory counts what its parent had before exec (getrusage(2)), so a parent of a few MiB starts each run.
_STARTER = """
import os, sys, time
begun = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
used = os.wait4(pid, 0)[2]
print(time.perf_counter() - begun, used.ru_maxrss / 1024)
"""


def _whole(argv: list[str], runs: int = 9) -> tuple[float, float]:
    """Median seconds and peak MiB of a whole process, after one run that is not counted."""
    found = []
    for _ in range(runs + 1):
        starter = [sys.executable, "-I", "-S", "-c", _STARTER, *argv]
        done = subprocess.run(starter, capture_output=True, text=True, check=True)
        found.append([float(number) for number in done.stdout.split()])
    return statistics.median(seconds for seconds, _ in found[1:]), max(memory for _, memory in found[1:])


def _median(call: Callable[[], object], runs: int = 11) -> float:
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        took.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(took)


PARTS = {
    "start": start,
    "judgement": judgement,
    "mutation": mutation.mutation,
    "decisions": decided.decisions,
    "line": line,
    "clean": accuracy.clean,
    "corners": accuracy.corners,
    "senders": accuracy.senders,
    "peers": accuracy.peers,
    "hard": accuracy.hard,
    "coverage": accuracy.coverage,
    "reaches": accuracy.reaches,
    "ceiling": ceiling.ceiling,
    "pieces": pieces.pieces,
    "sweep": sweep.sweep,
    "listen": listening.listen,
    "randoms": randoms.randoms,
    "snmp": snmp.snmp,
    "kinds": kinds.kinds,
}
NEED_IPERF3 = {"line", "peers", "ceiling"}


HEAD = """# Results

Each table says when it was made, on what, and with which command. Absolute times are that machine's.
"""


def main() -> None:
    """Run every part, or those named on the command line, and put their tables into RESULTS.md in place of the old ones."""
    unknown = set(sys.argv[1:]) - set(PARTS)
    if unknown:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in sys.argv[1:] or PARTS:
        _keep(name, _section(name))


def _section(name: str) -> str:
    """One part's table with its heading."""
    part = PARTS[name]
    about = " ".join((part.__doc__ or "").split())
    lines = [about, ""]
    try:
        if name in NEED_IPERF3 and shutil.which("iperf3") is None:
            lines.append("Not run: iperf3 is not installed; `make tools` installs it.")
        else:
            for number, row in enumerate(part()):
                lines.append(f"| {' | '.join(row)} |" + (f"\n|{' --- |' * len(row)}" if number == 0 else ""))
                print(lines[-1], flush=True)
    except LabFailed as error:
        lines.append(f"Not run: {error}")
    lines += ["", f"`python -m bench.run {name}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_commit()}, {_machine()}."]
    return "\n".join(lines)


def _keep(name: str, text: str) -> None:
    """Put one section into RESULTS.md; the others stay as they are, in the order of PARTS."""
    kept = {}
    if RESULTS.exists():
        for section in RESULTS.read_text().split("\n## ")[1:]:
            title, _, body = section.partition("\n")
            kept[title.strip()] = body.strip()
    kept[name] = text
    RESULTS.write_text(HEAD + "".join(f"\n## {part}\n\n{kept[part]}\n" for part in PARTS if part in kept))


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=RESULTS.parent, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "probes", "testpoint", "lab", "bench"],
        cwd=RESULTS.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found = done.stdout.strip() or "no commit"
    return f"commit {found}" + (" with changes" if any("RESULTS" not in line for line in changed.stdout.splitlines()) else "")


def _machine() -> str:
    return f"{os.cpu_count()} processors, Python {platform.python_version()}, Linux {platform.release()}"


if __name__ == "__main__":
    main()
