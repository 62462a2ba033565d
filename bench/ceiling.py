"""How fast the two ends themselves are: an unshaped veth pair between two network namespaces of our own, beside iperf3."""

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NEAR, FAR = "10.9.0.1", "10.9.0.2"  # in namespaces of our own, with no way out
PORT = 4433
SECONDS = 4
STREAMS = 4
RUNS = 5
Row = tuple[str, ...]


@contextlib.contextmanager
def pair() -> Iterator[tuple[str, str]]:
    """The names of two namespaces joined by one cable."""
    near, far = f"bench-near-{os.getpid()}", f"bench-far-{os.getpid()}"
    lines = [f"netns add {near}", f"netns add {far}", f"link add nr0 netns {near} type veth peer name nr1 netns {far}"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
    try:
        for space, link, address in ((near, "nr0", NEAR), (far, "nr1", FAR)):
            setup = [f"addr add {address}/24 dev {link}", f"link set {link} up", "link set lo up"]
            subprocess.run(["ip", "-n", space, "-batch", "-"], input="\n".join(setup), text=True, check=True)
        yield near, far
    finally:
        for space in (near, far):
            subprocess.run(["ip", "netns", "delete", space], check=False)


def ceiling() -> Iterator[Row]:
    """Our client and testpoint beside iperf3, as many streams and BBR on both; five runs of each in turn, median and range.

    Processor time is that of both ends, in seconds a GB.
    """
    yield ("tool", "direction", "Gbit/s", "range", "processor", "rate, to iperf3", "processor, to iperf3")
    with pair() as (near, far), tempfile.TemporaryDirectory() as folder:
        for way in ("down", "up"):
            runs: dict[str, list[tuple[float, float]]] = {}
            for _ in range(RUNS):
                runs.setdefault(f"iperf3 -P{STREAMS}", []).append(_iperf3(near, far, reverse=way == "down"))
                runs.setdefault("netready", []).append(_netready(near, far, way, None))
                runs.setdefault("netready, TLS", []).append(_netready(near, far, way, Path(folder)))
            base: tuple[float, float] | None = None
            for name, found in runs.items():
                rate, cost = (statistics.median(column) for column in zip(*found, strict=True))
                base = base or (rate, cost)
                rates = [each / 1e9 for each, _ in found]
                ratios = (f"{rate / base[0]:.2f}", f"{cost / base[1]:.2f}")
                yield (name, way, f"{rate / 1e9:.1f}", f"{min(rates):.0f} to {max(rates):.0f}", f"{cost:.3f}", *ratios)


def _iperf3(near: str, far: str, *, reverse: bool) -> tuple[float, float]:
    before = _children()
    server = subprocess.Popen(["ip", "netns", "exec", far, "iperf3", "-s", "-1", "-B", FAR], stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    argv = ["ip", "netns", "exec", near, "iperf3", "-c", FAR, "-t", str(SECONDS), "-P", str(STREAMS), "-J", "-C", "bbr"]
    done = subprocess.run([*argv, *(["-R"] if reverse else [])], capture_output=True, text=True, check=True)
    server.wait(10)
    found = json.loads(done.stdout)["end"]["sum_received"]
    return float(found["bits_per_second"]), (_children() - before) / (found["bytes"] / 1e9)


def _netready(near: str, far: str, way: str, folder: Path | None) -> tuple[float, float]:
    settings: dict[str, Any] = {"server": f"{FAR}:{PORT}", "direction": way, "streams": STREAMS, "seconds": SECONDS}
    settings["precision"] = 0.005  # so that it runs its full time, as iperf3 does
    options = []
    if folder is not None:
        import trustme  # noqa: PLC0415 - a dependency of the bench, not of netready

        authority = trustme.CA()
        certificate = authority.issue_cert(FAR)
        certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        authority.cert_pem.write_to_path(folder / "ca.pem")
        options = ["--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]
        settings |= {"tls": True, "ca": str(folder / "ca.pem")}
    argv = [sys.executable, "-m", "testpoint", "--listen", f"{FAR}:{PORT}", "--client-gigabytes", "0", *options]
    server = subprocess.Popen(["ip", "netns", "exec", far, *argv], stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)
        started = _of(server.pid)
        wanted = json.dumps({"method": "netready", "settings": settings})
        argv = ["ip", "netns", "exec", near, sys.executable, "-m", "bench.worker"]
        done = subprocess.run(argv, input=wanted + "\n", capture_output=True, text=True, check=True)
        far_end = _of(server.pid) - started
    finally:
        server.terminate()
        server.wait(10)
    made = json.loads(done.stdout)
    measured = next(one for one in made["measurements"] if one["metric"] == f"throughput_{way}")
    moved = measured["details"]["bytes_received"] + measured["details"]["bytes_sent"]
    return float(measured["value"]), (made["cpu"] + far_end) / (moved / 1e9)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _of(pid: int) -> float:
    """Processor seconds of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
