from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.metric import CATALOGUE
from readiness.evidence import Fact
from readiness.judgement import Quantity
from readiness.roadmap import EvidenceKind
from reports import units
from reports.units import Side


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (184.5, "185"),
        (1_056_499.5, "1,056,500"),
        (99.95, "100"),
        (41.25, "41.3"),
        (1.005, "1.01"),  # as written; the nearest binary fraction would give 1
        (0.285, "0.285"),
        (0.012345, "0.0123"),
        (50.0, "50"),
        (-3.14159, "-3.14"),
    ],
)
def test_a_number_is_right_to_the_printed_digit(value, shown):
    assert units.digits(value) == shown


def test_a_lower_bound_is_never_rounded_up_to_a_target_that_it_misses():
    assert units.amount("internet_down_per_1000", 999.6e6, at_least=True) == "999 Mbps per 1,000 users, at least"
    assert units.amount("internet_down_per_1000", 999.6e6) == "1,000 Mbps per 1,000 users"


def test_an_upper_bound_is_never_rounded_down():
    assert units.amount("students_per_device", 1.001, at_most=True) == "1.01, at most"


def test_a_shortfall_is_never_rounded_to_nothing():
    assert units.mbps(0.4, Side.UP) == "0.01"
    assert units.mbps(1_055.2e6, Side.UP) == "1,056"


@given(st.floats(min_value=1e-6, max_value=1e15))
def test_a_bound_stays_on_its_side(value):
    exact = Decimal(str(value))
    assert Decimal(units.digits(value, Side.DOWN).replace(",", "")) <= exact
    assert Decimal(units.digits(value, Side.UP).replace(",", "")) >= exact


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("throughput_down", 442.1e6, "442 Mbps"),
        ("latency_rtt", 0.01234, "12.3 ms"),
        ("platform_time_p95", 1.5, "1.5 s"),
        ("host_uptime", 5_400.0, "90 minutes"),
        ("tls_certificate_left", 5_184_000.0, "60 days"),
        ("host_disk_free", 61_200_000.0, "61.2 MB"),
        ("packet_loss", 0.004, "0.4 %"),
        ("packet_loss", 0.00004, "<0.01 %"),
        ("packet_loss", 0.0, "0 %"),
        ("platform_success", 0.99996, ">99.9 %"),
        ("platform_success", 1.0, "100 %"),
        ("test_days", 1.0, "1 day"),
        ("test_days", 10.0, "10 days"),
        ("devices", 1_204.0, "1,204"),
        ("responsiveness_down", 1110.4, "1,110 round trips a minute"),
    ],
)
def test_every_amount_carries_its_unit(metric, value, shown):
    assert units.amount(metric, value) == shown


def test_an_interval_is_rounded_outwards_in_the_unit_of_its_value():
    shown = units.amount("latency_rtt", 0.9, interval=(0.8999, 1.1001))
    assert shown == "900 ms (899\N{EN DASH}1,101)"


@given(st.sampled_from(sorted(CATALOGUE)), st.floats(min_value=0, max_value=1e12))
def test_every_metric_has_an_amount_in_words(metric, value):
    assert units.amount(metric, value, interval=(value, value * 1.1))


def test_what_is_not_known_is_said_in_words_and_is_no_number():
    assert units.rate(Quantity(value=None, how="nobody looked")) == "not known yet"
    assert units.fact(Fact(kind=EvidenceKind.MEASURED, metric="latency_rtt", value=None)) == "not known yet"


def test_counts_fit_into_a_sentence():
    assert [units.count(number, "reason") for number in (0, 1, 9, 10)] == [
        "no reasons",
        "one reason",
        "nine reasons",
        "10 reasons",
    ]


def test_a_rate_too_small_to_matter_is_not_spelt_out():
    assert units.mbps(19.2) == "<0.01"
    assert units.mbps(0) == "0"
    assert units.mbps(10_000) == "0.01"
