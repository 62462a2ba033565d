"""A measurement: one metric of one target at one moment, with a value or the word for why there is none."""

import math
from datetime import datetime
from typing import Self

import msgspec

from netready.failure import Failure
from netready.metric import CATALOGUE

# What belongs to a measurement beside its value. The keys every reader may rely on, when present:
#   interval      [low, high] in the metric's unit, 95 %        seconds       how long it took, s
#   bytes_sent / bytes_received   of the instrument itself       samples       how many readings stand behind the value
#   streams       parallel TCP connections                       limited_by    what kept the value down (a word)
#   load_during   other traffic on the line meanwhile, bit/s     layer         which layer's bytes were counted
#   window        [from, to] in seconds after taken_at, of the part that the value is the mean of
#   load_during_from   whose counters told it; load_resolution, load_seconds, load_during_note: how well, how long, why not
#   reason        a sentence about a failure                     role          the endpoint's role ("lms")
Scalar = str | int | float | bool | None
Detail = Scalar | list[Scalar] | dict[str, Scalar]


# No cycle can run through one, and a year of them is read at once: the garbage collector need not look.
class Measurement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One reading. Exactly one of `value` and `failure` is set; the constructor refuses anything else.

    metric    a name in the catalogue; `value` is in that metric's base unit
    target    what was measured: "192.0.2.10:4433", a URL, an interface; sanitised text
    taken_at  aware UTC, when the reading began
    method    instrument and version, "ndt7/1"
    """

    metric: str
    target: str
    taken_at: datetime
    value: float | None
    failure: Failure | None
    method: str
    details: dict[str, Detail] = {}

    def __post_init__(self) -> None:
        if self.metric not in CATALOGUE:
            msg = f"metric {self.metric!r} is not in the catalogue"
            raise ValueError(msg)
        if (self.value is None) == (self.failure is None):
            msg = f"{self.metric}: a measurement has a value or a failure word, never both, never neither"
            raise ValueError(msg)
        if self.value is not None and not math.isfinite(self.value):
            msg = f"{self.metric}: {self.value} is not a number that can be cited"
            raise ValueError(msg)
        if self.taken_at.utcoffset() is None:
            msg = f"{self.metric}: taken_at must carry its time zone"
            raise ValueError(msg)

    @classmethod
    def of(cls, metric: str, target: str, taken_at: datetime, value: float, method: str, **details: Detail) -> Self:
        """A reading that succeeded."""
        return cls(metric=metric, target=target, taken_at=taken_at, value=value, failure=None, method=method, details=details)

    @classmethod
    def failed(cls, metric: str, target: str, taken_at: datetime, failure: Failure, method: str, **details: Detail) -> Self:
        """A reading that could not be made; the word says why."""
        return cls(metric=metric, target=target, taken_at=taken_at, value=None, failure=failure, method=method, details=details)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval in the metric's unit, where the method gives one."""
        match self.details.get("interval"):
            case [float() | int() as low, float() | int() as high]:
                return (float(low), float(high))
            case _:
                return None

    @property
    def load(self) -> tuple[float, float] | None:
        """Other traffic on the line meanwhile, bit/s: what is sure of it, and what it may have been; None where not seen."""
        load, doubt = self.detail("load_during"), self.detail("load_resolution") or 0.0
        if load is None or not math.isfinite(load) or load < 0:
            return None
        return max(0.0, load - doubt), load

    def detail(self, name: str) -> float | None:
        """A numeric detail, or None when it is absent or not a number."""
        found = self.details.get(name)
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
