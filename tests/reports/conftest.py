"""One school's judgement, written by hand: every outcome, every kind of evidence, known and unknown quantities."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import msgspec
import pytest

from netready.device import Device, Kind
from netready.failure import Failure
from netready.measurement import Measurement
from netready.roster import Roster, Source, Users
from netready.site import Calendar, Circuit, Role, Site
from netready.survey import Run, Survey
from readiness.evidence import Attestation, Fact, Grade
from readiness.fit_gap import bills, fit_gap
from readiness.gate import Answer, Decision, Level, RuleOutcome, RuleVerdict
from readiness.judgement import Judgement, Line, Outcome, Quantity, StageVerdict, Target, Verdict
from readiness.next_steps import next_steps
from readiness.plan import CircuitPrice, Prices, Wanted
from readiness.policy import Policy, Rule, Wave
from readiness.roadmap import Bound, Criterion, Dimension, EvidenceKind, Roadmap, StageName
from readiness.standards import Comparison, Denominator
from reports.report import Outlook, Report, report

GOLDEN = Path(__file__).parent.parent / "golden"
RENEW = "NETREADY_RENEW_GOLDEN"

FIRST, LAST = datetime(2026, 3, 2, 13, 30, tzinfo=UTC), datetime(2026, 3, 13, 20, 10, tzinfo=UTC)
MET, NOT_MET, UNKNOWN = Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN
M, I, P, A = EvidenceKind.MEASURED, EvidenceKind.INVENTORIED, EvidenceKind.PROBED, EvidenceKind.ATTESTED  # noqa: E741
USERS = 2_420

DIMENSIONS = (
    ("uses", "Uses of technology", "Technology", False),
    ("choices", "Choice of systems", "Technology", True),
    ("jobs", "Tools and their jobs", "Technology", False),
    ("rules", "Rules for using technology", "Policy", False),
    ("oer", "Open educational resources", "Policy", False),
    ("privacy", "Privacy and security", "Policy", False),
    ("broadband", "Broadband access", "Policy", True),
    ("decisions", "Decision-making", "Capacity", False),
    ("diffusion", "Diffusion of innovation", "Capacity", False),
    ("learning", "Professional development", "Capacity", False),
    ("planning", "IT planning", "Capacity", False),
    ("network", "IT infrastructure", "Capacity", True),
    ("public", "Public will", "Capacity", False),
    ("budget", "Budget", "Capacity", False),
)

# dimension: its stage by machine, its stage with attestations, and the evidence its criteria ask for
STAGES: dict[str, tuple[int | None, int, tuple[EvidenceKind, ...]]] = {
    "uses": (2, 3, (P, A)),
    "choices": (3, 3, (M, I)),
    "jobs": (1, 2, (A, P)),
    "rules": (None, 3, (A,)),
    "oer": (None, 2, (A,)),
    "privacy": (None, 1, (A,)),
    "broadband": (1, 1, (M, A)),
    "decisions": (None, 4, (A,)),
    "diffusion": (None, 2, (A,)),
    "learning": (None, 1, (A,)),
    "planning": (1, 2, (I, A)),
    "network": (2, 3, (I, A)),
    "public": (None, 1, (A,)),
    "budget": (None, 2, (A,)),
}
CLOSED = {"broadband": 2, "choices": 4}  # from this stage on not met; elsewhere what is not reached is not known


def a_roadmap() -> Roadmap:
    """Two criteria for each stage of each dimension, one of them a deficit at Entry."""
    criteria = [
        Criterion(
            id=f"{name.upper()}.{stage}.{number}",
            dimension=name,
            stage=stage,
            what=f"The school can show step {number} of stage {stage} of {title.lower()}.",
            why="Without it the next step rests on hope.",
            remedy=f"Write down and carry out step {number} of stage {stage} of {title.lower()}.",
            evidence=STAGES[name][2],
            bounds=(Bound(evidence=M, metric="internet_down_per_1000", at_least=100e6, source="[std] CCSSO 2014"),)
            if (name, stage, number) == ("choices", 3, 1)
            else (),
            deficit=(stage, number) == (1, 1),
            required=stage > 1,
            confidence="high",
            wanted=f"a dated record of step {number}",
        )
        for name, title, _, _ in DIMENSIONS
        for stage in (1, 2, 3, 4)
        for number in (1, 2)
    ]
    return Roadmap(
        id="test-roadmap",
        version="7",
        title="A roadmap for tests",
        source="written by hand",
        stages=tuple(
            StageName(number=number, name=name, meaning=f"Stage {number}.")
            for number, name in ((1, "Entry"), (2, "Emerging"), (3, "Scaling"), (4, "Transforming"))
        ),
        dimensions=tuple(
            Dimension(id=name, title=title, domain=domain, question=f"How far are we with {title.lower()}?", gates=gates)
            for name, title, domain, gates in DIMENSIONS
        ),
        criteria=tuple(criteria),
        digest="5d" * 32,
    )


def a_fact(name: str, value: float | None, **more: object) -> Fact:
    """A fact of the school's two weeks."""
    given = {
        "kind": M,
        "samples": 40,
        "days": 10,
        "first_at": FIRST,
        "last_at": LAST,
        "methods": ("netready/1",),
        "grade": Grade.CONCLUSIVE,
    }
    return Fact(metric=name, value=value, **{**given, **more})  # type: ignore[arg-type]


