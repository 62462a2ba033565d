"""Units: the one place where a number gets its unit, its digits and its "at least".

Inside, everything is in base units (bit/s, seconds, bytes, ratio). People read Mbps, milliseconds and per cent.

How many digits: a number of 100 or more is shown whole, below that three significant digits, and zeros at the end of a
fraction are left out. Rounding works on the decimal digits as written (0.285 is 0.285, not the nearest binary fraction).
Which way: a plain value is rounded half up. What is a bound is rounded to the side on which it stays true: "at least"
and the lower end of an interval down, a shortfall and the upper end of an interval up. So 999.6 is never printed as
"at least 1,000" beside a target of 1,000, and a shortfall is never printed as zero.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from netready.metric import Unit, metric

UNKNOWN = "not known yet"
PER_1000 = "Mbps per 1,000 users"
TO = "\N{EN DASH}"  # between the ends of a range

_WHOLE_FROM = Decimal(100)
_DIGITS = 3
_MOST_DIGITS = 12
_LEAST_MBPS = Decimal("0.01")  # below it, digits would only show noise
_ONE = Decimal(1)


class Side(StrEnum):
    """Which way a number is rounded."""

    NEAREST = "nearest"
    DOWN = "down"
    UP = "up"


_ROUNDING = {Side.NEAREST: ROUND_HALF_UP, Side.DOWN: ROUND_FLOOR, Side.UP: ROUND_CEILING}


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """The unit people read: how many base units it holds, its name, and what stands between number and name."""

    base: Decimal
    name: str
    gap: str = " "


_MBPS = Scale(base=Decimal(10) ** 6, name="Mbps")
_MBPS_PER_1000 = Scale(base=Decimal(10) ** 6, name=PER_1000)
_PER_CENT = Scale(base=Decimal("0.01"), name="%")
_RPM = Scale(base=_ONE, name="round trips a minute")
_PLAIN = Scale(base=_ONE, name="", gap="")
_DAYS = Scale(base=_ONE, name="days")
_WATTS = Scale(base=_ONE, name="W")

# From which value on a unit is used, the largest first.
_TIMES = (
    (Decimal(172_800), Scale(base=Decimal(86_400), name="days")),
    (Decimal(7_200), Scale(base=Decimal(3_600), name="hours")),
    (Decimal(120), Scale(base=Decimal(60), name="minutes")),
    (_ONE, Scale(base=_ONE, name="s")),
    (Decimal(0), Scale(base=Decimal("0.001"), name="ms")),
)
_SIZES = (
    (Decimal(10) ** 12, Scale(base=Decimal(10) ** 12, name="TB")),
    (Decimal(10) ** 9, Scale(base=Decimal(10) ** 9, name="GB")),
    (Decimal(10) ** 6, Scale(base=Decimal(10) ** 6, name="MB")),
    (Decimal(10) ** 3, Scale(base=Decimal(10) ** 3, name="kB")),
    (Decimal(0), Scale(base=_ONE, name="bytes")),
)


def digits(value: float | Decimal, side: Side = Side.NEAREST, figures: int = _DIGITS) -> str:
    """`value` with as many digits as the module's rule gives, and commas between thousands; more `figures` to tell apart."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if exact == 0 or (abs(exact) >= _WHOLE_FROM and exact.adjusted() + 1 >= figures):
        step = _ONE
    else:
        step = _ONE.scaleb(exact.adjusted() - figures + 1)
    text = f"{exact.quantize(step, rounding=_ROUNDING[side]):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scale_of(name: str, value: float) -> Scale:
    """The unit in which a value of the metric `name` is shown."""
    match metric(name).unit:
        case Unit.BITS_PER_SECOND:
            return _MBPS_PER_1000 if name.endswith("_per_1000") else _MBPS
        case Unit.SECONDS:
            return _fitting(_TIMES, value)
        case Unit.BYTES:
            return _fitting(_SIZES, value)
        case Unit.RATIO:
            return _PER_CENT
        case Unit.COUNT:
            return _RPM if name.startswith("responsiveness_") else _PLAIN
        case Unit.DAYS:
            return _DAYS
        case Unit.WATTS:
            return _WATTS


