"""Exactly at the edge: the last that still counts, beside the first that does not.

Most of these were found by turning comparisons in the judgement round and looking which of them no other test noticed.
"""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from netready.device import Kind
from netready.failure import Failure
from netready.metric import CATALOGUE
from netready.refusal import Unfit
from netready.site import Circuit, Endpoint, Role
from readiness import attestation_form, demand, standards
from readiness.evidence import Fact, Grade, parse_attestations
from readiness.forecast import history
from readiness.gate import Level, Policy, Rule, RuleOutcome, Waiver, Wave, decide, parse_policy, parse_waivers
from readiness.gather import gather
from readiness.judge import judge
from readiness.judgement import Outcome
from readiness.roadmap import Bound, EvidenceKind
from readiness.sample import window
from readiness.usage import monthly
from readiness.weigh import index, weigh

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()
PASS, UNKNOWN, WAIVED = RuleOutcome.PASS, RuleOutcome.UNKNOWN, RuleOutcome.WAIVED
WORD = '[[attestations]]\ncriterion = "P.2"\nanswer = true\nname = "A"\nrole = "B"\non = 2026-03-31\nuntil = 2026-12-31\n'


class TestAttestations:
    def test_an_answer_given_today_is_read(self, roadmap):
        assert parse_attestations(WORD.encode(), "a.toml", roadmap, TODAY)[0].on == TODAY

    def test_an_answer_given_today_counts_at_once_and_until_its_last_day(self, roadmap, school, attest):
        for on, until in ((TODAY, date(2026, 12, 31)), (date(2026, 1, 1), TODAY)):
            words = [attest("P.2", on=on, until=until)]
            found = judge(roadmap, school, gather(school, [], [], now=NOW), words, now=NOW)
            assert next(one for one in found.verdicts if one.criterion == "P.2").outcome is Outcome.MET

    def test_todays_answer_replaces_yesterdays(self, roadmap, school, attest):
        words = [attest("P.2"), attest("P.2", answer=False, on=TODAY)]
        found = judge(roadmap, school, gather(school, [], [], now=NOW), words, now=NOW)
        assert next(one for one in found.verdicts if one.criterion == "P.2").outcome is Outcome.NOT_MET

    def form(self, roadmap, **cells):
        row = {"criterion": "P.2", "answer": "yes", "name": "A", "role": "B", "on": "2026-01-05", "until": "2026-12-31"} | cells
        text = f"{','.join(row)}\n{','.join(row.values())}\n"
        return attestation_form.parse(text.encode(), "form.csv", roadmap, TODAY)

    def test_a_form_filled_in_today_on_a_document_of_today_is_read(self, roadmap):
        (one,) = self.form(roadmap, on="2026-03-31", **{"document date": "2026-03-31"})
        assert (one.on, one.document_on) == (TODAY, TODAY)

    @pytest.mark.parametrize("column", ["on", "until"])
    def test_either_date_alone_is_not_enough(self, roadmap, column):
        with pytest.raises(Unfit, match=f"form.csv: line 2, column {column}: expected a date such as 2026-03-02"):
            self.form(roadmap, **{column: ""})

    def test_a_form_of_the_largest_size_is_looked_into(self, roadmap):
        for more, said in ((0, "expected the column"), (1, "expected at most 4 MiB")):
            data = b"x" * (attestation_form.LARGEST + more)
            data = data.replace(b"x" * 100_000, b"x" * 99_999 + b",")
            with pytest.raises(Unfit, match=said):
                attestation_form.parse(data, "form.csv", roadmap, TODAY)


def outcome_of(rule, roadmap, school, *, readings=(), words=(), waivers=(), judged_at=NOW):
    found = judge(roadmap, school, gather(school, readings, [], now=judged_at), words, now=judged_at)
    policy = Policy(id="p", version="1", title="-", platform="-", waves=(Wave(id="w", title="-", rules=(rule,)),))
    return decide(policy, "w", found, roadmap, waivers, now=NOW).rules[0]


