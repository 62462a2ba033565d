"""The far end of ndt7: fills the line or counts what comes, and reports what the kernel saw (ndt7 protocol, v0.11.0)."""

from datetime import UTC
from uuid import UUID

import msgspec

from netready.failure import Failed, Failure, classify
from netready.text import clean
from probes.throughput import tcp_info
from probes.throughput.handshake import upgrade_response
from probes.throughput.ndt7_spec import SUBPROTOCOL, Load, next_tick, parse_told
from probes.throughput.tcp_info import TcpInfo
from probes.throughput.websocket import Message, Opcode, close_status, encode, encode_close
from testpoint import upgrade
from testpoint.visit import ANSWER_SECONDS, Visit, answer, turn_away

EARLY_EXIT = "250"  # MB acknowledged after which a download may end; the protocol knows no other value
_EARLY_EXIT_BYTES = 250_000_000
# Load that waits in the kernel when the runtime is over is still sent, and prolongs a slow test by seconds. So only this much
# may wait:
BACKLOG_SECONDS = 0.05  # of the rate so far; the sender wakes far more often
_LEAST_BACKLOG, _MOST_BACKLOG = 256 << 10, 16 << 20
_RESULTS = {  # for /metrics; any other end is "broken"
    "done": "done",
    "early-exit": "done",
    "shutdown": "shutdown",
    "budget": "budget",
    "closed by client": "client-closed",
    Failure.RESET.value: "client-closed",
    Failure.CLOSED_EARLY.value: "client-closed",
}
_CLOSE_GOING_AWAY, _CLOSE_PROTOCOL, _CLOSE_DONE = 1001, 1002, 1000  # RFC 6455, 7.4.1


def download(visit: Visit) -> None:
    """Send load for the runtime."""
    query = _agree(visit)
    if query is not None:
        tcp_info.use_congestion(visit.channel.connection, "bbr")
        _Test(visit, query, load=Load(visit.frames)).run()


def upload(visit: Visit) -> None:
    """Count load for the runtime."""
    query = _agree(visit)
    if query is not None:
        _Test(visit, query, load=None).run()


def parse_query(text: str) -> dict[str, str]:
    """The client's metadata; raises Failed for what the protocol forbids. Pure."""
    found = upgrade.parse_query(text)
    if found.get("early_exit", EARLY_EXIT) != EARLY_EXIT:
        raise Failed(Failure.MALFORMED, f"early_exit can only be {EARLY_EXIT}")
    return found


def _agree(visit: Visit) -> dict[str, str] | None:
    """Read the request and answer it; the query when the test may begin, None when it was refused."""
    refused = upgrade.refusal(visit.request, SUBPROTOCOL)
    if refused is not None:
        status, why = refused
        fields = {"Upgrade": "websocket", "Sec_WebSocket_Version": "13"} if status == 426 else {}
        answer(visit, status, why, **fields)
        return None
    try:
        query = parse_query(visit.request.query)
    except Failed as failed:
        answer(visit, 400, failed.reason)
        return None
    if not visit.admit():
        turn_away(visit)
        return None
    visit.channel.write_all(upgrade_response(visit.request.fields["sec-websocket-key"], SUBPROTOCOL), seconds=ANSWER_SECONDS)
    visit.channel.become_websocket(masked=True)
    return query


