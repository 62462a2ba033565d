"""An assessment: the store's readings, weighed against the roadmap and the policy. Nothing is measured here."""

from datetime import datetime, timedelta

import msgspec

from agent import attesting, shelf
from agent.config import Config
from netready.survey import Survey
from readiness.evidence import Reading
from readiness.gate import Decision, decide
from readiness.gather import gather
from readiness.judge import judge
from readiness.judgement import Judgement
from readiness.policy import Policy
from readiness.roadmap import Roadmap
from store import Store


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement, the gate's answer for every wave of the policy, and what both rest on."""

    judgement: Judgement
    decisions: tuple[Decision, ...]
    roadmap: Roadmap
    policy: Policy
    survey: Survey | None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The data to judge by, read and checked before anything is measured."""

    roadmap: Roadmap
    policy: Policy


def rules(config: Config, *, now: datetime, policy: str | None = None) -> Rules:
    """Read every data file the config names; refuses what is unfit before a survey begins."""
    continuum = shelf.roadmap(config)
    gate = shelf.policy(config, continuum, policy)
    shelf.attestations(config, continuum, now.astimezone(config.site.zone).date())
    shelf.waivers(config, gate)
    return Rules(roadmap=continuum, policy=gate)


def assess(config: Config, store: Store, data: Rules, *, now: datetime) -> Assessment:
    """Judge what the store holds, as of `now`."""
    since = now - timedelta(days=config.survey.window_days)
    survey = store.last_survey()
    gathered = gather(
        config.site,
        [Reading(survey=name, measurement=measurement) for name, measurement in store.readings(since, now)],
        survey.devices if survey else (),
        now=now,
        audits=[started for _name, started in store.surveys(since, now)],
        window_days=config.survey.window_days,
    )
    vouched = attesting.vouched(config, store, data.roadmap, now.astimezone(config.site.zone).date())
    judgement = judge(data.roadmap, config.site, gathered, vouched, now=now)
    waived = shelf.waivers(config, data.policy)
    return Assessment(
        judgement=judgement,
        decisions=tuple(decide(data.policy, wave.id, judgement, data.roadmap, waived, now=now) for wave in data.policy.waves),
        roadmap=data.roadmap,
        policy=data.policy,
        survey=survey,
    )
