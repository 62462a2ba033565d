"""The streams of one test, seen from the school: opened together, moved by one pump, counted by the kernel.

Counted are segments, not what this program reads: of a download those that arrived, of an upload those whose arrival the far
end's kernel acknowledged. Both are smooth where bytes in order come in bursts, because a lost segment holds up all behind it.
"""

import base64
import platform
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor, as_completed
from urllib.parse import urlencode

from netready import __version__
from netready.failure import Failed, Failure, classify
from netready.instrument import Context
from netready.text import clean
from probes.path_facts import session_of
from probes.throughput import tcp_info
from probes.throughput.asking import Asking
from probes.throughput.channel import Channel, Source, dial
from probes.throughput.congestion import Congestion
from probes.throughput.flow import Flow
from probes.throughput.handshake import check_upgrade, parse_response, upgrade_request
from probes.throughput.pump import Pump, Rider
from probes.throughput.secure import context as secure_context
from probes.throughput.secure import headers
from probes.throughput.settings import Direction, Throughput, endpoint
from probes.throughput.throughput1 import DOWNLOAD, SUBPROTOCOL, UPLOAD, Block, Load, Told, backlog, block, parse_told
from probes.throughput.websocket import Message, Opcode, close_status, encode

SAMPLE = 0.01  # s between readings of the counters
FIRST_BACKLOG = 256 << 10  # bytes that may wait unsent in our kernel before a stream's rate is known
TRIM_EVERY = 0.1  # s
NO_RTT = 2**32 - 1  # what the kernel says before it knows
_OVER_CLAIM = 1.01  # a server counts what we sent, and a proxy's TLS may add a little
_CLAIM_SLACK = 1 << 20  # bytes under way between two readings


