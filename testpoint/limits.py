"""What the testpoint allows a stranger: times, sizes and counts, as values."""

import msgspec

from probes.throughput.ndt7_spec import HARD_STOP

# The protocol expects up to ten seconds and lets the server end sooner. BBR stops sending for 0.2 s, to see the round trip of
# an empty line, whenever it has not seen that for 10 s: at the very end of a ten-second test, whose last bytes then come late.
# Measured at 100 Mbit/s and 10 ms: 2.3 % too low at 10 s, 0.3 % at 9.75 s.
RUNTIME = 9.75


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
