from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent import budget
from agent.budget import PROFILES, BudgetSettings, Left, Profile
from agent.commands.audit import describe
from agent.survey import Step
from netready.failure import Failed, Failure
from netready.instrument import Instrument
from netready.measurement import Measurement
from netready.site import Circuit, Site
from probes.throughput import METHODS
from probes.throughput.settings import Direction, Method, Throughput
from store import open_store

SITE = Site(
    name="L",
    students=480,
    staff=40,
    classrooms=24,
    time_zone="America/Chicago",
    circuits=(Circuit(name="line", contracted_down=100e6, contracted_up=100e6),),
)
NDT7 = METHODS["ndt7"]
SETTINGS = Throughput(server="192.0.2.10:4433", methods=(Method.NDT7,))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 03:00 in Chicago


@pytest.fixture
def book(tmp_path):
    with open_store(tmp_path / "a.sqlite") as store:
        yield store


def test_a_day_and_a_month_begin_at_the_schools_midnight(book):
    book.spend(datetime(2026, 3, 1, 5, 59, tzinfo=UTC), "x", 1)  # still February in Chicago
    book.spend(datetime(2026, 3, 1, 6, 0, tzinfo=UTC), "x", 10)  # the first of March there
    book.spend(datetime(2026, 3, 2, 5, 59, tzinfo=UTC), "x", 100)
    book.spend(datetime(2026, 3, 2, 6, 0, tzinfo=UTC), "x", 1000)  # the second
    book.spend(NOW, "x", 10_000)
    settings = BudgetSettings(per_day=1e6, per_month=1e7)
    found = budget.left(settings, SITE, book, NOW)
    assert found == Left(today=1e6 - 11_000, month=1e7 - 11_110)
    assert budget.left(settings, SITE, book, NOW + timedelta(days=1)).today == 1e6
    assert budget.left(settings, SITE, book, NOW + timedelta(days=31)).month == 1e7


def test_what_is_left_is_never_less_than_nothing_and_no_cap_is_no_limit(book):
    book.spend(NOW, "x", 5000)
    assert budget.left(BudgetSettings(per_day=100.0), SITE, book, NOW) == Left(today=0.0, month=None)
    assert budget.left(BudgetSettings(), SITE, book, NOW).least is None


def test_the_plan_says_what_is_left_and_how_it_falls():
    found = Left(today=412e6, month=3.2e9)
    assert found.sentence == "412 MB today and 3.2 GB this month"
    assert found.after(500e6) == Left(today=0.0, month=2.7e9)
    assert Left().sentence == ""
    step = Step(instrument="ndt7", does="fills the line", seconds=20.0, bytes=250e6)
    assert describe((step,), found.sentence)[:2] == [
        "This survey takes about 20 s and moves about 250 MB:",
        "  data budget: 412 MB today and 3.2 GB this month left before it",
    ]


def test_a_profile_has_caps_and_the_file_may_set_others():
    assert BudgetSettings(profile=Profile.METERED).rules.per_day == 500e6
    own = BudgetSettings(profile=Profile.SATELLITE, per_month=2e9).rules
    assert (own.per_day, own.per_month, own.target_only, own.night) == (50e6, 2e9, True, (22, 6))
    assert not BudgetSettings().capped


def test_the_settings_say_what_the_profiles_are():
    said = BudgetSettings.__doc__
    for rules in PROFILES.values():
        for cap, per in ((rules.per_day, "day"), (rules.per_month, "month")):
            if cap is not None:
                text = f"{cap / 1e6:g} MB" if cap < 1e9 else f"{cap / 1e9:g} GB"
                assert f"{text} a {per}" in said


def test_a_test_that_fits_is_left_as_it_is():
    needs = budget.foretold(NDT7, SETTINGS, SITE)
    assert needs == pytest.approx(2 * 100e6 * 10 / 8 * 1.05, rel=0.02)
    assert budget.fitted(NDT7, SETTINGS, SITE, Left()) == SETTINGS
    assert budget.fitted(NDT7, SETTINGS, SITE, Left(today=3.1 * needs)) == SETTINGS