class TestTheGate:
    RULE = Rule(id="r", title="R", level=Level.SOFT, why="-", remedy="-", criterion="P.2")

    def test_a_waiver_opens_on_its_first_day_and_on_its_last(self, roadmap, school, attest):
        no = [attest("P.2", answer=False)]
        for on, until in ((TODAY, date(2026, 4, 9)), (date(2026, 3, 1), TODAY)):
            waiver = Waiver(rule="r", on=on, until=until, owner="B", reason="-")
            assert outcome_of(self.RULE, roadmap, school, words=no, waivers=[waiver]).outcome is WAIVED

    def test_a_word_is_good_for_a_decision_on_its_last_day(self, roadmap, school, attest):
        for until, wanted in ((TODAY, PASS), (TODAY - timedelta(days=1), UNKNOWN)):
            words = [attest("P.2", until=until)]
            at = NOW - timedelta(days=5)
            assert outcome_of(self.RULE, roadmap, school, words=words, judged_at=at).outcome is wanted

    def test_a_reading_as_old_as_a_rule_allows_is_fresh_and_a_second_more_is_stale(self, roadmap, school, throughput):
        rule = msgspec.structs.replace(
            self.RULE, criterion=None, metric="internet_down_per_1000", at_least=1.0, max_age_days=20
        )
        for older, wanted in ((0, PASS), (1, UNKNOWN)):
            readings = throughput([60e6], start=NOW - timedelta(days=20, seconds=older))
            assert outcome_of(rule, roadmap, school, readings=readings).outcome is wanted

    def test_what_went_stale_is_named_with_its_platform_or_kind(self, roadmap, school, pages):
        rule = msgspec.structs.replace(
            self.RULE, criterion=None, metric="platform_success", role=Role.LMS, at_least=0.5, max_age_days=10
        )
        assert (
            outcome_of(rule, roadmap, school, readings=pages([1.0])).missing
            == "a new reading of checks of the learning platform"
        )

    def test_a_criterion_that_rests_on_old_readings_is_stale_too(self, roadmap, school, throughput):
        rule = msgspec.structs.replace(self.RULE, criterion="L.2", max_age_days=10)
        found = outcome_of(rule, roadmap, school, readings=throughput([60e6] * 12))
        assert (found.outcome, found.missing) == (UNKNOWN, "a new reading of the line towards the school")


class TestBounds:
    def bound(self, **limits):
        return Bound(evidence=EvidenceKind.MEASURED, metric="audit_age", source="-", **limits)

    def said(self, bound, value, **fields):
        fact = Fact(kind=EvidenceKind.MEASURED, metric="audit_age", value=value, grade=Grade.CONCLUSIVE, **fields)
        return weigh(bound, index([fact]))

    def test_an_interval_across_an_upper_bound_settles_nothing(self):
        found = self.said(self.bound(at_most=7.0), 6.0, interval=(5.0, 8.0))
        assert found.outcome is Outcome.UNKNOWN
        assert found.reason == "inconclusive: the 95 % interval, 5 days to 8 days, straddles 7 days"
        assert found.missing == "more readings of the last audit, until the interval clears 7 days"
        assert self.said(self.bound(at_most=7.0), 7.0, interval=(7.0, 8.0)).outcome is Outcome.UNKNOWN
        assert self.said(self.bound(at_most=7.0), 6.0, interval=(5.0, 7.0)).outcome is Outcome.MET
        assert self.said(self.bound(at_most=7.0), 9.0, interval=(8.0, 9.0)).outcome is Outcome.NOT_MET

    def test_at_either_end_of_two_bounds_both_are_named(self):
        for value in (1.0, 3.0):
            found = self.said(self.bound(at_least=1.0, at_most=3.0), value)
            assert found.outcome is Outcome.MET
            assert found.reason.endswith("asked for is 1 day to 3 days")

    def test_what_is_at_most_too_little_falls_short(self):
        for value, wanted in ((1.5, Outcome.NOT_MET), (2.5, Outcome.UNKNOWN)):
            assert self.said(self.bound(at_least=2.0), value, at_most=True).outcome is wanted

    def test_what_would_settle_it_names_the_platform_or_the_kind_of_device(self):
        for fields, said in (
            ({"metric": "platform_success", "role": Role.LMS}, "a value for checks of the learning platform: -"),
            ({"metric": "devices", "kind": Kind.SWITCH}, "a value for devices of kind switch: -"),
        ):
            bound = Bound(evidence=EvidenceKind.MEASURED, source="-", at_least=1.0, **fields)
            blank = Fact(
                kind=EvidenceKind.MEASURED, metric=bound.metric, role=bound.role, device=bound.kind, value=None, note="-"
            )
            assert weigh(bound, index([blank])).missing == said

    def test_two_bounds_may_be_one(self):
        demand.check(
            "f", "p", metric="audit_age", metrics=CATALOGUE, role=None, kind=None, at_least=3.0, at_most=3.0, min_days=1
        )


