import errno
import socket
import ssl

import pytest

from netready.failure import Failed, Failure, classify


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), Failure.REFUSED),
        (ConnectionResetError(errno.ECONNRESET, "x"), Failure.RESET),
        (BrokenPipeError(errno.EPIPE, "x"), Failure.RESET),
        (TimeoutError("timed out"), Failure.TIMEOUT),
        (OSError(errno.EHOSTUNREACH, "x"), Failure.UNREACHABLE),
        (PermissionError(errno.EPERM, "x"), Failure.NOT_PERMITTED),
        (OSError(errno.EMFILE, "x"), Failure.LOCAL_RESOURCES),
        (socket.gaierror(socket.EAI_NONAME, "x"), Failure.DNS_NXDOMAIN),
        (socket.gaierror(socket.EAI_AGAIN, "x"), Failure.DNS_FAILED),
        (socket.gaierror(socket.EAI_FAIL, "x"), Failure.DNS_SERVFAIL),
        (ssl.SSLCertVerificationError(1, "x"), Failure.TLS_CERTIFICATE),
        (ssl.SSLEOFError(8, "x"), Failure.CLOSED_EARLY),
        (ssl.SSLError(1, "x"), Failure.TLS_HANDSHAKE),
        (Failed(Failure.MALFORMED, "x"), Failure.MALFORMED),
    ],
)
def test_errors_of_the_network_have_a_word(error, word):
    assert classify(error) is word


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError(errno.EBADF, "x"), MemoryError()])
def test_our_own_bugs_have_none(error):
    assert classify(error) is None
