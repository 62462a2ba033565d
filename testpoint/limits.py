"""What the testpoint allows a stranger: times, sizes and counts, as values."""

import msgspec

from probes.throughput.ndt7_spec import HARD_STOP, RUNTIME


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """One server's limits. Seconds and counts.

    tests         at once; one more is told 503, for a line that is shared measures nobody's line
    connections   at once; at the limit the one that has said nothing for longest makes room
    head          seconds until TLS is agreed and a request has come in full
    runtime       of a test, after which the server says Close
    hard          of a test, after which the server hangs up
    stall         seconds without a byte taken by a client of a download
    backlog       connections that the kernel may hold for us
    """

    tests: int = 8
    connections: int = 256
    head: float = 5.0
    runtime: float = RUNTIME
    hard: float = HARD_STOP
    stall: float = 7.0
    backlog: int = 128
