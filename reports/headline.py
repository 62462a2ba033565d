"""The first page's content: the decision, why, where the school stands, what comes next, and how sure we are.

Everything here is chosen, ordered and worded from the judgement and the decisions; nothing is judged again.
"""

import msgspec

from readiness.gate import Answer, Decision, Level, RuleOutcome, RuleVerdict
from readiness.judgement import Line, Outcome
from readiness.roadmap import MACHINE
from reports import units, wording
from reports.lacks import Dispute, Lack, disputes, rates, things
from reports.report import OPEN, Report
from reports.stage_rows import StageRow, stage_rows, weakest

REASONS = 4  # more than a reader can hold is a list, not a reason
STEPS = 5

# The first page is one sheet of paper, so the page cuts a text where it would take a third line; the full text stands
# further down, and the terminal has room for it. Characters.
REASON_LIMIT = 200
STEP_LIMIT = 100
EVIDENCE_LIMIT = 76
BANNER_LIMIT = 120
NAME_LIMIT = 40
SCHOOL_LIMIT = 70

_LEVELS = (Level.HARD, Level.SOFT, Level.ADVISORY)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do: what, what it opens, what evidence will close it, and who does it; empty where nobody said who."""

    what: str
    unlocks: str
    evidence: str
    who: str = ""


class Sureness(msgspec.Struct, frozen=True, kw_only=True):
    """How many criteria rest on what. `checkable` can be settled by a machine, `attestable` only by a person."""

    measured: int
    checkable: int
    attested: int
    attestable: int
    unknown: int
    total: int


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """What the first page and the terminal say."""

    school: str
    platform: str
    wave: str
    answer: Answer
    verdict: str
    sentence: str
    reasons: tuple[str, ...]
    more: int
    waves: tuple[tuple[str, str], ...]
    line: str
    stages: tuple[StageRow, ...]
    weakest: str
    rates: tuple[Lack, ...]
    things: tuple[Lack, ...]
    disputes: tuple[Dispute, ...]
    steps: tuple[Step, ...]
    sureness: Sureness
    banner: tuple[str, ...]


def headline(report: Report) -> Headline:
    """The first page's content."""
    decision = report.decision
    reasons = deciding(decision)
    return Headline(
        school=wording.shortened(report.site.name, SCHOOL_LIMIT),
        platform=wording.shortened(decision.platform, NAME_LIMIT),
        wave=_short(decision),
        answer=decision.answer,
        verdict=wording.ANSWERS[decision.answer],
        sentence=_sentence(report, decision),
        reasons=reasons[:REASONS],
        more=max(0, len(reasons) - REASONS),
        waves=tuple((_short(each), wording.ANSWERS[each.answer]) for each in report.decisions),
        stages=stage_rows(report),
        line=", ".join(_line(line) for line in (report.judgement.down, report.judgement.up)),
        weakest=weakest(report),
        rates=rates(report),
        things=things(report),
        disputes=disputes(report),
        steps=next_steps(report)[:STEPS],
        sureness=sureness(report),
        banner=tuple(dict.fromkeys(wording.sentence(text) for text in report.judgement.provisional)),
    )


def deciding(decision: Decision) -> tuple[str, ...]:
    """The sentences that decide, most important first: demands not met, then not known, then accepted risks, then advice."""
    binding = [rule for rule in by_level(decision) if rule.level is not Level.ADVISORY]
    failed = [_because(rule) for rule in binding if rule.outcome is RuleOutcome.FAIL]
    unknown = [_because(rule) for rule in binding if rule.outcome is RuleOutcome.UNKNOWN]
    conditions = [wording.sentence(condition) for condition in decision.conditions]
    return tuple(dict.fromkeys([*failed, *unknown, *conditions]))


def _because(rule: RuleVerdict) -> str:
    """What became of the demand, the demand, and why: the outcome first, because the demand alone reads as a fact."""
    word = wording.RULE_OUTCOMES[rule.outcome]
    why = rule.reason.removeprefix(f"{word}: ")
    return f"{wording.capital(word)}: {wording.sentence(rule.title)} {wording.sentence(why)}"


def by_level(decision: Decision) -> list[RuleVerdict]:
    """The decision's rules, those that bind most first, else in the policy's order."""
    return sorted(decision.rules, key=lambda rule: _LEVELS.index(rule.level))


def _short(decision: Decision) -> str:
    return wording.shortened(decision.wave_title, NAME_LIMIT)


