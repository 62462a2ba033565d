"""Holding a rule against the judgement: pass, fail or unknown, why, and until when what it rests on is good."""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import msgspec

from readiness.decision import RuleOutcome, RuleVerdict
from readiness.evidence import Attestation, Fact
from readiness.judgement import Judgement, Outcome, StageVerdict, Verdict
from readiness.policy import Rule
from readiness.roadmap import Bound, EvidenceKind, Roadmap
from readiness.stages import demanded
from readiness.weigh import Key, index, weigh
from readiness.wording import about, plural

# What rises or falls by itself, and how far in a day, in its base unit: from a certain day on it is known not to hold.
_RISES = {"audit_age": 1.0, "inventory_age": 1.0}
_FALLS = {"platform_certificate_left": 86_400.0}


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A rule held against the judgement, with the dates until which what it rests on is good."""

    verdict: RuleVerdict
    condition: str = ""
    good_until: tuple[date, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a rule may be held against."""

    judgement: Judgement
    roadmap: Roadmap
    facts: Mapping[Key, Fact]
    verdicts: Mapping[str, Verdict]
    stages: Mapping[str, StageVerdict]
    now: datetime

    @property
    def today(self) -> date:
        """The date in the zone that `now` is given in."""
        return self.now.date()

    def day(self, at: datetime) -> date:
        """The date of a moment, in the same zone."""
        return at.astimezone(self.now.tzinfo).date()


def hold(rule: Rule, case: Case) -> Held:
    """What becomes of a rule by the evidence alone; no waiver is looked at."""
    if rule.metric is not None:
        return _metric(rule, rule.metric, case)
    if rule.dimension is not None:
        return _dimension(rule, rule.dimension, case)
    return _criterion(rule, rule.criterion or "", case)


def _ruled(
    rule: Rule, outcome: RuleOutcome, reason: str, *, provisional: bool = False, missing: str = "", good: tuple[date, ...] = ()
) -> Held:
    return Held(
        verdict=RuleVerdict(
            rule=rule.id,
            title=rule.title,
            level=rule.level,
            outcome=outcome,
            reason=reason,
            provisional=provisional,
            missing=missing,
            remedy=rule.remedy,
            waivable=rule.may_be_waived,
        ),
        good_until=good,
    )


_RULED = {
    Outcome.MET: RuleOutcome.PASS,
    Outcome.NOT_MET: RuleOutcome.FAIL,
    Outcome.UNKNOWN: RuleOutcome.UNKNOWN,
    # The roadmap's waivers are not the gate's: there a waived criterion counts as not met, and so it does here.
    Outcome.WAIVED: RuleOutcome.FAIL,
    Outcome.NOT_APPLICABLE: RuleOutcome.PASS,
}


def _metric(rule: Rule, metric: str, case: Case) -> Held:
    bound = Bound(
        evidence=EvidenceKind.MEASURED,
        metric=metric,
        at_least=rule.at_least,
        at_most=rule.at_most,
        role=rule.role,
        kind=rule.kind,
        min_days=rule.min_days,
        source=rule.title,
    )
    weighed = weigh(bound, case.facts)
    facts = (weighed.fact,) if weighed.fact is not None and weighed.fact.value is not None else ()
    if stale := _stale(rule, facts, (), case):
        return stale
    short = rule.min_samples - (weighed.fact.samples if weighed.fact else 0)
    if weighed.outcome is Outcome.MET and rule.min_samples > 1 and short > 0:
        what = about(metric, rule.role or rule.kind or "")
        reason = f"met so far, on {rule.min_samples - short} of {plural(rule.min_samples, 'reading')}: {weighed.reason}"
        return _ruled(rule, RuleOutcome.UNKNOWN, reason, provisional=True, missing=f"{plural(short, 'more reading')} of {what}")
    return _ruled(
        rule,
        _RULED[weighed.outcome],
        weighed.reason,
        provisional=weighed.provisional,
        missing=weighed.missing,
        good=(*_good(rule, facts, (), case), *_moving((bound,), facts, case)),
    )


def _criterion(rule: Rule, asked: str, case: Case) -> Held:
    verdict = case.verdicts.get(asked)
    if verdict is None:
        return _ruled(rule, RuleOutcome.UNKNOWN, f"{asked} was not judged", missing=f"a judgement of {asked}")
    outcome = verdict.by_machine if rule.by_machine else verdict.outcome
    facts, words = _basis((verdict,), case)
    if stale := _stale(rule, facts, words, case):
        return stale
    missing = verdict.missing or (f"evidence for {asked}" if outcome is Outcome.UNKNOWN else "")
    bounds = [bound for one in case.roadmap.criteria if one.id == asked for bound in one.bounds]
    return _ruled(
        rule,
        _RULED[outcome],
        verdict.reason,
        provisional=verdict.provisional,
        missing=missing,
        good=(*_good(rule, facts, words, case), *_moving(bounds, facts, case)),
    )


