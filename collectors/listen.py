"""Listening: what devices on the authorised networks say of themselves without being asked. No packet is sent.

It hears ARP, IPv6 neighbour discovery, DHCP, mDNS and SSDP of the segments this machine is in, and LLDP and CDP of what it is
plugged into. Switches that learn multicast groups may keep SSDP away, and answers between two others never come here.
"""

import errno
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from collectors import attached, kernel_filter
from collectors.hearing import Hearing
from collectors.ring import BLOCKS, Ring
from netready.failure import Failure, classify
from netready.instrument import Capability, Context, Instrument, Reading
from netready.measurement import Detail, Measurement
from netready.text import clean

METHOD = "listen/2"
FRAMES, DROPPED = "listen_frames", "listen_dropped"
HERE = "host"  # the target of what is about all interfaces together
LONGEST = 86_400  # seconds
BREATH = 10.0  # seconds between two words of progress
AFTERWARDS = 0.2  # seconds in which the kernel hands over what it had already taken in


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [listen]. Without interfaces it listens to every one that is attached to an authorised network."""

    seconds: Annotated[float, Meta(ge=0.1, le=LONGEST)] = 4.0
    interfaces: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=15)], ...], Meta(max_length=64)] = ()


class Heard(msgspec.Struct, kw_only=True):
    """One listening: what was heard, by which interfaces, and the kernel's own count of it."""

    hearing: Hearing
    ports: tuple[attached.Port, ...]
    passed: int = 0
    dropped: int = 0
    seconds: float = 0.0


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """One sighting for each device and source that was heard, then the frames by interface, and those that were lost."""
    at = context.clock.now()
    try:
        ports = attached.ports(context.authority.networks)
        chosen = tuple(port for port in ports if not settings.interfaces or port.name in settings.interfaces)
        for name in settings.interfaces:
            if name not in {port.name for port in chosen}:
                yield _failed(clean(name), at, Failure.NOT_AUTHORISED, "it is not attached to an authorised network, or not up")
        if len(chosen) > kernel_filter.MOST_INTERFACES:
            context.say(f"listen: {len(chosen) - kernel_filter.MOST_INTERFACES} interfaces more than can be listened to")
            chosen = chosen[: kernel_filter.MOST_INTERFACES]
        context.say(f"listen: {settings.seconds:g} s on {', '.join(port.name for port in chosen) or 'no interface'}")
        heard = _listen(chosen, settings.seconds, context) if chosen else None
    except OSError as error:
        failure = _failure(error)
        if failure is None:
            raise
        yield _failed(HERE, at, failure, clean(str(error), limit=300))
        return
    if heard is None:
        yield _failed(HERE, at, Failure.UNREACHABLE, "no interface of this machine is attached to an authorised network")
    else:
        yield from emit(heard, at)


def emit(heard: Heard, at: datetime) -> Iterator[Reading]:
    """What a listening that began at `at` found."""
    hearing, seconds = heard.hearing, round(heard.seconds, 3)
    yield from hearing.sightings()
    for port in heard.ports:
        frames = float(sum(hearing.counts.get(port.name, {}).values()))
        protocols = hearing.protocols(port.name)
        yield Measurement.of(FRAMES, port.name, at, frames, METHOD, seconds=seconds, protocols=protocols)
    details: dict[str, Detail] = {
        "seconds": seconds,
        "frames": heard.passed,  # those that the kernel took in, the dropped ones among them
        "devices": len(hearing.notes),
        "left_out": hearing.notes.left_out,
        "strangers": hearing.strangers,
    }
    yield Measurement.of(DROPPED, HERE, at, float(heard.dropped), METHOD, **details)


def _listen(ports: tuple[attached.Port, ...], seconds: float, context: Context) -> Heard:
    """Listen for `seconds`, then read what the kernel still holds, so that every frame is either heard or counted as lost."""
    heard = Heard(hearing=Hearing(context.authority), ports=ports)
    names = {port.index: port.name for port in ports}
    whole, links = ([port.index for port in ports if port.below == below] for below in (False, True))
    clock = context.clock
    with Ring(kernel_filter.instructions(whole, links), list(names)) as ring:
        begun = said = clock.monotonic()
        while (left := begun + seconds - clock.monotonic()) > 0:
            if ring.wait(min(left, BREATH)):
                _take(ring, heard.hearing, names, clock.now().timestamp())
            if clock.monotonic() >= said + BREATH:
                said = clock.monotonic()
                _say(heard, said - begun, seconds, context)
        ring.stop()
        heard.seconds = clock.monotonic() - begun
        for _ in range(BLOCKS):
            if not ring.wait(AFTERWARDS):
                break
            _take(ring, heard.hearing, names, clock.now().timestamp())
        heard.passed, heard.dropped = ring.statistics()
    if heard.dropped:
        context.say(f"listen: the kernel dropped {heard.dropped:,} of {heard.passed:,} frames before they were read")
    if heard.hearing.notes.left_out:
        context.say(f"listen: {heard.hearing.notes.left_out:,} words were not kept, for want of room")
    return heard


def _take(ring: Ring, hearing: Hearing, names: dict[int, str], at: float) -> None:
    """Hear one block of frames."""
    for frame, interface, vlan in ring.frames():
        hearing.hear(frame, names.get(interface, ""), at, vlan)


def _say(heard: Heard, spent: float, seconds: float, context: Context) -> None:
    frames = sum(sum(counts.values()) for counts in heard.hearing.counts.values())
    context.say(f"listen: {spent:.0f} of {seconds:g} s, {frames:,} frames, {len(heard.hearing.notes):,} words kept")


def _failure(error: OSError) -> Failure | None:
    """The failure word; a kernel that has no such ring does not support it."""
    if error.errno in {errno.ENOPROTOOPT, errno.EINVAL, errno.EOPNOTSUPP}:
        return Failure.NOT_SUPPORTED
    return classify(error)


def _failed(target: str, at: datetime, failure: Failure, reason: str) -> Measurement:
    return Measurement.failed(FRAMES, target, at, failure, METHOD, reason=reason)


INSTRUMENT = Instrument(
    name="listen",
    version=2,
    read=read,
    settings=Settings,
    does="Listens for what devices say of themselves (ARP, IPv6 neighbours, DHCP, mDNS, SSDP, LLDP, CDP); sends nothing",
    metrics=(FRAMES, DROPPED),
    needs=frozenset({Capability.RAW_SOCKET}),
    silent=True,
    seconds=lambda settings: settings.seconds,
)