def _sentence(report: Report, decision: Decision) -> str:
    wave = f"“{_short(decision)}”"
    binding = [rule for rule in decision.rules if rule.level is not Level.ADVISORY]
    failed = sum(rule.outcome is RuleOutcome.FAIL for rule in binding)
    unknown = sum(rule.outcome is RuleOutcome.UNKNOWN for rule in binding)
    before = [each for each in report.decisions[: report.decisions.index(decision)] if each.answer in OPEN]
    ready = f"{wording.ANSWERS[before[-1].answer]} for “{_short(before[-1])}”. " if before else ""
    match decision.answer:
        case Answer.GO:
            return f"Ready for {wave}: every demand is met."
        case Answer.GO_WITH_CONDITIONS:
            return f"Ready for {wave}, with {units.count(len(decision.conditions), 'condition')}:"
        case Answer.NO_GO:
            also = f"; {units.count(unknown, 'further demand')} cannot be judged yet" if unknown else ""
            return f"{ready}Not ready for {wave}, for {units.count(failed, 'reason')}{also}:"
        case Answer.INDETERMINATE:
            return f"{ready}Cannot say yet for {wave}: {units.count(unknown, 'demand')} cannot be judged:"


def _line(line: Line) -> str:
    found = line.per_1000
    direction = f"{wording.DIRECTIONS[line.direction][:1].lower()}{wording.DIRECTIONS[line.direction][1:]}"
    if found.value is None:
        return f"{units.UNKNOWN} {direction}"
    if found.at_least:
        return f"at least {units.mbps(found.value, units.Side.DOWN)} {direction}"
    return f"{units.mbps(found.value)} {direction}"


def next_steps(report: Report) -> tuple[Step, ...]:
    """What to do next: what keeps the wave shut, then what keeps the weakest dimension from its next stage, then advice."""
    decision = report.decision
    rules = sorted(by_level(decision), key=lambda rule: rule.outcome is not RuleOutcome.FAIL)
    binding = [_rule_step(rule, decision) for rule in rules if rule.level is not Level.ADVISORY]
    advice = [_rule_step(rule, decision) for rule in rules if rule.level is Level.ADVISORY]
    steps = [step for step in (*binding, *_criterion_steps(report), *advice) if step is not None]
    unique = {step.what: step for step in reversed(steps)}
    return tuple(step for step in steps if unique.get(step.what) is step)


def _rule_step(rule: RuleVerdict, decision: Decision) -> Step | None:
    unlocks = f"wave “{_short(decision)}”"
    if rule.level is Level.ADVISORY:
        unlocks = "advice, blocks nothing"
    match rule.outcome:
        case RuleOutcome.FAIL | RuleOutcome.WAIVED:
            return _step(rule.remedy or rule.missing or rule.reason, unlocks, rule.missing or f"“{rule.title}” is met")
        case RuleOutcome.UNKNOWN:
            return _step(rule.missing or rule.remedy or rule.reason, unlocks, f"“{rule.title}” can be judged")
        case RuleOutcome.PASS:
            return None


def _criterion_steps(report: Report) -> list[Step]:
    """The weakest dimension's steps, easiest first."""
    title = next(each.title for each in report.roadmap.dimensions if each.id == report.judgement.weakest)
    advance = next((each for each in report.outlook.next_steps if each.dimension == report.judgement.weakest), None)
    if advance is None or advance.next is None:
        return []
    unlocks = f"{title}: {report.roadmap.stage_name(advance.next)}"
    return [_step(each.do, unlocks, each.settles, wording.WHO[each.who]) for each in advance.steps]


def _step(what: str, unlocks: str, evidence: str, who: str = "") -> Step:
    return Step(what=wording.sentence(what), unlocks=unlocks, evidence=wording.sentence(evidence), who=who)


def sureness(report: Report) -> Sureness:
    """How many criteria were measured, attested, or neither."""
    verdicts = {verdict.criterion: verdict for verdict in report.judgement.verdicts}
    checkable = [each.id for each in report.roadmap.criteria if MACHINE.intersection(each.evidence)]
    attestable = [each.id for each in report.roadmap.criteria if not MACHINE.intersection(each.evidence)]
    settled = frozenset({Outcome.MET, Outcome.NOT_MET})
    today = report.judgement.judged_at.astimezone(report.site.zone).date()
    return Sureness(
        measured=sum(verdicts[name].by_machine in settled for name in checkable),
        checkable=len(checkable),
        attested=sum(
            answer is not None and answer.counts(today) for answer in (verdicts[name].attestation for name in attestable)
        ),
        attestable=len(attestable),
        unknown=sum(verdict.outcome is Outcome.UNKNOWN for verdict in verdicts.values()),
        total=len(verdicts),
    )
