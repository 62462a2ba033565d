"""What the probes' tests share: a context with the real clock, and small servers on loopback."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def tcp_server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Serve each connection by a function in a thread of its own; gives the port."""
    closers: list[Callable[[], None]] = []

    def serve(answer: Callable[[socket.socket], None], family: socket.AddressFamily = socket.AF_INET) -> int:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        listener.listen(64)
        stop = threading.Event()
        threads: list[threading.Thread] = []

        def one(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(5)
                with contextlib.suppress(OSError):  # the probe went away, as it should
                    answer(connection)

        def loop() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=one, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

        acceptor = threading.Thread(target=loop, daemon=True)
        acceptor.start()

        def close() -> None:
            stop.set()
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            for thread in (acceptor, *threads):
                thread.join(6)

        closers.append(close)
        return listener.getsockname()[1]

    yield serve
    for close in closers:
        close()


@pytest.fixture
def udp_server() -> Iterator[Callable[[Callable[[bytes], list[bytes]]], int]]:
    """Answer each datagram with those that a function makes of it; gives the port."""
    closers: list[Callable[[], None]] = []

    def serve(answer: Callable[[bytes], list[bytes]], port: int = 0) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", port))
        sock.settimeout(0.05)
        stop = threading.Event()

        def loop() -> None:
            while not stop.is_set():
                try:
                    data, peer = sock.recvfrom(65535)
                except TimeoutError:
                    continue
                for reply in answer(data):
                    sock.sendto(reply, peer)

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()

        def close() -> None:
            stop.set()
            thread.join(5)
            sock.close()

        closers.append(close)
        return sock.getsockname()[1]

    yield serve
    for close in closers:
        close()