FACTS = {
    "CHOICES.3.1": (
        a_fact("internet_down_per_1000", 184.2e6, interval=(179.4e6, 188.6e6), at_least=True, limited_by=("link",)),
    ),
    "BROADBAND.2.1": (a_fact("internet_up_per_1000", 41.25e6, interval=(40.1e6, 42.9e6), at_least=True),),
    "USES.2.1": (a_fact("platform_success", 0.99873, kind=P, role=Role.LMS, failures=3, methods=("http_fetch/1",)),),
    "USES.3.1": (a_fact("platform_time_p95", 0.8421, kind=P, role=Role.LMS, methods=("http_fetch/1",)),),
    "PLANNING.2.1": (a_fact("students_per_device", None, kind=I, note="no device list has been imported", samples=0, days=0),),
    "NETWORK.2.1": (a_fact("access_points_per_classroom", 0.6585, kind=I, at_least=True, methods=("inventory",)),),
}


def a_verdict(criterion: Criterion) -> Verdict:
    """The outcome that fits the stages above."""
    machine, attested, evidence = STAGES[criterion.dimension]
    checkable = evidence != (A,)
    if criterion.deficit:
        return Verdict(criterion=criterion.id, outcome=UNKNOWN, by_machine=UNKNOWN, reason="nobody has answered")
    if machine is not None and criterion.stage <= machine:
        return Verdict(
            criterion=criterion.id, outcome=MET, by_machine=MET, reason="measured and met", facts=FACTS.get(criterion.id, ())
        )
    if criterion.stage <= attested:
        return Verdict(
            criterion=criterion.id,
            outcome=MET,
            by_machine=UNKNOWN,
            reason="attested",
            facts=FACTS.get(criterion.id, ()),
            attestation=Attestation(
                criterion=criterion.id,
                answer=True,
                name="R. Okafor",
                role="IT lead",
                on=date(2026, 2, 20),
                until=date(2027, 2, 20),
                document="Minutes of 18 Feb 2026",
            ),
        )
    if criterion.id == "BROADBAND.2.2":
        sides = ("measured: at least 41.2 Mbps per 1,000 users; asked for is at least 100 Mbps per 1,000 users",)
        sides += ("attested: P. Lind (principal) said yes on 2026-01-12, until 2026-12-31",)
        return Verdict(
            criterion=criterion.id,
            outcome=NOT_MET,
            by_machine=NOT_MET,
            reason=f"{sides[0]}; contradicted by what is {sides[1]}",
            contradicted=True,
            sides=sides,
        )
    if criterion.stage >= CLOSED.get(criterion.dimension, 9):
        outcome = NOT_MET if checkable else UNKNOWN
        return Verdict(
            criterion=criterion.id,
            outcome=outcome,
            by_machine=outcome,
            reason="at least 41.2 Mbps per 1,000 users, less than 100 Mbps per 1,000 users",
            facts=FACTS.get(criterion.id, ()),
        )
    return Verdict(
        criterion=criterion.id,
        outcome=UNKNOWN,
        by_machine=UNKNOWN,
        reason="no evidence yet",
        missing="a named person's answer",
        facts=FACTS.get(criterion.id, ()),
    )


