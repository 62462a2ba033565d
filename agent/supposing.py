"""Supposing: what the store holds, judged as it is and once more with a few numbers supposed. Nothing is kept."""

from datetime import datetime

import msgspec

from agent import assessment
from agent.assessment import Rules
from agent.config import Config
from readiness.record import conclude
from readiness.what_if import Change, WhatIf, compare, supposed_facts, supposed_site
from store import Store


def supposed(config: Config, store: Store, data: Rules, changes: tuple[Change, ...], *, now: datetime) -> WhatIf:
    """What would be judged and decided otherwise if `changes` were so."""
    today = assessment.assess(config, store, data, now=now)
    site = supposed_site(config.site, changes)
    rescaled = assessment.assess(msgspec.structs.replace(config, site=site), store, data, now=now).inputs
    supposition = supposed_facts(rescaled.evidence, site, changes, now)
    inputs = msgspec.structs.replace(rescaled, evidence=supposition)
    judgement, decisions = conclude(inputs, data.roadmap, data.policy)
    return compare(data.roadmap, changes, (today.judgement, today.decisions), (judgement, decisions))