def _dimension(rule: Rule, asked: str, case: Case) -> Held:
    found = case.stages.get(asked)
    title = next((one.title for one in case.roadmap.dimensions if one.id == asked), asked)
    wanted = rule.stage or 1
    reached = None if found is None else (found.by_machine if rule.by_machine else found.with_attestations)
    if reached is None:
        reason = f"no stage of “{title}” is known by machine" if found else f"“{title}” was not judged"
        return _ruled(rule, RuleOutcome.UNKNOWN, reason, missing=f"a judgement of “{title}”")
    criteria = [one for one in demanded(case.roadmap, asked) if one.stage <= wanted and one.id in case.verdicts]
    basis = tuple(case.verdicts[one.id] for one in criteria)
    facts, words = _basis(basis, case)
    names = case.roadmap.stage_name
    shown = f"“{title}” is at {names(reached)}; asked for is {names(wanted)}"
    bounds = [bound for one in criteria for bound in one.bounds]
    good = (*_good(rule, facts, words, case), *_moving(bounds, facts, case))
    said = {one.criterion: one.by_machine if rule.by_machine else one.outcome for one in basis}
    # A failure comes before staleness: it would still close the gate if everything else were measured again.
    if failed := [name for name, outcome in said.items() if outcome in {Outcome.NOT_MET, Outcome.WAIVED}]:
        return _ruled(rule, RuleOutcome.FAIL, f"{shown}; not met: {', '.join(failed)}", good=good)
    if stale := _stale(rule, facts, words, case):
        return stale
    if reached >= wanted:
        provisional = [one for one in basis if one.provisional]
        missing = "; ".join(dict.fromkeys(one.missing for one in provisional if one.missing))
        return _ruled(rule, RuleOutcome.PASS, shown, provisional=bool(provisional), missing=missing, good=good)
    unanswered = [name for name, outcome in said.items() if outcome is Outcome.UNKNOWN]
    wants = f"evidence for {', '.join(unanswered)}" if unanswered else f"a criterion of “{title}” that applies at this stage"
    return _ruled(rule, RuleOutcome.UNKNOWN, f"{shown}; missing is {wants}", missing=wants, good=good)


def _basis(verdicts: Iterable[Verdict], case: Case) -> tuple[tuple[Fact, ...], tuple[Attestation, ...]]:
    """The facts with a value that verdicts rest on, and the attestations without which they would not be met."""
    verdicts = tuple(verdicts)
    attested = {one.id for one in case.roadmap.criteria if one.primary is EvidenceKind.ATTESTED}
    facts = tuple(fact for one in verdicts for fact in one.facts if fact.value is not None)
    words = tuple(
        one.attestation
        for one in verdicts
        if one.attestation is not None and one.criterion in attested and one.outcome is Outcome.MET
    )
    return facts, words


def _stale(rule: Rule, facts: Iterable[Fact], words: Iterable[Attestation], case: Case) -> Held | None:
    """Unknown, when what the rule rests on was last seen too long ago or is no longer vouched for."""
    oldest = case.now - timedelta(days=rule.max_age_days)
    for fact in facts:
        if fact.last_at is not None and fact.last_at < oldest:
            what = about(fact.metric, fact.role or fact.device or "")
            reason = (
                f"stale: {what} was last seen on {case.day(fact.last_at)}, more than {plural(rule.max_age_days, 'day')} ago"
            )
            return _ruled(rule, RuleOutcome.UNKNOWN, reason, missing=f"a new reading of {what}")
    for word in words:
        if word.until < case.today:
            reason = f"the word of {word.name} ({word.role}) on {word.criterion} counted until {word.until}"
            return _ruled(rule, RuleOutcome.UNKNOWN, reason, missing=f"a new answer to {word.criterion}")
    return None


def _good(rule: Rule, facts: Iterable[Fact], words: Iterable[Attestation], case: Case) -> tuple[date, ...]:
    seen = [case.day(fact.last_at) + timedelta(days=rule.max_age_days) for fact in facts if fact.last_at is not None]
    return (*seen, *(word.until for word in words))


def _moving(bounds: Iterable[Bound], facts: Iterable[Fact], case: Case) -> tuple[date, ...]:
    """The last days on which numbers that move by themselves still hold; those that do not hold have none."""
    known = index(facts)
    found = []
    for bound in bounds:
        fact, days = known.get((bound.metric, bound.role, bound.kind)), None
        if fact is None or fact.value is None:
            continue
        if bound.metric in _RISES and bound.at_most is not None:
            days = (bound.at_most - fact.value) / _RISES[bound.metric]
        if bound.metric in _FALLS and bound.at_least is not None:
            days = (fact.value - bound.at_least) / _FALLS[bound.metric]
        if days is not None and days >= 0:
            found.append(case.today + timedelta(days=math.floor(days)))
    return tuple(found)
