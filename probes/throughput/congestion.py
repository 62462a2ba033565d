"""Which congestion control a loaded stream is sent with. Both ends use it for what they send.

BBR first, where the kernel lets us, since a lost packet does not slow it down. Its flaw is a start without an end: Linux's
BBR takes 2.89 times the rate it has seen until it sees no more come of it (STARTUP), but it does not look while the sender
has nothing to send, and a full send buffer counts as that. On a line that holds more than our send buffers do (1 Gbit/s over
100 ms, say) it floods the queue for as long as the test lasts, and waiting for what was lost leaves the line empty in
between. Such a stream goes on with CUBIC. One whose congestion control was asked for keeps it.
"""

import socket

from probes.throughput import tcp_info

STARTUP = 2 * 256  # of BBR's pacing gain, times 256: it is 2.89 in STARTUP, and at most 1.25 in any later phase
LONGEST_START = 1.0  # s, and
LONGEST_ROUNDS = 10  # round trips, in which an honest start is over
FULL_BUFFER = 0.5  # of the send buffer is payload on its way; the kernel's own bookkeeping takes the other third
GIVE_WAY = "cubic"


class Congestion:
    """Of one stream, from before its first byte on.

    asked   a name, or "" for BBR as long as that does well
    name    what the kernel uses; "bbr, then cubic" after a change
    """

    def __init__(self, connection: socket.socket, asked: str, begun: float) -> None:
        self._connection = connection
        self._begun = begun
        self._open = not (asked and tcp_info.use_congestion(connection, asked))
        if self._open:
            tcp_info.use_congestion(connection, "bbr")
        self.name = tcp_info.congestion(connection)

    def look(self, now: float, rtt: float) -> bool:
        """Let BBR give way if its start does not end; whether it has just done so. `rtt` is the path's shortest, s.

        Streams that give way at once leave the line idle at once, so a test with many lets one at a time.
        """
        if not self._open or now - self._begun < max(LONGEST_START, LONGEST_ROUNDS * rtt):
            return False
        if tcp_info.read_bbr(self._connection).get("PacingGain", 0) < STARTUP:
            self._open = False
        elif tcp_info.send_buffer_share(self._connection) >= FULL_BUFFER:
            self._open = False
            if tcp_info.use_congestion(self._connection, GIVE_WAY):
                self.name += f", then {GIVE_WAY}"
                return True
        return False
