"""A testpoint in a process of its own, and a pair of hosts with a shaped line between them."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from probes.throughput.settings import Endpoint
from testpoint.limits import Limits
from testpoint.server import Server, listen


class Far:
    """A running testpoint: where it listens, what it logged, and how it ended."""

    def __init__(self, *arguments: str, listen: str = "127.0.0.1:0", enter: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*enter, sys.executable, "-m", "testpoint", "--listen", listen, "--json", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.address: str = json.loads(line)["listen"]
        self.port = int(self.address.rpartition(":")[2])
        self.log = ""

    def stop(self) -> int:
        """Ask it to stop, as systemd would; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=10)
        self.log += err
        return self.process.returncode

    def resident(self) -> int:
        """Its memory in bytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", text)[1])


@pytest.fixture
def far():
    """Start testpoints; all are stopped afterwards."""
    started = []

    def start(*arguments, **keywords):
        started.append(Far(*arguments, **keywords))
        return started[-1]

    yield start
    for one in started:
        if one.process.returncode is None:
            one.stop()


@pytest.fixture(scope="module")
def standing():
    """One testpoint for a whole file of tests, so that it has to survive them all."""
    server = Far("--seconds", "3")
    yield server
    assert server.process.poll() is None
    assert server.stop() == 0
    assert "bug" not in server.log
    assert "Traceback" not in server.log


class Inside:
    """A testpoint in a thread of ours, for tests that give it other limits than the command line lets one."""

    def __init__(self, *, token: str = "", metrics_open: bool = False, **limits) -> None:
        self.lines: list[str] = []
        self._server = Server(
            listen(Endpoint("127.0.0.1", 0), 64),
            limits=Limits(**limits),
            token=token,
            metrics_open=metrics_open,
            log=self.lines.append,
        )
        self.address = str(self._server.where)
        self.port = self._server.where.port
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()

    def stop(self) -> None:
        self._server.stop()
        self._thread.join()
        assert "bug" not in "".join(self.lines)


@pytest.fixture
def inside():
    """Start testpoints in this process; all are stopped afterwards."""
    started = []

    def start(**keywords):
        started.append(Inside(**keywords))
        return started[-1]

    yield start
    for one in started:
        one.stop()


class Island:
    """A network namespace of our own that holds nothing but a loopback: whoever is in it can reach nobody else."""

    def __init__(self) -> None:
        flags = ["-n"] if os.geteuid() == 0 else ["-Urn"]
        hold = ["unshare", *flags, "sh", "-c", "ip link set lo up && echo ready && exec sleep 120"]
        self._holder = subprocess.Popen(hold, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout.readline() == "ready\n"
        users = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        self.enter = ("nsenter", "-t", str(self._holder.pid), *users, "-n")

    def close(self) -> None:
        self._holder.terminate()
        self._holder.wait(timeout=5)
        self._holder.stdout.close()


@pytest.fixture
def island():
    """A network of one host."""
    made = Island()
    yield made
    made.close()


class Line:
    """Two network namespaces of our own, joined by a cable that tc shapes in both directions."""

    near_address, far_address = "198.51.100.1", "198.51.100.2"  # RFC 5737: documentation, never routed

    def __init__(self, rate: int) -> None:
        flags = ["-n"] if os.geteuid() == 0 else ["-Urn"]
        hold = ["sh", "-c", "echo ready; exec sleep 300"]
        self._near = subprocess.Popen(["unshare", *flags, *hold], stdout=subprocess.PIPE, text=True)
        self._near.stdout.readline()
        users = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        self.near = ("nsenter", "-t", str(self._near.pid), *users, "-n")
        self._far = subprocess.Popen([*self.near, "unshare", "-n", *hold], stdout=subprocess.PIPE, text=True)
        self._far.stdout.readline()
        self.far = ("nsenter", "-t", str(self._far.pid), *users, "-n")
        self._do(self.near, "ip link add line0 type veth peer name line1 netns " + str(self._far.pid))
        for side, name, address in ((self.near, "line0", self.near_address), (self.far, "line1", self.far_address)):
            self._do(side, "ip link set lo up")
            self._do(side, f"ip address add {address}/24 dev {name}")
            self._do(side, f"ip link set {name} up")
            self._do(side, f"tc qdisc add dev {name} root tbf rate {rate}bit burst 16kb latency 50ms")

    @staticmethod
    def _do(side: tuple[str, ...], command: str) -> None:
        subprocess.run([*side, *command.split()], check=True, capture_output=True, text=True, timeout=10)

    def measure(self, **settings) -> list[dict]:
        """Run our client on the near host; its measurements as JSON."""
        done = subprocess.run(
            [*self.near, sys.executable, str(Path(__file__).with_name("measure.py")), json.dumps(settings)],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return [json.loads(text) for text in done.stdout.splitlines()]

    def close(self) -> None:
        for holder in (self._far, self._near):
            holder.terminate()
            holder.wait(timeout=5)
            holder.stdout.close()


@pytest.fixture
def line():
    """Make shaped lines; all are taken down afterwards."""
    made = []

    def make(rate):
        made.append(Line(rate))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for loopback, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=testpoint", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return str(cert), str(key)
