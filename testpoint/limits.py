"""What the testpoint allows a stranger: times, sizes and counts, as values."""

import msgspec

from probes.throughput.ndt7_spec import HARD_STOP

# The protocol expects up to ten seconds and lets the server end sooner. BBR stops sending for 0.2 s, to see the round trip of
# an empty line, whenever it has not seen that for 10 s: at the very end of a ten-second test, whose last bytes then come late.
# Measured at 100 Mbit/s and 10 ms: 2.3 % too low at 10 s, 0.3 % at 9.75 s.
RUNTIME = 9.75


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """One server's limits. Seconds, bytes and counts.

    tests          at once; one more is told 503, for a line that is shared measures nobody's line
    connections    at once; at the limit the one that has said nothing for longest makes room
    head           seconds until TLS is agreed and a request has come in full
    idle           seconds on a kept connection until the next request has come in full
    lifetime       seconds after which a kept connection is closed behind its answer
    runtime        of a test, after which the server says Close
    hard           of a test, after which the server hangs up
    bulk           seconds that one HTTP body may take, either way
    body           bytes that one HTTP body may have, either way
    stall          seconds without a byte taken by a client of a download, or sent by one of an upload
    backlog        connections that the kernel may hold for us
    client_tests   at once for one client: an IPv4 address or an IPv6 /64; one more is told 429
    streams        connections that may share the place of one test
    client_bytes   that a client may move in a period, both ways together; 0 is no limit
    client_seconds of test time that a client may take in a period; 0 is no limit
    period         seconds that begin with a client's first test; behind them it may use everything again
    clients        that are remembered; the one that has been away for longest is forgotten first
    """

    tests: int = 8
    connections: int = 256
    head: float = 5.0
    idle: float = 10.0
    lifetime: float = 120.0
    runtime: float = RUNTIME
    hard: float = HARD_STOP
    bulk: float = 20.0  # LibreSpeed's page loads for 15 s behind up to 3 s of warm-up, and speedtest-cli for 10 s
    body: int = 1 << 30  # LibreSpeed's largest download
    stall: float = 7.0
    backlog: int = 128
    client_tests: int = 4
    streams: int = 32
    client_bytes: int = 200_000_000_000  # eighty ndt7 tests both ways at 1 Gbit/s
    client_seconds: float = 4 * 3600.0
    period: float = 24 * 3600.0
    clients: int = 10_000