class TestTheLine:
    def test_a_target_that_is_met_has_no_shortfall_to_speak_of(self, school, throughput):
        target = gather(school, throughput([60e6]), [], now=NOW).down.targets[0]
        assert (target.outcome, target.shortfall) == (Outcome.MET, 0.0)
        assert "short" not in target.reason

    def test_only_a_provisional_target_says_on_how_many_days_it_was_tested(self, school, throughput):
        for days, told in ((9, True), (10, False)):
            target = gather(school, throughput([60e6] * days), [], now=NOW).down.targets[0]
            assert ("tested on" in target.reason) is told

    def test_a_reading_still_to_come_is_told_and_one_from_before_the_window_is_not(self, school, throughput):
        for at, told in ((NOW + timedelta(seconds=1), True), (NOW - timedelta(days=91), False)):
            doubts = gather(school, throughput([60e6], start=at), [], now=NOW).provisional
            assert any("still to come" in doubt for doubt in doubts) is told

    def test_the_server_is_named_where_all_tests_had_one(self, school, throughput, monday):
        tests = throughput([60e6] * 2)
        other = [
            msgspec.structs.replace(one, measurement=msgspec.structs.replace(one.measurement, target="10.9.9.9:1"))
            for one in throughput([60e6], start=monday + timedelta(hours=1))
        ]
        for readings, target in ((tests, tests[0].measurement.target), (tests + other, "")):
            facts = index(gather(school, readings, [], now=NOW).facts)
            assert facts["internet_down_per_1000", None, None].target == target

    def test_one_test_at_night_and_two_are_told_apart(self, school, throughput, monday):
        night = throughput([60e6, 61e6], start=monday.replace(hour=2))
        for count, said in ((1, "one test with netready/1, made outside"), (2, "2 tests with netready/1, all of them outside")):
            assert f"{said} school hours" in gather(school, night[:count], [], now=NOW).down.available.how

    def test_the_first_bell_is_in_school_hours_and_the_last_is_not(self, school, throughput, monday):
        for hour, days in ((7, 1), (15, 0)):
            found = gather(school, throughput([60e6], start=monday.replace(hour=hour, minute=30)), [], now=NOW)
            assert (found.school_days, found.down.days) == (days, days)

    def test_the_window_holds_its_first_moment_and_its_last(self, school, throughput):
        for at, samples in ((NOW - timedelta(days=90), 1), (NOW, 1), (NOW - timedelta(days=90, seconds=1), 0)):
            assert gather(school, throughput([60e6], start=at), [], now=NOW).down.samples == samples

    def test_ten_school_days_are_enough(self, school, throughput):
        both = throughput([60e6] * 10) + throughput([60e6] * 10, direction="up")
        assert gather(school, both, [], now=NOW).provisional == ()

    def test_every_circuit_counted_is_no_lower_bound_and_one_of_two_is(self, school, counters):
        readings = counters([n * 3e9 for n in range(30)])
        assert not gather(school, readings, [], now=NOW).down.used.at_least
        two = msgspec.structs.replace(
            school, circuits=(*school.circuits, Circuit(name="b", contracted_down=1e6, contracted_up=1e6))
        )
        assert gather(two, readings, [], now=NOW).down.used.at_least
        seen = (NOW - timedelta(days=90), NOW)
        assert monthly(two, window(two, readings, *seen), "down") == []
        assert monthly(school, window(school, readings, *seen), "down") == [(date(2026, 3, 1), 80e6)]

    def test_a_busy_night_is_not_counted_as_school_hours(self, school, counters, monday):
        night = counters([n * 30e9 for n in range(30)], start=monday.replace(hour=1))
        day = counters([1e12 + n * 3e9 for n in range(30)])
        assert gather(school, night + day, [], now=NOW).down.used.value == 80e6

    def test_readings_an_hour_apart_still_make_a_rate_and_a_second_more_does_not(self, school, counters, monday):
        for more, wanted in ((0, 80e6), (1, None)):
            step = timedelta(hours=1, seconds=more)
            readings = counters([n * 36e9 for n in range(16)], start=monday.replace(hour=0), step=step)
            assert gather(school, readings, [], now=NOW).down.used.value == wanted

    def test_a_month_of_three_readings_has_no_rate(self, school, counters):
        readings = counters([n * 3e9 for n in range(3)])
        assert monthly(school, window(school, readings, NOW - timedelta(days=90), NOW), "down") == []

    def test_two_readings_of_one_moment_make_no_rate(self, school, counters):
        readings = counters([n * 3e9 for n in range(30)])
        again = [msgspec.structs.replace(readings[9], survey="s-other")]
        assert gather(school, readings + again, [], now=NOW).down.used.value == 80e6

    def test_the_first_and_the_last_reading_bound_the_judgement(self, roadmap, school, throughput, pages):
        readings = throughput([60e6] * 5) + pages([1.0])
        found = judge(roadmap, school, gather(school, readings, [], now=NOW), [], now=NOW)
        moments = [one.measurement.taken_at for one in readings]
        assert (found.first_at, found.last_at) == (min(moments), max(moments))

    def test_a_line_that_nobody_uses_is_used_at_0(self, school, counters):
        assert gather(school, counters([5.0] * 30), [], now=NOW).down.used.value == 0

    def test_twelve_intervals_in_school_hours_are_enough_and_eleven_are_not(self, school, counters, monday):
        night = counters([n * 30e9 for n in range(60)], start=monday.replace(hour=1))
        for intervals, hours in ((12, "school hours"), (11, "all hours")):
            day = counters([1e13 + n * 3e9 for n in range(intervals + 1)])
            assert gather(school, night + day, [], now=NOW).down.used.how.endswith(
                f"in {hours} (1 gap longer than an hour left out)"
            )

    def test_a_clock_that_stood_still_is_no_restart(self, school, counters):
        readings = counters([n * 3e9 for n in range(30)], uptimes=[500.0] * 30)
        assert gather(school, readings, [], now=NOW).down.used.value == 80e6


