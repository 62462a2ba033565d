"""What happened in one direction of a test with several streams."""

import msgspec

from probes.throughput.settings import Direction
from probes.throughput.steady import Sample, Steady
from probes.throughput.surroundings import Card, Moment
from probes.throughput.tcp_info import TcpInfo
from probes.throughput.throughput1 import Counters, Machine


class Outcome(msgspec.Struct, kw_only=True):
    """What happened in one direction; filled while it runs. Lists of TCP counters have one entry for each stream.

    samples    (seconds, bytes) that arrived, as the kernel counted
    steady     the phase that the figure is taken from
    offset     s from the beginning of the test until its first stream stood, which is where `samples` count from
    fill       how full the counted segments were, as a ratio
    inspected  whether the two ends hold different TLS sessions
    full       whether the line's queue was seen to stand
    ended      "known" (the rule was met), "time", "data-budget" or "server"
    """

    direction: Direction
    tls: bool
    wanted: float
    begun: float = 0.0
    seconds: float = 0.0
    family: int = 0
    loopback: bool = False
    card: Card | None = None
    before: Moment | None = None
    after: Moment | None = None
    tcp_before: list[TcpInfo] = []
    tcp_after: list[TcpInfo] = []
    loaded: list[bool] = []
    told: list[Counters | None] = []
    hosts: list[Machine] = []
    uuids: list[str] = []
    congestion: str = ""
    mid: str = ""
    samples: list[Sample] = []
    steady: Steady | None = None
    idle_rtt: float = 0.0
    offset: float = 0.0
    full: bool = False
    inspected: bool = False
    mss: int = 0
    fill: float = 1.0
    pings: list[tuple[float, float]] = []
    own: list[tuple[float, float]] = []
    knocks: list[tuple[float, float]] = []
    ignored: int = 0
    ended: str = ""
    reason: str = ""

    @property
    def settled(self) -> bool:
        """Whether the figure comes from a steady phase."""
        return self.steady is not None
