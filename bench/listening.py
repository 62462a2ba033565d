"""Listening to a storm of frames from 4,096 devices: ours beside tcpdump and scapy, on a cable of our own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.ceiling import pair
from bench.listening_worker import FILTER

EAR, MOUTH = "nr0", "nr1"  # the ends of the cable that `pair` lays
RATES = (1_000, 20_000, 50_000)
FLOOD = 20_000
SECONDS = 5
AFTER = 2.0  # seconds in which what is still queued may be read
PATIENCE = 30.0
TCPDUMP = ["tcpdump", "-i", EAR, "-nn"]
WORKER = [sys.executable, "-m", "bench.listening_worker"]
LONG = str(SECONDS + AFTER + 1)
TOOLS = {
    "tcpdump -w, decodes nothing": [*TCPDUMP, "-w", "/dev/null", FILTER],
    "tcpdump, decodes": [*TCPDUMP, FILTER],
    "scapy sniff": [*WORKER, "scapy", EAR, LONG],
    "netready": [*WORKER, "netready", EAR, LONG],
}
Row = tuple[str, ...]


def listen() -> Iterator[Row]:
    """Frames in which devices speak of themselves, half of them ARP, at three rates for 5 s, each tool with the same filter.

    tcpdump counts and prints; netready and scapy know afterwards who spoke, and netready what was said. A flood is of frames
    that each come from another MAC. Processor time is without the program's start; memory is a process's peak, the buffer that
    it shares with the kernel included.
    """
    yield ("frames/s", "tool", "sent", "received", "lost", "processor, s", "µs a frame", "peak, MiB")
    with tempfile.TemporaryDirectory() as folder:
        # As installed, with modules that are compiled already: compiling takes memory of its own.
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPYCACHEPREFIX"] = folder
        for name in ("scapy.all", "collectors.listen, agent.clock"):
            subprocess.run([sys.executable, "-c", f"import {name}"], env=env, check=True)
        for rate in RATES:
            for name, argv in TOOLS.items():
                yield (f"{rate:,}", name, *_run(argv, rate, env))
        yield (f"{FLOOD:,}, a flood", "netready", *_run(TOOLS["netready"], FLOOD, env, "flood"))


def _run(argv: list[str], rate: int, env: dict[str, str], *how: str) -> Row:
    """One tool, one rate, on a fresh cable."""
    if shutil.which(argv[0]) is None:
        return ("not installed; `make tools`", *["-"] * 5)
    with pair() as (near, far):
        for space in (near, far):  # the kernels of both ends are to keep quiet
            quiet = ["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"]
            subprocess.run(["ip", "netns", "exec", space, *quiet], check=True)
        listener = subprocess.Popen(
            ["ip", "netns", "exec", near, *argv],
            stdout=subprocess.DEVNULL if argv[0] == "tcpdump" else subprocess.PIPE,
            stderr=subprocess.PIPE if argv[0] == "tcpdump" else None,
            text=True,
            env=env,
        )
        try:
            _await(listener)
            before = _cpu(listener.pid)
            storm = [sys.executable, "-m", "bench.listening_storm", MOUTH, str(rate), str(SECONDS), *how]
            done = subprocess.run(["ip", "netns", "exec", far, *storm], capture_output=True, text=True, check=True)
            sent, pace = int(done.stdout.split()[0]), float(done.stdout.split()[1])
            if pace < 0.98 * rate:
                return (f"{sent:,}", f"the sender managed {pace:,.0f} a second", *["-"] * 4)
            time.sleep(AFTER)
            received, used, peak = _counted(listener) if argv[0] == "tcpdump" else _told(listener)
            used -= before if argv[0] == "tcpdump" else 0.0
        finally:
            listener.kill()
            listener.communicate()
    lost = sent - received
    share = f"{lost:,} ({lost / sent:.1%})" if lost else "0"
    return (f"{sent:,}", f"{received:,}", share, f"{used:.2f}", f"{used / max(received, 1) * 1e6:.1f}", f"{peak:.1f}")


def _await(listener: subprocess.Popen[str]) -> None:
    """Wait until the tool says that it listens."""
    stream = listener.stdout or listener.stderr
    assert stream is not None  # noqa: S101 - one of the two is a pipe
    for line in stream:
        if "ready" in line or "listening on" in line:
            time.sleep(0.3)
            return
    sys.exit(f"{listener.args} ended before it listened")


def _counted(listener: subprocess.Popen[str]) -> tuple[int, float, float]:
    """What tcpdump counted, its processor seconds and its peak memory in MiB."""
    used, peak = _cpu(listener.pid), _peak(listener.pid)
    listener.send_signal(signal.SIGINT)
    words = listener.communicate(timeout=PATIENCE)[1]
    found = re.search(r"(\d+) packets captured", words)
    return int(found[1]) if found else 0, used, peak


def _told(listener: subprocess.Popen[str]) -> tuple[int, float, float]:
    """The same as one of our workers tells it."""
    told = json.loads(listener.communicate(timeout=PATIENCE)[0].splitlines()[-1])
    return int(told["frames"]), float(told["cpu"]), float(told["peak"])


def _cpu(pid: int) -> float:
    """Processor seconds of a running process, to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _peak(pid: int) -> float:
    """Peak memory of a running process, MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
