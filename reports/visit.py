"""The last visit in words: its measurements as rows, its failures each said once."""

from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from netready.failure import Failure
from netready.measurement import Measurement
from netready.metric import Metric, metric
from netready.survey import Run
from reports import dates, units, wording


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement in words."""

    metric: Metric
    target: str
    at: str
    value: str
    how: str


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What failed in the same way, and how often."""

    metric: Metric
    target: str
    word: Failure
    why: str
    reason: str
    times: int


def row(found: Measurement, zone: ZoneInfo) -> Row:
    """A measurement in words."""
    if found.failure is not None:
        value = f"failed: {wording.FAILURES[found.failure]}"
    elif found.value is not None:
        value = units.amount(found.metric, found.value, interval=found.interval)
    else:
        raise AssertionError("a measurement has a value or a failure word")
    return Row(
        metric=metric(found.metric),
        target=found.target,
        at=dates.moment(found.taken_at, zone),
        value=value,
        how="; ".join(_details(found)),
    )


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """One network interface's counters in words; an empty cell was not read."""

    target: str
    speed: str = ""
    duplex: str = ""
    received: str = ""
    sent: str = ""
    broken_in: str = ""
    broken_out: str = ""
    power: str = ""


_COLUMNS = {
    "interface_speed": "speed",
    "interface_half_duplex": "duplex",
    "interface_received": "received",
    "interface_sent": "sent",
    "interface_errors_received": "broken_in",
    "interface_errors_sent": "broken_out",
    "poe_port_power": "power",
}


def interfaces(measurements: Iterable[Measurement]) -> list[Interface]:
    """One row an interface, in the order in which they were read; a row for each counter would bury the rest."""
    found: dict[str, dict[str, str]] = {}
    for each in measurements:
        if each.metric in _COLUMNS and each.value is not None:
            text = units.amount(each.metric, each.value)
            if each.metric == "interface_half_duplex":
                text = "half" if each.value else "full"
            found.setdefault(each.target, {})[_COLUMNS[each.metric]] = text
    return [Interface(target=target, **cells) for target, cells in found.items()]


def apart_from_interfaces(measurements: Iterable[Measurement]) -> list[Measurement]:
    """The measurements that have rows of their own."""
    return [each for each in measurements if each.metric not in _COLUMNS]


def _details(found: Measurement) -> list[str]:
    parts = [found.method]
    if (samples := found.detail("samples")) is not None:
        parts.append(units.count(int(samples), "reading"))
    if (streams := found.detail("streams")) is not None:
        parts.append(units.count(int(streams), "connection"))
    if (seconds := found.detail("seconds")) is not None:
        parts.append(units.seconds(seconds))
    if (received := found.detail("bytes_received")) is not None:
        parts.append(f"{units.size(received)} received")
    if (sent := found.detail("bytes_sent")) is not None:
        parts.append(f"{units.size(sent)} sent")
    if load := wording.load(found):
        source = found.details.get("load_during_from")
        told = f", told by {source}" if isinstance(source, str) and source else ""
        parts.append(f"{load}{told}")
    if limit := wording.limits(wording.words(found.details.get("limited_by"))):
        parts.append(f"limited by {limit}")
    for name, words in (("layer", "counted:"), ("role", "role")):
        if isinstance(text := found.details.get(name), str) and text:
            parts.append(f"{words} {text}")
    return parts


def failures(measurements: tuple[Measurement, ...]) -> list[Trouble]:
    """What failed, each way once, in the order of the survey."""
    same = Counter(
        (each.metric, each.target, each.failure, str(each.details.get("reason") or ""))
        for each in measurements
        if each.failure is not None
    )
    return [
        Trouble(metric=metric(name), target=target, word=word, why=wording.FAILURES[word], reason=reason, times=times)
        for (name, target, word, reason), times in same.items()
    ]


def trouble_first(run: Run) -> tuple[bool, bool, str]:
    """Sort key: what broke, then what was not run, then the rest by name."""
    return (run.error is None and run.ok, run.skipped is None, run.instrument)