class Flows:
    """All streams of one direction of a test.

    samples   (seconds since the first stream began, segments so far) for every SAMPLE
    asking    round trips meanwhile
    """

    def __init__(self, settings: Throughput, context: Context, direction: Direction, *, pace: float = 0.0) -> None:
        self.settings = settings
        self.direction = direction
        self.flows: list[Flow] = []
        self.samples: list[tuple[float, float]] = []
        self.start = 0.0
        self.ignored = 0
        self.spent = False
        self._context = context
        self._now = context.clock.monotonic
        self._pace = pace
        self._server = endpoint(settings.server)
        self.mid = f"{context.chance.getrandbits(128):032x}"
        self._pump = Pump(self._now)
        self._block: Block | None = None
        self._block_key = context.chance.getrandbits(32).to_bytes(4, "big")
        self.asking = Asking(self._pump, self._now)
        self._total = 1
        self._sample_at = self._trim_at = 0.0

    @property
    def now(self) -> float:
        """Seconds since the first stream began."""
        return self._now() - self.start

    def open(self, count: int, *, seconds: float, probe: bool = False) -> None:
        """Open `count` more streams at once, and with `probe` one without load; each begins as soon as it stands.

        Raises Failed or OSError of the first that could not be opened; those that stand are then closed by `close`.
        """
        if self.direction is Direction.UP and self._block is None:
            self._block = block(self._context.chance, key=self._block_key)
        tls = secure_context(self.settings)
        extra = headers(self.settings)
        total = self._total = count + sum(flow.loaded for flow in self.flows)
        chance = self._context.chance
        asked = [True] * count + [False] * probe
        keys = [base64.b64encode(chance.getrandbits(128).to_bytes(16, "big")).decode() for _ in asked]
        deadline = self._now() + self.settings.handshake_timeout

        def begin(loaded: bool, key: str) -> Flow:  # noqa: FBT001 - called by position from the pool
            direction = self.direction if loaded else Direction.UP
            left = deadline - self._now()
            connection = dial(self._server.host, self._server.port, tls=tls, seconds=left, now=self._now)
            try:
                congestion = self._tune(connection, loaded=loaded)
                channel = Channel(connection, self._now)
                request = upgrade_request(
                    str(self._server),
                    f"{DOWNLOAD if direction is Direction.DOWN else UPLOAD}?{urlencode(self._query(total, seconds))}",
                    key=key,
                    protocol=SUBPROTOCOL,
                    agent=f"netready/{__version__}",
                    fields=extra,
                )
                channel.write_all(request, seconds=max(0.001, deadline - self._now()))
                head = channel.read_head(seconds=max(0.001, deadline - self._now()))
                check_upgrade(parse_response(head), key=key, protocol=SUBPROTOCOL)
                channel.become_websocket(masked=False)
            except BaseException:
                connection.close()
                raise
            return Flow(channel, self._block_key, loaded=loaded, congestion=congestion)

        problem: BaseException | None = None
        with ThreadPoolExecutor(max_workers=len(asked)) as pool:
            for begun in as_completed([pool.submit(begin, loaded, key) for loaded, key in zip(asked, keys, strict=True)]):
                error = begun.exception()
                if error is None:
                    self._board(begun.result())
                else:
                    problem = problem or error
                self._pump.turn(0.0)
        if problem is not None:
            raise problem

    def _query(self, streams: int, seconds: float) -> dict[str, str]:
        found = {
            "streams": str(streams),
            "duration": str(int(1000 * seconds)),
            "mid": self.mid,
            "client_name": "netready",
            "client_version": __version__,
            "client_library_name": "netready-throughput1",
            "client_library_version": __version__,
            "client_arch": platform.machine() or "unknown",
            "client_os": platform.system().lower() or "unknown",
        }
        if self.settings.congestion:
            found["cc"] = self.settings.congestion
        if self._pace and self.direction is Direction.DOWN:
            found["pace"] = str(max(1, int(self._pace / streams)))
        return found

    def _tune(self, connection: socket.socket, *, loaded: bool) -> Congestion | None:
        if self.direction is Direction.DOWN or not loaded:
            return None
        tcp_info.limit_backlog(connection, FIRST_BACKLOG)
        return Congestion(connection, self.settings.congestion, self._now())

    def _board(self, flow: Flow) -> None:
        connection = flow.channel.connection
        flow.base = flow.last = tcp_info.glance(connection)
        if flow.base is None:
            connection.close()
            raise Failed(Failure.NOT_SUPPORTED, "this system does not tell what its TCP connections carry (TCP_INFO)")
        if not self.flows:
            self.start = self._now()
        load: Source | None = None
        if flow.loaded and self.direction is Direction.UP and self._block is not None:
            if self._pace:
                tcp_info.pace(connection, self._pace / self._total)
            load = Load(self._block)
        flow.rider = Rider(
            flow.channel,
            load=load,
            hear=lambda message: self._hear(flow, message),
            lost=lambda error: self._lost(flow, error),
        )
        self._pump.add(flow.rider)
        self.flows.append(flow)

    def run(self, until: float) -> None:
        """Move load until `until` (s since the start) or until `spent`, with readings and pings when they are due."""
        while (now := self.now) < until and not self.spent:
            if now >= self._sample_at:
                self._sample(now)
                self._sample_at = max(self._sample_at + SAMPLE, now + SAMPLE / 2)
                self.asking.ask(self.flows, now, 8 * self.mss * self.samples[-1][1] / max(now, SAMPLE))
            self._pump.turn(self.start + min(until, self._sample_at))

    def _sample(self, now: float) -> None:
        """One reading of every stream; the end of the test when it has moved what it may."""
        total = 0
        down = self.direction is Direction.DOWN
        for flow in self.flows:
            if not flow.loaded or flow.base is None:
                continue
            if flow.alive:
                flow.last = tcp_info.glance(flow.channel.connection) or flow.last
            if flow.last is None:
                continue
            if down:
                count, in_order = flow.last.segments - flow.base.segments, flow.last.received - flow.base.received
            else:
                count, in_order = flow.last.delivered - flow.base.delivered, flow.last.acked - flow.base.acked
            flow.history.append((now, count, in_order))
            total += count
            if not down and now >= self._trim_at:
                tcp_info.limit_backlog(flow.channel.connection, backlog(count * flow.last.snd_mss / max(now, SAMPLE)))
        if now >= self._trim_at:
            self._trim_at = now + TRIM_EVERY
            if not self._pace:
                self._give_way()
        self.samples.append((now, float(total)))
        most = self.settings.most_bytes
        self.spent = bool(most) and total * self.mss >= most

    def _give_way(self) -> None:
        for flow in self.flows:
            if flow.congestion is not None and flow.congestion.look(self._now(), self.idle_rtt):
                return  # one at a time

    def fill(self, start: float, end: float) -> float:
        """How full the segments were that came between two moments (s), as a ratio of the segment size; 1 where none came.

        Bytes are known in order only, so each stream is looked at when it lacked least: once in the first quarter of the time,
        once in the last.
        """
        size, quarter = self.mss, (end - start) / 4
        segments = octets = 0
        for flow in self.flows:
            first = [each for each in flow.history if start <= each[0] <= start + quarter]
            last = [each for each in flow.history if end - quarter <= each[0] <= end]
            if first and last:
                one, other = (min(each, key=lambda each: each[1] * size - each[2]) for each in (first, last))
                segments += other[1] - one[1]
                octets += other[2] - one[2]
        return min(1.0, octets / (segments * size)) if segments > 0 and size else 1.0

    @property
    def mss(self) -> int:
        """Bytes of payload in a full segment of the load."""
        sizes = [
            flow.last.rcv_mss if self.direction is Direction.DOWN else flow.last.snd_mss
            for flow in self.flows
            if flow.loaded and flow.last is not None
        ]
        return max(sizes, default=0)

    @property
    def idle_rtt(self) -> float:
        """The least round trip that the kernel saw on any stream, s; 0 before it saw one."""
        seen = [flow.last.min_rtt for flow in self.flows if flow.last is not None and 0 < flow.last.min_rtt < NO_RTT]
        return min(seen, default=0) / 1e6

    @property
    def congestion(self) -> str:
        """The congestion control of the load; if any stream's has changed, from what to what."""
        names = [flow.congestion.name if flow.congestion else flow.told_congestion for flow in self.flows if flow.loaded]
        return max(names, key=len, default="")

    def _hear(self, flow: Flow, message: Message) -> None:
        match message.opcode:
            case Opcode.PING:
                flow.channel.queue(encode(Opcode.PONG, message.payload, key=flow.key))
            case Opcode.PONG:
                self.asking.answered(flow, message.payload, self.now)
            case Opcode.TEXT:
                self._note(flow, message.payload)
            case Opcode.CLOSE:
                code, why = close_status(message.payload)
                flow.ended = "close"
                flow.reason = clean(f"the server closed a stream with {code} {why}".rstrip(), limit=160)
                if flow.rider is not None:
                    self._pump.remove(flow.rider)
            case Opcode.BINARY | Opcode.CONTINUATION:
                pass

    def _note(self, flow: Flow, text: bytes) -> None:
        try:
            told: Told = parse_told(text)
        except Failed:
            self.ignored += 1
            return
        flow.host = told.Host or flow.host
        flow.uuid = clean(told.UUID) or flow.uuid
        if congestion := clean(told.CC):
            first = flow.told_congestion.partition(",")[0] or congestion
            flow.told_congestion = first if congestion == first else f"{first}, then {congestion}"
        connection = flow.channel.connection
        if told.Session and isinstance(connection, ssl.SSLSocket):
            flow.inspected = told.Session != session_of(connection).session
        if told.TCPInfo is None:
            return
        flow.told = told.TCPInfo
        received = told.TCPInfo.BytesReceived
        if self.direction is Direction.UP and flow.loaded and received is not None:
            sent = flow.channel.bytes_out
            if received > sent * _OVER_CLAIM + _CLAIM_SLACK:
                raise Failed(Failure.MALFORMED, f"the server claims {received} bytes, and only {sent} were sent")

    def _lost(self, flow: Flow, error: Exception) -> None:
        failure = classify(error)
        if failure is None:
            raise error
        flow.last = tcp_info.glance(flow.channel.connection) or flow.last
        flow.ended = failure.value
        flow.reason = clean(str(error), limit=160)

    def close(self) -> None:
        """Stop at once: everything still under way is dropped by both kernels."""
        for flow in self.flows:
            if flow.rider is not None:
                self._pump.remove(flow.rider)
            flow.channel.close(abort=True)
        self.asking.close()
        self._pump.close()
