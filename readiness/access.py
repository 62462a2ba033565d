"""Access: one sign-in, the filter's tiers, networks kept apart, a second path and stored material, from what probes saw.

A school says what must hold; each of its rules holds, does not, or is not known. A share of rules of which some are not known
is only a bound on the truth, and says so. That a filter does what the school asked of it says nothing about any law.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from netready.access import People, seen_from, written
from netready.failure import Failure
from netready.site import Site
from netready.text import clean
from readiness.evidence import Fact, Grade
from readiness.roadmap import EvidenceKind
from readiness.sample import Sample, Window, methods, surveys
from readiness.wording import plural

MOST_NAMED = 3  # rules that a note names; the probes' own records have them all
# What says something about this machine and nothing about what was to be probed.
OURS = frozenset({Failure.LOCAL_RESOURCES, Failure.NOT_AUTHORISED})
_NEVER = "not checked lately"
_READ = ("page_blocked", "barrier_crossed", "stored_page_time", "circuit_page_time", "sign_in_redirects")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Something the school says must hold, and whether it does by its newest reading; None: not known. `why` says either."""

    name: str
    held: bool | None
    why: str = ""
    sample: Sample | None = None


class _FilterRule(msgspec.Struct, frozen=True, kw_only=True):
    """A test page in one network. `tier`: students must not open it and staff must; `shared`: blocked for both."""

    rule: Rule
    people: People
    must: bool
    tier: bool
    shared: bool


def facts(site: Site, window: Window, since: datetime) -> tuple[Fact, ...]:
    """One fact for each derived metric of the site's rules; without a value where the site's configuration has no such rule.

    Of a rule whose newest reading is older than `since` nothing is known any more.
    """
    window = _newer(window, since)
    pages = _filter_rules(site, window)
    blocked = [one.rule for one in pages if one.must and one.people is People.STUDENT]
    opened = [one.rule for one in pages if not one.must and one.people is People.STAFF]
    return (
        _sign_in(site, window),
        _share("filter_blocks", blocked, "no test page is named that must be blocked on a network of students"),
        _share("filter_open", opened, "no page is named that must open on a network of staff"),
        _tiers(pages),
        _networks([one.rule for one in pages], _barriers(site, window)),
        _circuits(site, window),
        _share("stored_material", _stored(site, window), "no material that is kept in the school is named"),
    )


def _newer(window: Window, since: datetime) -> Window:
    samples = {
        metric: tuple(sample for sample in window.of(metric) if sample.measurement.taken_at >= since) for metric in _READ
    }
    return msgspec.structs.replace(window, samples=samples)


def _latest(window: Window, metric: str) -> dict[str, Sample]:
    """The newest reading of each target: samples are in the order of their time."""
    return {sample.measurement.target: sample for sample in window.of(metric)}


def _rule(
    name: str, sample: Sample | None, holds: Callable[[Sample], bool | None], tell: Callable[[Sample], str] = lambda _sample: ""
) -> Rule:
    """The rule by its newest reading; `tell` says of a reading with a value why the rule is broken."""
    if sample is None:
        return Rule(name=name, held=None, why=_NEVER)
    why = tell(sample) if sample.measurement.failure is None else sample.measurement.failure.value
    return Rule(name=name, held=holds(sample), why=why, sample=sample)


def _came(sample: Sample) -> bool | None:
    """Whether a page came: one that did not is a broken rule, unless this machine is to blame."""
    failure = sample.measurement.failure
    return None if failure in OURS else failure is None


def _filter_rules(site: Site, window: Window) -> list[_FilterRule]:
    latest = _latest(window, "page_blocked")
    people = {network.name: network.people for network in site.nominated}
    found = []
    for page in site.filter_pages:
        kept_out = {people[name] for name in page.blocked}
        let_in = {people[name] for name in page.open}
        for name, must in page.told:
            target = seen_from(page.url, name)
            holds = _is_one if must else _is_zero
            found.append(
                _FilterRule(
                    rule=_rule(f"{target} {'blocked' if must else 'open'}", latest.get(target), holds, _how),
                    people=people[name],
                    must=must,
                    tier=People.STUDENT in kept_out and People.STAFF in let_in,
                    shared={People.STUDENT, People.STAFF} <= kept_out,
                )
            )
    return found


def _is_one(sample: Sample) -> bool | None:
    """Whether a page was blocked; `_is_zero`, whether it was open, or a barrier not crossed."""
    value = sample.measurement.value
    return None if value is None else value == 1


def _is_zero(sample: Sample) -> bool | None:
    value = sample.measurement.value
    return None if value is None else value == 0


def _barriers(site: Site, window: Window) -> list[Rule]:
    latest = _latest(window, "barrier_crossed")
    return [
        _rule(f"{barrier.name} out of reach from {name}", latest.get(seen_from(barrier.place, name)), _is_zero)
        for barrier in site.barriers
        for name in barrier.networks
    ]


def _tiers(pages: Sequence[_FilterRule]) -> Fact:
    """Both kinds of page are needed: a filter that blocks nothing for anybody has no tiers, nor has one that blocks all."""
    both = (People.STUDENT, People.STAFF)
    lacking = "no test page is named that must be {}"
    if not any(one.tier for one in pages):
        return _blank("filter_tiers", lacking.format("blocked for students and open for staff"))
    if not any(one.shared for one in pages):
        return _blank("filter_tiers", lacking.format("blocked for students and for staff"))
    return _share("filter_tiers", [one.rule for one in pages if (one.tier or one.shared) and one.people in both], "")