class TestStandards:
    TEXT = (
        'version = "1"\n[[standards]]\nid = "x"\nwho = "X"\ntitle = "X"\nper = "site"\nlink = "internet"\ndown = 100e6\n'
        'quantity = "achieved"\nsource = "-"\nverified = "primary"\n'
    )

    def test_an_interval_that_just_reaches_what_is_needed_straddles_it(self, school, throughput):
        found = gather(school, throughput([90e6], interval=[80e6, 100e6]), [], now=NOW)
        (one,) = standards.compare(school, found.down, found.up, standards.parse(self.TEXT.encode(), "s.toml"))
        assert one.outcome is Outcome.UNKNOWN

    def test_an_interval_that_begins_at_what_is_needed_clears_it_and_one_above_it_too(self, school, throughput):
        for rate, interval in ((101e6, [100e6, 102e6]), (120e6, [110e6, 130e6]), (100e6, [100e6, 100e6])):
            found = gather(school, throughput([rate], interval=interval), [], now=NOW)
            (one,) = standards.compare(school, found.down, found.up, standards.parse(self.TEXT.encode(), "s.toml"))
            assert one.outcome is Outcome.MET
        found = gather(school, throughput([99e6], interval=[90e6, 110e6]), [], now=NOW)
        (one,) = standards.compare(school, found.down, found.up, standards.parse(self.TEXT.encode(), "s.toml"))
        assert one.outcome is Outcome.UNKNOWN

    def test_a_floor_may_be_as_high_as_the_cap(self):
        text = f"{self.TEXT}floor_down = 5e8\ncap_down = 5e8\n"
        assert standards.parse(text.encode(), "s.toml").standards[0].floor_down == 5e8

    def test_a_floor_stands_alone_or_gives_way_to_what_the_people_need(self, school):
        found = gather(school, [], [], now=NOW)

        def needed(text):
            (one,) = standards.compare(school, found.down, found.up, standards.parse(text.encode(), "s.toml"))
            return one.needed_down

        assert needed(f"{self.TEXT}floor_down = 5e7\n") == 100e6
        assert needed(f"{self.TEXT}floor_down = 5e8\n") == 5e8
        assert needed(self.TEXT.replace("down = 100e6", "floor_down = 5e8")) == 5e8

    def test_a_standard_for_schools_from_no_students_on_is_read(self):
        (one,) = standards.parse(f"{self.TEXT}min_students = 0\n".encode(), "s.toml").standards
        assert one.min_students == 0

    def test_a_standard_may_be_for_one_size_only(self):
        text = f"{self.TEXT}min_students = 9\nmax_students = 9\n"
        assert standards.parse(text.encode(), "s.toml").standards[0].max_students == 9

    def test_a_standard_reaches_to_its_last_student(self, school, throughput):
        found = gather(school, throughput([200e6]), [], now=NOW)
        for field in ("min_students", "max_students"):
            text = f"{self.TEXT}{field} = {school.students}\n"
            (one,) = standards.compare(school, found.down, found.up, standards.parse(text.encode(), "s.toml"))
            assert one.outcome is Outcome.MET


