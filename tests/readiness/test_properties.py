"""What must hold of any judgement and any decision, on small schools, roadmaps and evidence made up at random.

The invariant that is meant, and holds. Evidence speaks for a criterion, against it, or not at all:

- For: more of it never lowers a stage, so taking it away never raises one.
- Against: more of it never raises a stage, and taking it away may. A machine's "no" beats a person's "yes", and a person's
  "no" stands against a machine's "yes": either of them, taken away, leaves the other's "yes" standing.
- Without any evidence nothing is met, so taking everything away never raises a stage.

A reading that falls short is not against by itself: it also proves that a school day was looked at, and a slow test on a fifth
day may complete five days whose lowest tenth is fast. What holds is that making it worse, at the same moment, never raises a
stage. Readings of a newer method begin a new count, because two methods are never averaged, and a test whose own 95 % interval
straddles a bound says nothing of it; both are left out here, and tested beside the gathering.
"""

import random
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netready.device import Device, Kind
from netready.failure import Failure
from netready.measurement import Measurement
from netready.site import Circuit, Endpoint, Role, Site
from readiness.evidence import Attestation, Reading
from readiness.gate import Answer, Level, Policy, Rule, RuleOutcome, Waiver, Wave, decide, exit_status
from readiness.gather import Gathered, gather
from readiness.judge import judge
from readiness.judgement import Judgement, Outcome
from readiness.roadmap import Bound, Criterion, Dimension, EvidenceKind, Roadmap, StageName

NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)  # a Friday
TODAY = NOW.date()
M, I, P, A = EvidenceKind.MEASURED, EvidenceKind.INVENTORIED, EvidenceKind.PROBED, EvidenceKind.ATTESTED  # noqa: E741
WIDE = 100e6  # bit/s for each 1,000 users, what every bound on a line asks for
QUICK = 2.0  # s, what every bound on a page asks for
# What a bound of each kind may ask for here. More evidence for it moves the number one way only.
BOUNDS = {
    M: (
        {"metric": "internet_down_per_1000", "at_least": WIDE},
        {"metric": "internet_down_per_1000", "at_least": WIDE, "min_days": 3},
        {"metric": "test_days", "at_least": 2.0},
        {"metric": "platform_time_p95", "role": Role.LMS, "at_most": QUICK},
        {"metric": "platform_success", "role": Role.LMS, "at_least": 0.8, "min_days": 2},
    ),
    I: (
        {"metric": "contracted_down_per_1000", "at_least": WIDE},
        {"metric": "student_devices_per_classroom", "at_least": 1.0},
        {"metric": "students_per_device", "at_most": 2.0},
        {"metric": "labs_and_carts", "at_least": 2.0},
        {"metric": "audit_age", "at_most": 7.0},
    ),
    P: ({"metric": "platform_hosts", "role": Role.LMS, "at_least": 1.0},),
}
FEW = settings(max_examples=40)  # of whole worlds; what needs more has a property of its own
PAGE = "https://lms.example.test/"


class World(msgspec.Struct, frozen=True, kw_only=True):
    """A school, the roadmap it is held against, and all that is known about it."""

    roadmap: Roadmap
    site: Site
    tests: tuple[tuple[int, int, float | Failure, str], ...]  # days ago, hour, Mbps for 1,000 users or a failure, direction
    checks: tuple[tuple[int, int, float | Failure], ...]  # days ago, hour, seconds or a failure
    devices: tuple[Kind, ...]
    audits: tuple[int, ...]  # days ago
    words: tuple[Attestation, ...]
    loads: tuple[float, ...] = ()  # Mbps for 1,000 users beside each test

    @property
    def readings(self) -> list[Reading]:
        made = []
        share = self.site.users * 1e3  # from Mbps for 1,000 users to this school's bit/s
        for place, (days, hour, one, way) in enumerate(self.tests):
            at = moment(days, hour)
            load = self.loads[place] * share if place < len(self.loads) else None
            loads = {} if load is None else {"load_during": load, "load_resolution": load * (place % 3) / 2}
            rate = one if isinstance(one, Failure) else one * share
            made.append(reading(f"throughput_{way}", "10.0.0.1:4433", at, rate, "ndt7/1", **loads))
        return made + [
            reading("http_total_time", PAGE, moment(days, hour), one, "http_fetch/1", role="lms")
            for days, hour, one in self.checks
        ]

    def gathered(self) -> Gathered:
        devices = [
            Device(key=f"{number}", mac=None, addresses=(), names=(), kind=kind, vendor=None)
            for number, kind in enumerate(self.devices)
        ]
        return gather(self.site, self.readings, devices, now=NOW, audits=[moment(days, 6) for days in self.audits])

    def judged(self) -> Judgement:
        return judge(self.roadmap, self.site, self.gathered(), self.words, now=NOW)

    def without_evidence(self) -> "World":
        empty = Site(name=self.site.name, students=self.site.students, staff=self.site.staff, classrooms=1)
        return World(roadmap=self.roadmap, site=empty, tests=(), checks=(), devices=(), audits=(), words=())


