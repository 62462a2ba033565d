"""One direction of an ndt7 test, from the handshake to the last byte that counts: the load, what is told, and when it ends."""

import msgspec

from netready.failure import Failed, Failure, classify
from netready.text import clean
from probes.throughput import tcp_info
from probes.throughput.channel import Channel, Now
from probes.throughput.ndt7_report import DATA_BUDGET, SILENCE, Outcome
from probes.throughput.ndt7_spec import HARD_STOP, RUNTIME, TICK_MEAN, Load, parse_told
from probes.throughput.settings import Direction, Throughput
from probes.throughput.websocket import Message, Opcode, close_status, encode, encode_close

SAMPLE = 0.05  # s between readings of the byte count
DRAIN = 5.0  # s after the last byte of an upload in which the server may still report
USABLE_SECONDS = 2.0  # s of load, or half the test if that is less, without which a broken test has no figure
USABLE_BYTES = 1 << 13  # the protocol's first message; a server that gives less has not loaded the line
_OVER_CLAIM = 1.01  # a server counts what we sent, and a proxy's TLS may add a little
_CLOCK_SLACK = 1.0  # s by which the two ends' clocks may have started apart, buffers included
_KEPT = 4096  # samples; a flood of messages must not fill the memory


class _Purse:
    """Load that ends before it has moved more than `most` bytes; 0 is no limit."""

    def __init__(self, load: Load, most: int) -> None:
        self._load = load
        self._left = float(most or "inf")
        self._next = load.next_frame()

    @property
    def between(self) -> bool:
        """As of the load itself."""
        return self._load.between

    @property
    def ended(self) -> bool:
        """Whether there is no room for the next message."""
        return len(self._next) > self._left

    def next_frame(self) -> bytes:
        """The next frame, whole."""
        frame, self._next = self._next, self._load.next_frame()
        self._left -= len(frame)
        return frame


