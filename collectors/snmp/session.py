"""One device asked over SNMP: one request at a time, each repeated a few times under a new number, all within one deadline.

It never waits for ever and never believes an answer to another request; what the answers mean is the walk's business.
"""

import contextlib
import socket
import struct
from collections import deque
from collections.abc import Container, Sequence
from ipaddress import ip_address
from typing import Protocol, Self

import msgspec

from collectors.snmp import message
from collectors.snmp.ber import Oid, Value, name
from collectors.snmp.credentials import Credential, User
from collectors.snmp.message import Again, Answer, Pdu, Plain, Reply, Status, status_word
from collectors.snmp.settings import Settings, Version
from netready.clock import Clock
from netready.failure import Failed, Failure
from netready.instrument import Chance

LARGEST = 65535  # bytes of one UDP datagram
AT_ONCE = 32  # object identifiers in one GET; the counters of one interface fit, and so that one moment holds for them
FAILURES: dict[int, Failure] = {
    Status.TOO_BIG: Failure.TOO_LARGE,
    Status.NO_ACCESS: Failure.REFUSED,
    Status.AUTHORIZATION: Failure.REFUSED,
}
LONGEST = 30.0  # s to wait for a slow agent's answer
REMEMBERED = 64  # numbers of earlier requests
LESSONS = 3  # what one request may learn from an agent's reports: its engine id, its clock, and one of them anew


class Speaker(Protocol):
    """How requests become messages: by community, or in a user's name."""

    def wrap(self, number: int, pdu: bytes, vlan: int | None) -> bytes: ...

    def unwrap(self, data: bytes, own: Container[int]) -> Reply | int: ...

    def silence(self) -> str: ...


class _Request(msgspec.Struct, kw_only=True):
    """A request under way.

    own      its numbers so far and when they were sent: a new one for each time
    tries    how often it was sent in vain; `lessons`, how often the agent told something that it had to know first
    begun    when it was last sent
    trouble  what was wrong with what came; `error`, why it cannot even be sent
    whole    an answer counts only when all its values can be read
    """

    kind: Pdu
    names: Sequence[bytes]
    repetitions: int
    own: dict[int, float]
    tries: int = 0
    lessons: int = 0
    begun: float = 0.0
    trouble: str = ""
    error: Failed | OSError | None = None
    whole: bool = True


