"""Servers on loopback that misbehave on purpose, and what an instrument is handed."""

import contextlib
import itertools
import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from probes.throughput import throughput1
from probes.throughput.handshake import Request, head_end, parse_request, upgrade_response
from probes.throughput.ndt7_spec import SUBPROTOCOL
from probes.throughput.websocket import Opcode, encode

BULK = encode(Opcode.BINARY, bytes((1 << 14) - 4))
BREATH = 0.002  # s between two of them: some 60 Mbit/s a stream, which a busy machine can do


class Peer:
    """The server's end of one connection, as a script sees it; `number` counts the connections from 0."""

    subprotocol = ""

    def __init__(self, connection: socket.socket, number: int, over: threading.Event) -> None:
        self.connection = connection
        self.number = number
        self.over = over
        self._head = b""

    @property
    def request(self) -> Request:
        """What `head` read, when it was a request."""
        return parse_request(self._head)

    def head(self) -> bytes:
        """The request's head as it came; empty when there is none, as on connections that only time a TCP handshake."""
        data = bytearray()
        while head_end(data) is None:
            chunk = self.connection.recv(4096)
            if not chunk:
                return bytes(data)
            data += chunk
        self._head = bytes(data)
        return self._head

    def agree(self) -> None:
        """Become a WebSocket."""
        if not self.head():
            raise ConnectionAbortedError
        self.send(upgrade_response(self.request.fields["sec-websocket-key"], self.subprotocol))

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def wait(self, seconds: float = 4.0) -> None:
        self.over.wait(seconds)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.connection.close()


@contextlib.contextmanager
def servers(peer, *, at_once):
    """Yields what starts a server of a script, as "HOST:PORT"; one connection after the other, or all of them at once."""
    over = threading.Event()
    listeners, threads = [], []

    def attend(connection, number, script):
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(5)
            script(peer(connection, number, over))

    def run(work, *arguments):
        threads.append(threading.Thread(target=work, args=arguments))
        threads[-1].start()

    def accept(listener, script):
        numbers = itertools.count()
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                (run if at_once else lambda work, *arguments: work(*arguments))(attend, connection, next(numbers), script)

    def start(script):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.05)
        listeners.append(listener)
        run(accept, listener, script)
        return f"127.0.0.1:{listener.getsockname()[1]}"

    try:
        yield start
    finally:
        over.set()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
        for listener in listeners:
            listener.close()


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


class Filler(Peer):
    """A server's end that speaks throughput1 until it misbehaves."""

    subprotocol = throughput1.SUBPROTOCOL

    @property
    def loads(self) -> bool:
        """Whether the client wants load from this stream."""
        return self.request.path == throughput1.DOWNLOAD

    def load(self, seconds: float, data: bytes = BULK, every: float = BREATH) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.over.is_set():
            self.send(data)
            self.over.wait(every)

    def swallow(self, seconds: float, *, size: int = 1 << 16, every: float = BREATH) -> int:
        """Read and drop; the bytes read."""
        end, count = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0 and not self.over.is_set():
            self.connection.settimeout(left)
            with contextlib.suppress(TimeoutError):
                chunk = self.connection.recv(size)
                if not chunk:
                    return count
                count += len(chunk)
            self.over.wait(every)
        return count


@pytest.fixture
def crowd():
    """Start servers that run a script for every connection at once; "HOST:PORT". They are gone after the test."""
    with servers(Filler, at_once=True) as start:
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
