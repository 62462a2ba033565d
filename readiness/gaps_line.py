"""What is measured: the line both ways against what is asked for, and the contract against five years of growth. Pure.

A rate is weighed as the judgement weighs it, so that no table says what the judgement does not: where that is not known, the
gap is not known, for the same reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec

from netready.metric import Unit
from readiness.evidence import Fact
from readiness.forecast import Band, Forecast
from readiness.gaps import NOTHING, Amount, Ask, Demand, Gap, Item, asks, merged, own
from readiness.judgement import Judgement, Line, Outcome, Quantity, Target
from readiness.line import TOWARDS
from readiness.plan import Prices, Wanted
from readiness.pricing import Cost, line
from readiness.roadmap import Bound, EvidenceKind
from readiness.standards import ALWAYS, Comparison
from readiness.weigh import Key, index, weigh
from readiness.wording import plural, rate

_BOTH = "one line carries both directions; it is priced by the rate towards the school"


def measured(
    judgement: Judgement, demands: Sequence[Demand], standards: Sequence[Comparison], *, wanted: Wanted, prices: Prices
) -> tuple[Item, ...]:
    """The Internet line towards the school and from it."""
    facts = index(judgement.facts)
    others = [each for each in standards if each.standard not in ALWAYS]
    return tuple(
        _internet(way, merged([*asks(demands, partial(_asked, way=way)), *own(plan)]), others, facts, prices)
        for way, plan in ((judgement.down, wanted.internet_down), (judgement.up, wanted.internet_up))
    )


def _internet(
    way: Line, asked: Iterable[Ask], standards: Iterable[Comparison], facts: Mapping[Key, Fact], prices: Prices
) -> Item:
    current = _carried(way)
    gaps = [_threshold(target) for target in way.targets]
    known = {_rounded(target.needed): number for number, target in enumerate(way.targets)}
    for ask in asked:
        if (place := known.get(ask.value)) is not None:
            # Another goal that asks for one of the roadmap's two rates: said in the same row, because it is the same row.
            gaps[place] = msgspec.structs.replace(
                gaps[place], goals=gaps[place].goals + ask.goals, titles=gaps[place].titles + ask.titles
            )
        else:
            gaps.append(_weighed(ask, way, current, facts))
    gaps += [gap for each in standards if (gap := _standard(each, way.direction)) is not None]
    contract = "not known" if way.contracted.value is None else rate(way.contracted.value)
    return Item(
        id=f"internet_{way.direction}",
        area="Internet access",
        title=f"The line {TOWARDS[way.direction]}",
        unit=Unit.BITS_PER_SECOND,
        current=current,
        gaps=tuple(msgspec.structs.replace(gap, cost=_cost(gap, way, current, prices)) for gap in gaps),
        criterion="CT.2.3",
        note=f"The contract {TOWARDS[way.direction]}: {contract}.",
    )


def _carried(way: Line) -> Amount:
    each = way.per_1000
    if each.value is None:
        return Amount(value=None, how=each.how)
    interval = None if each.interval is None else (_site(each.interval[0], way.users), _site(each.interval[1], way.users))
    load = way.load_during.value
    how = f"{way.available.how}, and {rate(load)} of other traffic beside it" if load else way.available.how
    return Amount(value=_site(each.value, way.users), how=how, interval=interval, at_least=each.at_least)


def _site(per_1000: float, users: int) -> float:
    # The last bits are rounded away: a rate that just suffices must not be lost in scaling to 1,000 users and back.
    return _rounded(per_1000 * users / 1000)


def _rounded(value: float) -> float:
    return round(value, 3)


def _threshold(target: Target) -> Gap:
    """One of the roadmap's two rates, as the judgement found it."""
    known = target.shortfall is not None
    return Gap(
        goals=(f"threshold:{target.id}",),
        titles=(target.title,),
        wanted=Amount(value=target.needed, how=f"{rate(target.per_1000)} for each 1,000 users"),
        gap=Amount(value=target.shortfall, how=target.reason if target.shortfall or not known else NOTHING),
    )


def _metric(way: Line) -> str:
    return f"internet_{way.direction}_per_1000"


