"""Reading capture files: what devices said of themselves on a network where somebody else listened, or at another time.

Times are those of the file. The same devices count as when listening: those of authorised networks.
"""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta

from collectors import pcap
from collectors.hearing import Hearing
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument, Reading
from netready.measurement import Detail, Measurement
from netready.text import clean

METHOD = "capture/1"
FRAMES, DROPPED = "listen_frames", "listen_dropped"
BREATH = 10.0  # seconds between two words of progress


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One [[capture.files]]."""

    file: Annotated[str, Meta(min_length=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [capture]. With `others`, scapy decodes spanning tree and NetBIOS names too, if it is installed.

    `gigabytes` is the most that is read of one file, after unpacking.
    """

    files: Annotated[tuple[File, ...], Meta(max_length=64)] = ()
    others: bool = False
    gigabytes: Annotated[float, Meta(gt=0, le=1000)] = 16.0


def read(settings: Settings, context: Context) -> Iterator[Reading]:
    """For each file one sighting of each device and source, then its frames, and those its writer dropped, where it tells."""
    for each in settings.files:
        path = Path(each.file)
        at = context.clock.now()
        try:
            state = _regular(path)
            with path.open("rb") as file:
                yield from _read(file, state.st_mtime, clean(path.name), settings, context)
        except (OSError, Failed) as error:
            failure = classify(error) or Failure.NOT_SUPPORTED  # a file that is not there cannot be read, and says so
            reason = clean(str(error), limit=300)
            yield Measurement.failed(FRAMES, clean(path.name), at, failure, METHOD, reason=reason)


def _regular(path: Path) -> os.stat_result:
    """What the system says of a file. Failed for what is none: a pipe would have us wait."""
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise Failed(Failure.NOT_SUPPORTED, f"{path} is no file")
    return state


def _read(file: BinaryIO, began: float, name: str, settings: Settings, context: Context) -> Iterator[Reading]:
    """One file. A fault in its middle is told beside what came before; one at its very beginning is raised."""
    hearing = Hearing(context.authority, others=settings.others)
    account, fault = pcap.Account(), None
    said = context.clock.monotonic()
    try:
        for found in pcap.frames(file, account, most_bytes=int(settings.gigabytes * 1e9), began=began):
            hearing.hear(found.frame, found.interface or name, found.at)
            if account.frames % 4096 == 0 and context.clock.monotonic() >= said + BREATH:
                said = context.clock.monotonic()
                context.say(f"capture: {name}, {account.frames:,} frames, {len(hearing.notes):,} words kept")
    except Failed as failed:
        if not account.frames + account.foreign:
            raise
        fault = f"{failed.failure}: {failed.reason}"
        context.say(f"capture: {name}: {failed.reason}; what came before it is kept")
    yield from hearing.sightings()
    yield from _measured(hearing, account, name, fault)


def _measured(hearing: Hearing, account: pcap.Account, name: str, fault: str | None) -> Iterator[Measurement]:
    at = datetime.fromtimestamp(account.began, UTC)
    details: dict[str, Detail] = {
        "seconds": round(account.ended - account.began, 3),
        "protocols": hearing.protocols(),
        "devices": len(hearing.notes),
        "left_out": hearing.notes.left_out + hearing.undecoded,
        "strangers": hearing.strangers,
        "foreign": account.foreign,
    }
    if fault:
        details["fault"] = fault
    yield Measurement.of(FRAMES, name, at, float(account.frames), METHOD, **details)
    if account.dropped is not None:
        yield Measurement.of(DROPPED, name, at, float(account.dropped), METHOD)


INSTRUMENT = Instrument(
    name="capture",
    version=1,
    read=read,
    settings=Settings,
    does="Reads capture files (pcap, pcapng) for what devices say of themselves; sends nothing",
    metrics=(FRAMES, DROPPED),
    files=("files.file",),
    silent=True,
    missing=lambda settings: None if settings.files else "no file is named in [[capture.files]]",
    wanted=lambda settings: bool(settings.files),
)