def moment(days: int, hour: int) -> datetime:
    return NOW.replace(hour=hour) - timedelta(days=days)


def reading(metric, target, at, one, method, **details) -> Reading:
    if isinstance(one, Failure):
        taken = Measurement.failed(metric, target, at, one, method, **details)
    else:
        taken = Measurement.of(metric, target, at, one, method, **details)
    return Reading(survey=f"s-{at:%m%d%H}", measurement=taken)


def roadmap(*criteria: Criterion) -> Roadmap:
    return Roadmap(
        id="r",
        version="1",
        title="-",
        source="-",
        stages=tuple(StageName(number=n, name=str(n), meaning="-") for n in (1, 2, 3, 4)),
        dimensions=tuple(Dimension(id=name, title=name, domain="-", question="-") for name in ("line", "people")),
        criteria=criteria,
    )


@st.composite
def criteria(draw, name: str) -> Criterion:
    kinds = tuple(draw(st.lists(st.sampled_from([M, I, P, A]), min_size=1, max_size=3, unique=True)))
    chosen = [(kind, draw(st.sampled_from([None, *BOUNDS[kind]]))) for kind in kinds if kind is not A]
    return Criterion(
        id=name,
        dimension=draw(st.sampled_from(["line", "people"])),
        stage=draw(st.integers(1, 4)),
        what="-",
        why="-",
        remedy="-",
        evidence=kinds,
        bounds=tuple(Bound(evidence=kind, source="-", **asked) for kind, asked in chosen if asked),
        required=draw(st.sampled_from([True, True, True, False])),
        confidence="high",
        wanted="a document",
    )


ATTESTED_ON = st.dates(date(2026, 1, 1), date(2026, 4, 3))  # some of them still to come
DAYS = st.sampled_from([0, 1, 2, 3, 5, 8, 120])  # the fifth day ago was a Sunday, and the 120th is out of the window
HOURS = st.sampled_from([6, 9, 11])
RATES = st.sampled_from([20.0, 99.0, 100.0, 101.0, 400.0, Failure.TIMEOUT])
TIMES = st.sampled_from([0.2, 2.0, 2.5, Failure.RESET])


@st.composite
def words(draw, name: str) -> Attestation:
    on = draw(ATTESTED_ON)
    until = on + timedelta(days=draw(st.sampled_from([20, 400])))
    return Attestation(criterion=name, answer=draw(st.booleans()), name="A. Head", role="principal", on=on, until=until)


@st.composite
def worlds(draw) -> World:
    names = [f"C{number}" for number in range(draw(st.integers(1, 5)))]
    numbers = {"students": st.integers(1, 40), "staff": st.integers(0, 5), "classrooms": st.integers(1, 4)}
    listed = st.sampled_from([None, 0, 1, 2])
    site = Site(name="S", **{key: draw(of) for key, of in numbers.items()}, labs=draw(listed), carts=draw(listed))
    down = draw(st.sampled_from([None, 0.9, 1.0, 3.0]))
    circuits = () if down is None else (Circuit(name="c", contracted_down=down * WIDE * site.users / 1000, contracted_up=1e6),)
    pages = (Endpoint(name="LMS", url=PAGE, role=Role.LMS),) if draw(st.integers(0, 4)) else ()
    return World(
        roadmap=roadmap(*(draw(criteria(name)) for name in names)),
        site=msgspec.structs.replace(site, circuits=circuits, endpoints=pages),
        tests=tuple(draw(st.lists(st.tuples(DAYS, HOURS, RATES, st.sampled_from(["down", "down", "up"])), max_size=14))),
        checks=tuple(draw(st.lists(st.tuples(DAYS, HOURS, TIMES), max_size=6))),
        devices=tuple(draw(st.lists(st.sampled_from([Kind.STUDENT_DEVICE, Kind.PRINTER, Kind.UNKNOWN]), max_size=6))),
        audits=tuple(draw(st.lists(DAYS, max_size=2))),
        words=tuple(word for name in names for word in draw(st.lists(words(name), max_size=2))),
    )


