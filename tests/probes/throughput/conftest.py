"""Servers on loopback that misbehave on purpose, and what an instrument is handed."""

import contextlib
import json
import subprocess
import sys
import time

import pytest
from misbehaving import Peer, servers

from probes.throughput.ndt7_spec import SUBPROTOCOL


class Talker(Peer):
    """A server's end that speaks ndt7 until it misbehaves."""

    subprotocol = SUBPROTOCOL

    def send_until(self, data: bytes, seconds: float) -> int:
        """Send `data` over and over; the bytes sent."""
        end, sent = time.monotonic() + seconds, 0
        while time.monotonic() < end and not self.over.is_set():
            self.connection.sendall(data)
            sent += len(data)
        return sent

    def swallow(self, seconds: float) -> int:
        """Read and drop what comes; the bytes read."""
        end, count = time.monotonic() + seconds, 0
        self.connection.settimeout(0.05)
        while time.monotonic() < end and not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                chunk = self.connection.recv(1 << 16)
                if not chunk:
                    break
                count += len(chunk)
        self.connection.settimeout(5)
        return count


@pytest.fixture
def hostile():
    """Start a server that runs a script for each connection; "HOST:PORT". It is gone after the test."""
    with servers(Talker, at_once=False) as start:
        yield start


@pytest.fixture
def testpoint_at():
    """Start testpoints in processes of their own, with these options; "HOST:PORT". They are gone after the test."""
    started = []

    def start(*options):
        command = [sys.executable, "-m", "testpoint", "--listen", "127.0.0.1:0", "--json", *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        return json.loads(line)["listen"]

    yield start
    for process in started:
        process.terminate()
        _, log = process.communicate(timeout=10)
        assert "our bug" not in log
