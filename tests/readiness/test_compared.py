"""The fit-gap analysis as evidence: which parts of each comparison are known, and what is said of those that are not."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from netready.site import Site
from readiness.evidence import Grade
from readiness.gather import gather
from readiness.inventory import Served, Told
from readiness.judgement import Outcome
from readiness.roadmap import Bound, EvidenceKind
from readiness.weigh import index, weigh

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SERVED = Served(clients={"ap-1": 20}, hour=10, readings=1, days=1, first_at=NOW, last_at=NOW)


def of(metric, found):
    return index(found.facts)[metric, None, None]


def weighed(metric, parts, found):
    bound = Bound(evidence=EvidenceKind.INVENTORIED, metric=metric, at_least=parts, source="-")
    return weigh(bound, index(found.facts))


@pytest.fixture
def seen(school, devices):
    """An inventory of an hour ago; `told` is what was worked out of it."""

    def make(told=None, *, site: Site | None = None, ago=timedelta(hours=1), **counts):
        return gather(site or school, [], devices(**counts), now=NOW, devices_at=NOW - ago, told=told or Told())

    return make


class TestHardware:
    def test_stands_with_student_devices_their_kinds_and_the_end_of_support_of_half_of_them(self, seen):
        found = seen(Told(dated=5, lasting=5), student_device=10, switch=1)
        answer = weighed("fit_gap_hardware", 3, found)
        assert (answer.outcome, answer.provisional) == (Outcome.MET, False)
        assert answer.reason == (
            "3 of 3 parts; known for the classrooms' hardware: the number of student devices, "
            "the kind of nine in ten devices, the end of support of half the student devices"
        )

    @pytest.mark.parametrize(("dated", "wanted"), [(5, Outcome.MET), (4, Outcome.UNKNOWN)])
    def test_half_of_the_student_devices_must_have_a_date(self, seen, dated, wanted):
        assert weighed("fit_gap_hardware", 3, seen(Told(dated=dated), student_device=10)).outcome is wanted

    @pytest.mark.parametrize(("unknown", "wanted"), [(1, Outcome.MET), (2, Outcome.UNKNOWN)])
    def test_one_device_in_ten_may_be_of_unknown_kind(self, seen, unknown, wanted):
        found = seen(Told(dated=9), student_device=10 - unknown, unknown=unknown)
        assert weighed("fit_gap_hardware", 3, found).outcome is wanted

    def test_what_is_missing_is_named_and_never_denies_that_the_school_has_compared(self, seen):
        answer = weighed("fit_gap_hardware", 3, seen(switch=1))
        assert answer.outcome is Outcome.UNKNOWN
        assert answer.reason.startswith("1 of 3 parts; to compare the classrooms' hardware, not known yet: the number of")
        assert answer.missing.endswith("the number of student devices, the end of support of half the student devices")

    def test_an_old_inventory_is_no_part_of_anything(self, seen):
        answer = weighed("fit_gap_hardware", 3, seen(Told(dated=10), ago=timedelta(days=91), student_device=10))
        assert answer.outcome is Outcome.UNKNOWN
        assert answer.reason == "not known: the newest inventory is 91 days old, and one counts for 90 days"


class TestWireless:
    @pytest.mark.parametrize(
        ("counts", "served", "known"),
        [
            ({"access_point": 1, "switch": 1}, SERVED, 3),
            ({"access_point": 1, "router": 1}, SERVED, 3),
            ({"access_point": 1, "firewall": 1}, SERVED, 3),
            ({"access_point": 1, "printer": 1}, SERVED, 2),
            ({"switch": 1}, SERVED, 2),
            ({"access_point": 1, "switch": 1}, None, 2),
        ],
    )
    def test_wants_access_points_switches_or_routers_and_clients_that_were_told(self, seen, counts, served, known):
        assert of("fit_gap_wireless", seen(Told(served=served), **counts)).value == known

    def test_is_unknown_without_an_inventory(self, school):
        fact = of("fit_gap_wireless", gather(school, [], [], now=NOW, told=Told(served=SERVED)))
        assert (fact.value, fact.at_least, fact.note) == (None, False, "no inventory has found a device yet")


class TestTheLine:
    def busy(self, counters, **fields):
        return counters([n * 1e6 for n in range(13)], **fields)

    def test_stands_with_a_test_the_contract_and_the_use_and_lasts_from_ten_days_on(self, school, throughput, counters, monday):
        one = gather(school, throughput([60e6]) + self.busy(counters), [], now=NOW)
        answer = weighed("fit_gap_line", 3, one)
        assert (answer.outcome, answer.provisional) == (Outcome.MET, True)
        assert answer.missing == "9 more school days of readings"
        used = [r for day in range(14) for r in self.busy(counters, start=monday + timedelta(days=day))]
        ten = gather(school, throughput([60e6] * 10) + used, [], now=NOW)
        assert weighed("fit_gap_line", 3, ten).provisional is False
        assert of("fit_gap_line", ten).days == 10

    def test_is_as_sure_as_the_rarer_of_tests_and_readings(self, school, throughput, counters):
        found = gather(school, throughput([60e6] * 10) + self.busy(counters), [], now=NOW)
        assert (of("fit_gap_line", found).days, of("fit_gap_line", found).grade) == (1, Grade.PROVISIONAL)

    def test_a_test_at_night_is_no_part_of_it(self, school, throughput, counters, monday):
        night = throughput([60e6], start=monday.replace(hour=22))
        answer = weighed("fit_gap_line", 3, gather(school, night + self.busy(counters), [], now=NOW))
        assert answer.missing == "to compare the line, not known yet: the rate of the line, tested in school hours"

    def test_without_contract_and_counters_two_parts_are_missing(self, school, throughput):
        bare = msgspec.structs.replace(school, circuits=())
        answer = weighed("fit_gap_line", 3, gather(bare, throughput([60e6]), [], now=NOW))
        assert answer.missing.endswith("not known yet: the contracted rate, the rate used in the busiest minutes")


class TestGrowth:
    def test_stands_with_the_use_in_the_busiest_minutes_and_the_contract(self, school, counters):
        found = gather(school, counters([n * 1e6 for n in range(13)]), [], now=NOW)
        answer = weighed("fit_gap_growth", 2, found)
        assert (answer.outcome, answer.provisional) == (Outcome.MET, True)
        assert answer.missing == "9 more school days of readings"

    def test_only_the_counters_of_the_sites_own_circuits_make_a_day(self, school, counters, monday):
        own = counters([n * 1e6 for n in range(13)])
        other = counters([1.0], target="10.20.0.1 lan0", start=monday + timedelta(days=1))
        night = counters([20e6], start=monday + timedelta(days=2, hours=9))
        assert of("fit_gap_growth", gather(school, own + other + night, [], now=NOW)).days == 1

    def test_without_readings_it_says_what_is_missing(self, school):
        answer = weighed("fit_gap_growth", 2, gather(school, [], [], now=NOW))
        assert answer.outcome is Outcome.UNKNOWN
        assert answer.missing == "to compare the growth of traffic, not known yet: the rate used in the busiest minutes"


class TestServers:
    def test_stands_with_devices_of_known_kind_and_a_list_of_systems(self, seen):
        assert weighed("fit_gap_servers", 2, seen(server=1, switch=1)).outcome is Outcome.MET

    def test_a_school_without_any_server_has_compared_too(self, seen):
        assert weighed("fit_gap_servers", 2, seen(student_device=20)).outcome is Outcome.MET

    def test_wants_the_list_of_systems(self, seen, school):
        answer = weighed("fit_gap_servers", 2, seen(site=msgspec.structs.replace(school, endpoints=()), server=1))
        assert answer.missing == "to compare own servers with online services, not known yet: the list of online systems"


def test_every_count_is_of_the_latest_inventory_and_says_when_that_was(seen):
    fact = of("fit_gap_servers", seen(server=1))
    assert (fact.first_at, fact.last_at, fact.grade) == (NOW - timedelta(hours=1), NOW - timedelta(hours=1), Grade.CONCLUSIVE)
    assert fact.device is None
