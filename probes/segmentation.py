"""Segmentation: whether what must be out of reach of a network is. A connection is begun and closed, and carries nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.access import Barrier, Nominated, seen_from
from netready.failure import Failed, Failure, classify
from netready.instrument import Context, Instrument
from netready.measurement import Detail, Measurement
from netready.site import Site
from netready.text import clean
from probes.deadline import Deadline
from probes.leg import HERE, Leg, joined

METHOD = "segmentation/1"
METRIC = "barrier_crossed"
# What a barrier makes of a connection. A service that is down looks the same, so these count only where it answers elsewhere.
STOPPED = frozenset({Failure.TIMEOUT, Failure.REFUSED, Failure.RESET, Failure.UNREACHABLE, Failure.NOT_PERMITTED})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table [segmentation]. What must be out of reach stands in [[site.barriers]]."""

    barriers: Annotated[tuple[Barrier, ...], Meta(max_length=64)] = ()
    nominated: Annotated[tuple[Nominated, ...], Meta(max_length=16)] = ()
    timeout: Annotated[float, Meta(gt=0, le=30)] = 3.0  # seconds for one connection


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One connection: begun when, and the word and sentence for why there was none; `word` None when there was."""

    at: datetime
    seconds: float
    word: Failure | None = None
    reason: str = ""


def read(settings: Settings, context: Context) -> Iterator[Measurement]:
    """One measurement per barrier and network: 1 the address was reached, 0 it was not although it answers elsewhere.

    Where it answers neither this machine's own way nor any network that may reach it, nothing is known: `inconclusive`.
    Raises Refused before the first packet when an address is not within an authorised network.
    """
    for host in targets(settings):
        context.authority.allow_host(host)
    networks = {network.name: network for network in settings.nominated}
    for barrier in settings.barriers:
        barred = [networks[name] for name in barrier.networks if name in networks]
        tries = [_try(barrier, Leg.of(network), settings, context) for network in barred]
        answers = ""
        if any(one.word in STOPPED for one in tries):
            others = [Leg.of(network) for name, network in networks.items() if name not in barrier.networks]
            legs = (leg for leg in (HERE, *others) if _try(barrier, leg, settings, context).word is None)
            found = next(legs, None)
            answers = "" if found is None else found.name or "this machine's own way"
        for network, one in zip(barred, tries, strict=True):
            yield emit(barrier, network, one, answers)


def _try(barrier: Barrier, leg: Leg, settings: Settings, context: Context) -> Try:
    at, deadline = context.clock.now(), Deadline(context.clock, settings.timeout)
    context.say(f"segmentation: {barrier.place} from {leg.name or 'here'}")
    try:
        sock, _ = joined(leg.places(barrier.address, settings.timeout, context), barrier.port, leg, deadline.left)
    except (OSError, Failed) as error:
        word = classify(error)
        if word is None:
            raise
        return Try(at=at, seconds=deadline.spent, word=word, reason=clean(str(error)))
    sock.close()
    return Try(at=at, seconds=deadline.spent)


def emit(barrier: Barrier, network: Nominated, one: Try, answers: str) -> Measurement:
    """The measurement of one try; `answers` is where else the service was reached."""
    target = seen_from(barrier.place, network.name)
    details: dict[str, Detail] = {
        "name": clean(barrier.name),
        "network": network.name,
        "people": network.people.value,
        "answers": answers,
        "seconds": round(one.seconds, 6),
    }
    match one.word:
        case None:
            return Measurement.of(METRIC, target, one.at, 1.0, METHOD, **details)
        case word if word in STOPPED and answers:
            return Measurement.of(METRIC, target, one.at, 0.0, METHOD, **details, how=word.value)
        case word if word in STOPPED:
            reason = f"{word}; nothing that may reach it did either, so it may only be switched off"
            return Measurement.failed(METRIC, target, one.at, Failure.INCONCLUSIVE, METHOD, **details, reason=reason)
        case word:
            return Measurement.failed(METRIC, target, one.at, word, METHOD, **details, reason=one.reason)


def targets(settings: Settings) -> tuple[str, ...]:
    """The addresses that connections are begun to."""
    return tuple(barrier.address for barrier in settings.barriers)


def fit(settings: Settings, site: Site) -> Settings:
    """Without barriers and networks of its own, the site's."""
    return msgspec.structs.replace(
        settings, barriers=settings.barriers or site.barriers, nominated=settings.nominated or site.nominated
    )


INSTRUMENT = Instrument(
    name="segmentation",
    version=1,
    read=read,
    settings=Settings,
    does="Begins a connection to each address that must be out of reach, from each network that must not reach it",
    metrics=(METRIC,),
    seconds=lambda settings: sum(settings.timeout * len(barrier.networks) + 1.0 for barrier in settings.barriers),
    fit=fit,
    targets=targets,
    missing=lambda settings: None if settings.barriers else "no address is named in [[site.barriers]]",
    wanted=lambda settings: bool(settings.barriers),
)
