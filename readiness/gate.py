"""The gate: whether a wave of the rollout may begin, for how long that holds, and what is missing where it may not."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from readiness.decision import Acceptance, Answer, Decision, RuleOutcome, RuleVerdict, exit_status
from readiness.hold import Case, Held, hold
from readiness.judgement import Judgement
from readiness.policy import Level, Policy, Rule, Wave, parse_policy
from readiness.roadmap import Roadmap
from readiness.waiver import Category, Waiver, objection, parse_waivers, standing
from readiness.weigh import index

__all__ = [
    "Acceptance",
    "Answer",
    "Category",
    "Decision",
    "Level",
    "Policy",
    "Rule",
    "RuleOutcome",
    "RuleVerdict",
    "Waiver",
    "Wave",
    "decide",
    "exit_status",
    "parse_policy",
    "parse_waivers",
]

# A decision is good for at most one term; what rests on a few days only, for two weeks: time to measure the ten school
# days that a lasting one wants.
LONGEST = timedelta(days=120)
PROVISIONAL = timedelta(days=14)


def decide(
    policy: Policy, wave: str, judgement: Judgement, roadmap: Roadmap, waivers: Iterable[Waiver], *, now: datetime
) -> Decision:
    """The answer for one wave. LookupError for a wave that the policy does not have; dates are in `now`'s own zone.

    NO_GO: a hard rule fails, or a soft one that nobody waived. INDETERMINATE: otherwise, a hard or soft rule is unknown.
    GO: all rules pass, nothing is provisional, and the wave ends at this site. GO_WITH_CONDITIONS: the rest, with the
    conditions said. An unknown is never waived: nobody can accept a risk whose size nobody knows.
    """
    asked = policy.wave(wave)
    case = Case(
        judgement=judgement,
        roadmap=roadmap,
        facts=index(judgement.facts),
        verdicts={one.criterion: one for one in judgement.verdicts},
        stages={one.dimension: one for one in judgement.stages},
        now=now,
    )
    accepted = tuple(waivers)
    fit = (one for one in accepted if objection(one, policy, accepted) is None)
    running = standing(accepted, case.today) | standing(fit, case.today)  # what does not count hides nothing that does
    held, used = [], []
    for rule in asked.rules:
        bare = hold(rule, case)
        if rule.id in running:
            acceptance = _accept(bare, running[rule.id], policy, accepted)
            used.append(acceptance)
            bare = _waived(rule, bare, acceptance)
        held.append(_with_condition(rule, bare))
    answer = _answer([one.verdict for one in held], asked)
    provisional = any(one.verdict.provisional for one in held)
    said = (*(one.condition for one in held if one.condition), *_beyond(asked, judgement.site))
    # "Cannot say" is asked again soon: it rests on what is missing, and that has no date.
    until = _valid_until(held, case, provisional=provisional or answer is Answer.INDETERMINATE)
    return Decision(
        answer=answer,
        site=judgement.site,
        wave=asked.id,
        wave_title=asked.title,
        platform=policy.platform,
        decided_at=now,
        valid_until=until,
        provisional=provisional,
        rules=tuple(one.verdict for one in held),
        conditions=said if answer is Answer.GO_WITH_CONDITIONS else (),
        missing=tuple(dict.fromkeys(one.verdict.missing for one in held if one.verdict.missing)),
        policy=policy.id,
        policy_version=policy.version,
        policy_digest=policy.digest,
        roadmap=judgement.roadmap,
        roadmap_version=judgement.roadmap_version,
        roadmap_digest=judgement.roadmap_digest,
        surveys=judgement.surveys,
        scope=asked.scope,
        judged_from=f"the records of {judgement.site} alone",
        when_expired=f"after {until} this answer opens no new wave; what is live by then stays live",
        waivers=tuple(used),
    )


def _answer(verdicts: Sequence[RuleVerdict], wave: Wave) -> Answer:
    binding = [one.outcome for one in verdicts if one.level is not Level.ADVISORY]
    if RuleOutcome.FAIL in binding:
        return Answer.NO_GO
    if RuleOutcome.UNKNOWN in binding:
        return Answer.INDETERMINATE
    clean = all(one.outcome is RuleOutcome.PASS and not one.provisional for one in verdicts)
    return Answer.GO if clean and wave.scope == "site" else Answer.GO_WITH_CONDITIONS


def _beyond(wave: Wave, site: str) -> tuple[str, ...]:
    """What a wave over many sites is bound to, since one site's records know nothing of the others."""
    if wave.scope == "site":
        return ()
    return (f"Judged from the records of {site} alone: every other school of this wave needs an answer of its own",)


def _valid_until(held: Iterable[Held], case: Case, *, provisional: bool) -> date:
    longest = PROVISIONAL if provisional else LONGEST
    return min([case.today + longest, *(day for one in held for day in one.good_until)])


def _accept(held: Held, waiver: Waiver, policy: Policy, accepted: Sequence[Waiver]) -> Acceptance:
    """Whether a waiver that runs today stands for the rule as it was held."""
    if found := objection(waiver, policy, accepted):
        return Acceptance(waiver=waiver, counts=False, why=f"it does not count: {found[0]}: {found[1]}")
    if held.verdict.outcome is RuleOutcome.PASS:
        return Acceptance(waiver=waiver, counts=False, why="the rule holds without it")
    if held.verdict.outcome is RuleOutcome.UNKNOWN:
        return Acceptance(waiver=waiver, counts=False, why="the rule is not known, and nobody can accept an unknown risk")
    return Acceptance(waiver=waiver, counts=True, why="the rule is not met, and the risk is accepted")


def _waived(rule: Rule, held: Held, acceptance: Acceptance) -> Held:
    if not acceptance.counts:
        return held
    waiver = acceptance.waiver
    agreed = f", and {waiver.approver} agreed" if waiver.approver else ""
    meanwhile = f"; meanwhile: {waiver.mitigation}" if waiver.mitigation else ""
    accepted = f"{waiver.owner} accepted the risk until {waiver.until}{agreed} ({waiver.reason}){meanwhile}"
    reason = f"{accepted}. Without the waiver: {held.verdict.reason}"
    return Held(
        verdict=msgspec.structs.replace(held.verdict, outcome=RuleOutcome.WAIVED, reason=reason),
        condition=f"{rule.title}: {accepted}",
        good_until=(*held.good_until, waiver.until),
    )


def _with_condition(rule: Rule, held: Held) -> Held:
    """What a conditional yes must say about this rule; nothing where it simply passes."""
    verdict = held.verdict
    if held.condition or (verdict.outcome is RuleOutcome.PASS and not verdict.provisional):
        return held
    if verdict.outcome is RuleOutcome.PASS:
        text = f"{rule.title}: provisional; wanted is {verdict.missing or 'more evidence'}"
    elif verdict.outcome is RuleOutcome.UNKNOWN:
        text = f"{rule.title}: not known ({verdict.reason})"
    else:
        text = f"{rule.title}: advised, not met ({verdict.reason})"
    return msgspec.structs.replace(held, condition=text)