class Transfer:
    """One direction, from the handshake to the last byte that counts."""

    def __init__(self, outcome: Outcome, settings: Throughput, channel: Channel, key: bytes, now: Now) -> None:
        self._outcome = outcome
        self._settings = settings
        self._channel = channel
        self._key = key
        self._now = now
        self._start = now()
        self._sending = outcome.direction is Direction.UP
        self._spent = False  # an upload's data budget

    def run(self, load: Load | None) -> None:
        """Load the line; raises Failed or OSError when what came of it is no measurement."""
        try:
            self._load(load)
        except (Failed, OSError) as error:
            self._excuse(error)
        if self._spent and self._outcome.ended != "abrupt":
            self._outcome.ended = DATA_BUDGET
        if self._outcome.ended == "stop":
            self._leave_silence_out()
        if not self._usable():
            words = {"stop": Failure.TIMEOUT, DATA_BUDGET: Failure.DATA_BUDGET}
            raise Failed(
                words.get(self._outcome.ended, Failure.CLOSED_EARLY),
                f"the test ended after {self._outcome.seconds:.1f} s with {self._outcome.moved} bytes; "
                f"that is too little for a figure. {self._outcome.reason}".rstrip(),
            )

    def _load(self, load: Load | None) -> None:
        most = self._settings.most_bytes
        purse = _Purse(load, most) if load is not None else None
        seconds = self._settings.time(RUNTIME)
        finish = self._start + seconds
        stop = self._start + HARD_STOP
        if self._sending:
            stop = min(stop, finish + DRAIN)
        elif seconds < RUNTIME:
            stop = finish
        tell_at = sample_at = self._start
        while not self._outcome.ended:
            now = self._now()
            if now >= stop:
                self._sample()
                self._outcome.ended = "stop"
                return
            if self._sending and (now >= finish or (purse is not None and purse.ended)):
                self._spent, self._sending = now < finish, False
                stop = min(stop, now + DRAIN)
                self._channel.queue(encode_close(1000, "", key=self._key))
            if now >= tell_at:
                self._tell(now)
                tell_at = now + TICK_MEAN
            self._watch(now)
            until = min(stop, tell_at, finish if self._sending else stop)
            for message in self._channel.step(until, purse if self._sending else None):
                self._hear(message)
            if most and self._channel.bytes_in >= most:
                self._outcome.ended = DATA_BUDGET
            if self._now() >= sample_at or self._outcome.ended:
                self._sample()
                sample_at = self._now() + SAMPLE

    def _watch(self, now: float) -> None:
        """A server that stops taking or giving bytes has failed, unless the load had its full time or budget."""
        channel, limit = self._channel, self._settings.timeout
        moved_at = channel.received_at
        if self._outcome.direction is Direction.UP:
            moved_at = channel.sent_at if self._sending else max(channel.sent_at, channel.received_at)
        if now - moved_at < limit:
            return
        if (self._spent or now - self._start >= self._settings.time(RUNTIME)) and self._outcome.samples:
            self._outcome.ended = "stop"
            return
        raise Failed(
            Failure.TIMEOUT, f"the server stalled: nothing moved for {limit:g} s, {now - self._start:.1f} s into the test"
        )

    def _sample(self) -> None:
        outcome, channel = self._outcome, self._channel
        if outcome.direction is Direction.DOWN:
            elapsed, count = channel.received_at - self._start, channel.receiver.payload
        elif self._sending:
            outcome.tcp_after = tcp_info.read(channel.connection) or outcome.tcp_after
            acked = outcome.tcp_after.get("BytesAcked", 0) - outcome.tcp_before.get("BytesAcked", 0)
            elapsed, count = self._now() - self._start, acked
        else:
            return
        if elapsed > 0 and len(outcome.samples) < _KEPT:
            outcome.samples.append((elapsed, count))

    def _tell(self, now: float) -> None:
        counted = self._channel.bytes_out if self._outcome.direction is Direction.UP else self._channel.receiver.payload
        text = {"AppInfo": {"ElapsedTime": int(1e6 * (now - self._start)), "NumBytes": counted}}
        closed = self._outcome.direction is Direction.UP and not self._sending  # nothing may follow our Close
        if not self._outcome.ended and not closed:
            self._channel.queue(encode(Opcode.TEXT, msgspec.json.encode(text), key=self._key))

    def _hear(self, message: Message) -> None:
        match message.opcode:
            case Opcode.PING:
                self._channel.queue(encode(Opcode.PONG, message.payload, key=self._key))
            case Opcode.TEXT:
                self._note(message.payload)
            case Opcode.CLOSE:
                code, why = close_status(message.payload)
                self._outcome.ended = "close"
                if code != 1000:
                    self._outcome.reason = clean(f"the server closed with {code} {why}")
            case Opcode.PONG | Opcode.BINARY | Opcode.CONTINUATION:
                pass

    def _note(self, text: bytes) -> None:
        outcome = self._outcome
        try:
            told = parse_told(text)
        except Failed:
            outcome.ignored += 1
            return
        if told.ConnectionInfo is not None and told.ConnectionInfo.UUID:
            outcome.uuid = clean(told.ConnectionInfo.UUID)
        if told.TCPInfo is None:
            return
        if outcome.direction is Direction.DOWN:
            outcome.told = told.TCPInfo
            return
        elapsed, received = told.TCPInfo.ElapsedTime, told.TCPInfo.BytesReceived
        if not elapsed or received is None:
            return
        if not self._sending and outcome.told_samples and received <= outcome.told_samples[-1][1]:
            return  # the load is over, and waiting is not part of the rate
        self._doubt(elapsed / 1e6, received)
        outcome.told = told.TCPInfo
        if len(outcome.told_samples) < _KEPT:
            outcome.told_samples.append((elapsed / 1e6, received))
        else:
            outcome.told_samples[-1] = (elapsed / 1e6, received)

    def _doubt(self, elapsed: float, received: int) -> None:
        """A server that claims what cannot be is not a server to measure with."""
        own = tcp_info.read(self._channel.connection)
        sent = max(own.get("BytesSent", 0), own.get("BytesAcked", 0), self._channel.bytes_out)
        if received > sent * _OVER_CLAIM:
            raise Failed(Failure.MALFORMED, f"the server claims {received} bytes, and only {sent} were sent")
        ours = self._now() - self._start
        if elapsed > 1.1 * ours + _CLOCK_SLACK or elapsed < 0.8 * ours - _CLOCK_SLACK:
            raise Failed(Failure.MALFORMED, f"the server's clock says {elapsed:.3f} s, and ours {ours:.3f} s")

    def _excuse(self, error: Failed | OSError) -> None:
        """A connection that breaks after enough load leaves a figure, with less trust; everything else is raised."""
        failure = classify(error)
        self._sample()
        if failure not in {Failure.CLOSED_EARLY, Failure.RESET} or not self._usable():
            raise error
        self._outcome.ended = "abrupt"
        self._outcome.reason = (
            f"the connection broke after {self._outcome.seconds:.1f} s ({failure}); the figure covers that time"
        )

    def _leave_silence_out(self) -> None:
        """A load of which nothing moved before its time was over: the figure is that of the time before, with less trust."""
        outcome = self._outcome
        moved = _grown(outcome.samples)
        silent = min(RUNTIME, self._settings.time(RUNTIME)) - (moved[-1][0] if moved else 0.0)
        if silent < SILENCE:
            return
        outcome.samples, outcome.told_samples = moved, _grown(outcome.told_samples)
        outcome.fell_silent(silent)

    def _usable(self) -> bool:
        least = min(USABLE_SECONDS, self._settings.time(RUNTIME) / 2)
        return self._outcome.seconds >= least and self._outcome.moved >= USABLE_BYTES


def _grown(samples: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The samples up to the first that has the last one's count."""
    last = next((index for index, (_, count) in enumerate(samples) if count == samples[-1][1]), -1)
    return samples[: last + 1]
