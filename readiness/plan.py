"""What a school plans with: the numbers it wants for itself, and what things cost it. Both optional, both its own."""

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.site import Rate

# Bounds against slips of the pen, not against large schools: nobody pays ten million for one thing of a kind.
Price = Annotated[float, Meta(ge=0, le=1e7)]
Number = Annotated[int, Meta(ge=0, le=1_000_000)]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the school itself wants to have, beside what the roadmap's next stage and the rollout's waves ask for.

    internet_*  for the whole school, bit/s ("1G" in the file)
    """

    student_devices: Number | None = None
    access_points: Number | None = None
    servers: Number | None = None
    internet_down: Rate | None = None
    internet_up: Rate | None = None


class CircuitPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line that is on offer: its rate towards the school in bit/s ("1G" in the file), and what all of it costs a month."""

    rate: Rate
    month: Price


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What things cost this school; a gap without a price stays without a cost.

    currency        three letters, such as USD
    student_device  each, once; access_point and server likewise, with whatever it takes to set them up
    insured_device  insurance of one device for a year
    mbps            each Mbps of a line for a month; or, instead of it,
    circuits        the lines on offer
    """

    currency: str = ""
    student_device: Price | None = None
    access_point: Price | None = None
    server: Price | None = None
    insured_device: Price | None = None
    mbps: Price | None = None
    circuits: tuple[CircuitPrice, ...] = ()

    def __post_init__(self) -> None:
        each = (self.student_device, self.access_point, self.server, self.insured_device, self.mbps)
        given = [price for price in (*each, *(one.month for one in self.circuits)) if price is not None]
        if not all(map(math.isfinite, given)):
            raise ValueError("expected prices that are finite numbers")
        if self.currency and not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise ValueError("expected a currency of three capital letters, such as USD")
        if given and not self.currency:
            raise ValueError('expected a currency beside the prices, such as currency = "USD"')
        if self.mbps is not None and self.circuits:
            raise ValueError("expected mbps or circuits, not both; they price the same line")
        rates = [one.rate for one in self.circuits]
        if len(set(rates)) < len(rates):
            raise ValueError("expected each rate of circuits once")
