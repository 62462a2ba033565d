"""The platform's endpoints, by role: how often they answered, how fast, and how many of them do."""

from collections.abc import Sequence

import msgspec

from netready.site import Role, Site
from readiness.evidence import Fact
from readiness.roadmap import EvidenceKind
from readiness.sample import (
    PERCENTILE_HIGH,
    Sample,
    Window,
    by_value,
    grade,
    judged,
    methods,
    school_days,
    surveys,
)
from readiness.wording import platform, plural, tally

PAGE = "http_total_time"


def facts(site: Site, window: Window) -> tuple[Fact, ...]:
    """Three facts for each role that the site's configuration lists an endpoint for; none for other roles."""
    by_role: dict[str, list[Sample]] = {}
    for sample in window.of(PAGE):
        role = sample.measurement.details.get("role")
        if isinstance(role, str):
            by_role.setdefault(role, []).append(sample)
    roles = sorted({endpoint.role for endpoint in site.endpoints})
    return tuple(fact for role in roles for fact in _role(role, by_role.get(role, ())))


def _role(role: Role, samples: Sequence[Sample]) -> tuple[Fact, ...]:
    if not samples:
        note = f"no check of {platform(role)} was made in this window"
        blank = Fact(kind=EvidenceKind.MEASURED, metric="platform_success", role=role, value=None, note=note)
        return _three(blank, (), None)
    counted = judged(samples)
    good = by_value(sample for sample in counted if sample.measurement.value is not None)
    failed = [str(sample.measurement.failure) for sample in counted if sample.measurement.value is None]
    days = school_days(counted)
    targets = {sample.measurement.target for sample in counted}
    shared = Fact(
        kind=EvidenceKind.MEASURED,
        metric="platform_success",
        role=role,
        value=None,
        target=targets.pop() if len(targets) == 1 else "",
        samples=len(counted),
        failures=len(failed),
        days=days,
        first_at=counted[0].measurement.taken_at,
        last_at=counted[-1].measurement.taken_at,
        methods=methods(counted),
        grade=grade(days),
        surveys=surveys(counted),
        note=_note(samples, counted, failed),
    )
    # Oldest first, so the last word on each endpoint is its latest reading.
    latest = {sample.measurement.target: sample.measurement.value is not None for sample in counted}
    return _three(shared, good, float(sum(latest.values())))


def _three(shared: Fact, good: Sequence[Sample], hosts: float | None) -> tuple[Fact, ...]:
    replace = msgspec.structs.replace
    return (
        replace(shared, value=len(good) / shared.samples if shared.samples else None),
        _p95(replace(shared, metric="platform_time_p95", samples=len(good)), good),
        replace(shared, metric="platform_hosts", kind=EvidenceKind.PROBED, value=hosts),
    )


def _p95(fact: Fact, good: Sequence[Sample]) -> Fact:
    """The time, s, within which 95 % of all checks were answered; where fewer were answered at all, it is at least the slowest.

    A page that did not come counts as slower than any that did: otherwise the worse a platform answers, the faster it looks.
    """
    if not good:
        return fact
    rank = -(-PERCENTILE_HIGH * (len(good) + fact.failures) // 100)
    return msgspec.structs.replace(fact, value=good[min(rank, len(good)) - 1].value, at_least=rank > len(good))


def _note(samples: Sequence[Sample], counted: Sequence[Sample], failed: Sequence[str]) -> str:
    text = plural(len(counted), "check")
    if counted[0].day is None:
        text += ", none of them in school hours"
    elif len(counted) < len(samples):
        text += f" in school hours; {plural(len(samples) - len(counted), 'check')} outside school hours left out"
    return f"{text}; {plural(len(failed), 'check')} failed: {tally(failed)}" if failed else text
