"""The outlook: what a judgement means for its school: standards, next steps, gaps and costs. Nothing is judged again."""

from datetime import datetime

from agent import shelf
from agent.assessment import Assessment
from agent.config import Config
from agent.forecasting import made
from netready.refusal import Unfit
from readiness.fit_gap import bills, fit_gap
from readiness.forecast import Forecast
from readiness.judgement import Quantity
from readiness.next_steps import next_steps
from readiness.standards import compare
from reports.report import Outlook
from store import Store

YEARS = 5  # the roadmap asks for assumptions about the growth of five


def outlook(config: Config, store: Store, assessed: Assessment, *, now: datetime) -> Outlook:
    """What the report says beside the judgement and the decisions."""
    judgement, roadmap, policy = assessed.judgement, assessed.roadmap, assessed.policy
    compared = compare(config.site, judgement.down, judgement.up, shelf.chosen(config))
    items = fit_gap(
        config.site,
        judgement,
        roadmap,
        policy,
        prices=config.prices,
        wanted=config.wanted,
        standards=compared,
        foreseen=_foreseen(config, store, now),
    )
    return Outlook(
        users=config.users,
        standards=compared,
        next_steps=next_steps(roadmap, judgement, policy),
        fit_gap=items,
        bills=bills(items, policy),
    )


def _foreseen(config: Config, store: Store, now: datetime) -> Forecast | Quantity:
    """The forecast; where what the school plans cannot be used any more, that, because a report must not end with a plan."""
    try:
        return made(config, store, years=YEARS, now=now)
    except Unfit as error:
        return Quantity(value=None, how=str(error))