class Session:
    """A conversation with one agent.

    bytes_sent, bytes_received, datagrams_sent  what it cost so far, headers not counted
    vlan  the VLAN whose forwarding table is asked for; Cisco's switches have one in each, as a context of its own
    """

    def __init__(
        self,
        device: str,
        credential: Credential,
        settings: Settings,
        *,
        clock: Clock,
        chance: Chance,
        retries: int | None = None,
    ) -> None:
        """`device` is an address; `retries` takes the place of the settings'."""
        self._address = (device, settings.port)
        self._version = Version.V3 if isinstance(credential, User) else credential.version
        self._speaker: Speaker
        if isinstance(credential, User):
            # Imported here because it loads OpenSSL, which the other versions do not need.
            from collectors.snmp.usm import Dialogue  # noqa: PLC0415

            self._speaker = Dialogue(credential, clock, chance)
        else:
            self._speaker = Plain(credential)
        self._clock = clock
        self._chance = chance
        self._timeout = self._least = settings.timeout
        self._retries = settings.retries if retries is None else retries
        self._deadline = clock.monotonic() + settings.deadline
        self._pause = 1 / settings.requests_per_second if settings.requests_per_second else 0.0
        self._next = 0.0  # when the next datagram may leave
        self._request = _Request(kind=Pdu.GET, names=(), repetitions=0, own={})  # the one that was asked last
        self._before: deque[int] = deque(
            maxlen=REMEMBERED
        )  # numbers of those before; what comes late for them is no stranger's
        self._answered = False
        self._patience = 0.0
        self.vlan: int | None = None
        self.bytes_sent = self.bytes_received = self.datagrams_sent = 0
        family = socket.AF_INET6 if ip_address(device).version == 6 else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def connect(self) -> None:
        """Fix the peer, so that the kernel drops what others send; in version 3, learn the agent's engine id and clock.

        Raises OSError when there is no way to it, and Failed when version 3 finds nobody.
        """
        self._sock.connect(self._address)
        if self._version is Version.V3:
            with contextlib.suppress(Again):  # a request without entries only wants the report that it gets
                self._exchange(Pdu.GET, ())

    def get(self, oids: Sequence[Oid]) -> dict[Oid, Value]:
        """The values of `oids`; None stands for what the agent does not have.

        Raises Failed when the agent is silent, answers with nonsense, or can tell none of them.
        """
        found: dict[Oid, Value] = {}
        fault = ""
        every = list(dict.fromkeys(oids))
        wanted = deque(every[at : at + AT_ONCE] for at in range(0, len(every), AT_ONCE))
        while wanted:
            some = wanted.popleft()
            names = {name(oid): oid for oid in some}
            reply = self._exchange(Pdu.GET, list(names))
            if reply.status == Status.TOO_BIG and len(some) > 1:
                wanted.extendleft((some[len(some) // 2 :], some[: len(some) // 2]))
            elif reply.status in {Status.NO_SUCH_NAME, Status.GENERAL} and 0 < reply.index <= len(some):
                found[some.pop(reply.index - 1)] = None
                fault = status_word(reply.status)
                if some:
                    wanted.appendleft(some)
            elif reply.status:
                failure = FAILURES.get(reply.status, Failure.NOT_SUPPORTED)
                raise Failed(failure, f"the agent answered with the error {status_word(reply.status)}")
            else:
                told = {names[wire]: value for wire, value in reply.binds if wire in names}
                if not told:
                    raise Failed(Failure.MALFORMED, "the answer holds nothing that was asked for")
                found |= told
        if fault and all(value is None for value in found.values()):
            raise Failed(Failure.NOT_SUPPORTED, f"the agent answered with the error {fault}")
        return found

    def ask(self, names: Sequence[bytes], repetitions: int) -> None:
        """Ask for what follows each of `names`, `repetitions` times over, interleaved; in version 1, without GETBULK, once.

        `answer` waits for it, and raises what went wrong in sending, so that its caller may work in between. The values of that
        answer are not looked at here, and may be malformed.
        """
        self._ask_bulk(names, repetitions, whole=False)

    def answer(self) -> Answer:
        """The answer to what was asked last; a request that is not answered asks for half as much when it is sent again.

        Raises Failed and OSError.
        """
        request = self._request
        while True:
            if request.error is not None:
                raise request.error
            try:
                found = self._await(request)
            except Again:
                request.lessons += 1
                if request.lessons > LESSONS or not request.names:
                    raise
                self._before.extend(request.own)
                request.own.clear()
                self._transmit(request)
                continue
            request.tries += 1
            if found:
                self._answered = True
                seconds = self._clock.monotonic() - request.own[found[0].number]
                # Whoever asks a slow agent again too soon fills its queue, and in the end hears only answers to old requests.
                self._timeout = min(max(self._least, 2 * seconds), LONGEST)
                return Answer(reply=found[0], size=found[1], tries=request.tries, seconds=seconds)
            if request.tries > self._retries:
                break
            self._transmit(request)
        if request.trouble:
            raise Failed(Failure.MALFORMED, f"the answers cannot be used: {request.trouble}")
        raise Failed(Failure.NO_ANSWER, "no answer any more" if self._answered else self._speaker.silence())

    def bulk(self, names: Sequence[bytes], repetitions: int) -> Answer:
        """`ask` and `answer` in one, and all values of the answer can be read."""
        self._ask_bulk(names, repetitions, whole=True)
        return self.answer()

    def _ask_bulk(self, names: Sequence[bytes], repetitions: int, *, whole: bool) -> None:
        kind = Pdu.NEXT if self._version is Version.V1 else Pdu.BULK
        self._begin(_Request(kind=kind, names=names, repetitions=repetitions, own={}, whole=whole))

    def _exchange(self, kind: Pdu, names: Sequence[bytes]) -> Reply:
        self._begin(_Request(kind=kind, names=names, repetitions=0, own={}))
        return self.answer().reply

    def _begin(self, request: _Request) -> None:
        self._before.extend(self._request.own)
        self._request = request
        self._transmit(request)

    def _transmit(self, request: _Request) -> None:
        """Send the request under a new number, at its time."""
        now = self._clock.monotonic()
        if self._next > now:
            self._clock.sleep(min(self._next, self._deadline) - now)
            now = self._clock.monotonic()
        if now >= self._deadline:
            request.error = Failed(Failure.TIMEOUT, "the time for this device is over")
            return
        self._next, request.begun = now + self._pause, now
        number = self._chance.getrandbits(31)
        request.own[number] = now  # with those before it: a late answer to an earlier sending is as good as any
        pdu = message.request(request.kind, number, request.names, max(request.repetitions >> request.tries, 1))
        try:
            self.bytes_sent += self._sock.send(self._speaker.wrap(number, pdu, self.vlan))
            self.datagrams_sent += 1
        except OSError as error:
            request.error = error

    def _await(self, request: _Request) -> tuple[Reply, int] | None:
        """The answer to a request and the bytes of its datagram, or None when its time is over."""
        until = request.begun + self._timeout
        left = self._timeout
        if until > self._deadline:
            until = self._deadline
            left = until - self._clock.monotonic()
        while left > 0:
            self._be_patient(left)
            try:
                data = self._sock.recv(LARGEST)
            except BlockingIOError:
                break
            left = until - self._clock.monotonic()
            self.bytes_received += len(data)
            try:
                found = self._speaker.unwrap(data, request.own)
                if isinstance(found, Reply):
                    if request.whole:
                        _ = found.binds
                    return found, len(data)
                if found not in self._before:
                    request.trouble = "they carry the number of no request"
            except Failed as failed:
                if failed.failure is not Failure.MALFORMED:
                    raise
                request.trouble = failed.reason
        return None

    def _be_patient(self, seconds: float) -> None:
        """Let the kernel end a wait: unlike a timeout of Python's, this costs no system call for each datagram."""
        if seconds != self._patience:
            whole, rest = divmod(max(int(seconds * 1e6), 1), 1_000_000)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", whole, rest))
            self._patience = seconds