def a_stage(roadmap: Roadmap, name: str, verdicts: dict[str, Verdict]) -> StageVerdict:
    """The dimension's stage with its counts."""
    machine, attested, _ = STAGES[name]
    mine = [each for each in roadmap.criteria if each.dimension == name and each.required]
    outcomes = [verdicts[each.id].outcome for each in mine]
    checkable = [verdicts[each.id].by_machine for each in mine if set(each.evidence) - {A}]
    return StageVerdict(
        dimension=name,
        with_attestations=attested,
        by_machine=machine,
        met=outcomes.count(MET),
        not_met=outcomes.count(NOT_MET),
        unknown=outcomes.count(UNKNOWN),
        checkable=len(checkable),
        machine_met=checkable.count(MET),
        machine_not_met=checkable.count(NOT_MET),
        missing=tuple(each.id for each in mine if each.stage == attested + 1 and verdicts[each.id].outcome is not MET),
    )


def a_target(name: str, title: str, each: float, outcome: Outcome, shortfall: float | None = None) -> Target:
    return Target(
        id=name,
        title=title,
        per_1000=each,
        needed=each * USERS / 1_000,
        outcome=outcome,
        shortfall=shortfall,
        reason={MET: "the rate is above the target", NOT_MET: "the rate is below the target"}.get(outcome, "no test was made"),
    )


def the_lines() -> tuple[Line, Line]:
    """Towards the school: everything known. From the school: use and load are not known."""
    down = Line(
        direction="down",
        users=USERS,
        contracted=Quantity(value=975e6, how="sum of the contracts the school states"),
        available=Quantity(value=442.1e6, how="10th percentile of 40 tests", interval=(430.5e6, 452.6e6)),
        used=Quantity(value=341.2e6, how="95th percentile of 5-minute averages of the router's counters, school hours"),
        load_during=Quantity(value=3.7e6, how="the tester's own interface counters during the tests"),
        per_1000=Quantity(
            value=184.2e6, how="available and load, for each 1,000 users", interval=(179.4e6, 188.6e6), at_least=True
        ),
        layer="TCP payload, counted at the receiver",
        targets=(
            a_target("100-mbps", "100 Mbps per 1,000 users (Scaling)", 100e6, MET, 0.0),
            a_target("1-gbps", "1 Gbps per 1,000 users (Transforming)", 1000e6, NOT_MET, 1974.2e6),
        ),
        methods=("netready/1",),
        samples=40,
        days=10,
        last_at=LAST,
        grade=Grade.CONCLUSIVE,
        limited_by=("link",),
    )
    up = msgspec.structs.replace(
        down,
        direction="up",
        contracted=Quantity(value=200e6, how="sum of the contracts the school states"),
        available=Quantity(value=98.1e6, how="10th percentile of 40 tests", interval=(97.0e6, 99.2e6)),
        used=Quantity(value=None, how="the router's counters have not been read"),
        load_during=Quantity(value=None, how="the tester could not see other traffic in this direction"),
        per_1000=Quantity(
            value=41.25e6, how="available and load, for each 1,000 users", interval=(40.1e6, 42.9e6), at_least=True
        ),
        targets=(
            a_target("100-mbps", "100 Mbps per 1,000 users (Scaling)", 100e6, NOT_MET, 142.2e6),
            a_target("1-gbps", "1 Gbps per 1,000 users (Transforming)", 1000e6, NOT_MET, 2320.2e6),
        ),
        limited_by=(),
    )
    return down, up


