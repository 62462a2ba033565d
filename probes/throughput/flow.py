"""One stream of a test with several, as the school's end knows it."""

from probes.throughput.channel import Channel
from probes.throughput.congestion import Congestion
from probes.throughput.pump import Rider
from probes.throughput.tcp_info import Glance
from probes.throughput.throughput1 import Counters, Machine


class Flow:
    """One stream. `base` is where its counters stood when load began."""

    def __init__(self, channel: Channel, key: bytes, *, loaded: bool, congestion: Congestion | None = None) -> None:
        self.channel = channel
        self.key = key
        self.loaded = loaded
        self.rider: Rider | None = None
        self.base: Glance | None = None
        self.last: Glance | None = None
        self.told: Counters | None = None
        self.host: Machine | None = None
        self.uuid = ""
        self.congestion = congestion  # of what we send
        self.told_congestion = ""  # of what the server sends
        self.inspected = False
        self.ended = ""
        self.reason = ""
        self.history: list[tuple[float, int, int]] = []  # when, segments, bytes in order

    @property
    def alive(self) -> bool:
        """Whether load may still move."""
        return not self.ended
