"""Gathering: from readings, devices and the site's own description to every number the judgement may ask for."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from netready.device import Device
from netready.site import Site
from readiness import access, compared, endpoints, inventory, jobs
from readiness.evidence import Fact, Grade, Reading
from readiness.inventory import Told
from readiness.judgement import Line
from readiness.line import TOWARDS, Tests, line, per_1000, tests
from readiness.roadmap import EvidenceKind
from readiness.sample import DECISION_DAYS, Window, window
from readiness.usage import used_days
from readiness.wording import limits, plural

WINDOW_DAYS = 90  # about a term: the longest for which measurements stay valid without a change to the line
# Checks of web pages age faster than lines: a platform moves, a certificate ends. Our own proposal, as is the term above.
PAGES_FRESH_DAYS = 30
AUDITS_DAYS = 366  # how far back audits are looked for: the roadmap asks for one a year
NOTHING_TOLD = Told()


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a site in a window: every derived number, the line both ways, and what keeps it from being final."""

    facts: tuple[Fact, ...]
    since: datetime
    until: datetime
    school_days: int
    surveys: tuple[str, ...]
    down: Line
    up: Line
    provisional: tuple[str, ...] = ()


def gather(
    site: Site,
    readings: Iterable[Reading],
    devices: Sequence[Device],
    *,
    now: datetime,
    audits: Sequence[datetime] = (),
    window_days: int = WINDOW_DAYS,
    devices_at: datetime | None = None,
    told: Told = NOTHING_TOLD,
) -> Gathered:
    """Every derived metric of the catalogue as a fact, from the readings of the last `window_days`.

    devices     those of the latest survey; `devices_at` is when it was, by default the newest audit
    told        what was worked out of them elsewhere
    audits      when audits were completed
    The order of readings, devices and audits does not matter. Readings made outside school hours are kept, but judged
    only where there is none in school hours, and they never add to a number's school days.
    """
    seen = window(site, readings, now - timedelta(days=window_days), now)
    down, up = tests(seen, "down"), tests(seen, "up")
    down_fact, up_fact = per_1000(down, site), per_1000(up, site)
    counted_at = devices_at or max((audit for audit in audits if audit <= now), default=None)
    found = inventory.stock(devices, told, counted_at, now)
    pages = tuple(_fresh(fact, now) for fact in endpoints.facts(site, seen))
    towards = line(down, down_fact, site, seen)
    return Gathered(
        facts=(
            down_fact,
            up_fact,
            *inventory.contract_facts(site),
            _test_days(seen),
            *pages,
            *jobs.facts(pages),
            *access.facts(site, seen, now - timedelta(days=PAGES_FRESH_DAYS)),
            *inventory.device_facts(site, found, told),
            *compared.facts(site, found, told, towards, used_days(site, seen, "down")),
            inventory.list_fact(site),
            inventory.audit_fact(audits, now),
        ),
        since=seen.since,
        until=seen.until,
        school_days=seen.school_days,
        surveys=seen.surveys,
        down=towards,
        up=line(up, up_fact, site, seen),
        provisional=(*_line_doubts(down, up), *_page_doubts(pages), *_window_doubts(seen)),
    )


def _fresh(fact: Fact, now: datetime) -> Fact:
    """Of an endpoint that was last checked too long ago nothing is known any more."""
    if fact.last_at is None or now - fact.last_at <= timedelta(days=PAGES_FRESH_DAYS):
        return fact
    age = plural((now - fact.last_at).days, "day")
    note = f"it was last checked {age} ago, and a check counts for {PAGES_FRESH_DAYS} days"
    return msgspec.structs.replace(fact, value=None, at_least=False, note=note)


def _test_days(seen: Window) -> Fact:
    """School days on which both directions were tested in school hours, whatever the method: a count so far."""
    both = [
        [sample for sample in seen.of(f"throughput_{way}") if sample.measurement.value is not None] for way in ("down", "up")
    ]
    samples = sorted((sample for way in both for sample in way), key=lambda sample: sample.measurement.taken_at)
    if not samples:
        note = "no throughput test succeeded in this window"
        return Fact(kind=EvidenceKind.MEASURED, metric="test_days", value=None, note=note)
    days = {sample.day for sample in both[0]} & {sample.day for sample in both[1]} - {None}
    return Fact(
        kind=EvidenceKind.MEASURED,
        metric="test_days",
        value=float(len(days)),
        at_least=True,
        samples=len(samples),
        days=len(days),
        first_at=samples[0].measurement.taken_at,
        last_at=samples[-1].measurement.taken_at,
        methods=tuple(sorted({sample.measurement.method for sample in samples})),
        grade=Grade.CONCLUSIVE,
        surveys=tuple(sorted({sample.survey for sample in samples})),
        note="school days with a test in both directions in school hours, so far",
    )


def _line_doubts(down: Tests, up: Tests) -> tuple[str, ...]:
    """Sentences about the line; one for both directions where both say the same."""
    texts = {way.direction: _doubts(way) for way in (down, up)}
    sentences: list[str] = []
    for direction, doubts in texts.items():
        other = texts["up" if direction == "down" else "down"]
        for doubt in doubts:
            # Replaced once and not formatted: what follows the first place may hold an instrument's own words.
            sentence = doubt.replace("{}", "" if doubt in other else f" {TOWARDS[direction]}", 1)
            if sentence not in sentences:
                sentences.append(sentence)
    return tuple(sentences)


def _doubts(way: Tests) -> list[str]:
    if way.standing is None:
        return []
    doubts = []
    if way.days < DECISION_DAYS:
        doubts.append(
            f"The line{{}} was tested on {way.days} of the {DECISION_DAYS} school days that a lasting decision wants."
        )
    if way.outside:
        are = "was" if way.outside == 1 else "were"
        doubts.append(f"{way.outside} of {plural(way.made, 'test')}{{}} {are} made outside school hours.")
    if kept := limits(way.limited_by):
        doubts.append(f"The test of the line{{}} was limited by {kept}.")
    return doubts


def _page_doubts(pages: Sequence[Fact]) -> tuple[str, ...]:
    days = [fact.days for fact in pages if fact.metric == "platform_success" and fact.value is not None]
    if not days or min(days) >= DECISION_DAYS:
        return ()
    asked = f"{min(days)} of the {DECISION_DAYS} school days that a lasting decision wants"
    return (f"The platform's endpoints were checked on {asked}.",)


def _window_doubts(seen: Window) -> tuple[str, ...]:
    doubts = []
    if len(seen.surveys) == 1:
        doubts.append("Everything measured here comes from one audit.")
    if seen.later:
        came = "bears a time that is still to come and was" if seen.later == 1 else "bear a time that is still to come and were"
        doubts.append(f"{plural(seen.later, 'reading')} {came} left out; check the clocks.")
    return tuple(doubts)
