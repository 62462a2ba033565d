"""Gaps: the shape of what a school has, is asked for and lacks, and who asks: the next stage, the waves, the school. Pure."""

import math
from collections.abc import Callable, Iterable

import msgspec

from netready.metric import Unit
from readiness.judgement import Judgement, Outcome
from readiness.policy import Policy, Rule
from readiness.pricing import Cost
from readiness.roadmap import Bound, Roadmap
from readiness.stages import demanded

STAGE, WAVE, PLAN = "stage", "wave", "plan"
NOTHING = "nothing is missing"
OWN = "the school's own plan"


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """A number in its item's base unit and how it is known. `value` None: not known, and `how` says why.

    at_least, at_most  the true value is this or more, or less; about: it may be either
    """

    value: float | None
    how: str
    interval: tuple[float, float] | None = None
    at_least: bool = False
    at_most: bool = False
    about: bool = False


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What one goal, or several that want the same, want of an item, and what is missing for it.

    goals   "stage" (the next that asks for any), "wave:ID", "threshold:ID", "standard:ID", "plan" (the school's own), a band
    titles  the same in words, in the same order
    """

    goals: tuple[str, ...]
    titles: tuple[str, ...]
    wanted: Amount
    gap: Amount
    cost: Cost | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a school has some of.

    criterion  of the roadmap that asks for this comparison; `compared` is what became of it, None in a roadmap without it
    note       what else must be known to read the rows, in sentences; empty when nothing
    """

    id: str
    area: str
    title: str
    unit: Unit
    current: Amount
    gaps: tuple[Gap, ...]
    criterion: str = ""
    compared: Outcome | None = None
    note: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What goals ask of an item, in its base unit.

    at_least  it may be more, because it follows from a count of what was seen
    despite   why having as many is not enough, by what else is known; empty when nothing speaks against it
    """

    goals: tuple[str, ...]
    titles: tuple[str, ...]
    value: float
    how: str
    at_least: bool = False
    despite: str = ""


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """A bound of the roadmap or a rule of the gate, under the goal it belongs to: "stage" with its number, or "wave:ID"."""

    goal: str
    title: str
    asked: Bound | Rule
    stage: int | None = None


def demands(roadmap: Roadmap, judgement: Judgement, policy: Policy) -> tuple[Demand, ...]:
    """What may be asked of any item: every bound above a dimension's stage, and every rule of a wave about a metric."""
    found = []
    reached = {one.dimension: one.with_attestations for one in judgement.stages}
    for dimension in roadmap.dimensions:
        for criterion in demanded(roadmap, dimension.id):
            if criterion.stage > reached[dimension.id]:
                title = f"{dimension.title}, {roadmap.stage_name(criterion.stage)} ({criterion.id})"
                found += [Demand(goal=STAGE, title=title, asked=bound, stage=criterion.stage) for bound in criterion.bounds]
    for wave in policy.waves:
        rules = [rule for rule in wave.rules if rule.metric is not None]
        found += [Demand(goal=f"{WAVE}:{wave.id}", title=f"wave “{wave.title}”", asked=rule) for rule in rules]
    return tuple(found)


def asks(found: Iterable[Demand], read: Callable[[Demand], Ask | None]) -> list[Ask]:
    """The most that each goal asks of one item, as `read` understands it; of the stages only the first that asks for any."""
    most: dict[tuple[str, int], Ask] = {}
    for one in found:
        ask, key = read(one), (one.goal, one.stage or 0)
        if ask is not None and (key not in most or ask.value > most[key].value):
            most[key] = ask
    stages = sorted(key for key in most if key[0] == STAGE)
    return [most[key] for key in (*stages[:1], *(key for key in most if key[0] != STAGE))]


def own(value: float | None) -> list[Ask]:
    """What the school wants for itself."""
    return (
        []
        if value is None
        else [Ask(goals=(PLAN,), titles=(OWN,), value=float(value), how="as the school gives it in [wanted]")]
    )


def merged(found: Iterable[Ask]) -> list[Ask]:
    """Goals that ask for the same, and for the same reason, as one, in their order."""
    kept: dict[tuple[float, str], Ask] = {}
    for ask in found:
        key = (ask.value, ask.how)
        if key in kept:
            before = kept[key]
            ask = msgspec.structs.replace(before, goals=before.goals + ask.goals, titles=before.titles + ask.titles)  # noqa: PLW2901
        kept[key] = ask
    return list(kept.values())


def whole(value: float) -> float:
    """So many things that it is enough; the last bits of a division are no thing."""
    return float(math.ceil(round(value, 9)))
