import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census.randoms import Trace, estimate, shape, whole
from census.traces import traces
from netready.device import Device, Kind
from netready.survey import Survey

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def at(day, hour):
    return MONDAY + timedelta(days=day, hours=hour)


def trace(key, *hours, like="", network="", fresh=True):
    return Trace(key=key, seen=tuple(at(*hour) for hour in hours), like=like, network=network, fresh=fresh)


def test_nobody_is_nobody():
    found = estimate([])
    assert (found.low, found.high) == (0, 0)
    assert found.says == "No hardware address was made up."


def test_in_one_survey_every_address_that_was_heard_is_a_device():
    found = estimate([trace("a", (0, 9)), trace("b", (0, 9)), trace("c", (0, 9), fresh=False)])
    assert (found.low, found.high) == (2, 3)
    assert found.says == "3 made-up hardware addresses are 2 to 3 devices, 90 % of the time (method: one survey; 1 day)."


def test_addresses_in_use_at_once_are_different_devices():
    month = [trace(f"a{i}", *((day, hour) for day in range(20) for hour in (9, 10))) for i in range(30)]
    found = estimate(month)
    assert (found.floor, found.low, found.high) == (30, 30, 30)


def test_addresses_that_follow_each_other_may_be_one_device():
    month = [trace(f"a{day}", (day, 9), (day, 12)) for day in range(20)]
    found = estimate(month)
    assert found.floor == 1
    assert found.low == 1
    assert found.high < 5


def test_addresses_that_one_survey_saw_are_two_devices_and_those_that_take_turns_may_be_one():
    assert shape(whole([trace("a", (0, 9), (0, 10)), trace("b", (0, 11), (0, 12))])).floor == 1
    assert shape(whole([trace("a", (0, 9), (0, 10)), trace("b", (0, 10), (0, 11))])).floor == 2
    assert shape(whole([trace("a", (0, 9), (0, 11)), trace("b", (0, 10))])).floor == 2


def test_addresses_of_devices_that_differ_are_different_devices_whenever_they_were_seen():
    month = [trace(f"a{i}", (i, 9), (i, 10), like=f"system {i}") for i in range(10)]
    assert shape(whole(month)).floor == 10


def test_one_device_may_use_an_address_in_each_network_by_turns():
    days = [(day, hour) for day in range(10) for hour in (9, 10)]
    assert shape(whole([trace("a", *days, network="school"), trace("b", *days, network="guests")])).floor == 1
    assert shape(whole([trace("a", *days, network="school"), trace("b", *days, network="school")])).floor == 2


def test_an_address_that_was_heard_is_not_seen_where_a_table_only_remembers_it():
    (address,) = whole([trace("a", (0, 9)), trace("a", (0, 10), (0, 11), fresh=False)])
    assert [moment.hour for moment in address.moments] == [9]


moments = st.tuples(st.integers(0, 9), st.integers(8, 15))
addresses = st.builds(
    lambda key, hours, like, network, fresh: trace(key, *hours, like=like, network=network, fresh=fresh),
    st.sampled_from("abcdefgh"),
    st.lists(moments, min_size=1, max_size=5).map(sorted),
    st.sampled_from(["", "x", "y"]),
    st.sampled_from(["", "school", "guests"]),
    st.booleans(),
)


@settings(max_examples=80)
@given(st.lists(addresses, max_size=10).flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))))
def test_the_estimate_never_leaves_one_to_the_number_of_addresses_whatever_the_order(orders):
    one, other = orders
    found = estimate(one)
    assert found == estimate(other)
    assert found.addresses == len({each.key for each in one})
    assert min(1, found.addresses) <= found.low <= found.high <= found.addresses


HABITS = ["fixed", "network", "days", "daily", "chance", "connection", "any mix"]


@pytest.mark.parametrize("habit", HABITS)
def test_the_true_number_lies_in_the_interval_in_months_that_are_drawn_by_other_rules(habit, bench_module):
    months = bench_module("months")
    chance = random.Random(f"test {habit}")
    weights = months.any_mix if habit == "any mix" else months.only(habit)
    world = msgspec.structs.replace(months.JUDGED_ON, devices=(40, 200))
    inside = 0
    for _ in range(20):
        month = months.draw(world, chance, weights)
        found = estimate(month.traces)
        inside += found.low <= month.devices <= found.high
    assert inside >= 16, "90 % are promised; 16 of 20 is what luck may leave of it"


def test_the_interval_is_much_narrower_than_what_is_known_without_a_method(bench_module):
    months = bench_module("months")
    month = months.draw(months.FOUND_ON, random.Random(3), months.only("days"))
    found = estimate(month.traces)
    assert found.low <= month.devices <= found.high
    assert found.high - found.low < 0.25 * found.addresses


def test_the_bands_regression_finds_the_quantile_of_what_it_is_given(bench_module):
    chance = random.Random(5)
    rows = [(1.0, chance.uniform(0, 1)) for _ in range(2000)]
    truth = [0.5 + 2 * x + chance.uniform(0, 1) for _, x in rows]
    low, slope = bench_module("regression").quantile(rows, truth, 0.1)
    assert low == pytest.approx(0.6, abs=0.03)
    assert slope == pytest.approx(2, abs=0.06)


# --- from surveys ------------------------------------------------------------------------------------------------------------


def device(key, *, made_up=True, how=("arp",), **facts):
    return Device(
        key=key, mac=None, addresses=(), names=(), kind=Kind.UNKNOWN, vendor=None, random=made_up, how=how, facts=facts
    )


def survey(day, hour, *devices, period=""):
    return Survey(
        id=f"{day}-{hour}",
        site="s",
        software="t",
        started_at=at(day, hour),
        finished_at=at(day, hour),
        devices=devices,
        period=period,
    )


def test_surveys_become_one_trace_for_each_made_up_address_in_the_sites_own_time():
    found = traces(
        [
            survey(0, 23, device("a", parameters="1,3", os="x"), device("fixed", made_up=False)),
            survey(1, 9, device("a", how=("router",)), device("b", how=("router",), os="x")),
        ],
        ZoneInfo("Asia/Tokyo"),
    )
    assert [(each.key, [moment.isoformat() for moment in each.seen], each.like, each.fresh) for each in found] == [
        ("a", ["2026-03-03T08:00:00+09:00"], "parameters=1,3 os=x", True),
        ("b", ["2026-03-03T18:00:00+09:00"], "", False),
    ]


def test_pseudonyms_of_another_period_are_left_out():
    found = traces([survey(0, 9, device("a"), period="2026-02"), survey(1, 9, device("b"), period="2026-03")], UTC)
    assert [each.key for each in found] == ["b"]
    assert traces([], UTC) == ()
