"""This machine: how busy it is, what is left of its memory and disk, and what its interfaces have carried.

A test from a machine that is itself out of breath says little about the line; these figures stand beside it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.failure import Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.text import clean

METHOD = "host/1"
HERE = "host"  # the target of what is about the whole machine
IDLE = ("idle", "iowait")  # waiting for a disk is not being busy
COUNTED_TWICE = ("guest", "guest_nice")  # Linux has them in user and nice already (proc(5), /proc/stat)
UNKNOWN_SPEEDS = frozenset({0, 65535})  # what drivers say when they do not know (ethtool's SPEED_UNKNOWN, cut to 16 bits)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [host]. `path` is on the file system whose free space matters: where netready keeps its records.

    By default that is the working directory, as it is in the systemd unit.
    """

    path: Annotated[str, Meta(min_length=1)] = "."
    seconds: Annotated[float, Meta(ge=0.1, le=60)] = 1.0  # for how long the processors are watched


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """One interface that is up. `speed` is bit/s, None when the driver does not know."""

    name: str
    speed: float | None
    received: int
    sent: int


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """Four measurements of the machine, three of each interface that is up and is not loopback."""
    import psutil  # noqa: PLC0415 - the command line's help must not load it

    at = context.clock.now()
    before = psutil.cpu_times()._asdict()
    context.clock.sleep(settings.seconds)
    after = psutil.cpu_times()._asdict()
    share = busy(before, after)
    if share is None:
        yield _failed("host_cpu_busy", HERE, at, Failure.NOT_SUPPORTED, "the processor clocks did not move")
    else:
        yield _of("host_cpu_busy", HERE, at, share, seconds=settings.seconds, processors=psutil.cpu_count())
    memory = psutil.virtual_memory()
    yield _of("host_memory_available", HERE, at, float(memory.available), total=memory.total)
    try:
        disk = psutil.disk_usage(settings.path)
    except OSError as error:
        word = classify(error) or Failure.NOT_SUPPORTED  # a path that is not there cannot be measured, and says so
        yield _failed("host_disk_free", HERE, at, word, clean(f"{settings.path}: {error.strerror}"))
    else:
        yield _of("host_disk_free", HERE, at, float(disk.free), total=disk.total, path=clean(settings.path))
    yield _of("host_uptime", HERE, at, max(at.timestamp() - psutil.boot_time(), 0.0))
    at = context.clock.now()
    stats, counters = psutil.net_if_stats(), psutil.net_io_counters(pernic=True, nowrap=False)
    for port in ports(stats, counters):
        yield from emit(port, at)


def busy(before: Mapping[str, float], after: Mapping[str, float]) -> float | None:
    """Share of processor time, 0 to 1, not spent idle between two readings of /proc/stat; None when no time passed."""
    spent = {name: max(after[name] - before[name], 0.0) for name in after if name not in COUNTED_TWICE}
    total = sum(spent.values())
    return 1 - sum(spent.get(name, 0.0) for name in IDLE) / total if total else None


def ports(stats: Mapping[str, object], counters: Mapping[str, object]) -> Iterator[Port]:
    """The interfaces that are up, loopback left out, from what psutil's `net_if_stats` and `net_io_counters` give."""
    for name, stat in sorted(stats.items()):
        counter = counters.get(name)
        flags = str(getattr(stat, "flags", "")).split(",")
        if counter is None or not getattr(stat, "isup", False) or "loopback" in flags:
            continue
        megabits = int(getattr(stat, "speed", 0))
        yield Port(
            name=name,
            speed=None if megabits in UNKNOWN_SPEEDS or megabits < 0 else megabits * 1e6,
            received=int(getattr(counter, "bytes_recv", 0)),
            sent=int(getattr(counter, "bytes_sent", 0)),
        )


def emit(port: Port, at: datetime) -> Iterator[Measurement]:
    """Speed and the two counters of one interface."""
    target = clean(port.name)
    if port.speed is None:
        yield _failed("interface_speed", target, at, Failure.NOT_SUPPORTED, "the driver does not say how fast it is")
    else:
        yield _of("interface_speed", target, at, port.speed)
    yield _of("interface_received", target, at, float(port.received))
    yield _of("interface_sent", target, at, float(port.sent))


def _of(metric: str, target: str, at: datetime, value: float, **details: Detail) -> Measurement:
    return Measurement.of(metric, target, at, value, METHOD, source="host", **details)


def _failed(metric: str, target: str, at: datetime, failure: Failure, reason: str) -> Measurement:
    return Measurement.failed(metric, target, at, failure, METHOD, source="host", reason=reason)


INSTRUMENT = Instrument(
    name="host",
    version=1,
    read=read,
    settings=Settings,
    does="Reads this machine's own load, memory, disk and interface counters; sends nothing",
    metrics=(
        "host_cpu_busy",
        "host_memory_available",
        "host_disk_free",
        "host_uptime",
        "interface_speed",
        "interface_received",
        "interface_sent",
    ),
    silent=True,
    seconds=lambda settings: settings.seconds,
)
