"""Devices as evidence: how old a count may be, what was forgotten, who is still supported, and what access points tell."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from netready.device import Kind
from readiness.evidence import Grade
from readiness.gather import gather
from readiness.inventory import Served, Told
from readiness.judgement import Outcome
from readiness.roadmap import Bound, EvidenceKind
from readiness.weigh import index, weigh

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def facts(school, devices=(), told=None, *, ago=timedelta(0)):
    return index(gather(school, [], list(devices), now=NOW, devices_at=NOW - ago, told=told or Told()).facts)


def outcome(known, metric, **limits):
    return weigh(Bound(evidence=EvidenceKind.INVENTORIED, metric=metric, source="-", **limits), known)


class TestFreshness:
    def test_a_count_holds_for_90_days_and_not_for_91(self, school, devices):
        seen = devices(switch=3)
        for days, value in ((90, 3.0), (91, None)):
            assert facts(school, seen, ago=timedelta(days=days))["devices", None, Kind.SWITCH].value == value

    def test_a_count_that_is_too_old_says_how_old(self, school, devices):
        fact = facts(school, devices(student_device=3), ago=timedelta(days=120))["students_per_device", None, None]
        assert (fact.value, fact.at_least, fact.at_most, fact.samples) == (None, False, False, 0)
        assert fact.note == "the newest inventory is 120 days old, and one counts for 90 days"

    def test_its_age_stays_known(self, school, devices):
        fact = facts(school, devices(switch=3), ago=timedelta(days=120, hours=5))["inventory_age", None, None]
        assert (fact.value, fact.note, fact.last_at) == (120, "3 devices counted", NOW - timedelta(days=120, hours=5))

    def test_no_inventory_has_no_age(self, school, devices):
        assert facts(school)["inventory_age", None, None].note == "no inventory has found a device yet"
        unsaid = index(gather(school, [], devices(switch=1), now=NOW).facts)["inventory_age", None, None]
        assert (unsaid.value, unsaid.note) == (None, "nobody said when devices were counted")


def test_devices_of_which_only_the_number_is_kept_are_counted(school, devices):
    told = Told(forgotten={"student-device": 60, "phone": 2})
    known = facts(school, devices(student_device=20, access_point=2), told)
    assert known["student_devices_per_classroom", None, None].value == 4
    assert known["devices", None, Kind.PHONE].value == 2
    assert known["clients_per_access_point", None, None].value == 41


def test_only_forgotten_devices_are_an_inventory_too(school):
    known = facts(school, (), Told(forgotten={"student-device": 60}))
    assert known["devices", None, Kind.STUDENT_DEVICE].value == 60


def test_what_is_on_paper_is_sure_and_what_is_not_on_paper_is_not(school):
    assert facts(school)["labs_and_carts", None, None].grade is Grade.CONCLUSIVE
    silent = msgspec.structs.replace(school, labs=None, carts=None)
    assert facts(silent)["labs_and_carts", None, None].grade is Grade.PROVISIONAL


class TestSupport:
    def test_the_share_and_the_range_that_devices_without_a_date_leave_open(self, school, devices):
        fact = facts(school, devices(student_device=8, switch=2), Told(lasting=6, ended=2))["devices_in_support", None, None]
        assert (fact.value, fact.interval, fact.at_least) == (0.75, (0.6, 0.8), False)
        assert fact.note == "the end of support is known of 8 of 10 devices, and past for 2"

    @pytest.mark.parametrize(
        ("lasting", "ended", "wanted"),
        [(9, 0, Outcome.MET), (8, 0, Outcome.UNKNOWN), (8, 1, Outcome.UNKNOWN), (8, 2, Outcome.NOT_MET), (9, 1, Outcome.MET)],
    )
    def test_nine_in_ten_is_met_only_if_the_unknown_cannot_spoil_it(self, school, devices, lasting, ended, wanted):
        known = facts(school, devices(student_device=10), Told(lasting=lasting, ended=ended))
        found = outcome(known, "devices_in_support", at_least=0.9)
        assert found.outcome is wanted

    def test_a_share_that_stays_open_says_why(self, school, devices):
        known = facts(school, devices(student_device=10), Told(lasting=8, ended=0))
        assert outcome(known, "devices_in_support", at_least=0.9).reason == (
            "inconclusive: 80 % to 100 %, and asked for is 90 %; the end of support is known of 8 of 10 devices, and past for 0"
        )

    def test_without_any_date_nothing_is_known(self, school, devices):
        fact = facts(school, devices(switch=1))["devices_in_support", None, None]
        assert (fact.value, fact.note) == (None, "of no device is it known until when its maker supports it")


class TestSpecification:
    def test_devices_held_against_it_and_how_many_have_all_of_it(self, school, devices):
        told = Told(specification="4 GB of memory", held=5, meeting=3)
        known = facts(school, devices(student_device=8), told)
        assert outcome(known, "devices_held_to_specification", at_least=1).outcome is Outcome.MET
        note = known["devices_held_to_specification", None, None].note
        assert note == "3 of the 5 student devices have what it asks for: 4 GB of memory"

    def test_none_that_could_be_held_against_it_is_not_known_and_not_a_failure(self, school, devices):
        known = facts(school, devices(student_device=8), Told(specification="4 GB of memory"))
        assert outcome(known, "devices_held_to_specification", at_least=1).outcome is Outcome.UNKNOWN

    def test_without_a_specification_it_says_where_one_is_named(self, school, devices):
        fact = facts(school, devices(student_device=8))["devices_held_to_specification", None, None]
        assert (fact.value, fact.note) == (None, "the site's configuration names no specification (inventory.specification)")


class TestClientsOfAccessPoints:
    def served(self, *, days=1, **clients):
        first = NOW - timedelta(days=2)
        return Told(
            served=Served(clients=clients, hour=10, readings=12, days=days, first_at=first, last_at=NOW, methods=("snmp/1",))
        )

    def test_the_fullest_is_told_by_the_access_points_and_the_estimate_gives_way(self, school, devices):
        seen = devices(student_device=300, access_point=2)
        fact = facts(school, seen, self.served(a=31, b=4))["clients_per_access_point", None, None]
        assert (fact.value, fact.at_least, fact.samples, fact.methods) == (31, False, 12, ("snmp/1",))
        assert fact.note == (
            "the most on one access point, 95th percentile of 12 readings from 10:00, the busy hour; "
            "2 of 2 access points told of their clients"
        )
        assert (fact.first_at, fact.last_at) == (NOW - timedelta(days=2), NOW)

    def test_more_days_do_not_make_an_estimate_sure(self, school, devices):
        known = facts(school, devices(student_device=20, access_point=2))
        found = outcome(known, "clients_per_access_point", at_most=30)
        assert (found.outcome, found.provisional, found.missing) == (Outcome.MET, True, "")

    def test_where_some_are_silent_there_may_be_a_fuller_one(self, school, devices):
        known = facts(school, devices(access_point=3), self.served(a=20, b=4))
        assert known["clients_per_access_point", None, None].at_least
        assert outcome(known, "clients_per_access_point", at_most=30).outcome is Outcome.UNKNOWN
        full = facts(school, devices(access_point=3), self.served(a=31))
        assert outcome(full, "clients_per_access_point", at_most=30).outcome is Outcome.NOT_MET

    def test_a_controller_that_knows_more_of_them_than_were_seen_is_believed(self, school):
        fact = facts(school, (), self.served(a=20, b=4))["clients_per_access_point", None, None]
        assert (fact.value, fact.at_least) == (20, False)

    def test_ten_school_days_last_and_fewer_say_how_many_are_missing(self, school, devices):
        seen = devices(access_point=1)
        few = outcome(facts(school, seen, self.served(a=20)), "clients_per_access_point", at_most=30)
        assert (few.outcome, few.provisional, few.missing) == (Outcome.MET, True, "9 more school days of readings")
        ten = facts(school, seen, self.served(a=20, days=10))
        assert ten["clients_per_access_point", None, None].grade is Grade.CONCLUSIVE
        assert outcome(ten, "clients_per_access_point", at_most=30).provisional is False