def a_judgement(roadmap: Roadmap) -> Judgement:
    verdicts = {each.id: a_verdict(each) for each in roadmap.criteria}
    down, up = the_lines()
    return Judgement(
        site="Lincoln High School",
        students=2_200,
        staff=220,
        judged_at=datetime(2026, 3, 14, 15, 0, tzinfo=UTC),
        since=FIRST,
        until=LAST,
        first_at=FIRST,
        last_at=LAST,
        school_days=10,
        roadmap=roadmap.id,
        roadmap_version=roadmap.version,
        roadmap_digest=roadmap.digest,
        down=down,
        up=up,
        verdicts=tuple(verdicts.values()),
        stages=tuple(a_stage(roadmap, each.id, verdicts) for each in roadmap.dimensions),
        weakest="broadband",
        provisional=("the router's counters have not been read, so the use of the line is not known",),
        surveys=("s-0301", "s-0313"),
        facts=COUNTS,
    )


def a_rule(name: str, outcome: RuleOutcome, level: Level, title: str, reason: str, **more: str) -> RuleVerdict:
    return RuleVerdict(rule=name, title=title, level=level, outcome=outcome, reason=reason, **more)


PASSED = a_rule(
    "platform-answers", RuleOutcome.PASS, Level.HARD, "The platform answers", "the learning platform answered 99.87 % of checks"
)


def a_decision(answer: Answer, wave: str, title: str, rules: tuple[RuleVerdict, ...], **more: object) -> Decision:
    given = {"conditions": (), "missing": (), "provisional": True, **more}
    return Decision(
        answer=answer,
        site="Lincoln High School",
        wave=wave,
        wave_title=title,
        platform="Mastery Platform",
        decided_at=datetime(2026, 3, 14, 15, 0, tzinfo=UTC),
        valid_until=date(2026, 6, 30),
        rules=rules,
        policy="test-policy",
        policy_version="3",
        policy_digest="9c" * 32,
        roadmap="test-roadmap",
        roadmap_version="7",
        roadmap_digest="5d" * 32,
        surveys=("s-0301", "s-0313"),
        **given,  # type: ignore[arg-type]
    )


def the_decisions() -> tuple[Decision, ...]:
    """A pilot that may begin, a school that may not, a district that cannot be judged."""
    school = (
        a_rule(
            "line-down",
            RuleOutcome.FAIL,
            Level.SOFT,
            "The line gives 1,000 Mbps per 1,000 users",
            "at least 184.2 Mbps per 1,000 users; asked for is at least 1,000 Mbps per 1,000 users",
            remedy="Ask the provider for a faster line, and test it again on ten school days.",
            missing="Ten school days of tests at 2,420 Mbps or more",
        ),
        a_rule(
            "line-up",
            RuleOutcome.FAIL,
            Level.HARD,
            "The line gives 100 Mbps per 1,000 users from the school",
            "at least 41.2 Mbps per 1,000 users; asked for is at least 100 Mbps per 1,000 users",
            remedy="Ask the provider for 242 Mbps or more from the school.",
            missing="Ten school days of tests at 242 Mbps or more",
        ),
        a_rule(
            "devices",
            RuleOutcome.UNKNOWN,
            Level.SOFT,
            "There is a device for every student",
            "not known: no device list has been imported",
            missing="Import the device list from the device manager.",
        ),
        PASSED,
        a_rule(
            "ipv6", RuleOutcome.FAIL, Level.ADVISORY, "IPv6 works", "no endpoint answered over IPv6", remedy="Ask for IPv6."
        ),
    )
    district = (a_rule("sites", RuleOutcome.UNKNOWN, Level.HARD, "Every site is measured", "two sites were never measured"),)
    return (
        a_decision(Answer.GO, "pilot", "Pilot room", (PASSED,)),
        a_decision(Answer.NO_GO, "school", "Whole school", school, missing=("Import the device list.",)),
        a_decision(Answer.INDETERMINATE, "district", "District", district),
    )


def a_site() -> Site:
    return Site(
        name="Lincoln High School",
        students=2_200,
        staff=220,
        classrooms=82,
        time_zone="America/Chicago",
        lea="0612345",
        entity_number="143211",
        circuits=(Circuit(name="Main line", contracted_down=975e6, contracted_up=200e6),),
        calendar=Calendar(first_bell=time(7, 30), last_bell=time(15, 30)),
    )


