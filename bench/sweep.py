"""A /20 asked by ARP, with 2,500 hosts and with none: ours beside arp-scan, nmap and scapy, on a cable of our own."""

import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

NETWORK, OWN, NEAR, FAR = "10.66.0.0/20", "10.66.0.1", "sw0", "sw1"
LIVE, LOSS, SLOW = 2500, 0.05, 0.15
RUNS = 3
MOST_SECONDS = 120.0  # that a tool is given; nmap takes three minutes where nobody answers
LONGEST_EMPTY = 60.0
Row = tuple[str, ...]

# A process's peak memory counts what its parent had before exec (getrusage(2)), so a parent of a few MiB starts each run.
_STARTER = """
import os, sys, time
begun = time.perf_counter()
out = [(os.POSIX_SPAWN_OPEN, 1, sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=out)
status, used = os.wait4(pid, 0)[1:]
seconds = time.perf_counter() - begun
print(os.waitstatus_to_exitcode(status), seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""
_ARPING = """
import sys
from scapy.all import arping
answered, _ = arping(sys.argv[2], iface=sys.argv[1], timeout=2, verbose=0)
print("\\n".join({reply.psrc for _, reply in answered}))
"""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One way to sweep: its command, how the addresses found are read from what it prints, and the program it needs."""

    name: str
    argv: list[str]
    found: Callable[[str], int]
    program: str = ""
    runs: int = RUNS


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One run: seconds, frames sent, addresses found, processor seconds, and MiB; `above` the modules, where that is known."""

    seconds: float
    late: bool
    frames: int
    found: int
    cpu: float
    memory: float
    above: float | None


def _lines(printed: str) -> int:
    """Addresses that stand at the beginning of a line."""
    return len(set(re.findall(r"^10\.66\.\d+\.\d+", printed, re.MULTILINE)) - {OWN})


def _greppable(printed: str) -> int:
    return len(set(re.findall(r"^Host: (\S+).*Status: Up", printed, re.MULTILINE)) - {OWN})


def _ours(printed: str) -> int:
    return int(json.loads(printed)["found"])


TOOLS = (
    Tool(name="arp-scan", argv=["arp-scan", "-q", "-x", "-I", NEAR, NETWORK], found=_lines, program="arp-scan"),
    Tool(
        name="arp-scan -B 2M -r 3",
        argv=["arp-scan", "-q", "-x", "-B", "2M", "-r", "3", "-I", NEAR, NETWORK],
        found=_lines,
        program="arp-scan",
    ),
    Tool(
        name="nmap -sn -PR -n",
        argv=["nmap", "-sn", "-PR", "-n", "-oG", "-", "-e", NEAR, NETWORK],
        found=_greppable,
        program="nmap",
        runs=1,
    ),
    Tool(name="scapy arping", argv=[sys.executable, "-c", _ARPING, NEAR, NETWORK], found=_lines, runs=1),
    Tool(name="netready, 500/s", argv=[sys.executable, "-m", "bench.sweep_worker", NETWORK, "500"], found=_ours),
    Tool(name="netready, 2,000/s", argv=[sys.executable, "-m", "bench.sweep_worker", NETWORK, "2000"], found=_ours),
)


def sweep() -> Iterator[Row]:
    """A /20 by ARP: 2,500 hosts, 5 % of questions lost, 15 % of hosts answer after 50 to 350 ms; and one with no host at all.

    Median of the runs, and of what was found the least. Memory is a process's peak; for ours also what is above its modules.
    """
    yield (
        "hosts",
        "tool",
        "runs",
        "s",
        "frames sent",
        "found, least",
        "processor, s",
        "peak, MiB",
        "above modules",
        "s, to arp-scan",
    )
    for live, most in ((LIVE, MOST_SECONDS), (0, LONGEST_EMPTY)):
        base = 0.0
        for tool in TOOLS:
            if tool.program and shutil.which(tool.program) is None:
                yield (f"{live:,}", tool.name, "not installed; `apt install arp-scan nmap`", *["-"] * 7)
                continue
            made = [_run(tool, live, seed, most) for seed in range(tool.runs)]
            seconds = statistics.median(each.seconds for each in made)
            base = base or seconds
            over = ">" if any(each.late for each in made) else ""
            above = [each.above for each in made if each.above is not None]
            yield (
                f"{live:,}",
                tool.name,
                str(tool.runs),
                f"{over}{seconds:.1f}",
                f"{statistics.median(each.frames for each in made):,.0f}",
                f"{min(each.found for each in made):,}",
                f"{statistics.median(each.cpu for each in made):.2f}",
                f"{max(each.memory for each in made):.0f}",
                f"{max(above):.1f}" if above else "-",
                f"{over}{seconds / base:.2f}",
            )


def _run(tool: Tool, live: int, seed: int, most: float) -> Made:
    with segment(live, seed) as near, tempfile.TemporaryDirectory() as folder:
        printed = Path(folder, "printed")
        before = _frames(near)
        argv = [sys.executable, "-I", "-S", "-c", _STARTER, str(printed), "timeout", str(most), *tool.argv]
        done = subprocess.run(["ip", "netns", "exec", near, *argv], capture_output=True, text=True, check=True)
        status, seconds, cpu, memory = done.stdout.split()
        late = status == "124"
        if status != "0" and not late:
            sys.exit(f"{tool.name} failed: {done.stderr}")
        text = printed.read_text()
        above = json.loads(text)["above"] if tool.found is _ours else None
        return Made(
            seconds=float(seconds),
            late=late,
            frames=_frames(near) - before,
            found=tool.found(text),
            cpu=float(cpu),
            memory=float(memory),
            above=above,
        )


@contextlib.contextmanager
def segment(live: int, seed: int) -> Iterator[str]:
    """The name of a namespace with NEAR, at whose other end `live` hosts are played."""
    near, far = f"sweep-near-{os.getpid()}", f"sweep-far-{os.getpid()}"
    lines = [f"netns add {near}", f"netns add {far}", f"link add {NEAR} netns {near} type veth peer name {FAR} netns {far}"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
    try:
        for space in (near, far):  # IPv6 would add frames of its own
            off = "net.ipv6.conf.all.disable_ipv6=1"
            subprocess.run(["ip", "netns", "exec", space, "sysctl", "-qw", off], check=True)
        for space, *setup in ((near, f"addr add {OWN}/20 dev {NEAR}", f"link set {NEAR} up"), (far, f"link set {FAR} up")):
            subprocess.run(["ip", "-n", space, "-batch", "-"], input="\n".join(setup), text=True, check=True)
        # Only the played hosts answer (ip-sysctl: arp_ignore).
        quiet = ["net.ipv4.conf.all.arp_ignore=8", f"net.ipv4.conf.{FAR}.arp_ignore=8"]
        subprocess.run(["ip", "netns", "exec", far, "sysctl", "-qw", *quiet], check=True)
        played = [sys.executable, "-m", "bench.sweep_hosts", FAR, NETWORK, *map(str, (live, LOSS, SLOW, seed))]
        hosts = subprocess.Popen(["ip", "netns", "exec", far, *played], stdout=subprocess.PIPE)
        try:
            assert hosts.stdout is not None  # noqa: S101 - it was asked for
            hosts.stdout.readline()
            yield near
        finally:
            hosts.terminate()
            hosts.wait(10)
    finally:
        for space in (near, far):
            subprocess.run(["ip", "netns", "delete", space], check=False)


def _frames(space: str) -> int:
    """Frames that the interface has sent."""
    done = subprocess.run(["ip", "-n", space, "-s", "-j", "link", "show", NEAR], capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)[0]["stats64"]["tx"]["packets"])
