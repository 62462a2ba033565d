"""Supposing: what the store holds, judged as it is and once more with a few numbers supposed. Nothing is kept."""

from datetime import datetime

import msgspec

from agent import assessment, attesting, shelf
from agent.assessment import Rules
from agent.config import Config
from readiness.gate import decide
from readiness.gather import Gathered
from readiness.judge import judge
from readiness.judgement import Judgement
from readiness.what_if import Change, WhatIf, compare, supposed_facts, supposed_site
from store import Store


def supposed(config: Config, store: Store, data: Rules, changes: tuple[Change, ...], *, now: datetime) -> WhatIf:
    """What would be judged and decided otherwise if `changes` were so."""
    today = assessment.assess(config, store, data, now=now)
    site = supposed_site(config.site, changes)
    rescaled = assessment.assess(msgspec.structs.replace(config, site=site), store, data, now=now).judgement
    gathered = supposed_facts(_gathered(rescaled), site, changes, now)
    vouched = attesting.vouched(config, store, data.roadmap, now.astimezone(site.zone).date())
    judgement = judge(data.roadmap, site, gathered, vouched, now=now)
    waivers = shelf.waivers(config, data.policy)
    decisions = [decide(data.policy, wave.id, judgement, data.roadmap, waivers, now=now) for wave in data.policy.waves]
    return compare(data.roadmap, changes, (today.judgement, today.decisions), (judgement, decisions))


def _gathered(found: Judgement) -> Gathered:
    """What a judgement rests on; it carries all of it."""
    return Gathered(
        facts=found.facts,
        since=found.since,
        until=found.until,
        school_days=found.school_days,
        surveys=found.surveys,
        down=found.down,
        up=found.up,
        provisional=found.provisional,
    )