def devices() -> tuple[Device, ...]:
    """Twelve devices of the network in clear, and people's devices with what would point at a person."""

    def several(kind: Kind, number: int, vendor: str | None, block: int, names: str = "") -> list[Device]:
        return [
            Device(
                key=f"02:00:00:00:{block:02x}:{each:02x}",
                mac=f"02:00:00:00:{block:02x}:{each:02x}",
                addresses=(f"192.0.2.{(block * 16 + each) % 250 + 1}",),
                names=(f"{names}-{each}",) if names else (),
                kind=kind,
                vendor=vendor,
                how=("arp", "mdns") if names else ("arp",),
            )
            for each in range(1, number + 1)
        ]

    return (
        *several(Kind.STUDENT_DEVICE, 41, "Acme", 1, "student-chromebook-annas"),
        *several(Kind.COMPUTER, 18, "Globex", 2, "pc-of-mr-smith"),
        *several(Kind.ACCESS_POINT, 9, "Initech", 3, "ap"),
        *several(Kind.SWITCH, 2, "Initech", 4, "sw"),
        *several(Kind.ROUTER, 1, "Initech", 5, "gw"),
        *several(Kind.PHONE, 6, None, 6),
        *several(Kind.UNKNOWN, 7, None, 7),
    )


def a_survey() -> Survey:
    at = LAST

    def of(name: str, target: str, value: float, method: str, **details: object) -> Measurement:
        return Measurement.of(name, target, at, value, method, **details)  # type: ignore[arg-type]

    return Survey(
        id="s-0313",
        site="Lincoln High School",
        software="netready 0.1.0",
        started_at=at,
        finished_at=datetime(2026, 3, 13, 20, 14, tzinfo=UTC),
        measurements=(
            of("interface_speed", "10.20.0.1 wan0", 1e9, "snmp/1"),
            of("interface_received", "10.20.0.1 wan0", 812_400_000_000, "snmp/1"),
            of("interface_sent", "10.20.0.1 wan0", 94_000_000_000, "snmp/1"),
            of(
                "throughput_down", "192.0.2.10:4433", 442.1e6, "netready/1", interval=[430.5e6, 452.6e6], streams=8, seconds=1,
                bytes_received=61_200_000, bytes_sent=41_000, limited_by="link", load_during=3.7e6, layer="TCP payload",
            ),
            of("throughput_up", "192.0.2.10:4433", 98.1e6, "netready/1", interval=[97e6, 99.2e6], streams=8, seconds=1.2),
            of("latency_rtt", "192.0.2.10", 0.01234, "latency/1", samples=50),
            of("packet_loss", "192.0.2.10", 0.004, "latency/1", samples=250),
            of("tls_certificate_left", "https://lms.example/", 5_184_000.0, "http_fetch/1", role="lms"),
            of("arp_hosts", "192.0.2.0/24", 84.0, "arp_sweep/1"),
            Measurement.failed("dns_lookup_time", "lms.example", at, Failure.DNS_SERVFAIL, "dns_lookup/1", reason="SERVFAIL"),
            Measurement.failed("dns_lookup_time", "lms.example", at, Failure.DNS_SERVFAIL, "dns_lookup/1", reason="SERVFAIL"),
        ),
        devices=devices(),
        runs=(
            Run(instrument="netready", method="netready/1", ok=True, seconds=4.2, measurements=2),
            Run(instrument="arp_sweep", method="arp_sweep/1", ok=True, seconds=2.05, measurements=1, sightings=84),
            Run(
                instrument="snmp", method="snmp/1", ok=True, seconds=0.0, skipped="no device with SNMP is named in [snmp]",
            ),
            Run(instrument="listen", method="listen/1", ok=False, seconds=0.3, error="KeyError: 'vendor_class'"),
        ),
        bytes_sent=15_400_000,
        bytes_received=61_900_000,
    )  # fmt: skip


Make = Callable[..., Report]


