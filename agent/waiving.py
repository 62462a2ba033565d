"""Accepted risks: the config's file and the store's own record, and how a new one comes into it."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from agent import shelf
from agent.config import Config
from netready.refusal import Unfit
from readiness.policy import Policy
from readiness.waiver import Waiver, cleaned, objection, standing
from store import Store


class State(StrEnum):
    """Where a waiver stands today."""

    RUNS = "runs"
    OVER = "over"
    TO_COME = "to come"
    REPLACED = "replaced"
    UNFIT = "does not count"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver with where it was written down and when, and where it stands today; `why` it does not count, in words."""

    waiver: Waiver
    source: str
    at: datetime | None
    state: State
    why: str = ""


def accepted(config: Config, store: Store, policy: Policy) -> tuple[Waiver, ...]:
    """Every waiver there is: the config's file first, then the store's record, oldest first."""
    return tuple(waiver for waiver, _, _ in _all(config, store, policy))


def entries(config: Config, store: Store, policy: Policy, today: date) -> tuple[Entry, ...]:
    """The same, each with where it stands on `today`."""
    found = _all(config, store, policy)
    waivers = tuple(waiver for waiver, _, _ in found)
    counting = standing([one for one in waivers if objection(one, policy, waivers) is None], today)
    made = []
    for waiver, source, at in found:
        against = objection(waiver, policy, waivers)
        if against is not None:
            state = State.UNFIT
        elif waiver.until < today:
            state = State.OVER
        elif waiver.on > today:
            state = State.TO_COME
        else:
            state = State.RUNS if counting.get(waiver.rule) == waiver else State.REPLACED
        why = f"{against[0]}: {against[1]}" if against else ""
        made.append(Entry(waiver=waiver, source=source, at=at, state=state, why=why))
    return tuple(made)


def keep(config: Config, store: Store, policy: Policy, waiver: Waiver, *, at: datetime) -> Waiver:
    """Write a waiver down, with its texts cleaned; raises Unfit, and writes nothing, when it would not count."""
    waiver = cleaned(waiver)
    others = accepted(config, store, policy)
    if against := objection(waiver, policy, others):
        raise Unfit("waive", *against)
    for other in others:
        if (other.rule, other.on) == (waiver.rule, waiver.on) and other.until <= waiver.until:
            expected = f"expected a date before {other.until}: of two waivers of one day the shorter stands"
            raise Unfit("waive", "until", expected)
    store.waive(at, waiver.rule, msgspec.json.encode(waiver))
    return waiver


def _all(config: Config, store: Store, policy: Policy) -> list[tuple[Waiver, str, datetime | None]]:
    file = config.readiness.waivers
    ours: list[tuple[Waiver, str, datetime | None]] = [(one, file, None) for one in shelf.waivers(config, policy)]
    return ours + [(msgspec.json.decode(body, type=Waiver), "record", at) for at, body in store.waived()]