def amount(
    name: str,
    value: float,
    *,
    at_least: bool = False,
    at_most: bool = False,
    interval: tuple[float, float] | None = None,
) -> str:
    """A value of the metric `name` as people read it: "184 Mbps per 1,000 users, at least (179-189)"."""
    scale = scale_of(name, value)
    text = plain(name, value, Side.DOWN if at_least else Side.UP if at_most else Side.NEAREST)
    if at_least:
        text += ", at least"
    if at_most:
        text += ", at most"
    if interval is not None:
        text += f" ({between(scale, interval)})"
    return text


def plain(name: str, value: float, side: Side = Side.NEAREST, figures: int = _DIGITS) -> str:
    """A value of the metric `name` with its unit and nothing else: "184 Mbps per 1,000 users"."""
    scale = scale_of(name, value)
    number = _in(scale, value, side, figures)
    return number + scale.gap + ("day" if scale.name == "days" and number == "1" else scale.name)


def apart(name: str, value: float, limit: float, side: Side = Side.NEAREST) -> tuple[str, str]:
    """A value and a limit with as many figures as it takes to tell them apart: never "100 misses 100"."""
    figures = _DIGITS
    while (
        value != limit and figures < _MOST_DIGITS and plain(name, value, side, figures) == plain(name, limit, figures=figures)
    ):
        figures += 1
    return plain(name, value, side, figures), plain(name, limit, figures=figures)


def mbps(value: float, side: Side = Side.NEAREST) -> str:
    """A rate in bit/s as a bare number of Mbps."""
    return _in(_MBPS, value, side)


def per_1000(value: float, users: int) -> float:
    """A site's rate for each 1,000 of its users, same unit."""
    return value * 1_000 / users


def between(scale: Scale, interval: tuple[float, float]) -> str:
    """An interval as "179-189" with an en dash, rounded outwards."""
    low, high = interval
    return f"{_in(scale, low, Side.DOWN)}{TO}{_in(scale, high, Side.UP)}"


def megabits_between(interval: tuple[float, float]) -> str:
    """An interval in bit/s as bare numbers of Mbps, rounded outwards."""
    return between(_MBPS, interval)


def size(value: float) -> str:
    """Bytes as people read them, decimal multiples."""
    return _whole(_fitting(_SIZES, value), value)


def seconds(value: float) -> str:
    """A duration in seconds as people read it."""
    return _whole(_fitting(_TIMES, value), value)


def count(number: int, one: str, many: str = "") -> str:
    """A number of things in words a sentence can hold: "one reason", "9 reasons"; `many` is `one` + "s" unless given."""
    word = one if number == 1 else many or f"{one}s"
    return f"{_WORDS[number] if number < len(_WORDS) else f'{number:,}'} {word}"


_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _whole(scale: Scale, value: float) -> str:
    return _in(scale, value, Side.NEAREST) + scale.gap + scale.name


def _in(scale: Scale, value: float, side: Side, figures: int = _DIGITS) -> str:
    number = Decimal(str(value)) / scale.base
    if scale is _MBPS and 0 < number < _LEAST_MBPS and figures == _DIGITS:
        return f"{_LEAST_MBPS}" if side is Side.UP else f"<{_LEAST_MBPS}"
    if scale is _PER_CENT:
        # Nearly all is not all, and hardly any is not none.
        if figures == _DIGITS and _WHOLE_FROM - number > 0 and digits(number, side) == "100":
            return ">99.9"
        if 0 < number < Decimal("0.01"):
            return "<0.01"
    return digits(number, side, figures)


def _fitting(scales: tuple[tuple[Decimal, Scale], ...], value: float) -> Scale:
    size = abs(Decimal(str(value)))
    return next(scale for least, scale in scales if size >= least)
