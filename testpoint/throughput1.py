"""The far end of msak's throughput1: fills one stream of a test or counts what comes, and reports what the kernel saw."""

import functools
import ssl
import threading
import time
from uuid import UUID

import msgspec

from netready.failure import Failed, Failure, classify
from netready.text import clean
from probes.path_facts import session_of
from probes.throughput import tcp_info
from probes.throughput.congestion import Congestion
from probes.throughput.handshake import upgrade_response
from probes.throughput.pump import Rider
from probes.throughput.tcp_info import TcpInfo
from probes.throughput.throughput1 import (
    DURATION,
    FASTEST_TICK,
    LONGEST,
    MOST_STREAMS,
    SUBPROTOCOL,
    TICK_MEAN,
    Block,
    Load,
    backlog,
    block,
    next_tick,
    parse_told,
)
from probes.throughput.websocket import Message, Opcode, close_status, encode, encode_close
from testpoint.pumping import Pumping
from testpoint.upgrade import parse_query, refusal
from testpoint.visit import ANSWER_SECONDS, Visit, answer, turn_away

PART_SECONDS = 1.0  # for our Close to leave and the client's to come
_FIRST_BACKLOG = 128 << 10  # bytes that may wait unsent in the kernel before the rate is known
_KNOWN = 0.2  # s; before, the rate still grows between two looks at it, and too small a backlog would hold it back
_CLOSE_GOING_AWAY, _CLOSE_PROTOCOL, _CLOSE_DONE = 1001, 1002, 1000  # RFC 6455, 7.4.1
# How a stream's end is counted for /metrics. A client that has seen enough hangs up; ours does it with a reset.
_RESULTS = {
    "done": "done",
    "closed by client": "client-closed",
    Failure.RESET.value: "client-closed",
    Failure.CLOSED_EARLY.value: "client-closed",
    "shutdown": "shutdown",
    "budget": "budget",
}
_ALGORITHM = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks of a stream.

    mid        the measurement that this stream belongs to
    streams    how many streams the measurement has
    duration   s, from the handshake on
    bytes      after which the stream ends; 0 is no limit
    cc         congestion control, or "" for the server's choice
    pace       bit/s of payload that a download may not exceed; 0 is no limit
    tick       mean s between messages
    client     how it calls itself
    """

    mid: str
    streams: int
    duration: float
    bytes: int
    cc: str
    pace: float
    tick: float
    client: str


@functools.cache
def _pumping() -> Pumping:
    return Pumping(time.monotonic)


@functools.cache
def _ready() -> Block:
    import random  # noqa: PLC0415 - once for each process

    return block(random.SystemRandom())


def download(visit: Visit) -> None:
    """Send load until the client has enough."""
    asked = _agree(visit)
    if asked is not None:
        connection = visit.channel.connection
        congestion = Congestion(connection, asked.cc, visit.now())
        if asked.pace:
            tcp_info.pace(connection, asked.pace)
        tcp_info.limit_backlog(connection, _FIRST_BACKLOG)
        _Stream(visit, asked, Load(_ready()), congestion).run()


def upload(visit: Visit) -> None:
    """Count load until the client has enough."""
    asked = _agree(visit)
    if asked is not None:
        _Stream(visit, asked).run()


def parse_asked(query: dict[str, str]) -> Asked:
    """What the query asks; raises Failed with the key and what was expected. Pure."""
    mid = query.get("mid", "")
    if not mid or len(mid) > 64 or not mid.isprintable():
        raise Failed(Failure.MALFORMED, "mid: a measurement id of 1 to 64 characters is needed")
    cc = query.get("cc", "")
    if len(cc) > 15 or not _ALGORITHM.issuperset(cc):
        raise Failed(Failure.MALFORMED, "cc: not the name of a congestion control")
    return Asked(
        mid=mid,
        streams=int(_number(query, "streams", 1, 1, MOST_STREAMS)),
        duration=_number(query, "duration", DURATION * 1000, 1, 1e9) / 1000,
        bytes=int(_number(query, "bytes", 0, 0, 2**53)),
        cc=cc,
        pace=_number(query, "pace", 0, 0, 1e13),
        tick=_number(query, "tick", TICK_MEAN * 1000, FASTEST_TICK * 1000, 10_000) / 1000,
        client=clean(query.get("client_library_name") or query.get("client_name") or "unnamed", limit=40),
    )


def _number(query: dict[str, str], key: str, default: float, least: float, most: float) -> float:
    text = query.get(key)
    if text is None:
        return default
    if len(text) > 20 or not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise Failed(Failure.MALFORMED, f"{key}: a whole number from {least:.0f} to {most:.0f} is expected")
    return float(text)


def _agree(visit: Visit) -> Asked | None:
    """Read the request and answer it; what was asked when the stream may begin, None when it was refused."""
    refused = refusal(visit.request, SUBPROTOCOL)
    if refused is not None:
        status, why = refused
        fields = {"Upgrade": "websocket", "Sec_WebSocket_Version": "13"} if status == 426 else {}
        answer(visit, status, why, **fields)
        return None
    try:
        asked = parse_asked(parse_query(visit.request.query, blank=True))  # msak's client sends "cc=" when it has no wish
    except Failed as failed:
        answer(visit, 400, failed.reason)
        return None
    if not visit.admit(group=asked.mid):
        turn_away(visit)
        return None
    visit.channel.write_all(upgrade_response(visit.request.fields["sec-websocket-key"], SUBPROTOCOL), seconds=ANSWER_SECONDS)
    visit.channel.become_websocket(masked=True)
    return asked


class _Stream:
    """One stream, from the handshake to the end. It lives on the pump's thread; the visit's own thread waits for it."""

    def __init__(self, visit: Visit, asked: Asked, load: Load | None = None, congestion: Congestion | None = None) -> None:
        self._visit = visit
        self._asked = asked
        self._load = load
        self._congestion = congestion
        self._channel = visit.channel
        self._start = visit.now()
        self._finish = self._start + min(asked.duration, LONGEST)
        self._uuid = str(UUID(int=visit.chance.getrandbits(128), version=4))
        self._told = False
        self._told_congestion = ""
        self._last: TcpInfo = {}
        self._accounted = 0
        self._end = ""
        self._gone_by = 0.0
        self._over = threading.Event()
        self._rider = Rider(self._channel, load=load, hear=self._hear, lost=self._lost, tick=self._tick, due=self._start)

    def run(self) -> None:
        """Put the stream on the pump and wait until it has left again; log one line."""
        _pumping().add(self._rider)
        self._over.wait(LONGEST + 2 * PART_SECONDS)
        self._channel.close(abort=not self._parted())
        self._visit.ended(_RESULTS.get(self._end, "broken"))
        counted = self._last.get("BytesAcked" if self._load is not None else "BytesReceived", 0)
        seconds = self._last.get("ElapsedTime", 0) / 1e6
        which = "download" if self._load is not None else "upload"
        self._visit.log(
            f"{self._visit.peer} throughput1 {which} {seconds:.2f} s {counted} bytes {self._end or 'broken'} "
            f"streams={self._asked.streams} client={self._asked.client!r} mid={clean(self._asked.mid)} uuid={self._uuid}"
        )

    def _tick(self, now: float) -> None:
        if self._end:
            if now >= self._gone_by or self._parted():
                self._leave()
            self._rider.due = now + 0.02
            return
        self._report(now)
        moved = self._channel.bytes_in + self._channel.bytes_out
        within = self._visit.moved(moved - self._accounted)
        self._accounted = moved
        if now >= self._finish or (self._asked.bytes and self._counted() >= self._asked.bytes):
            self._say_close("done", _CLOSE_DONE, "Done sending")
        elif self._visit.stopping():
            self._say_close("shutdown", _CLOSE_GOING_AWAY, "Going away")
        elif not within:
            self._say_close("budget", _CLOSE_DONE, "Your data budget here is used up")
        elif self._load is not None and self._channel.receiver.binary:
            self._say_close("protocol broken", _CLOSE_PROTOCOL, "A download takes no binary messages")
        elif now - max(self._channel.sent_at, self._channel.received_at) > self._visit.limits.stall:
            raise Failed(Failure.TIMEOUT, "the client moves nothing")
        else:
            self._rider.due = min(self._finish, now + next_tick(self._visit.chance, self._asked.tick))

    def _parted(self) -> bool:
        """Whether both have said Close and ours has arrived, so that nothing is lost when we hang up."""
        info = tcp_info.read(self._channel.connection)
        under_way = info.get("Unacked", 0) + info.get("NotsentBytes", 0)
        return self._channel.receiver.closed and self._channel.idle and not under_way

    def _counted(self) -> int:
        return self._last.get("BytesAcked" if self._load is not None else "BytesReceived", 0)

    def _report(self, now: float) -> None:
        elapsed = int(1e6 * (now - self._start))
        connection = self._channel.connection
        self._last = {**tcp_info.read(connection), "ElapsedTime": elapsed}
        if self._load is not None and elapsed >= _KNOWN * 1e6:
            # TCP's pacing rate is a little above what it sends, also where that has just risen.
            rate = max(self._last.get("BytesAcked", 0) * 1e6 / elapsed, self._last.get("PacingRate", 0))
            tcp_info.limit_backlog(connection, backlog(rate))
        receiver = self._channel.receiver
        message: dict[str, object] = {
            "Application": {
                "BytesSent": self._channel.bytes_out if self._load is not None else 0,
                "BytesReceived": receiver.payload,
            },
            "Network": {"BytesSent": self._channel.bytes_out, "BytesReceived": self._channel.bytes_in},
            "ElapsedTime": elapsed,
            "TCPInfo": self._last,
            "Host": msgspec.to_builtins(_pumping().host),
        }
        bbr = tcp_info.read_bbr(connection)
        if bbr:
            message["BBRInfo"] = {**bbr, "ElapsedTime": elapsed}
        if self._congestion is not None and not self._asked.pace:
            self._congestion.look(now, self._last.get("MinRTT", 0) / 1e6)
        congestion = tcp_info.congestion(connection)
        if congestion != self._told_congestion:
            self._told_congestion = message["CC"] = congestion
        if not self._told:
            self._told = True
            message |= {"UUID": self._uuid, "LocalAddr": self._visit.own, "RemoteAddr": self._visit.peer}
            if isinstance(connection, ssl.SSLSocket):
                message["Session"] = session_of(connection).session
        self._channel.queue(encode(Opcode.TEXT, msgspec.json.encode(message)))

    def _hear(self, message: Message) -> None:
        match message.opcode:
            case Opcode.PING:
                self._channel.queue(encode(Opcode.PONG, message.payload))
            case Opcode.TEXT:
                parse_told(message.payload)  # refuses what is not a measurement; nothing of it is kept
            case Opcode.CLOSE:
                if not self._end:
                    code, _ = close_status(message.payload)
                    self._report(self._visit.now())
                    self._say_close("closed by client", _CLOSE_DONE if code == 1005 else code, "")
            case Opcode.PONG | Opcode.BINARY | Opcode.CONTINUATION:
                pass

    def _say_close(self, how: str, code: int, reason: str) -> None:
        """No more load after the message under way; then Close."""
        self._end = how
        self._channel.queue(encode_close(code, reason))
        if self._load is not None:
            self._load.end()
        self._gone_by = self._visit.now() + PART_SECONDS
        self._rider.due = self._visit.now()

    def _lost(self, error: Exception) -> None:
        failure = classify(error)
        self._end = self._end or (failure.value if failure else f"our bug: {error!r}")
        self._last = {**self._last, **tcp_info.read(self._channel.connection)}
        self._visit.moved(self._channel.bytes_in + self._channel.bytes_out - self._accounted)
        self._leave()

    def _leave(self) -> None:
        _pumping().remove(self._rider)
        self._over.set()
