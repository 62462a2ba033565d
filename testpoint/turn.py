"""One request's turn: the place that it takes, the bytes that it moves, and how it ends."""

from collections.abc import Callable

from probes.throughput.channel import Channel
from testpoint.places import Place, Places, Refusal
from testpoint.tally import Tally

_NO_PLACE = Refusal(reason="tests", status=503, sentence="no place was asked for", retry_after=1)


class Turn:
    """What a server keeps about a request while its handler runs; `settle` ends it. Used by one thread.

    kept   whether the handler asked for the connection to be kept, and may have it
    """

    def __init__(
        self,
        channel: Channel,
        *,
        client: str,
        protocol: str,
        may_keep: bool,
        places: Places,
        tally: Tally,
        now: Callable[[], float],
    ) -> None:
        self.kept = False
        self._channel = channel
        self._client = client
        self._protocol = protocol
        self._may_keep = may_keep
        self._places = places
        self._tally = tally
        self._now = now
        self._received, self._sent = _read(channel), channel.bytes_out
        self._place: Place | None = None
        self._seconds = 0.0
        self._refusal = _NO_PLACE
        self._told = 0
        self._result = "done"

    def admit(self, *, group: str = "", seconds: float = 0.0) -> bool:
        """See `Admit`."""
        if self._place is not None:
            return True
        found = self._places.enter(self._client, self._protocol, group, self._now())
        if isinstance(found, Refusal):
            self._refusal = found
            self._tally.refused(found.reason)
            return False
        self._place, self._seconds = found, seconds
        return True

    def refusal(self) -> Refusal:
        """Why the last `admit` or `moved` said no."""
        return self._refusal

    def moved(self, count: int) -> bool:
        """Count bytes; whether the test may go on."""
        if self._place is None:
            return True
        self._told += count
        refusal = self._places.moved(self._place, count, self._now())
        self._refusal = refusal or self._refusal
        return refusal is None

    def ended(self, result: str) -> None:
        """How the test ended; the first word counts."""
        if self._result == "done":
            self._result = result

    def keep(self) -> bool:
        """Ask for the connection to be kept."""
        self.kept = self._may_keep
        return self.kept

    def settle(self) -> None:
        """Count what the handler did not, and give back the place."""
        received = _read(self._channel) - self._received
        sent = self._channel.bytes_out - self._sent
        self._tally.bytes(received=received, sent=sent)
        if self._place is not None:
            self.moved(max(0, received + sent - self._told))
            self._places.leave(self._place, self._now(), keep=self._seconds, result=self._result)
            self._place = None


def _read(channel: Channel) -> int:
    """Bytes of a connection that have found a use; what came early belongs to what will use it."""
    return channel.bytes_in - len(channel.early)
