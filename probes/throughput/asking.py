"""The round trips that are asked for while the line is loaded: on the idle stream, among the load, and by new connections."""

from collections.abc import Sequence

from probes.throughput.channel import Now
from probes.throughput.flow import Flow
from probes.throughput.pump import Pump, Rider
from probes.throughput.responsiveness import KNOCK_EVERY, PING_BITS, PING_EVERY, PING_SELDOM, PING_SHARE, SELF_EVERY, Knock
from probes.throughput.websocket import Message, Opcode, encode


class Asking:
    """Asks when it is time, and keeps the answers as (when, seconds).

    pings    on the idle stream
    own      among the load
    knocks   new connections, closed as soon as they stand
    """

    def __init__(self, pump: Pump, now: Now) -> None:
        self.pings: list[tuple[float, float]] = []
        self.own: list[tuple[float, float]] = []
        self.knocks: list[tuple[float, float]] = []
        self._pump = pump
        self._now = now
        self._asked: dict[bytes, tuple[Flow, float]] = {}
        self._count = 0
        self._knocking: list[Knock] = []
        self._ping_due = self._own_due = self._knock_due = 0.0

    def ask(self, flows: Sequence[Flow], at: float, rate: float) -> None:
        """Ask what is due, if there is an idle stream; `at` is s since the first stream began and `rate` bit/s so far."""
        idle = next((flow for flow in flows if not flow.loaded and flow.alive), None)
        if idle is None:
            return
        if at >= self._ping_due:
            self._ping(idle)
            self._ping_due = at + max(PING_EVERY, min(PING_SELDOM, PING_BITS / (PING_SHARE * max(rate, 1.0))))
        if at >= self._own_due:
            for flow in flows:
                if flow.loaded and flow.alive:
                    self._ping(flow)
            self._own_due = at + SELF_EVERY
        if at >= self._knock_due:
            self._knock(idle, at)
            self._knock_due = at + KNOCK_EVERY

    def answered(self, flow: Flow, payload: bytes, at: float) -> None:
        """A pong came; one that was not asked for on its stream counts for nothing."""
        asked, sent = self._asked.pop(payload, (None, 0.0))
        if asked is flow:
            (self.own if flow.loaded else self.pings).append((at, self._now() - sent))

    def _ping(self, flow: Flow) -> None:
        if flow.rider is None:
            return
        self._count += 1
        payload = self._count.to_bytes(8, "big")
        self._asked[payload] = (flow, self._now())
        flow.channel.queue(encode(Opcode.PING, payload, key=flow.key))
        self._pump.wake(flow.rider)

    def _knock(self, idle: Flow, at: float) -> None:
        try:
            connection = idle.channel.connection
            knock = Knock(connection.family, connection.getpeername(), self._now)
        except OSError:
            return
        self._knocking.append(knock)

        def done(_error: Exception) -> None:
            if knock.seconds is not None:
                self.knocks.append((at, knock.seconds))
            knock.connection.close()

        self._pump.add(Rider(knock, hear=_ignore, lost=done))  # type: ignore[arg-type]  # it moves like a channel

    def close(self) -> None:
        """Stop knocking."""
        for knock in self._knocking:
            knock.connection.close()


def _ignore(_message: Message) -> None:
    pass
