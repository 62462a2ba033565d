"""Servers on loopback that run a script for each connection, for tests of what a client makes of them."""

import contextlib
import itertools
import socket
import threading

from probes.throughput.handshake import Request, head_end, parse_request, upgrade_response


class Peer:
    """The server's end of one connection, as a script sees it; `number` counts the connections from 0."""

    subprotocol = ""

    def __init__(self, connection: socket.socket, number: int, over: threading.Event) -> None:
        self.connection = connection
        self.number = number
        self.over = over
        self.request = Request("", "", "", {})

    def head(self) -> bytes:
        """The request's head as it came; empty when there is none, as on connections that only time a TCP handshake."""
        data = bytearray()
        while head_end(data) is None:
            chunk = self.connection.recv(4096)
            if not chunk:
                return bytes(data)
            data += chunk
        self.request = parse_request(bytes(data))
        return bytes(data)

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