class TestCounts:
    def test_of_two_platforms_the_one_that_was_checked_on_fewer_days_is_told(self, school, pages, monday):
        two = msgspec.structs.replace(
            school, endpoints=(*school.endpoints, Endpoint(name="b", url="https://b.test/", role=Role.SIS))
        )
        readings = pages([1.0], target="https://b.test/", role="sis")
        for days in range(12):  # ten of them are school days
            readings += pages([1.0], start=monday + timedelta(days=days))
        asked = "1 of the 10 school days that a lasting decision wants"
        assert f"The platform's endpoints were checked on {asked}." in gather(two, readings, [], now=NOW).provisional
        ten = gather(school, readings, [], now=NOW).provisional
        assert not any("endpoints" in doubt for doubt in ten)

    def test_hosts_are_those_that_answered_last(self, school, pages):
        two = msgspec.structs.replace(
            school, endpoints=(*school.endpoints, Endpoint(name="b", url="https://b.test/", role=Role.LMS))
        )
        readings = pages([1.0, 1.0]) + pages([1.0, Failure.TIMEOUT], target="https://b.test/")
        facts = index(gather(two, readings + pages([1.0], target="https://c.test/"), [], now=NOW).facts)
        assert facts["platform_hosts", Role.LMS, None].value == 2
        assert facts["platform_hosts", Role.LMS, None].target == ""

    def test_one_endpoint_is_named(self, school, pages):
        facts = index(gather(school, pages([1.0, 2.0]), [], now=NOW).facts)
        assert facts["platform_hosts", Role.LMS, None].target == "https://lms.example.test/"

    def test_which_count_is_missing_for_clients_of_an_access_point_is_said(self, school, devices):
        def note(**counts):
            fact = index(gather(school, [], devices(**counts), now=NOW).facts)["clients_per_access_point", None, None]
            assert fact.value is None
            return fact.note.partition(",")[0]

        assert note(student_device=3) == "no access point was recognised"
        assert note(access_point=3) == "no end device was recognised"

    def test_a_contract_says_where_it_stands_or_that_it_is_nowhere(self, school):
        for site, said in (
            (school, "the contracts in"),
            (msgspec.structs.replace(school, circuits=()), "no circuit is described in"),
        ):
            facts = index(gather(site, [], [], now=NOW).facts)
            assert facts["contracted_down_per_1000", None, None].note == f"{said} the site's configuration"

    def test_devices_were_seen_at_the_newest_audit(self, school, devices):
        for audits in ([NOW - timedelta(days=3), NOW - timedelta(days=1)], [NOW, NOW - timedelta(days=2)]):
            facts = index(gather(school, [], devices(switch=1), now=NOW, audits=audits).facts)
            assert facts["devices", None, Kind.SWITCH].last_at == max(audits)

    def test_an_audit_that_ends_this_moment_counts(self, school):
        facts = index(gather(school, [], [], now=NOW, audits=[NOW]).facts)
        assert facts["audit_age", None, None].value == 0