class _Test:
    """One direction, from the handshake to the end."""

    def __init__(self, visit: Visit, query: dict[str, str], load: Load | None) -> None:
        self._visit = visit
        self._channel = visit.channel
        self._load = load
        self._early = load is not None and "early_exit" in query
        self._client = clean(query.get("client_library_name") or query.get("client_name") or "unnamed", limit=40)
        self._start = visit.now()
        self._uuid = str(UUID(int=visit.chance.getrandbits(128), version=4))
        self._started_at = visit.wall().astimezone(UTC).isoformat().replace("+00:00", "Z")
        self._last: TcpInfo = {}
        self._end = ""
        self._accounted = 0

    def run(self) -> None:
        """Run the test and log one line; network trouble ends the test, never the server."""
        try:
            self._measure()
            self._part()
        except (Failed, OSError) as error:
            failure = classify(error)
            if failure is None:
                raise
            self._end = self._end or failure.value
            self._channel.close(abort=True)
        finally:
            self._log()

    def _measure(self) -> None:
        visit, channel = self._visit, self._channel
        finish = self._start + visit.limits.runtime
        tick = self._start + next_tick(visit.chance)
        while not self._end:
            now = visit.now()
            if now >= finish:
                self._finish("done", _CLOSE_DONE, "Done sending")
            elif visit.stopping():
                self._finish("shutdown", _CLOSE_GOING_AWAY, "Going away")
            elif now >= tick:
                self._report()
                if not self._account():
                    self._finish("budget", _CLOSE_DONE, "Your data budget here is used up")
                tick = now + next_tick(visit.chance)
                if self._early and self._last.get("BytesAcked", 0) >= _EARLY_EXIT_BYTES:
                    self._finish("early-exit", _CLOSE_DONE, "Done sending")
            else:
                if self._load is not None and now - channel.sent_at > visit.limits.stall:
                    raise Failed(Failure.TIMEOUT, "the client takes nothing")
                for message in channel.step(min(tick, finish), self._load):
                    self._hear(message)
                if self._load is not None and channel.receiver.binary:
                    self._finish("protocol broken", _CLOSE_PROTOCOL, "A download takes no binary messages")

    def _hear(self, message: Message) -> None:
        match message.opcode:
            case Opcode.PING:
                self._channel.queue(encode(Opcode.PONG, message.payload))
            case Opcode.TEXT:
                parse_told(message.payload)  # refuses what is not a measurement; nothing of it is kept
            case Opcode.CLOSE:
                code, _ = close_status(message.payload)
                self._finish("closed by client", _CLOSE_DONE if code == 1005 else code, "")
            case Opcode.PONG | Opcode.BINARY | Opcode.CONTINUATION:
                pass

    def _finish(self, how: str, code: int, reason: str) -> None:
        """Say a last time what was counted, then Close."""
        if not self._end:
            self._report()
            self._channel.queue(encode_close(code, reason))
            self._end = how

    def _report(self) -> None:
        elapsed = int(1e6 * (self._visit.now() - self._start))
        connection = self._channel.connection
        self._last = {**tcp_info.read(connection), "ElapsedTime": elapsed}
        if self._load is not None and elapsed:
            waiting = int(self._last.get("BytesAcked", 0) * BACKLOG_SECONDS * 1e6 / elapsed)
            tcp_info.limit_backlog(connection, min(max(waiting, _LEAST_BACKLOG), _MOST_BACKLOG))
        message: dict[str, object] = {
            "ConnectionInfo": {
                "Client": self._visit.peer,
                "Server": self._visit.own,
                "UUID": self._uuid,
                "StartTime": self._started_at,
            },
            "TCPInfo": self._last,
        }
        bbr = tcp_info.read_bbr(connection)
        if bbr:
            message["BBRInfo"] = {**bbr, "ElapsedTime": elapsed}
        self._channel.queue(encode(Opcode.TEXT, msgspec.json.encode(message)))
        self._channel.queue(encode(Opcode.PING, str(int(1e9 * self._visit.now())).encode()))

    def _account(self) -> bool:
        """Whether the client may go on."""
        moved = self._channel.bytes_in + self._channel.bytes_out
        count, self._accounted = moved - self._accounted, moved
        return self._visit.moved(count)

    def _part(self) -> None:
        """Let the client answer Close and take what is under way, until the hard limit; then hang up first."""
        until = self._start + self._visit.limits.hard
        while self._visit.now() < until:
            if self._channel.receiver.closed and self._channel.idle:
                return
            self._channel.step(min(until, self._visit.now() + 0.25))
            if self._visit.stopping():
                until = min(until, self._visit.now() + 0.5)
        self._channel.close(abort=True)

    def _log(self) -> None:
        self._visit.ended(_RESULTS.get(self._end, "broken"))
        counted = self._last.get("BytesAcked" if self._load is not None else "BytesReceived", 0)
        seconds = self._last.get("ElapsedTime", 0) / 1e6
        rate = 8e-6 * counted / seconds if seconds > 0 else 0.0
        which = "download" if self._load is not None else "upload"
        self._visit.log(
            f"{self._visit.peer} ndt7 {which} {seconds:.2f} s {counted} bytes {rate:.1f} Mbit/s "
            f"{self._end or 'broken'} client={self._client!r} uuid={self._uuid}"
        )
