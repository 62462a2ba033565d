"""From readings to numbers: which are taken, which are left out, and what is said about it."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from netready.device import Kind
from netready.failure import Failure
from netready.measurement import Measurement
from netready.metric import CATALOGUE
from netready.site import Calendar, Circuit, Endpoint, Role
from readiness.evidence import Grade, Reading
from readiness.gather import gather
from readiness.judgement import Outcome
from readiness.weigh import index

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def of(gathered, metric, role=None, device=None):
    return index(gathered.facts)[(metric, role, device)]


def test_every_derived_metric_has_a_fact(school):
    known = {fact.metric for fact in gather(school, [], [], now=NOW).facts}
    assert known == {name for name, metric in CATALOGUE.items() if metric.derived}


class TestTheLine:
    def test_52_mbps_for_520_users_is_100_for_1000_to_the_digit(self, school, throughput):
        found = gather(school, throughput([52e6]), [], now=NOW)
        assert found.down.per_1000.value == 100e6
        assert found.down.users == 520
        first, second = found.down.targets
        assert (first.needed, first.outcome, first.shortfall) == (52e6, Outcome.MET, 0.0)
        assert (second.needed, second.outcome, second.shortfall) == (520e6, Outcome.NOT_MET, 468e6)
        assert second.reason == (
            "at least 100 Mbps per 1,000 users; asked for is at least 1,000 Mbps per 1,000 users; "
            "468 Mbps short for 520 users; tested on 1 of 10 school days"
        )

    def test_what_is_short_is_rounded_up_so_that_it_is_enough(self, school, throughput):
        small = msgspec.structs.replace(school, students=110, staff=10)
        target = gather(small, throughput([3.864e6]), [], now=NOW).down.targets[0]
        assert "; 8.14 Mbps short for 120 users; " in target.reason  # 8.136

    def test_the_load_beside_the_test_is_added_and_kept_apart(self, school, throughput):
        found = gather(school, throughput([52e6], load_during=26e6, interval=[50e6, 54e6], layer="tcp"), [], now=NOW)
        assert found.down.available.value == 52e6
        assert found.down.available.interval == (50e6, 54e6)
        assert found.down.load_during.value == 26e6
        assert found.down.per_1000.value == 150e6
        assert found.down.per_1000.at_least
        assert found.down.per_1000.interval == (76e6 * 1000 / 520, 80e6 * 1000 / 520)
        assert found.down.contracted.value == 500e6
        assert found.down.layer == "tcp"

    @pytest.mark.parametrize(("doubt", "outcome"), [(0.0, "met"), (5e6, "met"), (20e6, "unknown"), (30e6, "unknown")])
    def test_of_the_load_only_what_is_sure_is_added_and_the_rest_is_doubt(self, school, throughput, doubt, outcome):
        beside = throughput([40e6], load_during=26e6, load_resolution=doubt, interval=[39e6, 41e6])
        line = gather(school, beside, [], now=NOW).down
        sure = max(0.0, 26e6 - doubt)
        assert line.load_during.value == sure
        assert line.per_1000.value == (40e6 + sure) * 1000 / 520
        assert line.per_1000.interval == ((39e6 + sure) * 1000 / 520, 67e6 * 1000 / 520)
        assert line.targets[0].outcome == outcome
        assert line.targets[1].outcome == "not met"

    def test_a_doubt_about_the_load_is_one_without_an_interval_too(self, school, throughput):
        line = gather(school, throughput([40e6], load_during=26e6, load_resolution=26e6), [], now=NOW).down
        assert line.per_1000.interval == (40e6 * 1000 / 520, 66e6 * 1000 / 520)
        assert line.targets[0].outcome == "unknown"
        known = gather(school, throughput([40e6], load_during=26e6), [], now=NOW).down
        assert known.per_1000.interval is None

    def test_the_figure_rests_on_the_test_that_proves_least_and_not_on_the_slowest(self, school, throughput, monday):
        idle = throughput([85e6] * 10, load_during=0.0)
        busy = throughput([80e6], load_during=300e6, start=monday + timedelta(hours=1))
        found = gather(school, idle[1:] + busy, [], now=NOW)
        assert found.down.available.value == 80e6
        assert found.down.per_1000.value == 85e6 * 1000 / 520
        assert found.down.load_during.value == 0
        assert (
            found.down.load_during.how == "other traffic on the line, at least, during the test of 85 Mbps, which proves least"
        )

    def test_a_load_that_was_not_seen_is_not_zero(self, school, throughput):
        found = gather(school, throughput([52e6]), [], now=NOW)
        assert found.down.load_during.value is None
        assert found.down.load_during.how == "the test could not see what else was on the line"

    @pytest.mark.parametrize(("count", "rank"), [(1, 1), (2, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
    def test_the_tenth_percentile_is_a_rate_that_was_measured(self, school, throughput, count, rank):
        rates = [(number + 1) * 1e6 for number in range(count)]
        random.Random(7).shuffle(rates)
        found = gather(school, throughput(rates), [], now=NOW)
        assert found.down.available.value == rank * 1e6
        assert found.down.samples == found.down.days == count
        assert found.down.grade is (Grade.CONCLUSIVE if count >= 10 else Grade.PROVISIONAL)

    def test_only_the_newest_method_counts(self, school, throughput, monday):
        old = throughput([10e6, 11e6], method="ndt7/1")
        new = throughput([90e6], method="netready/2", start=monday + timedelta(days=2))
        found = gather(school, old + new, [], now=NOW)
        assert found.down.available.value == 90e6
        assert found.down.methods == ("netready/2",)
        assert found.down.available.how == (
            "one test with netready/2; 2 tests with ndt7/1 left out, because two methods are never averaged"
        )

    def test_failures_are_counted_and_named(self, school, throughput):
        found = gather(school, throughput([Failure.TIMEOUT] * 3), [], now=NOW)
        fact = of(found, "internet_down_per_1000")
        assert (fact.value, fact.failures, fact.note) == (None, 3, "3 tests failed: timeout")
        assert found.down.targets[0].outcome is Outcome.UNKNOWN
        assert found.down.targets[0].shortfall is None

    def test_different_failures_beside_a_success(self, school, throughput):
        found = gather(school, throughput([Failure.TIMEOUT, Failure.REFUSED, 9e6, Failure.TIMEOUT]), [], now=NOW)
        fact = of(found, "internet_down_per_1000")
        assert (fact.samples, fact.failures) == (1, 3)
        assert fact.note == "one test with netready/1; 3 tests failed: timeout (2), refused (1)"

    def test_nothing_measured_is_nothing_known(self, school):
        found = gather(school, [], [], now=NOW)
        assert found.down.per_1000.value is None
        assert found.down.available.how == "no throughput test towards the school was made in this window"
        assert found.up.available.how == "no throughput test from the school was made in this window"
        assert found.school_days == 0

    def test_a_test_limited_by_this_machine_says_so(self, school, throughput):
        found = gather(school, throughput([40e6] * 12, limited_by="interface"), [], now=NOW)
        assert found.down.grade is Grade.LIMITED
        assert found.down.limited_by == ("interface",)
        assert found.down.targets[0].outcome is Outcome.UNKNOWN
        assert "The test of the line towards the school was limited by this machine's network card." in found.provisional

    def test_the_line_itself_is_no_limitation(self, school, throughput):
        assert gather(school, throughput([40e6] * 12, limited_by="link"), [], now=NOW).down.grade is Grade.CONCLUSIVE

    def test_tests_outside_school_hours_add_no_day_and_give_way(self, school, throughput, monday):
        night = throughput([400e6, 410e6], start=monday.replace(hour=22))
        found = gather(school, night + throughput([60e6]), [], now=NOW)
        assert found.down.available.value == 60e6
        assert (found.down.samples, found.down.days, found.school_days) == (1, 1, 1)
        assert found.down.available.how == "one test with netready/1 in school hours; 2 tests outside school hours left out"
        assert "2 of 3 tests towards the school were made outside school hours." in found.provisional

    def test_tests_only_outside_school_hours_are_a_number_that_decides_nothing(self, school, throughput, monday):
        found = gather(school, throughput([400e6], start=monday.replace(hour=22)), [], now=NOW)
        assert (found.down.available.value, found.down.days) == (400e6, 0)
        assert found.down.targets[0].outcome is Outcome.UNKNOWN

    def test_both_directions_share_a_sentence(self, school, throughput, monday):
        start = monday.replace(hour=22)
        both = throughput([4e6], start=start) + throughput([4e6], start=start, direction="up")
        assert gather(school, both, [], now=NOW).provisional == (
            "The line was tested on 0 of the 10 school days that a lasting decision wants.",
            "1 of 1 test was made outside school hours.",
            "Everything measured here comes from one audit.",
        )

    def test_school_days_are_the_schools_own(self, school, throughput):
        # 20:30 on Sunday in UTC is half past nine on Monday in Auckland.
        sunday = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
        readings = throughput([5e6], start=sunday)
        assert gather(school, readings, [], now=NOW).down.days == 0
        auckland = msgspec.structs.replace(school, time_zone="Pacific/Auckland")
        assert gather(auckland, readings, [], now=NOW).down.days == 1

    def test_holidays_are_no_school_days(self, school, throughput, monday):
        closed = msgspec.structs.replace(school, calendar=Calendar(holidays=(monday.date(),)))
        assert gather(closed, throughput([5e6]), [], now=NOW).down.days == 0

    def test_only_the_window_counts(self, school, throughput):
        old = throughput([1e6], start=NOW - timedelta(days=91))
        later = throughput([2e6], start=NOW + timedelta(hours=1))
        found = gather(school, old + later + throughput([50e6]), [], now=NOW)
        assert found.down.available.value == 50e6
        assert "1 reading bears a time that is still to come and was left out; check the clocks." in found.provisional


class TestUsed:
    MEGABYTE = 1_000_000

    def test_the_95th_percentile_of_rates(self, school, counters):
        steps = [*range(1, 21)]
        values = [sum(steps[:n]) * self.MEGABYTE for n in range(21)]
        found = gather(school, counters(values), [], now=NOW)
        assert found.down.used.value == 19 * self.MEGABYTE * 8 / 300
        assert found.down.used.how == "main: 95th percentile of 20 intervals between counter readings in school hours"
        assert found.up.used.value is None

    def test_a_counter_that_goes_back_is_left_out(self, school, counters):
        values = [n * self.MEGABYTE for n in range(10)] + [n * self.MEGABYTE for n in range(10)]
        found = gather(school, counters(values), [], now=NOW)
        assert found.down.used.value == self.MEGABYTE * 8 / 300
        assert "18 intervals" in found.down.used.how
        assert found.down.used.how.endswith("(1 reset left out)")

    def test_a_restart_that_hides_behind_a_large_counter_is_left_out(self, school, counters):
        values = [n * self.MEGABYTE for n in range(13)] + [5000 * self.MEGABYTE]
        ups = [1000 + 300 * n for n in range(13)] + [20]
        found = gather(school, counters(values, uptimes=ups), [], now=NOW)
        assert found.down.used.value == self.MEGABYTE * 8 / 300

    def test_gaps_longer_than_an_hour_are_left_out(self, school, counters, monday):
        first = counters([n * self.MEGABYTE for n in range(13)])
        second = counters([9000 * self.MEGABYTE], start=monday + timedelta(hours=3))
        found = gather(school, first + second, [], now=NOW)
        assert found.down.used.value == self.MEGABYTE * 8 / 300
        assert "1 gap longer than an hour left out" in found.down.used.how

    def test_too_few_readings_are_no_number(self, school, counters):
        used = gather(school, counters([n * self.MEGABYTE for n in range(12)]), [], now=NOW).down.used
        assert used.value is None
        assert used.how == "main: needs at least 12 intervals between counter readings of 10.20.0.1 wan0, has 11"

    def test_nights_do_not_dilute_school_hours(self, school, counters, monday):
        busy = counters([n * 10 * self.MEGABYTE for n in range(13)])
        idle = counters([120 * self.MEGABYTE] * 200, start=monday.replace(hour=17))
        assert gather(school, busy + idle, [], now=NOW).down.used.value == 10 * self.MEGABYTE * 8 / 300

    def test_circuits_add_up_and_an_uncounted_one_makes_it_at_least(self, school, counters):
        wan = [n * self.MEGABYTE for n in range(13)]
        two = msgspec.structs.replace(
            school,
            circuits=(
                *school.circuits,
                Circuit(name="spare", contracted_down=1e8, contracted_up=1e8, counter="10.20.0.1 wan1"),
                Circuit(name="third", contracted_down=1e8, contracted_up=1e8),
            ),
        )
        used = gather(two, counters(wan) + counters(wan, target="10.20.0.1 wan1"), [], now=NOW).down.used
        assert used.value == 2 * self.MEGABYTE * 8 / 300
        assert used.at_least
        assert used.how.endswith("1 of 3 circuits names no counter")

    def test_readings_that_follow_at_once_are_joined_to_the_next(self, school, counters, monday):
        """Two audits in a row: a rate over ten seconds is no five-minute rate."""
        values = [n * self.MEGABYTE for n in range(13)]
        burst = counters([0.9 * self.MEGABYTE], start=monday + timedelta(seconds=10))
        used = gather(school, counters(values) + burst, [], now=NOW).down.used
        assert (used.value, "12 intervals" in used.how) == (self.MEGABYTE * 8 / 300, True)

    def test_a_restart_between_two_readings_that_are_joined_is_not_overlooked(self, school, counters, monday):
        values = [n * self.MEGABYTE for n in range(14)]
        lower = counters([0.0], start=monday + timedelta(minutes=5, seconds=10))
        used = gather(school, counters(values) + lower, [], now=NOW).down.used
        assert used.how.endswith("(1 reset left out)")
        assert used.value == pytest.approx(2 * self.MEGABYTE * 8 / 290)

    @pytest.mark.parametrize(("minutes", "said"), [(4, False), (7.5, False), (8, True)])
    def test_intervals_of_more_than_five_minutes_are_said_to_hide_their_peaks(self, school, counters, minutes, said):
        values = [n * self.MEGABYTE for n in range(13)]
        used = gather(school, counters(values, step=timedelta(minutes=minutes)), [], now=NOW).down.used
        assert ("(12 intervals of more than five minutes, which hide their peaks)" in used.how) is said
        assert used.value == pytest.approx(self.MEGABYTE * 8 / 60 / minutes)

    def test_what_our_own_tests_moved_is_no_use_of_the_school(self, school, counters, throughput, monday):
        # A test a counter reading begins with belongs to the interval that follows; another adds itself to the one after.
        mine, more = 20 * self.MEGABYTE, 7 * self.MEGABYTE
        values = [n * self.MEGABYTE + (mine if n > 4 else 0) + (more if n > 5 else 0) for n in range(13)]
        tests = throughput([80e6], start=monday + timedelta(minutes=20), bytes_received=mine)
        tests += throughput([Failure.TIMEOUT], start=monday + timedelta(minutes=29))
        reaches = Measurement.of(
            "throughput_down_reaches", "t", monday + timedelta(minutes=25), 1.0, "netready/1", bytes_received=more, ip_rate=5e7
        )
        readings = [*tests, Reading(survey="s", measurement=reaches)]
        used = gather(school, counters(values) + readings, [], now=NOW).down.used
        assert used.value == self.MEGABYTE * 8 / 300
        assert used.how.endswith("in school hours (our own tests taken off 2 intervals)")
        assert gather(school, counters(values), [], now=NOW).down.used.value == 21 * self.MEGABYTE * 8 / 300

    def test_the_headers_of_our_own_tests_are_taken_off_with_them(self, school, counters, throughput, monday):
        values = [(n * 1.5 + (0.5 if n > 4 else 0)) * self.MEGABYTE for n in range(13)]
        tests = throughput([80e6], start=monday + timedelta(minutes=21), bytes_received=400_000, ip_rate=100e6)
        used = gather(school, counters(values) + tests, [], now=NOW).down.used
        assert used.value == pytest.approx(1.5 * self.MEGABYTE * 8 / 300)

    def test_no_test_of_ours_makes_the_use_negative(self, school, counters, throughput, monday):
        values = [n * self.MEGABYTE for n in range(13)]
        tests = throughput([80e6], start=monday + timedelta(minutes=21), bytes_received=900 * self.MEGABYTE)
        used = gather(school, counters(values) + tests, [], now=NOW).down.used
        assert used.value == self.MEGABYTE * 8 / 300
        assert gather(school, counters([*values[:2], *[values[1]] * 11]) + tests, [], now=NOW).down.used.value >= 0

    def test_of_several_circuits_it_is_not_known_which_one_carried_our_tests(self, school, counters, throughput, monday):
        values = [n * self.MEGABYTE + (20 * self.MEGABYTE if n > 4 else 0) for n in range(13)]
        tests = throughput([80e6], start=monday + timedelta(minutes=20), bytes_received=20 * self.MEGABYTE)
        two = msgspec.structs.replace(
            school, circuits=(*school.circuits, Circuit(name="spare", contracted_down=1e8, contracted_up=1e8))
        )
        assert gather(two, counters(values) + tests, [], now=NOW).down.used.value == 21 * self.MEGABYTE * 8 / 300

    def test_no_counter_no_number(self, school):
        bare = msgspec.structs.replace(school, circuits=())
        assert gather(bare, [], [], now=NOW).down.used.how == "no circuit is described in the site's configuration"


class TestEndpoints:
    def test_success_time_and_hosts(self, school, pages):
        readings = pages([0.5] * 18 + [2.0, Failure.TIMEOUT]) + pages([Failure.HTTP_STATUS, 1.0], target="https://b.test/")
        found = gather(school, readings, [], now=NOW)
        success = of(found, "platform_success", Role.LMS)
        assert success.value == 20 / 22
        assert (success.samples, success.failures, success.days) == (22, 2, 1)
        assert success.note == "22 checks; 2 checks failed: http-status (1), timeout (1)"
        late = of(found, "platform_time_p95", Role.LMS)
        assert (late.value, late.at_least) == (2.0, True)  # 20 of 22 were answered, and 21 are 95 %
        # The LMS failed last, the other answered last.
        assert of(found, "platform_hosts", Role.LMS).value == 1.0

    def test_a_role_without_an_endpoint_has_no_fact(self, school, pages):
        found = gather(school, pages([1.0], role="sis"), [], now=NOW)
        assert ("platform_success", Role.SIS, None) not in index(found.facts)
        assert of(found, "platform_success", Role.LMS).note == "no check of the learning platform was made in this window"

    def test_a_page_that_did_not_come_is_slower_than_any_that_did(self, school, pages):
        def p95(failed: int) -> tuple[float | None, bool]:
            times = [0.5] * (39 - failed) + [1.0] + [Failure.TIMEOUT] * failed
            fact = of(gather(school, pages(times), [], now=NOW), "platform_time_p95", Role.LMS)
            return fact.value, fact.at_least

        # Of forty checks, 38 must have been answered within the time. With 37, all that is known is that it is longer.
        exact, longer = False, True
        assert [p95(failed) for failed in range(4)] == [(0.5, exact), (0.5, exact), (1.0, exact), (1.0, longer)]

    def test_when_all_checks_fail_there_is_no_page_time(self, school, pages):
        found = gather(school, pages([Failure.TIMEOUT] * 4), [], now=NOW)
        assert of(found, "platform_success", Role.LMS).value == 0.0
        assert of(found, "platform_time_p95", Role.LMS).value is None

    def test_checks_count_for_30_days_and_not_a_second_longer(self, school, pages):
        for seconds, value in ((0, 1.0), (1, None)):
            start = NOW - timedelta(days=30, seconds=seconds)
            found = of(gather(school, pages([1.0], start=start), [], now=NOW), "platform_success", Role.LMS)
            assert found.value == value
        assert found.note == "it was last checked 30 days ago, and a check counts for 30 days"

    def test_checks_at_night_give_way_to_those_in_school_hours(self, school, pages, monday):
        night = pages([Failure.TIMEOUT] * 5, start=monday.replace(hour=2))
        found = of(gather(school, night + pages([1.0]), [], now=NOW), "platform_success", Role.LMS)
        assert (found.value, found.note) == (1.0, "1 check in school hours; 5 checks outside school hours left out")


class TestCounted:
    def test_devices_and_what_they_mean_for_classrooms(self, school, devices):
        seen = devices(student_device=300, staff_device=40, phone=10, access_point=10, switch=4, unknown=2)
        found = gather(school, [], seen, now=NOW, audits=[NOW - timedelta(days=3)])
        assert of(found, "devices", device=Kind.SWITCH).value == 4
        assert of(found, "devices", device=Kind.PRINTER).value == 0
        assert of(found, "devices", device=Kind.SWITCH).at_least
        assert of(found, "student_devices_per_classroom").value == 15
        assert of(found, "access_points_per_classroom").value == 0.5
        per_device = of(found, "students_per_device")
        assert (per_device.value, per_device.at_most, per_device.at_least) == (1.6, True, False)
        per_point = of(found, "clients_per_access_point")
        assert (per_point.value, per_point.grade) == (35, Grade.PROVISIONAL)
        assert per_device.last_at == NOW - timedelta(days=3)
        assert "the kind of 2 devices is not known" in of(found, "devices", device=Kind.SWITCH).note

    def test_no_student_device_and_no_access_point_are_not_zero(self, school, devices):
        found = gather(school, [], devices(switch=1), now=NOW)
        assert of(found, "students_per_device").value is None
        assert of(found, "students_per_device").note.startswith("no device was recognised as a student's")
        assert of(found, "clients_per_access_point").value is None

    def test_without_an_inventory_nothing_is_counted(self, school):
        fact = of(gather(school, [], [], now=NOW), "devices", device=Kind.SWITCH)
        assert (fact.value, fact.note) == (None, "no inventory has found a device yet")

    def test_labs_and_carts_are_the_schools_own_list(self, school):
        assert of(gather(school, [], [], now=NOW), "labs_and_carts").value == 3
        silent = msgspec.structs.replace(school, labs=None, carts=None)
        assert of(gather(silent, [], [], now=NOW), "labs_and_carts").value is None
        half = of(gather(msgspec.structs.replace(school, carts=None), [], [], now=NOW), "labs_and_carts")
        assert (half.value, half.at_least, half.note) == (1, True, "the site's configuration gives only labs")

    def test_contracts_for_1000_users(self, school):
        found = gather(school, [], [], now=NOW)
        assert of(found, "contracted_down_per_1000").value == 500e6 * 1000 / 520
        bare = gather(msgspec.structs.replace(school, circuits=()), [], [], now=NOW)
        assert of(bare, "contracted_up_per_1000").value is None

    def test_the_audits_age_in_whole_days(self, school):
        audits = [NOW - timedelta(days=40), NOW - timedelta(days=3, hours=5), NOW + timedelta(days=1)]
        fact = of(gather(school, [], [], now=NOW, audits=audits), "audit_age")
        assert (fact.value, fact.samples) == (3, 2)
        assert of(gather(school, [], [], now=NOW), "audit_age").value is None

    def test_days_tested_in_both_directions(self, school, throughput):
        readings = throughput([1e6] * 4) + throughput([1e6, Failure.TIMEOUT, 1e6], direction="up")
        fact = of(gather(school, readings, [], now=NOW), "test_days")
        assert (fact.value, fact.at_least) == (2, True)
        assert of(gather(school, [], [], now=NOW), "test_days").value is None


def test_the_order_of_inputs_never_matters(school, throughput, pages, counters, devices):
    two = msgspec.structs.replace(
        school, endpoints=(*school.endpoints, Endpoint(name="SIS", url="https://s.test/", role=Role.SIS))
    )
    readings = (
        throughput([3e6, 1e6, Failure.TIMEOUT, 1e6, 2e6], load_during=1.0)
        + throughput([5e6, 5e6], method="ndt7/1")
        + throughput([4e6, 4e6], direction="up")
        + throughput([1e6], load_during=2.0)  # the same moment and rate, another load
        + pages([1.0, Failure.RESET, 0.5])
        + pages([1.0, 2.0], role="sis", target="https://s.test/")
        + counters([n * 1e6 for n in range(15)])
    )
    seen = devices(student_device=3, switch=2, access_point=1)
    audits = [NOW - timedelta(days=n) for n in range(4)]
    first = msgspec.json.encode(gather(two, readings, seen, now=NOW, audits=audits))
    chance = random.Random(1)
    for _ in range(20):
        for one in (readings, seen, audits):
            chance.shuffle(one)
        assert msgspec.json.encode(gather(two, readings, seen, now=NOW, audits=audits)) == first


def test_a_year_of_five_minute_rows_is_one_pass(school):
    start = NOW - timedelta(days=365)
    rows = [
        Reading(
            survey=f"s{number // 2}",
            measurement=Measurement.of(
                metric, "10.20.0.1 wan0", start + timedelta(minutes=5 * (number // 2)), number * 1e6, "snmp/1"
            ),
        )
        for number in range(2 * 105_120)
        for metric in (("interface_received", "interface_sent")[number % 2],)
    ]
    found = gather(school, rows, [], now=NOW)
    assert found.down.used.value == pytest.approx(2e6 * 8 / 300)
    assert found.school_days == 65  # from noon on 31 December to noon on 31 March
