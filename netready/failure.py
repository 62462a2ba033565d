"""Why a measurement has no value: a closed list of words, and the one function that maps errors to them.

A network that fails is data. An exception that this module cannot name is our bug and is re-raised by the caller.
Errors are recognised by the names in their class hierarchy, so that this room needs neither `socket` nor `ssl`.
"""

import errno
from enum import StrEnum


class Failure(StrEnum):
    """The closed list. Grow it with care: reports, metrics and stored records all carry these words."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    CLOSED_EARLY = "closed-early"
    UNREACHABLE = "unreachable"
    NOT_PERMITTED = "not-permitted"
    NOT_AUTHORISED = "not-authorised"
    NO_ANSWER = "no-answer"
    DNS_NXDOMAIN = "dns-nxdomain"
    DNS_NO_ADDRESS = "dns-no-address"
    DNS_SERVFAIL = "dns-servfail"
    DNS_REFUSED = "dns-refused"
    DNS_FAILED = "dns-failed"
    TLS_CERTIFICATE = "tls-certificate"
    TLS_HANDSHAKE = "tls-handshake"
    HTTP_STATUS = "http-status"
    REDIRECT_LOOP = "redirect-loop"
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    SERVER_BUSY = "server-busy"
    LOCAL_RESOURCES = "local-resources"
    NOT_SUPPORTED = "not-supported"
    INCONCLUSIVE = "inconclusive"
    LINE_BUSY = "line-busy"
    DATA_BUDGET = "data-budget"


class Failed(Exception):  # noqa: N818 - a failure is not an error of ours, and its name says so
    """Raised inside an instrument to end one measurement with a failure word and a short reason."""

    def __init__(self, failure: Failure, reason: str = "") -> None:
        super().__init__(reason or failure.value)
        self.failure = failure
        self.reason = reason


_BY_ERRNO: dict[int, Failure] = {
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.EAGAIN: Failure.TIMEOUT,
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.ENOTCONN: Failure.RESET,
    errno.EHOSTUNREACH: Failure.UNREACHABLE,
    errno.ENETUNREACH: Failure.UNREACHABLE,
    errno.ENETDOWN: Failure.UNREACHABLE,
    errno.EHOSTDOWN: Failure.UNREACHABLE,
    errno.EADDRNOTAVAIL: Failure.UNREACHABLE,
    errno.ENODEV: Failure.UNREACHABLE,
    errno.ENXIO: Failure.UNREACHABLE,
    errno.EPERM: Failure.NOT_PERMITTED,
    errno.EACCES: Failure.NOT_PERMITTED,
    errno.EMFILE: Failure.LOCAL_RESOURCES,
    errno.ENFILE: Failure.LOCAL_RESOURCES,
    errno.ENOBUFS: Failure.LOCAL_RESOURCES,
    errno.ENOMEM: Failure.LOCAL_RESOURCES,
    errno.EAFNOSUPPORT: Failure.NOT_SUPPORTED,
    errno.EPROTONOSUPPORT: Failure.NOT_SUPPORTED,
}

# getaddrinfo(3) numbers its own errors; glibc's are negative (netdb.h).
_BY_GAI: dict[int, Failure] = {
    -2: Failure.DNS_NXDOMAIN,  # EAI_NONAME
    -5: Failure.DNS_NO_ADDRESS,  # EAI_NODATA
    -3: Failure.DNS_FAILED,  # EAI_AGAIN: no server answered
    -4: Failure.DNS_SERVFAIL,  # EAI_FAIL
}


def classify(error: BaseException) -> Failure | None:
    """The failure word for an operating-system or library error, or None when the error is not a network's doing."""
    if isinstance(error, Failed):
        return error.failure
    names = {cls.__name__ for cls in type(error).__mro__}
    if "SSLCertVerificationError" in names:
        return Failure.TLS_CERTIFICATE
    if names & {"SSLEOFError", "SSLZeroReturnError"}:
        return Failure.CLOSED_EARLY
    if "SSLError" in names and not isinstance(error, TimeoutError):
        return Failure.TLS_HANDSHAKE
    if isinstance(error, TimeoutError):
        return Failure.TIMEOUT
    if not isinstance(error, OSError):
        return None
    if "gaierror" in names:
        return _BY_GAI.get(error.errno or 0, Failure.DNS_FAILED)
    return _BY_ERRNO.get(error.errno or 0)