def no_lower(after: Judgement, before: Judgement) -> None:
    """No dimension of `after` stands below where it stands in `before`, with what people say and without."""
    for new, old in zip(after.stages, before.stages, strict=True):
        assert new.with_attestations >= old.with_attestations
        assert (new.by_machine is None) == (old.by_machine is None)
        assert (new.by_machine or 0) >= (old.by_machine or 0)


def said(world: World, name: str, *, answer: bool) -> World:
    """The world in which somebody answered today."""
    word = Attestation(criterion=name, answer=answer, name="B. Head", role="head", on=TODAY, until=date(2026, 12, 31))
    return msgspec.structs.replace(world, words=(*world.words, word))


def put(rows, draw, row):
    """`row` anywhere among the rows."""
    place = draw(st.integers(0, len(rows)))
    return (*rows[:place], row, *rows[place:])


def more(world: World, draw, kind: str) -> World:
    """The world with one more piece of evidence that speaks for whatever it speaks of."""
    replace = msgspec.structs.replace
    match kind:
        case "a fast test":
            row = (draw(st.sampled_from([0, 1, 2, 3])), 9, draw(st.sampled_from([100.0, 250.0])), "down")
            return replace(world, tests=put(world.tests, draw, row))
        case "a quick page":
            row = (draw(st.sampled_from([0, 1, 2, 3])), 9, draw(st.sampled_from([0.1, 2.0])))
            return replace(world, checks=put(world.checks, draw, row))
        case "a student's device":
            return replace(world, devices=(*world.devices, Kind.STUDENT_DEVICE))
        case "an audit":
            return replace(world, audits=put(world.audits, draw, 1))
        case "a contract":
            second = Circuit(name="second", contracted_down=WIDE * world.site.users / 1000, contracted_up=1e6)
            return replace(world, site=replace(world.site, circuits=(*world.site.circuits, second)))
        case "a lab":
            return replace(world, site=replace(world.site, labs=(world.site.labs or 0) + 1))
        case "a person's yes":
            return said(world, draw(st.sampled_from(world.roadmap.criteria)).id, answer=True)
    raise AssertionError(kind)


FOR = ["a fast test", "a quick page", "a student's device", "an audit", "a contract", "a lab", "a person's yes"]


@pytest.mark.parametrize("kind", FOR)
@FEW
@given(worlds(), st.data())
def test_more_evidence_that_is_met_never_lowers_a_stage_and_less_of_it_never_raises_one(kind, world, data):
    no_lower(after=more(world, data.draw, kind).judged(), before=world.judged())


@FEW
@given(worlds(), st.data())
def test_a_persons_no_never_raises_a_stage(world, data):
    name = data.draw(st.sampled_from(world.roadmap.criteria)).id
    no_lower(after=world.judged(), before=said(world, name, answer=False).judged())


@FEW
@given(worlds(), st.data())
def test_a_slower_test_or_page_at_the_same_moment_never_raises_a_stage(world, data):
    slower = st.sampled_from([1.0, 2.0])
    tests = [
        (days, hour, one if isinstance(one, Failure) else one / data.draw(slower), way) for days, hour, one, way in world.tests
    ]
    checks = [(days, hour, one if isinstance(one, Failure) else one * data.draw(slower)) for days, hour, one in world.checks]
    worse = msgspec.structs.replace(world, tests=tuple(tests), checks=tuple(checks))
    no_lower(after=world.judged(), before=worse.judged())


def held(bound: dict, **evidence) -> Outcome:
    """What becomes of one bound on what is measured, in a school with a line and a platform."""
    criterion = Criterion(
        id="C",
        dimension="line",
        stage=2,
        what="-",
        why="-",
        remedy="-",
        evidence=(M,),
        bounds=(Bound(evidence=M, source="-", **bound),),
        confidence="high",
        wanted="-",
    )
    world = World(
        roadmap=roadmap(criterion),
        site=Site(name="S", students=10, staff=0, classrooms=1, endpoints=(Endpoint(name="LMS", url=PAGE, role=Role.LMS),)),
        **{"tests": (), "checks": (), "devices": (), "audits": (), "words": ()} | evidence,
    )
    return world.judged().verdicts[0].outcome