def _asked(one: Demand, way: Line) -> Ask | None:
    if one.asked.metric != _metric(way) or one.asked.at_least is None:
        return None
    each = one.asked.at_least
    return Ask(goals=(one.goal,), titles=(one.title,), value=_site(each, way.users), how=f"{rate(each)} for each 1,000 users")


def _weighed(ask: Ask, way: Line, current: Amount, facts: Mapping[Key, Fact]) -> Gap:
    bound = Bound(
        evidence=EvidenceKind.MEASURED,
        metric=_metric(way),
        at_least=_rounded(ask.value * 1000 / way.users),
        source=ask.titles[0],
    )
    found = weigh(bound, facts)
    value = None if found.outcome is Outcome.UNKNOWN else max(0.0, ask.value - (current.value or 0.0))
    if found.outcome is Outcome.MET:
        value = 0.0
    return Gap(
        goals=ask.goals,
        titles=ask.titles,
        wanted=Amount(value=ask.value, how=ask.how),
        gap=Amount(value=value, how=found.reason if value != 0 else NOTHING),
    )


def _standard(each: Comparison, direction: str) -> Gap | None:
    """A standard that the school chose; it says itself what it is held against, and per whom.

    None where it asks for nothing in this direction. One that does not apply is said once, towards the school.
    """
    down = direction == "down"
    needed, short = (each.needed_down, each.shortfall_down) if down else (each.needed_up, each.shortfall_up)
    if needed is None and not (down and each.outcome is Outcome.NOT_APPLICABLE):
        return None
    return Gap(
        goals=(f"standard:{each.standard}",),
        titles=(f"{each.title}, for {each.denominator}",),
        wanted=Amount(value=needed, how=each.reason if needed is None else f"for {each.denominator}"),
        gap=Amount(value=short, how=each.reason),
    )


def _cost(gap: Gap, way: Line, current: Amount, prices: Prices) -> Cost | None:
    if not gap.gap.value or gap.wanted.value is None:
        return None
    if way.direction != "down":
        return Cost(amount=None, how=_BOTH)
    return line(prices, gap.wanted.value, way.contracted.value, current.value)


def growth(contracted: float | None, foreseen: Forecast | Quantity | None, prices: Prices) -> Item:
    """The contract towards the school against the last year of the forecast, a row for each band."""
    absent = "no circuit is described in the site's configuration"
    current = Amount(value=contracted, how=absent if contracted is None else "the contracts in the site's configuration")
    item = Item(
        id="growth_down",
        area="Five years of growth",
        title="The contract towards the school",
        unit=Unit.BITS_PER_SECOND,
        current=current,
        gaps=(),
        criterion="CT.3.2",
    )
    if not isinstance(foreseen, Forecast):
        why = foreseen.how if foreseen is not None else "no forecast was made"
        return msgspec.structs.replace(item, note=f"What is wanted by then is not known: {why}.")
    return msgspec.structs.replace(
        item,
        gaps=tuple(_band(band, contracted, foreseen, current, prices) for band in Band),
        note=f"Growth a year: {_rates(foreseen, Band)}; {foreseen.growth.how}. {foreseen.headroom:.0%} is added so that the "
        "line is not full.",
    )


def _rates(foreseen: Forecast, bands: Iterable[Band]) -> str:
    return ", ".join(f"{foreseen.growth.of(band):.0%} ({band.value})" for band in bands)


def _band(band: Band, contracted: float | None, foreseen: Forecast, current: Amount, prices: Prices) -> Gap:
    last = foreseen.years[-1]
    need = last.need[band]
    short = None if contracted is None else max(0.0, need - contracted)
    used_up = foreseen.exhausted[band]
    how = current.how if contracted is None else f"the contract is used up in {used_up}" if used_up else NOTHING
    found = Gap(
        goals=(band.value,),
        titles=(f"{last.year}, {band.value} growth",),
        wanted=Amount(value=need, how=f"the busiest minutes of {plural(last.users, 'user')}, with headroom"),
        gap=Amount(value=short, how=how),
    )
    return msgspec.structs.replace(found, cost=line(prices, need, contracted, contracted)) if short else found
