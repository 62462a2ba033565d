"""The platform's endpoints, by role: how often they answered, how fast, and how many of them do."""

from collections.abc import Mapping, Sequence

import msgspec

from netready.access import seen_from, written
from netready.failure import Failure
from netready.metric import Better, metric
from netready.site import Role, Site
from readiness.evidence import Fact, Grade
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
CERTIFICATE = "tls_certificate_left"


def facts(site: Site, window: Window) -> tuple[Fact, ...]:
    """Four facts for each role that the site's configuration lists an endpoint for; none for other roles."""
    pages, certificates = _by_role(window, PAGE), _by_role(window, CERTIFICATE)
    roles = sorted({endpoint.role for endpoint in site.endpoints})
    return tuple(
        fact
        for role in roles
        for fact in (
            *_from_networks(site, role, pages.get(role, ())),
            _certificate(site, role, certificates.get(role, ()), window),
        )
    )


def _by_role(window: Window, metric: str) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in window.of(metric):
        role = sample.measurement.details.get("role")
        if isinstance(role, str):
            found.setdefault(role, []).append(sample)
    return found


def _from_networks(site: Site, role: Role, samples: Sequence[Sample]) -> tuple[Fact, ...]:
    """The role's facts, each from the nominated network where it is worst; without any, from wherever checks were made."""
    names = _networks(site, role)
    if not names:
        return _role(role, samples)
    each = {
        name: _role(role, [one for one in samples if one.measurement.details.get("network") == name and not _ours(one)])
        for name in names
    }
    return tuple(_worst(dict(zip(each, column, strict=True))) for column in zip(*each.values(), strict=True))


def _networks(site: Site, role: Role) -> tuple[str, ...]:
    """The nominated networks that an endpoint of the role is for."""
    wanted = [endpoint.networks for endpoint in site.endpoints if endpoint.role is role]
    every = () in wanted
    return tuple(one.name for one in site.nominated if every or any(one.name in names for names in wanted))


def _ours(sample: Sample) -> bool:
    """Whether this machine could not send from the network, which says nothing about the platform."""
    return sample.measurement.failure is Failure.LOCAL_RESOURCES


def _worst(facts: Mapping[str, Fact]) -> Fact:
    """The fact of the network where it is worst, as sure as the network with the fewest days.

    From a network that nothing is known of it may be worse still, so the number is then only a bound.
    """
    dark = sorted(name for name, fact in facts.items() if fact.value is None)
    values = {name: fact.value for name, fact in facts.items() if fact.value is not None}
    some = next(iter(facts.values()))
    if not values:
        return msgspec.structs.replace(some, note=f"{some.note} from {', '.join(facts)}")
    higher = metric(some.metric).better is Better.HIGHER
    name = min(values, key=lambda one: (values[one] if higher else -values[one], one))
    where = f"from {name}" if len(facts) == 1 else f"from {name}, the worst of {len(facts)} nominated networks"
    note = f"{facts[name].note}; {where}" + (f"; nothing is known from {', '.join(dark)}" if dark else "")
    days = min(fact.days for fact in facts.values())
    last = min(fact.last_at for fact in facts.values() if fact.last_at is not None)  # as old as the oldest of them
    bounded = bool(dark) or any(facts[one].at_least for one in values)
    return msgspec.structs.replace(
        facts[name],
        at_most=bounded and higher,
        at_least=bounded and not higher,
        days=days,
        last_at=last,
        grade=grade(days),
        note=note,
    )


def _certificate(site: Site, role: Role, samples: Sequence[Sample], window: Window) -> Fact:
    """Seconds from now until the first of the role's certificates ends; one that is not accepted has none left.

    An endpoint whose certificate was not seen may have less, so the number is then only a bound.
    """
    pages = [endpoint for endpoint in site.endpoints if endpoint.role is role and endpoint.url.startswith("https:")]
    blank = Fact(kind=EvidenceKind.MEASURED, metric="platform_certificate_left", role=role, value=None)
    if not pages:
        return msgspec.structs.replace(blank, note=f"no page of {platform(role)} is encrypted")
    networks = _networks(site, role)
    named = [
        seen_from(page.url, name) if name else written(page.url)
        for page in pages
        for name in (networks or ("",))
        if not name or not page.networks or name in page.networks
    ]
    latest = {sample.measurement.target: sample for sample in samples}
    seen = [latest[target] for target in named if target in latest]
    left = {sample.measurement.target: _left(sample, window) for sample in seen}
    known = {target: value for target, value in left.items() if value is not None}
    if not known:
        return msgspec.structs.replace(blank, note=f"no certificate of {platform(role)} was seen in this window")
    target = min(known, key=lambda one: (known[one], one))
    return msgspec.structs.replace(
        blank,
        value=known[target],
        at_most=len(known) < len(named),
        target=target,
        samples=len(known),
        failures=len(seen) - len(known),
        first_at=min(sample.measurement.taken_at for sample in seen),
        last_at=max(sample.measurement.taken_at for sample in seen),
        methods=methods(seen),
        grade=Grade.CONCLUSIVE if len(known) == len(named) else Grade.PROVISIONAL,
        surveys=surveys(seen),
        note=f"the certificate that ends first, of {len(known)} seen of {len(named)}: {target}",
    )


def _left(sample: Sample, window: Window) -> float | None:
    if sample.measurement.failure is Failure.TLS_CERTIFICATE:
        return 0.0
    if sample.measurement.value is None:
        return None
    return max(sample.measurement.value - (window.until - sample.measurement.taken_at).total_seconds(), 0.0)


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
