"""Where a target is: "host:port" read strictly, and a name look-up that cannot hang a probe."""

import queue
import socket
import threading
from ipaddress import ip_address

from netready.failure import Failed, Failure

Place = tuple[socket.AddressFamily, str]  # family and numeric address


def host_port(text: str) -> tuple[str, int | None]:
    """Host and port of "host", "host:port", "192.0.2.1:53", "2001:db8::1" or "[2001:db8::1]:53"; port None when not given.

    Raises ValueError with a sentence when the text is none of these.
    """
    if is_address(text):
        return text, None
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not is_address(host) or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not an address in brackets such as [2001:db8::1]:53")
        return host, _port(rest[1:], text) if rest else None
    host, colon, port = text.partition(":")
    if not host or any(char in host for char in " /@[]\\") or (colon and not port):
        raise ValueError(f"{text!r} is not a host or host:port")
    return host, _port(port, text) if colon else None


def _port(digits: str, text: str) -> int:
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits[:6]) <= 65535:
        raise ValueError(f"{text!r}: a port is a number from 1 to 65535")
    return int(digits)


def is_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address and not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def addresses(host: str, timeout: float) -> list[Place]:
    """The addresses of `host` in the system's order of preference, within `timeout` seconds.

    getaddrinfo(3) takes no time limit and may wait half a minute for silent resolvers, so it runs in a thread of its own
    that is left behind when the time is over. Raises Failed(timeout) then, and gaierror as the system gives it.
    """
    box: queue.SimpleQueue[list[Place] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except UnicodeError:
            box.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
        except OSError as error:
            box.put(error)
        else:
            box.put([(family, str(address[0])) for family, _, _, _, address in found])

    threading.Thread(target=ask, name="getaddrinfo", daemon=True).start()
    try:
        answer = box.get(timeout=max(timeout, 0.001))
    except queue.Empty:
        raise Failed(Failure.TIMEOUT, "the name look-up took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return answer
