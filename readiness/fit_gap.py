"""Fit and gap, whole: everything the roadmap asks a school to compare, and what each goal would cost together. Pure.

In the roadmap's order: classroom hardware, wireless, Internet access, servers; then insurance and five years of growth.
"""

from collections.abc import Sequence

import msgspec

from netready.site import Site
from readiness.forecast import Forecast
from readiness.gaps import PLAN, STAGE, WAVE, Gap, Item, demands
from readiness.gaps_counted import counted
from readiness.gaps_line import growth, measured
from readiness.judgement import Judgement, Quantity
from readiness.plan import Prices, Wanted
from readiness.policy import Policy
from readiness.pricing import Cost, Per
from readiness.roadmap import Roadmap
from readiness.standards import Comparison

_SUMMED = "the priced gaps of this goal"


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What one goal would cost: a sum for each way of paying, and the items that are in no sum, each with why."""

    goal: str
    title: str
    costs: tuple[Cost, ...]
    left: tuple[str, ...]


def fit_gap(
    site: Site,
    judgement: Judgement,
    roadmap: Roadmap,
    policy: Policy,
    *,
    prices: Prices | None = None,
    wanted: Wanted | None = None,
    standards: Sequence[Comparison] = (),
    foreseen: Forecast | Quantity | None = None,
) -> tuple[Item, ...]:
    """Every item with what the next stage, each wave, the roadmap's two rates, chosen standards and the school itself want.

    standards  those the school chose, compared; foreseen: the forecast, or the quantity that says why there is none
    """
    prices, wanted = prices or Prices(), wanted or Wanted()
    asked = demands(roadmap, judgement, policy)
    devices, points, servers, insured = counted(site, judgement, asked, wanted=wanted, prices=prices)
    line = measured(judgement, asked, standards, wanted=wanted, prices=prices)
    verdicts = {verdict.criterion: verdict.outcome for verdict in judgement.verdicts}
    items = (devices, points, *line, servers, insured, growth(site.contracted_down, foreseen, prices))
    return tuple(msgspec.structs.replace(item, compared=verdicts.get(item.criterion)) for item in items)


def bills(items: Sequence[Item], policy: Policy) -> tuple[Bill, ...]:
    """What each goal that wants several things costs together: the next stage, every wave, the school's own plan."""
    titles = {STAGE: "the next stage", **{f"{WAVE}:{wave.id}": f"wave “{wave.title}”" for wave in policy.waves}}
    titles[PLAN] = "the school's own plan"
    found = (_bill(goal, title, items) for goal, title in titles.items())
    return tuple(bill for bill in found if bill.costs or bill.left)


def _bill(goal: str, title: str, items: Sequence[Item]) -> Bill:
    rows = [(item, gap) for item in items for gap in item.gaps if goal in gap.goals]
    priced = [gap.cost for _, gap in rows if gap.cost is not None and gap.cost.amount is not None]
    sums = [_sum(per, [cost for cost in priced if cost.per is per]) for per in Per]
    return Bill(
        goal=goal,
        title=title,
        costs=tuple(cost for cost in sums if cost is not None and (cost.amount or not any(one.amount for one in priced))),
        left=tuple(f"{item.title}: {why}" for item, gap in rows if (why := _left(gap))),
    )


def _sum(per: Per, costs: Sequence[Cost]) -> Cost | None:
    """A sum is a bound when one of its parts is; with an estimate among them, or bounds of both kinds, it is an estimate."""
    if not costs:
        return None
    low, high = any(cost.at_least for cost in costs), any(cost.at_most for cost in costs)
    about = any(cost.about for cost in costs) or (low and high)
    return Cost(
        amount=sum(cost.amount or 0.0 for cost in costs),
        how=_SUMMED,
        per=per,
        currency=costs[0].currency,
        at_least=low and not about,
        at_most=high and not about,
        about=about,
    )


def _left(gap: Gap) -> str:
    """Why a gap is in no sum; empty when it is, or when nothing is missing."""
    if gap.gap.value is None:
        return f"what is missing is not known: {gap.gap.how}"
    if gap.gap.value and (gap.cost is None or gap.cost.amount is None):
        return gap.cost.how if gap.cost is not None else "no price is given"
    return ""
