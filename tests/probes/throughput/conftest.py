"""Servers on loopback that misbehave on purpose, and what an instrument is handed."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from probes.throughput.handshake import head_end, parse_request, upgrade_response
from probes.throughput.ndt7_spec import SUBPROTOCOL


class Peer:
    """One end of a connection, as a script of a hostile server sees it."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self.connection = connection
        self._over = over

    def head(self) -> bytes:
        data = bytearray()
        while head_end(data) is None:
            chunk = self.connection.recv(4096)
            if not chunk:
                return bytes(data)
            data += chunk
        return bytes(data)

    def agree(self) -> None:
        key = parse_request(self.head()).fields["sec-websocket-key"]
        self.connection.sendall(upgrade_response(key, SUBPROTOCOL))

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def send_until(self, data: bytes, seconds: float) -> int:
        """Send `data` over and over; the bytes sent."""
        end, sent = time.monotonic() + seconds, 0
        while time.monotonic() < end and not self._over.is_set():
            self.connection.sendall(data)
            sent += len(data)
        return sent

    def swallow(self, seconds: float) -> int:
        """Read and drop what comes; the bytes read."""
        end, count = time.monotonic() + seconds, 0
        self.connection.settimeout(0.05)
        while time.monotonic() < end and not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                chunk = self.connection.recv(1 << 16)
                if not chunk:
                    break
                count += len(chunk)
        self.connection.settimeout(5)
        return count

    def wait(self, seconds: float) -> None:
        self._over.wait(seconds)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.connection.close()


@pytest.fixture
def hostile():
    """Start a server that runs a script for each connection; "HOST:PORT". It is gone after the test."""
    over = threading.Event()
    listeners, threads = [], []

    def attend(listener, script):
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                script(Peer(connection, over))

    def start(script):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.05)
        listeners.append(listener)
        threads.append(threading.Thread(target=attend, args=(listener, script)))
        threads[-1].start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    over.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    for listener in listeners:
        listener.close()


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
