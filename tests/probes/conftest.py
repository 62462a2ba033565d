"""What the probes' tests share: small servers on loopback."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
import trustme


@pytest.fixture
def tcp_server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Serve each connection by a function in a thread of its own; gives the port."""
    closers: list[Callable[[], None]] = []

    def serve(
        answer: Callable[[socket.socket], None], family: socket.AddressFamily = socket.AF_INET, address: str = "127.0.0.1"
    ) -> int:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind(("::1" if family == socket.AF_INET6 else address, 0))
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


Pages = Callable[[str, str], bytes | None]


@pytest.fixture
def web(tcp_server: Callable[..., int]) -> Callable[..., str]:
    """Serve `pages`, which makes a whole answer of a path and the client's address, or None to reset; gives the URL's start."""

    def serve(pages: Pages, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> str:
        def answer(connection: socket.socket) -> None:
            peer = connection.getpeername()[0]
            with tls.wrap_socket(connection, server_side=True) if tls else connection as sock:
                data = b""
                while b"\r\n\r\n" not in data and (more := sock.recv(4096)):
                    data += more
                said = pages(data.split(b" ")[1].decode(), peer)
                if said is None:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    sock.sendall(said)

        return f"{'https' if tls else 'http'}://{address}:{tcp_server(answer, address=address)}"

    return serve


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificates of the tests' servers."""
    return trustme.CA(organization_name="School Test CA")


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file that names it."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def tls_for(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    """What a server at an address or of a name needs to speak TLS."""

    def make(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make