COUNTS = tuple(
    a_fact("devices", float(number), kind=I, device=kind, at_least=True, methods=("inventory",), samples=1, note="seen once")
    for kind, number in ((Kind.STUDENT_DEVICE, 880), (Kind.STAFF_DEVICE, 160), (Kind.COMPUTER, 40), (Kind.ACCESS_POINT, 30))
)


def a_policy() -> Policy:
    """What the waves ask for in numbers."""

    def rule(name: str, metric: str, **more: object) -> Rule:
        told = {"title": name, "level": Level.SOFT, "why": "it must", "remedy": "buy it"}
        return Rule(id=name, metric=metric, **{**told, **more})  # type: ignore[arg-type]

    school = (
        rule("line-down", "internet_down_per_1000", at_least=1000e6),
        rule("devices", "students_per_device", at_most=2.0),
        rule("air", "clients_per_access_point", at_most=30.0),
    )
    pilot = (rule("room", "internet_down_per_1000", at_least=100e6),)
    waves = (Wave(id="pilot", title="Pilot room", rules=pilot), Wave(id="school", title="Whole school", rules=school))
    return Policy(id="test-policy", version="3", title="A policy for tests", platform="Mastery Platform", waves=waves)


def an_outlook(roadmap: Roadmap, judgement: Judgement) -> Outlook:
    """What follows for the school: a standard of its choice, prices for all but servers, and a roster that was counted."""
    roster = Roster(
        file="oneroster.zip",
        counted=datetime(2026, 3, 14, 14, 0, tzinfo=UTC),
        written=datetime(2026, 3, 9, 6, 0, tzinfo=UTC),
        students=2_200,
        staff=220,
    )
    compared = Comparison(
        standard="ours-2026",
        who="The state",
        title="State 2026: 2 Mbps for each student",
        per=Denominator.STUDENTS,
        count=2_200,
        denominator="2,200 students",
        compared="contracted",
        needed_down=4400e6,
        needed_up=None,
        outcome=NOT_MET,
        shortfall_down=3425e6,
        shortfall_up=None,
        reason="for 2,200 students: 4,400 Mbps needed towards the school, contracted 975 Mbps: 3,425 Mbps short",
    )
    policy = a_policy()
    items = fit_gap(
        a_site(),
        judgement,
        roadmap,
        policy,
        prices=Prices(
            currency="USD",
            student_device=350.0,
            access_point=600.0,
            insured_device=19.5,
            circuits=(CircuitPrice(rate=2e9, month=1_450.0), CircuitPrice(rate=5e9, month=2_900.0)),
        ),
        wanted=Wanted(servers=3),
        standards=(compared,),
        foreseen=Quantity(value=None, how="no circuit names the router interface that counts it"),
    )
    return Outlook(
        users=Users(
            students=2_200,
            staff=220,
            students_from=Source.ROSTER,
            staff_from=Source.ROSTER,
            said=(roster.said(a_site().zone),),
            roster=roster,
        ),
        standards=(compared,),
        next_steps=next_steps(roadmap, judgement, policy),
        fit_gap=items,
        bills=bills(items, policy),
    )


def make(**changes: object) -> Report:
    """The school's report; a keyword replaces an argument of the builder."""
    roadmap = a_roadmap()
    judgement = a_judgement(roadmap)
    given = {
        "judgement": judgement,
        "outlook": an_outlook(roadmap, judgement),
        "decisions": the_decisions(),
        "roadmap": roadmap,
        "site": a_site(),
        "survey": a_survey(),
        "generated_at": datetime(2026, 3, 14, 15, 0, tzinfo=UTC),
        "software": "netready 0.1.0",
        **changes,
    }
    return report(**given)  # type: ignore[arg-type]


@pytest.fixture(name="make")
def _make() -> Make:
    return make


@pytest.fixture(scope="session")
def school() -> Report:
    return make()


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with the page of that name; NETREADY_RENEW_GOLDEN=1 writes the page instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get(RENEW):
            path.write_text(text, encoding="utf-8", newline="")
        with path.open(encoding="utf-8", newline="") as file:
            assert text == file.read(), (
                f"{name} differs from its golden page; {RENEW}=1 renews it, and git diff shows the change"
            )

    return compare
