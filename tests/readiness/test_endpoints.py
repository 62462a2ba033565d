"""The platform's endpoints from several networks: the worst of them counts, and what is not known of one is not forgotten."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from netready.access import Nominated, People
from netready.failure import Failure
from netready.measurement import Measurement
from netready.site import Endpoint, Role
from readiness.evidence import Grade, Reading
from readiness.gather import gather
from readiness.judgement import Outcome
from readiness.roadmap import Bound, EvidenceKind
from readiness.weigh import index, weigh

URL = "https://lms.example.test/"
NOW = datetime(2026, 3, 6, 16, tzinfo=UTC)
STUDENTS = Nominated(name="students", people=People.STUDENT, interface="eth0.20")
TEACHERS = Nominated(name="teachers", people=People.STAFF, interface="eth0.30")


@pytest.fixture
def nominating(school):
    return msgspec.structs.replace(school, nominated=(STUDENTS, TEACHERS))


@pytest.fixture
def checks(monday):
    def make(network, *times, role="lms", days=1):
        made = []
        for day in range(days):
            for number, one in enumerate(times):
                at = monday + timedelta(days=day, minutes=5 * number)
                details = {"role": role, "network": network}
                target = f"{URL} from {network}"
                taken = (
                    Measurement.failed("http_total_time", target, at, one, "http_fetch/1", **details)
                    if isinstance(one, Failure)
                    else Measurement.of("http_total_time", target, at, one, "http_fetch/1", **details)
                )
                made.append(Reading(survey=f"s-{at:%m%d%H%M}", measurement=taken))
        return made

    return make


def of(site, readings, metric):
    return index(gather(site, readings, [], now=NOW).facts)[(metric, Role.LMS, None)]


def weighed(site, readings, metric, **bound):
    made = Bound(evidence=EvidenceKind.PROBED, metric=metric, role=Role.LMS, source="[prop] test", **bound)
    return weigh(made, index(gather(site, readings, [], now=NOW).facts))


def test_the_worst_network_counts_and_is_named(nominating, checks):
    readings = checks("students", 1.0, 2.0, Failure.TIMEOUT, 2.5) + checks("teachers", 0.5, 0.5, 0.5, 0.5)
    success = of(nominating, readings, "platform_success")
    assert success.value == 0.75
    assert success.note == "4 checks; 1 check failed: timeout; from students, the worst of 2 nominated networks"
    assert of(nominating, readings, "platform_time_p95").value == 2.5
    assert of(nominating, readings, "platform_hosts").value == 1
    assert success.target == f"{URL} from students"


def test_a_network_that_nothing_is_known_of_keeps_a_good_number_open_and_not_a_bad_one(nominating, checks):
    good = weighed(nominating, checks("students", 1.0), "platform_success", at_least=0.99)
    assert good.outcome is Outcome.UNKNOWN
    assert good.reason.endswith("from students, the worst of 2 nominated networks; nothing is known from teachers")
    bad = weighed(nominating, checks("students", Failure.TIMEOUT), "platform_success", at_least=0.99)
    assert bad.outcome is Outcome.NOT_MET
    slow = weighed(nominating, checks("students", 9.0), "platform_time_p95", at_most=3)
    assert slow.outcome is Outcome.NOT_MET
    assert weighed(nominating, checks("students", 1.0), "platform_time_p95", at_most=3).outcome is Outcome.UNKNOWN


def test_a_time_that_is_only_a_bound_in_one_network_keeps_the_other_from_closing_it(nominating, checks):
    readings = checks("students", 2.9) + checks("teachers", 1.0, Failure.TIMEOUT)
    found = of(nominating, readings, "platform_time_p95")
    assert (found.value, found.at_least) == (2.9, True)


def test_a_number_is_as_sure_as_the_network_with_the_fewest_days(nominating, checks):
    readings = checks("students", 1.0, days=4) + checks("teachers", 2.0, days=1)
    found = of(nominating, readings, "platform_success")
    assert (found.days, found.grade) == (1, Grade.PROVISIONAL)
    assert weighed(nominating, readings, "platform_success", at_least=0.99, min_days=4).outcome is Outcome.UNKNOWN


def test_a_network_that_was_not_checked_for_long_is_not_covered_by_a_fresh_one(nominating, checks):
    readings = checks("students", 1.0) + checks("teachers", 1.0, days=4)
    later = {"now": NOW + timedelta(days=27, hours=2)}  # 31 days after the students' check, 28 after the teachers' last
    found = index(gather(nominating, readings, [], **later).facts)[("platform_success", Role.LMS, None)]
    assert found.value is None


def test_what_this_machine_could_not_send_is_no_check_of_the_platform(nominating, checks):
    readings = checks("students", 1.0, Failure.LOCAL_RESOURCES) + checks("teachers", Failure.LOCAL_RESOURCES)
    found = of(nominating, readings, "platform_success")
    assert (found.value, found.failures, found.at_most) == (1.0, 0, True)
    assert found.note.endswith("nothing is known from teachers")


def test_an_endpoint_for_teachers_is_judged_from_their_network_alone(nominating, checks):
    only = (msgspec.structs.replace(nominating.endpoints[0], networks=("teachers",)),)
    site = msgspec.structs.replace(nominating, endpoints=only)
    found = of(site, checks("teachers", 1.0), "platform_success")
    assert (found.value, found.at_most) == (1.0, False)
    assert found.note == "1 check; from teachers"


def test_checks_from_no_network_do_not_count_once_networks_are_nominated(nominating, pages):
    found = of(nominating, pages([1.0]), "platform_success")
    assert found.value is None
    assert found.note == "no check of the learning platform was made in this window from students, teachers"


class TestCertificates:
    DAY = 86_400.0

    def seen(self, target, value, at):
        if isinstance(value, Failure):
            taken = Measurement.failed("tls_certificate_left", target, at, value, "http_fetch/1", role="lms")
        else:
            taken = Measurement.of("tls_certificate_left", target, at, value, "http_fetch/1", role="lms")
        return Reading(survey="s", measurement=taken)

    def test_what_is_left_is_counted_from_now(self, school):
        found = of(school, [self.seen(URL, 30 * self.DAY, NOW - timedelta(days=2))], "platform_certificate_left")
        assert (found.value, found.target, found.at_most) == (28 * self.DAY, URL, False)
        assert found.grade is Grade.CONCLUSIVE

    def test_the_one_that_ends_first_counts(self, school):
        other = Endpoint(name="Other", url="https://other.example.test/", role=Role.LMS)
        site = msgspec.structs.replace(school, endpoints=(*school.endpoints, other))
        first, earlier = self.seen(URL, 30 * self.DAY, NOW), NOW - timedelta(days=1)
        found = of(site, [first, self.seen(other.url, 3 * self.DAY, NOW)], "platform_certificate_left")
        assert (found.value, found.target) == (3 * self.DAY, other.url)
        unseen = of(site, [first, self.seen(other.url, Failure.TIMEOUT, earlier)], "platform_certificate_left")
        assert (unseen.value, unseen.at_most, unseen.failures) == (30 * self.DAY, True, 1)
        assert (unseen.grade, unseen.first_at, unseen.last_at) == (Grade.PROVISIONAL, earlier, NOW)

    def test_one_that_is_not_accepted_has_nothing_left(self, school):
        found = of(school, [self.seen(URL, Failure.TLS_CERTIFICATE, NOW)], "platform_certificate_left")
        assert found.value == 0

    def test_one_that_has_ended_since_has_nothing_left(self, school):
        found = of(school, [self.seen(URL, self.DAY, NOW - timedelta(days=3))], "platform_certificate_left")
        assert found.value == 0

    def test_it_is_looked_at_from_each_network(self, nominating):
        readings = [self.seen(f"{URL} from students", 30 * self.DAY, NOW)]
        assert of(nominating, readings, "platform_certificate_left").at_most
        readings.append(self.seen(f"{URL} from teachers", 0.5 * self.DAY, NOW))
        found = of(nominating, readings, "platform_certificate_left")
        assert (found.value, found.at_most) == (0.5 * self.DAY, False)

    def test_it_is_asked_for_only_where_the_endpoint_is_for(self, nominating):
        lms = nominating.endpoints[0]
        staffs = Endpoint(name="Marks", url="https://marks.example.test/", role=Role.LMS, networks=("teachers",))
        site = msgspec.structs.replace(nominating, endpoints=(lms, staffs))
        places = (f"{URL} from students", f"{URL} from teachers", f"{staffs.url} from teachers")
        found = of(site, [self.seen(place, 30 * self.DAY, NOW) for place in places], "platform_certificate_left")
        assert (found.samples, found.at_most) == (3, False)

    def test_a_role_without_an_encrypted_page_has_none(self, school):
        plain = (msgspec.structs.replace(school.endpoints[0], url="http://lms.example.test/"),)
        found = of(msgspec.structs.replace(school, endpoints=plain), [], "platform_certificate_left")
        assert (found.value, found.note) == (None, "no page of the learning platform is encrypted")
