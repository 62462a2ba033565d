"""The site's own rules, from what probes saw: which hold, which do not, and what is not known is never said to hold."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from netready.access import Barrier, FilterPage, Nominated, People, Stored
from netready.failure import Failure
from netready.measurement import Measurement
from netready.site import Circuit, Endpoint, Site
from readiness.evidence import Grade, Reading
from readiness.gather import PAGES_FRESH_DAYS, gather
from readiness.judgement import Outcome
from readiness.roadmap import Bound, EvidenceKind
from readiness.weigh import index, weigh

AT = datetime(2026, 3, 30, 10, tzinfo=UTC)
NOW = AT + timedelta(days=1)
NETWORKS = (
    Nominated(name="students", people=People.STUDENT, interface="eth0.20"),
    Nominated(name="teachers", people=People.STAFF, interface="eth0.30"),
    Nominated(name="guests", people=People.GUEST, interface="eth0.40"),
)
TIER = FilterPage(url="http://war.example/", shows="test", blocked=("students",), open=("teachers",))
SHARED = FilterPage(url="http://bad.example/", shows="test", blocked=("students", "teachers", "guests"))
BARRIER = Barrier(name="Records", address="10.20.5.10", port=443, networks=("students", "guests"))
ALL = 1.0


def school(**parts):
    return Site(name="S", students=100, staff=10, classrooms=5, nominated=NETWORKS, **parts)


def seen(metric, target, value, at=AT, **details):
    if isinstance(value, Failure):
        one = Measurement.failed(metric, target, at, value, "probe/1", **details)
    else:
        one = Measurement.of(metric, target, at, float(value), "probe/1", **details)
    return Reading(survey=f"s-{at:%d%H}", measurement=one)


def blocked(page, network, value, **details):
    return seen("page_blocked", f"{page.url} from {network}", value, **details)


def fact(site, readings, metric):
    return index(gather(site, readings, [], now=NOW).facts)[(metric, None, None)]


def outcome(site, readings, metric, at_least=ALL):
    bound = Bound(evidence=EvidenceKind.PROBED, metric=metric, at_least=at_least, source="[prop] test")
    return weigh(bound, index(gather(site, readings, [], now=NOW).facts))


def every(page, networks, **values):
    return [blocked(page, name, values[name]) for name in networks]


KEPT = [
    *every(TIER, ("students", "teachers"), students=1, teachers=0),
    *every(SHARED, ("students", "teachers", "guests"), students=1, teachers=1, guests=1),
]


class TestTheFilter:
    SITE = school(filter_pages=(TIER, SHARED))

    @pytest.mark.parametrize("metric", ["filter_blocks", "filter_open", "filter_tiers"])
    def test_every_rule_that_holds_is_met(self, metric):
        found = outcome(self.SITE, KEPT, metric)
        assert found.outcome is Outcome.MET
        assert not found.provisional
        assert found.fact.failures == 0

    def test_each_number_is_of_its_own_rules(self):
        counts = {name: fact(self.SITE, KEPT, name).samples for name in ("filter_blocks", "filter_open", "filter_tiers")}
        assert counts == {"filter_blocks": 2, "filter_open": 1, "filter_tiers": 4}

    def test_a_page_that_opens_where_it_must_be_blocked_is_named(self):
        found = outcome(self.SITE, [*KEPT[1:], blocked(TIER, "students", 0, how="the page itself")], "filter_blocks")
        assert found.outcome is Outcome.NOT_MET
        assert found.reason == (
            "50 %; asked for is at least 100 %; 1 of 2 hold; does not hold: http://war.example/ from students blocked "
            "(the page itself)"
        )

    def test_a_filter_that_treats_everybody_alike_has_no_tiers(self):
        same = [blocked(TIER, "students", 1), blocked(TIER, "teachers", 1), *KEPT[2:]]
        assert outcome(self.SITE, same, "filter_tiers").outcome is Outcome.NOT_MET
        assert outcome(self.SITE, same, "filter_open").outcome is Outcome.NOT_MET
        assert outcome(self.SITE, same, "filter_blocks").outcome is Outcome.MET

    def test_what_cannot_be_said_is_not_met_and_not_missed(self):
        dark = [*KEPT[1:], blocked(TIER, "students", Failure.INCONCLUSIVE)]
        found = outcome(self.SITE, dark, "filter_blocks")
        assert found.outcome is Outcome.UNKNOWN
        assert found.missing == "1 of 2 hold; not known: http://war.example/ from students blocked (inconclusive)"

    def test_a_broken_rule_is_a_miss_whatever_the_others_are(self):
        broken = [blocked(TIER, "students", 0), blocked(SHARED, "students", Failure.TIMEOUT)]
        found = outcome(self.SITE, broken, "filter_blocks")
        assert (found.outcome, found.fact.value, found.fact.at_most) == (Outcome.NOT_MET, 0.5, True)
        assert (found.fact.samples, found.fact.failures) == (2, 1)

    def test_a_page_that_is_barred_for_students_and_staff_alone_is_a_shared_one(self):
        both = msgspec.structs.replace(SHARED, blocked=("students", "teachers"))
        assert fact(school(filter_pages=(TIER, both)), KEPT, "filter_tiers").samples == 4

    def test_only_the_newest_reading_counts(self):
        fixed = [*KEPT, blocked(TIER, "students", 0, at=AT - timedelta(hours=1))]
        assert fact(self.SITE, fixed, "filter_blocks").value == ALL

    def test_a_reading_counts_to_the_last_moment_and_the_fact_says_from_when_its_readings_are(self):
        edge = NOW - timedelta(days=PAGES_FRESH_DAYS)
        found = fact(self.SITE, [*KEPT[1:], blocked(TIER, "students", 1, at=edge)], "filter_blocks")
        assert (found.value, found.first_at, found.last_at) == (ALL, edge, AT)

    def test_a_reading_that_is_too_old_says_nothing(self):
        old = AT - timedelta(days=PAGES_FRESH_DAYS)
        found = fact(self.SITE, [*KEPT[1:], blocked(TIER, "students", 1, at=old)], "filter_blocks")
        assert (found.value, found.at_least, found.grade) == (0.5, True, Grade.PROVISIONAL)
        assert "http://war.example/ from students blocked (not checked lately)" in found.note

    @pytest.mark.parametrize(
        ("pages", "metric", "note"),
        [
            ((), "filter_blocks", "no test page is named that must be blocked on a network of students"),
            ((SHARED,), "filter_open", "no page is named that must open on a network of staff"),
            ((SHARED,), "filter_tiers", "no test page is named that must be blocked for students and open for staff"),
            ((TIER,), "filter_tiers", "no test page is named that must be blocked for students and for staff"),
        ],
    )
    def test_without_a_rule_nothing_is_known_and_the_note_says_which_is_missing(self, pages, metric, note):
        found = fact(school(filter_pages=pages), KEPT, metric)
        assert (found.value, found.note) == (None, note)


class TestNetworkRules:
    SITE = school(filter_pages=(TIER, SHARED), barriers=(BARRIER,))

    def test_both_kinds_of_rule_are_needed(self):
        assert fact(school(filter_pages=(TIER,)), KEPT, "network_rules").note == (
            "no address that must be out of reach of a network is named"
        )
        assert fact(school(barriers=(BARRIER,)), KEPT, "network_rules").note == "no test page of the filter is named"

    def test_an_address_that_was_reached_breaks_a_rule(self):
        apart = [seen("barrier_crossed", f"10.20.5.10:443 from {name}", 0) for name in ("students", "guests")]
        assert outcome(self.SITE, [*KEPT, *apart], "network_rules").outcome is Outcome.MET
        crossed = [apart[0], seen("barrier_crossed", "10.20.5.10:443 from guests", 1)]
        found = outcome(self.SITE, [*KEPT, *crossed], "network_rules")
        assert found.outcome is Outcome.NOT_MET
        assert found.reason.endswith("6 of 7 hold; does not hold: Records out of reach from guests")

    def test_a_service_that_may_be_off_leaves_it_open(self):
        apart = [
            seen("barrier_crossed", f"10.20.5.10:443 from {name}", Failure.INCONCLUSIVE) for name in ("students", "guests")
        ]
        assert outcome(self.SITE, [*KEPT, *apart], "network_rules").outcome is Outcome.UNKNOWN

    def test_of_many_broken_rules_the_first_are_named_and_the_others_counted(self):
        broken = [
            *every(TIER, ("students", "teachers"), students=0, teachers=1),
            *every(SHARED, ("students", "teachers", "guests"), students=0, teachers=0, guests=0),
        ]
        apart = [seen("barrier_crossed", f"10.20.5.10:443 from {name}", 0) for name in ("students", "guests")]
        assert fact(self.SITE, [*broken, *apart], "network_rules").note.endswith("from students blocked and 2 more")
        three = [*KEPT[:2], *broken[2:], *apart]
        assert fact(self.SITE, three, "network_rules").note.endswith(
            "from teachers blocked, http://bad.example/ from guests blocked"
        )


class TestOneSignIn:
    APPS = tuple(
        Endpoint(name=name, url=f"https://{name.lower()}.test/", student_data=True) for name in ("SIS", "LMS", "Lunch")
    )
    SITE = school(endpoints=APPS)

    @staticmethod
    def leads(app, host, **details) -> Reading:
        more = {"landed": host, "identity": "", "encrypted": True} | details
        return seen("sign_in_redirects", f"https://{app}.test/", 1, **more)

    def test_all_apps_on_one_host_is_one_sign_in(self):
        found = fact(self.SITE, [self.leads(app, "idp.test") for app in ("sis", "lms", "lunch")], "single_sign_on")
        assert (found.value, found.target, found.grade) == (ALL, "idp.test", Grade.CONCLUSIVE)

    def test_the_app_that_leads_elsewhere_is_named(self):
        readings = [self.leads("sis", "idp.test"), self.leads("lms", "idp.test"), self.leads("lunch", "lunch.test")]
        found = outcome(self.SITE, readings, "single_sign_on")
        assert found.outcome is Outcome.NOT_MET
        assert found.reason.endswith("2 of 3 hold; does not hold: Lunch (leads to lunch.test)")

    def test_the_host_that_the_settings_name_counts_and_not_the_most_common(self):
        readings = [self.leads(app, host, identity="idp.test") for app, host in (("sis", "a.test"), ("lms", "a.test"))]
        readings.append(self.leads("lunch", "idp.test", identity="idp.test"))
        assert fact(self.SITE, readings, "single_sign_on").value == pytest.approx(1 / 3)

    def test_every_app_with_a_page_for_passwords_of_its_own_is_no_common_sign_in(self):
        readings = [self.leads(app, f"{app}.test") for app in ("sis", "lms", "lunch")]
        assert fact(self.SITE, readings, "single_sign_on").value == 0

    def test_a_sign_in_that_is_not_encrypted_all_the_way_does_not_count(self):
        readings = [self.leads(app, "idp.test", encrypted=app != "lms") for app in ("sis", "lms", "lunch")]
        found = fact(self.SITE, readings, "single_sign_on")
        assert found.note == "2 of 3 hold; does not hold: LMS (leads to idp.test, not encrypted all the way)"

    def test_an_app_that_could_not_be_followed_leaves_it_open(self):
        target = "https://lunch.test/"
        readings = [self.leads("sis", "idp.test"), self.leads("lms", "idp.test")]
        dark = [*readings, seen("sign_in_redirects", target, Failure.INCONCLUSIVE)]
        assert outcome(self.SITE, dark, "single_sign_on").outcome is Outcome.UNKNOWN
        assert outcome(self.SITE, readings, "single_sign_on").outcome is Outcome.UNKNOWN

    def test_one_app_alone_shows_nothing(self):
        found = fact(school(endpoints=self.APPS[:1]), [self.leads("sis", "idp.test")], "single_sign_on")
        assert (found.value, found.note) == (None, "fewer than two endpoints are marked as holding student data")

    def test_the_address_where_signing_in_begins_is_what_was_checked(self):
        apps = tuple(
            Endpoint(name=f"A{n}", url="https://a.test/", login=f"https://in{n}.test/", student_data=True) for n in (1, 2)
        )
        readings = [self.leads(f"in{n}", "idp.test") for n in (1, 2)]
        assert fact(school(endpoints=apps), readings, "single_sign_on").value == ALL


class TestTheSecondPath:
    CIRCUITS = tuple(Circuit(name=name, contracted_down=1e8, contracted_up=1e8, interface=name) for name in ("fibre", "radio"))
    SITE = school(circuits=CIRCUITS)

    def test_circuits_that_carry_a_page_are_counted(self):
        both = [seen("circuit_page_time", name, 0.4) for name in ("fibre", "radio")]
        assert outcome(self.SITE, both, "circuits_working", 2).outcome is Outcome.MET
        found = outcome(self.SITE, [both[0], seen("circuit_page_time", "radio", Failure.TIMEOUT)], "circuits_working", 2)
        assert found.outcome is Outcome.NOT_MET
        assert found.reason == "1; asked for is at least 2; 1 of 2 hold; does not hold: radio (timeout)"

    def test_trouble_of_this_machine_says_nothing_about_a_circuit(self):
        found = [seen("circuit_page_time", "fibre", 0.4), seen("circuit_page_time", "radio", Failure.LOCAL_RESOURCES)]
        assert outcome(self.SITE, found, "circuits_working", 2).outcome is Outcome.UNKNOWN

    def test_one_circuit_alone_is_no_second_path_and_no_fault(self):
        site = school(circuits=(self.CIRCUITS[0], Circuit(name="bill only", contracted_down=1e8, contracted_up=1e8)))
        found = fact(site, [seen("circuit_page_time", "fibre", 0.4)], "circuits_working")
        assert (found.value, found.note) == (
            None,
            "fewer than two circuits say by which interface or source they are reached",
        )


class TestStoredMaterial:
    SITE = school(stored=(Stored(name="Library", url="http://10.20.0.7/", shows="Chapter"),))

    def test_material_opens_or_it_does_not(self):
        assert fact(self.SITE, [seen("stored_page_time", "http://10.20.0.7/", 0.1)], "stored_material").value == ALL
        assert fact(self.SITE, [seen("stored_page_time", "http://10.20.0.7/", Failure.REFUSED)], "stored_material").value == 0

    def test_material_that_was_not_asked_for_is_not_known(self):
        assert fact(self.SITE, [], "stored_material").note == "not known: Library (not checked lately)"
        assert fact(school(), [], "stored_material").note == "no material that is kept in the school is named"
