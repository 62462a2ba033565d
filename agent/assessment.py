"""An assessment: the store's readings, weighed against the roadmap and the policy. Nothing is measured here."""

from datetime import datetime, timedelta

import msgspec

from agent import attesting, shelf, stock, waiving
from agent.config import Config
from netready import __version__
from netready.metric import CATALOGUE
from netready.survey import Survey
from readiness.evidence import Reading
from readiness.gate import Decision
from readiness.gather import AUDITS_DAYS, gather
from readiness.judgement import Judgement
from readiness.policy import Policy, parse_policy
from readiness.record import Inputs, conclude, settled
from readiness.roadmap import Roadmap
from readiness.roadmap import parse as parse_roadmap
from store import Store

PROGRAM = f"netready {__version__}"


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement, the gate's answer for every wave of the policy, and what both rest on."""

    inputs: Inputs
    judgement: Judgement
    decisions: tuple[Decision, ...]
    roadmap: Roadmap
    policy: Policy
    survey: Survey | None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The data to judge by, read and checked before anything is measured; and the bytes they were read from."""

    roadmap: Roadmap
    policy: Policy
    roadmap_file: bytes
    policy_file: bytes


def rules(config: Config, *, now: datetime, policy: str | None = None) -> Rules:
    """Read every data file the config names; refuses what is unfit before a survey begins."""
    roadmap_file, roadmap_name = shelf.roadmap_file(config)
    continuum = parse_roadmap(roadmap_file, roadmap_name, CATALOGUE)
    policy_file, policy_name = shelf.policy_file(config, policy)
    gate = parse_policy(policy_file, policy_name, continuum, CATALOGUE)
    shelf.attestations(config, continuum, now.astimezone(config.site.zone).date())
    shelf.waivers(config, gate)
    shelf.chosen(config)
    return Rules(roadmap=continuum, policy=gate, roadmap_file=roadmap_file, policy_file=policy_file)


def assess(config: Config, store: Store, data: Rules, *, now: datetime) -> Assessment:
    """Judge what the store holds, as of `now`."""
    since = now - timedelta(days=config.survey.window_days)
    today = now.astimezone(config.site.zone).date()
    survey = store.last_survey()
    readings = [Reading(survey=name, measurement=measurement) for name, measurement in store.readings(since, now)]
    gathered = gather(
        config.site,
        readings,
        survey.devices if survey else (),
        now=now,
        audits=[started for _name, started in store.surveys(now - timedelta(days=AUDITS_DAYS), now)],
        window_days=config.survey.window_days,
        devices_at=survey.started_at if survey else None,
        told=stock.told(config, survey, (reading.measurement for reading in readings), today),
    )
    vouched = attesting.vouched(config, store, data.roadmap, today)
    inputs = Inputs(
        program=PROGRAM,
        moment=now,
        site=config.site,
        evidence=settled(gathered),
        attestations=vouched,
        waivers=waiving.accepted(config, store, data.policy),
        roadmap=data.roadmap_file,
        policy=data.policy_file,
    )
    judgement, decisions = conclude(inputs, data.roadmap, data.policy)
    return Assessment(
        inputs=inputs,
        judgement=judgement,
        decisions=decisions,
        roadmap=data.roadmap,
        policy=data.policy,
        survey=survey,
    )
