"""The gate: whether a wave of the rollout may begin, for how long that holds, and what is missing where it may not."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from readiness.evidence import Attestation, Fact
from readiness.judgement import Judgement, Outcome, StageVerdict, Verdict
from readiness.policy import Level, Policy, Rule, Waiver, Wave, parse_policy, parse_waivers
from readiness.roadmap import Bound, EvidenceKind, Roadmap
from readiness.stages import demanded
from readiness.weigh import Key, index, weigh
from readiness.wording import about, plural

__all__ = [
    "Answer",
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


class RuleOutcome(StrEnum):
    """What became of a rule."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


class RuleVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's outcome and the sentence that explains it; `missing` says what would settle it."""

    rule: str
    title: str
    level: Level
    outcome: RuleOutcome
    reason: str
    provisional: bool = False
    missing: str = ""
    remedy: str = ""


class Answer(StrEnum):
    """The decision."""

    GO = "GO"
    GO_WITH_CONDITIONS = "GO_WITH_CONDITIONS"
    NO_GO = "NO_GO"
    INDETERMINATE = "INDETERMINATE"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's answer for one wave of one site, with everything it rests on."""

    version: int = 1
    answer: Answer
    site: str
    wave: str
    wave_title: str
    platform: str
    decided_at: datetime
    valid_until: date
    provisional: bool
    rules: tuple[RuleVerdict, ...]
    conditions: tuple[str, ...]
    missing: tuple[str, ...]
    policy: str
    policy_version: str
    policy_digest: str
    roadmap: str
    roadmap_version: str
    roadmap_digest: str
    surveys: tuple[str, ...]


_EXIT = {Answer.GO: 0, Answer.GO_WITH_CONDITIONS: 0, Answer.NO_GO: 1, Answer.INDETERMINATE: 3}