def test_a_rule_may_ask_for_the_highest_stage_that_the_roadmap_demands_anything_of(roadmap):
    text = """
id = "p"
version = "1"
title = "-"
platform = "-"
[[waves]]
id = "w"
title = "-"
[[waves.rules]]
id = "r"
title = "R"
level = "hard"
why = "-"
remedy = "-"
dimension = "people"
stage = 4
"""
    assert parse_policy(text.encode(), "p.toml", roadmap, CATALOGUE).waves[0].rules[0].stage == 4


def test_two_waivers_may_follow_each_other_and_not_share_a_day():
    rule = Rule(id="r", title="R", level=Level.SOFT, why="-", remedy="-", criterion="P.2")
    policy = Policy(id="p", version="1", title="-", platform="-", waves=(Wave(id="w", title="-", rules=(rule,)),))

    def read(on, *, turned=False):
        rows = ((date(2026, 3, 1), date(2026, 3, 20)), (on, date(2026, 4, 20)))
        rows = rows[::-1] if turned else rows
        text = "".join(f'[[waivers]]\nrule = "r"\nowner = "B"\nreason = "-"\non = {a}\nuntil = {b}\n' for a, b in rows)
        return parse_waivers(text.encode(), "w.toml", policy)

    assert len(read(date(2026, 3, 21))) == 2
    for turned in (False, True):
        with pytest.raises(Unfit, match="expected one waiver of a rule at a time"):
            read(date(2026, 3, 20), turned=turned)
    with pytest.raises(Unfit, match="expected a date later than 2026-04-20, on which it begins; got 2026-04-20"):
        read(date(2026, 4, 20))


def test_what_is_demanded_begins_above_the_entry(roadmap, school):
    first = msgspec.structs.replace(roadmap.criteria[0], deficit=False, required=True)
    asked = msgspec.structs.replace(roadmap, criteria=(first, *roadmap.criteria[1:]))
    found = judge(asked, school, gather(school, [], [], now=NOW), [], now=NOW).stages[0]
    assert (found.met + found.not_met + found.unknown, found.missing) == (2, ("L.2",))


def test_what_is_missing_reaches_only_as_far_as_the_next_stage(roadmap, school):
    found = judge(roadmap, school, gather(school, [], [], now=NOW), [], now=NOW)
    assert {one.dimension: one.missing for one in found.stages} == {"line": ("L.2",), "people": ("P.2",)}


def test_a_use_that_falls_steeply_is_no_trend_either():
    months = [(date(2024 + (8 + n) // 12, (8 + n) % 12 + 1, 1), 100e6 * 0.4 ** (n / 12)) for n in range(14)]
    assert "no clear trend" in history(months).how


def test_a_history_spans_330_days_or_is_none():
    for days, months in ((30, 12), (29.9, 0)):
        points = [(date(2025, 1, 1) + timedelta(days=n * days), 100e6 * 1.2 ** (n * days / 365)) for n in range(11)]
        assert (
            history([(date(2025, 1, 15), 100.8e6), *points[:-1], (date(2025, 1, 1) + timedelta(days=days * 11), 118e6)]).months
            == months
        )


def test_a_month_without_any_use_is_left_out_of_the_growth():
    months = [(date(2024 + (8 + n) // 12, (8 + n) % 12 + 1, 1), 100e6 * 1.2 ** (n / 12)) for n in range(14)]
    assert history([(date(2024, 8, 1), 0.0), *months]) == history(months)
