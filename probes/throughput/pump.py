"""Moves the load of many channels from one thread. Both ends of a test with several streams use it.

One thread, because senders in several threads of one Python process take the interpreter's lock from each other.
"""

import select
from collections.abc import Callable

from probes.throughput.channel import Channel, Now, Source
from probes.throughput.websocket import Message

GLANCE = 0.005  # s between looks at who is due; a tick may be this late
_WRITABLE = select.EPOLLOUT
_READ = select.EPOLLIN | select.EPOLLRDHUP


class Rider:
    """One channel on the pump.

    load    what it sends, or None
    hear    is given every message that came
    lost    is told the error that ended the channel; it has left the pump by then, and is not closed
    tick    is called when `due` has come, and sets the next `due`
    """

    def __init__(
        self,
        channel: Channel,
        *,
        load: Source | None = None,
        hear: Callable[[Message], None],
        lost: Callable[[Exception], None],
        tick: Callable[[float], None] | None = None,
        due: float = float("inf"),
    ) -> None:
        self.channel = channel
        self.load = load
        self.hear = hear
        self.lost = lost
        self.tick = tick
        self.due = due
        self.events = 0
        self.descriptor = channel.connection.fileno()


class Pump:
    """Polls and moves. `turn` belongs to one thread; `add` may be called from others."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._poll = select.epoll()
        self._riders: dict[int, Rider] = {}
        self._look_at = 0.0

    def __len__(self) -> int:
        return len(self._riders)

    def add(self, rider: Rider) -> None:
        """Move this channel from now on."""
        rider.events = self._wanted(rider)
        self._poll.register(rider.descriptor, rider.events)
        self._riders[rider.descriptor] = rider  # last, for `turn` looks here

    def remove(self, rider: Rider) -> None:
        """Leave this channel alone; safe to repeat. Before its socket is closed, for a closed one has no number."""
        if self._riders.get(rider.descriptor) is rider:
            del self._riders[rider.descriptor]
            self._poll.unregister(rider.descriptor)

    def wake(self, rider: Rider) -> None:
        """Something was queued or `load` was changed."""
        wanted = self._wanted(rider)
        if wanted != rider.events and self._riders.get(rider.descriptor) is rider:
            rider.events = wanted
            self._poll.modify(rider.descriptor, wanted)

    def turn(self, until: float) -> None:
        """Move what can be moved until `until`, once at least."""
        while True:
            self._once(min(max(0.0, until - self._now()), 1.0))
            now = self._now()
            if now >= self._look_at:
                self._look_at = now + GLANCE
                self._tick(now)
            if now >= until:
                return

    def _once(self, seconds: float) -> None:
        for descriptor, events in self._poll.poll(seconds):
            rider = self._riders.get(descriptor)
            if rider is None:
                continue
            load = rider.load
            try:
                if events == _WRITABLE and load is not None and not load.ended:
                    rider.channel.write(load)  # nearly always, and it changes nothing that we wait for
                    continue
                for message in rider.channel.move(load, readable=events != _WRITABLE, writable=bool(events & _WRITABLE)):
                    rider.hear(message)
            except Exception as error:  # noqa: BLE001 - one channel's trouble is its own; `lost` tells bugs from networks
                self.remove(rider)
                rider.lost(error)
            else:
                self.wake(rider)

    def _tick(self, now: float) -> None:
        for rider in list(self._riders.values()):
            if rider.due <= now and rider.tick is not None:
                try:
                    rider.tick(now)
                except Exception as error:  # noqa: BLE001 - as above
                    self.remove(rider)
                    rider.lost(error)
                else:
                    self.wake(rider)

    def close(self) -> None:
        """Give the system its poll set back; the channels are their owners' to close."""
        self._poll.close()

    @staticmethod
    def _wanted(rider: Rider) -> int:
        return _READ | (select.EPOLLOUT if rider.channel.wants_to_write(rider.load) else 0)