def exit_status(answer: Answer) -> int:
    """0 the gate is open, 1 it is closed, 3 nobody can say."""
    return _EXIT[answer]


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    """A rule held against the judgement, with the dates until which what it rests on is good."""

    verdict: RuleVerdict
    condition: str = ""
    good_until: tuple[date, ...] = ()


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a rule may be held against."""

    judgement: Judgement
    roadmap: Roadmap
    facts: Mapping[Key, Fact]
    verdicts: Mapping[str, Verdict]
    stages: Mapping[str, StageVerdict]
    waivers: Mapping[str, Waiver]  # those that run today, by rule
    now: datetime

    @property
    def today(self) -> date:
        """The date in the zone that `now` is given in."""
        return self.now.date()

    def day(self, at: datetime) -> date:
        """The date of a moment, in the same zone."""
        return at.astimezone(self.now.tzinfo).date()


def decide(
    policy: Policy, wave: str, judgement: Judgement, roadmap: Roadmap, waivers: Iterable[Waiver], *, now: datetime
) -> Decision:
    """The answer for one wave. LookupError for a wave that the policy does not have; dates are in `now`'s own zone.

    NO_GO: a hard rule fails, or a soft one that nobody waived. INDETERMINATE: otherwise, a hard or soft rule is unknown.
    GO: all rules pass and nothing is provisional. GO_WITH_CONDITIONS: the rest, with the conditions said.
    An unknown is never waived: nobody can accept a risk whose size nobody knows.
    """
    asked = policy.wave(wave)
    running = sorted(
        (one for one in waivers if one.on <= now.date() <= one.until),
        key=lambda one: (one.until, one.on, one.owner, one.reason),
    )
    case = _Case(
        judgement=judgement,
        roadmap=roadmap,
        facts=index(judgement.facts),
        verdicts={one.criterion: one for one in judgement.verdicts},
        stages={one.dimension: one for one in judgement.stages},
        waivers={one.rule: one for one in running},
        now=now,
    )
    held = [_hold(rule, case) for rule in asked.rules]
    answer = _answer([one.verdict for one in held])
    provisional = any(one.verdict.provisional for one in held)
    conditions = tuple(one.condition for one in held if one.condition) if answer is Answer.GO_WITH_CONDITIONS else ()
    return Decision(
        answer=answer,
        site=judgement.site,
        wave=asked.id,
        wave_title=asked.title,
        platform=policy.platform,
        decided_at=now,
        # "Cannot say" is asked again soon: it rests on what is missing, and that has no date.
        valid_until=_valid_until(held, case, provisional=provisional or answer is Answer.INDETERMINATE),
        provisional=provisional,
        rules=tuple(one.verdict for one in held),
        conditions=conditions,
        missing=tuple(dict.fromkeys(one.verdict.missing for one in held if one.verdict.missing)),
        policy=policy.id,
        policy_version=policy.version,
        policy_digest=policy.digest,
        roadmap=judgement.roadmap,
        roadmap_version=judgement.roadmap_version,
        roadmap_digest=judgement.roadmap_digest,
        surveys=judgement.surveys,
    )


def _answer(verdicts: Iterable[RuleVerdict]) -> Answer:
    verdicts = list(verdicts)
    binding = [one.outcome for one in verdicts if one.level is not Level.ADVISORY]
    if RuleOutcome.FAIL in binding:
        return Answer.NO_GO
    if RuleOutcome.UNKNOWN in binding:
        return Answer.INDETERMINATE
    clean = all(one.outcome is RuleOutcome.PASS and not one.provisional for one in verdicts)
    return Answer.GO if clean else Answer.GO_WITH_CONDITIONS


def _valid_until(held: Iterable[_Held], case: _Case, *, provisional: bool) -> date:
    longest = PROVISIONAL if provisional else LONGEST
    return min([case.today + longest, *(day for one in held for day in one.good_until)])


def _hold(rule: Rule, case: _Case) -> _Held:
    if rule.metric is not None:
        held = _metric(rule, rule.metric, case)
    elif rule.dimension is not None:
        held = _dimension(rule, rule.dimension, case)
    else:
        held = _criterion(rule, rule.criterion or "", case)
    return _with_condition(rule, _waive(rule, held, case))


def _waive(rule: Rule, held: _Held, case: _Case) -> _Held:
    waiver = case.waivers.get(rule.id)
    accepted = rule.waivable and rule.level is Level.SOFT and held.verdict.outcome is RuleOutcome.FAIL
    if waiver is None or not accepted:
        return held
    reason = f"{waiver.owner} accepted this until {waiver.until}: {waiver.reason}. Without the waiver: {held.verdict.reason}"
    return _Held(
        verdict=msgspec.structs.replace(held.verdict, outcome=RuleOutcome.WAIVED, reason=reason),
        condition=f"{rule.title}: {waiver.owner} accepted the risk until {waiver.until} ({waiver.reason})",
        good_until=(*held.good_until, waiver.until),
    )


def _with_condition(rule: Rule, held: _Held) -> _Held:
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


def _ruled(
    rule: Rule, outcome: RuleOutcome, reason: str, *, provisional: bool = False, missing: str = "", good: tuple[date, ...] = ()
) -> _Held:
    return _Held(
        verdict=RuleVerdict(
            rule=rule.id,
            title=rule.title,
            level=rule.level,
            outcome=outcome,
            reason=reason,
            provisional=provisional,
            missing=missing,
            remedy=rule.remedy,
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


def _metric(rule: Rule, metric: str, case: _Case) -> _Held:
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
        good=_good(rule, facts, (), case),
    )


def _criterion(rule: Rule, asked: str, case: _Case) -> _Held:
    verdict = case.verdicts.get(asked)
    if verdict is None:
        return _ruled(rule, RuleOutcome.UNKNOWN, f"{asked} was not judged", missing=f"a judgement of {asked}")
    outcome = verdict.by_machine if rule.by_machine else verdict.outcome
    facts, words = _basis((verdict,), case)
    if stale := _stale(rule, facts, words, case):
        return stale
    missing = verdict.missing or (f"evidence for {asked}" if outcome is Outcome.UNKNOWN else "")
    return _ruled(
        rule,
        _RULED[outcome],
        verdict.reason,
        provisional=verdict.provisional,
        missing=missing,
        good=_good(rule, facts, words, case),
    )


def _dimension(rule: Rule, asked: str, case: _Case) -> _Held:
    found = case.stages.get(asked)
    title = next((one.title for one in case.roadmap.dimensions if one.id == asked), asked)
    wanted = rule.stage or 1
    reached = None if found is None else (found.by_machine if rule.by_machine else found.with_attestations)
    if reached is None:
        reason = f"no stage of “{title}” is known by machine" if found else f"“{title}” was not judged"
        return _ruled(rule, RuleOutcome.UNKNOWN, reason, missing=f"a judgement of “{title}”")
    basis = tuple(
        case.verdicts[one.id] for one in demanded(case.roadmap, asked) if one.stage <= wanted and one.id in case.verdicts
    )
    facts, words = _basis(basis, case)
    names = case.roadmap.stage_name
    shown = f"“{title}” is at {names(reached)}; asked for is {names(wanted)}"
    good = _good(rule, facts, words, case)
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


def _basis(verdicts: Iterable[Verdict], case: _Case) -> tuple[tuple[Fact, ...], tuple[Attestation, ...]]:
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


def _stale(rule: Rule, facts: Iterable[Fact], words: Iterable[Attestation], case: _Case) -> _Held | None:
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


def _good(rule: Rule, facts: Iterable[Fact], words: Iterable[Attestation], case: _Case) -> tuple[date, ...]:
    seen = [case.day(fact.last_at) + timedelta(days=rule.max_age_days) for fact in facts if fact.last_at is not None]
    return (*seen, *(word.until for word in words))