@pytest.mark.parametrize("share", [0.2, 1.0, 2.9])
def test_a_test_near_the_cap_is_told_to_stop_at_what_is_left(share):
    left = share * budget.foretold(NDT7, SETTINGS, SITE)
    found = budget.fitted(NDT7, SETTINGS, SITE, Left(today=1e12, month=left))
    assert found.most_bytes * 2 * budget.OVERHEAD <= left
    assert found.most_bytes * 2 * budget.OVERHEAD > 0.99 * left
    assert budget.foretold(NDT7, found, SITE) <= left


def test_a_limit_of_the_settings_own_is_never_raised():
    own = msgspec.structs.replace(SETTINGS, most_bytes=1000, direction=Direction.DOWN)
    assert budget.fitted(NDT7, own, SITE, Left(today=1e9)).most_bytes == 1000


def test_a_test_that_would_say_too_little_is_not_made():
    with pytest.raises(Failed) as refused:
        budget.fitted(NDT7, SETTINGS, SITE, Left(today=20e6, month=4e9))
    assert refused.value.failure is Failure.DATA_BUDGET
    assert refused.value.reason == "about 263 MB would be moved; left: 20 MB today and 4 GB this month ([budget])"


def test_a_method_that_cannot_stop_is_not_made_either():
    heedless = Instrument(
        name="heedless", version=1, read=NDT7.read, settings=Throughput, does="", metrics=("throughput_down",), alone=True,
        load=lambda _settings, rate: rate * 10,
    )  # fmt: skip
    with pytest.raises(Failed, match="would be moved"):
        budget.fitted(heedless, SETTINGS, SITE, Left(today=0.9e9))


def test_small_steps_are_made_although_nothing_is_left():
    small = msgspec.structs.replace(NDT7, load=lambda _settings, _rate: 50_000.0)
    assert budget.fitted(small, SETTINGS, SITE, Left(today=0.0)) == SETTINGS


def test_what_is_foretold_is_for_the_direction_asked_for():
    site = msgspec.structs.replace(SITE, circuits=(Circuit(name="l", contracted_down=100e6, contracted_up=10e6),))
    down = budget.foretold(NDT7, msgspec.structs.replace(SETTINGS, direction=Direction.DOWN), site)
    up = budget.foretold(NDT7, msgspec.structs.replace(SETTINGS, direction=Direction.UP), site)
    assert down == pytest.approx(10 * up)


def test_bytes_are_counted_with_their_headers_and_a_liar_earns_nothing():
    def moved(**details):
        return Measurement.of("throughput_down", "t", NOW, 1.0, "x/1", **details)

    assert budget.counted([moved(bytes_sent=100, bytes_received=900), moved()]) == 1050
    assert budget.counted([moved(bytes_received=-5000)]) == 0


@pytest.mark.parametrize(
    ("hour", "allowed"), [(3, True), (5, True), (6, False), (12, False), (21, False), (22, True), (23, True)]
)
def test_the_satellite_profile_tests_targets_at_night(hour, allowed):
    rules = PROFILES[Profile.SATELLITE]
    now = datetime(2026, 3, 2, hour, 30, tzinfo=SITE.zone)
    target = Throughput(server="t:1", at_least=5e6)
    said = budget.forbidden(METHODS["netready"], target, rules, now, SITE)
    assert (said is None) == allowed
    assert budget.forbidden(METHODS["netready"], target, rules, None, SITE) is None
    for row, settings in ((METHODS["netready"], Throughput(server="t:1")), (NDT7, target)):
        assert "only target tests" in budget.forbidden(row, settings, rules, now, SITE)
    assert budget.forbidden(NDT7, SETTINGS, PROFILES[Profile.METERED], now, SITE) is None