LOADED = st.tuples(st.sampled_from([70.0, 99.0, 100.0, 110.0]), st.sampled_from([0.0, 0.0, 30.0]))


@given(st.lists(LOADED, min_size=1, max_size=24))
def test_a_line_suffices_when_more_than_nine_in_ten_tests_prove_it_with_the_load_beside_them(rows):
    """So one more test that proves it never turns met into not met. The slowest is not always the one that proves least."""
    tests = tuple((number % 3, 9, rate, "down") for number, (rate, _) in enumerate(rows))
    sure = [rate + load * (1 - number % 3 / 2) for number, (rate, load) in enumerate(rows)]  # what `readings` leaves in doubt
    outcome = held(BOUNDS[M][0], tests=tests, loads=tuple(load for _, load in rows))
    if 10 * sum(one < 100 for one in sure) < len(rows):
        assert outcome is Outcome.MET
    elif all(rate + load < 100 for (rate, load), one in zip(rows, sure, strict=True) if one < 100):
        assert outcome is Outcome.NOT_MET
    else:
        assert outcome in {Outcome.NOT_MET, Outcome.UNKNOWN}


@given(st.lists(st.tuples(st.just(1), HOURS, TIMES), max_size=24), st.data())
def test_a_page_that_did_not_come_never_makes_a_platform_quick_enough(rows, data):
    """What is not met may become unknown, since a page that never came has no time, and no more than that."""
    quick, answering = BOUNDS[M][3], BOUNDS[M][4] | {"min_days": 1}
    failing = [(days, hour, data.draw(st.sampled_from([one, one, Failure.TIMEOUT]))) for days, hour, one in rows]
    for bound in (quick, answering):
        if held(bound, checks=tuple(rows)) is not Outcome.MET:
            assert held(bound, checks=tuple(failing)) is not Outcome.MET


@FEW
@given(worlds())
def test_without_evidence_nothing_is_met_and_every_dimension_is_at_its_entry(world):
    nothing = world.without_evidence().judged()
    assert {verdict.outcome for verdict in nothing.verdicts} == {Outcome.UNKNOWN}
    assert {stage.with_attestations for stage in nothing.stages} == {1}
    no_lower(after=world.judged(), before=nothing)


@FEW
@given(worlds())
def test_silence_in_the_evidence_that_decides_never_makes_a_criterion_met(world):
    """A criterion whose deciding kind has neither a value nor a valid word behind it is unknown or not met."""
    found = world.judged()
    for criterion, verdict in zip(world.roadmap.criteria, found.verdicts, strict=True):
        if verdict.outcome is not Outcome.MET:
            continue
        first = criterion.voices[0]
        if first is A:
            assert verdict.attestation is not None
            assert verdict.attestation.answer
            assert verdict.attestation.on <= TODAY <= verdict.attestation.until
        else:
            asked = next(bound for bound in criterion.bounds if bound.evidence is first)
            assert any(fact.metric == asked.metric and fact.value is not None for fact in verdict.facts)


@st.composite
def rules(draw, name: str, held_against: Roadmap) -> Rule:
    shared = {"id": name, "title": name, "why": "-", "remedy": "-", "level": draw(st.sampled_from(list(Level)))}
    match draw(st.sampled_from(["criterion", "dimension", "metric"])):
        case "criterion":
            asked = draw(st.sampled_from(held_against.criteria)).id
            return Rule(**shared, criterion=asked, by_machine=draw(st.booleans()))
        case "dimension":
            where = draw(st.sampled_from(["line", "people"]))
            return Rule(**shared, dimension=where, stage=draw(st.integers(2, 4)), by_machine=draw(st.booleans()))
    asked = draw(st.sampled_from([*BOUNDS[M], *BOUNDS[I], *BOUNDS[P]]))
    return Rule(**shared, **asked, max_age_days=draw(st.sampled_from([1, 120])))


@st.composite
def gates(draw, held_against: Roadmap) -> tuple[Policy, tuple[Waiver, ...]]:
    made = tuple(draw(rules(f"r{number}", held_against)) for number in range(draw(st.integers(1, 4))))
    waivers = tuple(
        Waiver(
            rule=rule.id, on=date(2026, 3, 1), until=draw(st.sampled_from([TODAY, date(2026, 3, 20)])), owner="B", reason="-"
        )
        for rule in made
        if draw(st.booleans())
    )
    return Policy(id="p", version="1", title="-", platform="-", waves=(Wave(id="w", title="-", rules=made),)), waivers