def _networks(pages: Sequence[Rule], barriers: Sequence[Rule]) -> Fact:
    if not pages or not barriers:
        absent = "test page of the filter" if not pages else "address that must be out of reach of a network"
        return _blank("network_rules", f"no {absent} is named")
    return _share("network_rules", [*pages, *barriers], "")


def _stored(site: Site, window: Window) -> list[Rule]:
    latest = _latest(window, "stored_page_time")
    return [_rule(one.name, latest.get(written(one.url)), _came) for one in site.stored]


def _circuits(site: Site, window: Window) -> Fact:
    """The circuits that carried a page by themselves. One alone is no second path, so two must say how they are reached."""
    circuits = [circuit for circuit in site.circuits if circuit.interface or circuit.source]
    if len(circuits) < 2:
        return _blank("circuits_working", "fewer than two circuits say by which interface or source they are reached")
    latest = _latest(window, "circuit_page_time")
    rules = [_rule(circuit.name, latest.get(clean(circuit.name)), _came) for circuit in circuits]
    fact = _share("circuits_working", rules, "")
    if fact.value is None:
        return fact
    return msgspec.structs.replace(fact, value=round(fact.value * len(rules)))


def _sign_in(site: Site, window: Window) -> Fact:
    """The share of apps with student data whose sign-in leads, encrypted all the way, to one host.

    That is the host the settings name, else the one where most apps lead. An app's own page for passwords is no common sign-in
    unless another app leads there too, and one app alone shows nothing.
    """
    apps = [endpoint for endpoint in site.endpoints if endpoint.student_data]
    if len(apps) < 2:
        return _blank("single_sign_on", "fewer than two endpoints are marked as holding student data")
    latest = _latest(window, "sign_in_redirects")
    samples = {app.name: latest.get(written(app.login or app.url)) for app in apps}
    seen = [sample for sample in samples.values() if sample is not None and sample.measurement.value is not None]
    named = sorted({_word(sample, "identity") for sample in seen} - {""})
    hosts = Counter(_word(sample, "landed") for sample in seen)
    # Of two hosts with as many apps, the first by name: the share is the same.
    host = named[0] if named else min(hosts, key=lambda one: (-hosts[one], one), default="")

    def holds(sample: Sample) -> bool | None:
        if sample.measurement.value is None:
            return None
        secure = sample.measurement.details.get("encrypted") is True
        alone = not named and hosts[host] < 2 and len(seen) == len(apps)
        return secure and _word(sample, "landed") == host and not alone

    def tell(sample: Sample) -> str:
        bare = "" if sample.measurement.details.get("encrypted") is True else ", not encrypted all the way"
        return f"leads to {_word(sample, 'landed')}{bare}"

    fact = _share("single_sign_on", [_rule(name, sample, holds, tell) for name, sample in samples.items()], "")
    return msgspec.structs.replace(fact, target=host)


def _how(sample: Sample) -> str:
    return _word(sample, "how")


def _word(sample: Sample, name: str) -> str:
    found = sample.measurement.details.get(name)
    return found if isinstance(found, str) else ""


def _share(metric: str, rules: Sequence[Rule], absent: str) -> Fact:
    """The share of `rules` that hold. With some not known it is at most, or at least, what the others leave open."""
    if not rules:
        return _blank(metric, absent)
    held = [rule for rule in rules if rule.held is True]
    broken = [rule for rule in rules if rule.held is False]
    dark = [rule for rule in rules if rule.held is None]
    if len(dark) == len(rules):
        return _blank(metric, _named("not known", dark))
    note = f"{len(held)} of {len(rules)} hold"
    note += f"; {_named('does not hold' if len(broken) == 1 else 'do not hold', broken)}" if broken else ""
    note += f"; {_named('not known', dark)}" if dark else ""
    samples = [rule.sample for rule in rules if rule.sample is not None]
    times = [sample.measurement.taken_at for sample in samples]
    # What is broken stays broken whatever the dark ones are; without it, only the rules that hold are sure.
    sure = len(rules) - len(broken) if broken else len(held)
    return Fact(
        kind=EvidenceKind.PROBED,
        metric=metric,
        value=sure / len(rules),
        at_most=bool(broken and dark),
        at_least=bool(dark and not broken),
        samples=len(samples),
        failures=sum(sample.measurement.value is None for sample in samples),
        first_at=min(times),
        last_at=max(times),
        methods=methods(samples),
        grade=Grade.PROVISIONAL if dark else Grade.CONCLUSIVE,
        surveys=surveys(samples),
        note=note,
    )


def _named(what: str, rules: Iterable[Rule]) -> str:
    listed = [f"{rule.name} ({rule.why})" if rule.why else rule.name for rule in rules]
    more = f" and {plural(len(listed) - MOST_NAMED, 'more', 'more')}" if len(listed) > MOST_NAMED else ""
    return f"{what}: {', '.join(listed[:MOST_NAMED])}{more}"


def _blank(metric: str, note: str) -> Fact:
    return Fact(kind=EvidenceKind.PROBED, metric=metric, value=None, note=note)