@FEW
@given(worlds(), st.data())
def test_unknown_never_opens_the_gate(world, data):
    policy, waivers = data.draw(gates(world.roadmap))
    found = world.judged()
    decision = decide(policy, "w", found, world.roadmap, waivers, now=NOW)
    bare = {one.rule: one.outcome for one in decide(policy, "w", found, world.roadmap, (), now=NOW).rules}
    verdicts = {one.criterion: one for one in found.verdicts}
    opened = exit_status(decision.answer) == 0
    assert opened == (decision.answer in {Answer.GO, Answer.GO_WITH_CONDITIONS})
    for rule, one in zip(policy.waves[0].rules, decision.rules, strict=True):
        binding = rule.level is not Level.ADVISORY
        assert not (opened and binding and one.outcome in {RuleOutcome.UNKNOWN, RuleOutcome.FAIL})
        if one.outcome is RuleOutcome.WAIVED:
            assert bare[rule.id] is RuleOutcome.FAIL
            assert rule.level is Level.SOFT
        else:
            assert one.outcome is bare[rule.id]
        if rule.criterion is not None and one.outcome is RuleOutcome.PASS:
            said = verdicts[rule.criterion].by_machine if rule.by_machine else verdicts[rule.criterion].outcome
            assert said is Outcome.MET
        if rule.dimension is not None and one.outcome is RuleOutcome.PASS:
            stage = next(each for each in found.stages if each.dimension == rule.dimension)
            assert ((stage.by_machine if rule.by_machine else stage.with_attestations) or 0) >= rule.stage
    if decision.answer is Answer.GO:
        assert {one.outcome for one in decision.rules} == {RuleOutcome.PASS}


@FEW
@given(worlds(), st.data())
def test_with_no_evidence_at_all_no_binding_rule_passes(world, data):
    policy, waivers = data.draw(gates(world.roadmap))
    nothing = world.without_evidence().judged()
    decision = decide(policy, "w", nothing, world.roadmap, waivers, now=NOW)
    assert {one.outcome for one in decision.rules} == {RuleOutcome.UNKNOWN}
    binding = any(one.level is not Level.ADVISORY for one in decision.rules)
    assert decision.answer is (Answer.INDETERMINATE if binding else Answer.GO_WITH_CONDITIONS)


@FEW
@given(worlds(), st.data(), st.randoms(use_true_random=False))
def test_the_order_of_inputs_never_matters(world, data, chance: random.Random):
    policy, waivers = data.draw(gates(world.roadmap))
    devices = [
        Device(key=f"{number}", mac=None, addresses=(), names=(), kind=kind, vendor=None)
        for number, kind in enumerate(world.devices)
    ]
    given_in = [world.readings, devices, [moment(days, 6) for days in world.audits], list(world.words), list(waivers)]

    def result() -> bytes:
        readings, seen, audits, answers, accepted = given_in
        gathered = gather(world.site, readings, seen, now=NOW, audits=audits)
        found = judge(world.roadmap, world.site, gathered, answers, now=NOW)
        return msgspec.json.encode((found, decide(policy, "w", found, world.roadmap, accepted, now=NOW)))

    first = result()
    for rows in given_in:
        chance.shuffle(rows)
    assert result() == first


@FEW
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_a_site_or_a_roadmap_lists_things_never_matters(world, chance: random.Random):
    site = msgspec.structs.replace(
        world.site, circuits=(*world.site.circuits, Circuit(name="b", contracted_down=1e7, contracted_up=1e7))
    )
    other = msgspec.structs.replace(site, circuits=site.circuits[::-1])
    turned = msgspec.structs.replace(
        world.roadmap, criteria=tuple(chance.sample(world.roadmap.criteria, len(world.roadmap.criteria)))
    )
    first = msgspec.structs.replace(world, site=site).judged()
    second = msgspec.structs.replace(world, site=other, roadmap=turned).judged()
    assert {one.criterion: one for one in first.verdicts} == {one.criterion: one for one in second.verdicts}
    assert [one.with_attestations for one in first.stages] == [one.with_attestations for one in second.stages]
    assert [one.by_machine for one in first.stages] == [one.by_machine for one in second.stages]
