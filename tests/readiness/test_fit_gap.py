"""Fit and gap: what is known, at least or at most; what is wanted and by whom; what it would cost, or why nobody can say."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from netready.metric import CATALOGUE, Unit
from readiness.fit_gap import bills, fit_gap
from readiness.forecast import NO_HISTORY, forecast
from readiness.gaps import Amount, Gap, Item
from readiness.gather import gather
from readiness.inventory import Served, Told
from readiness.judge import judge
from readiness.judgement import Outcome, Quantity
from readiness.plan import CircuitPrice, Prices, Wanted
from readiness.policy import parse_policy
from readiness.pricing import Cost, Per
from readiness.standards import compare
from readiness.standards import parse as parse_standards

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)

MORE = b"""
[[dimensions]]
id = "rooms"
title = "Rooms"
domain = "Capacity"
question = "Is there a device?"
[[criteria]]
id = "R.2"
dimension = "rooms"
stage = 2
what = "six in a classroom"
why = "so"
remedy = "buy"
evidence = ["inventoried"]
bounds = [{ evidence = "inventoried", metric = "student_devices_per_classroom", at_least = 6, source = "[prop] made up" }]
confidence = "high"
wanted = "a list"
[[criteria]]
id = "R.3"
dimension = "rooms"
stage = 3
what = "thirty on each access point"
why = "so"
remedy = "buy"
evidence = ["inventoried"]
bounds = [{ evidence = "inventoried", metric = "clients_per_access_point", at_most = 30, source = "[prop] made up" }]
confidence = "high"
wanted = "a list"
"""

POLICY = b"""
id = "p"
version = "1"
title = "P"
platform = "P"
[[waves]]
id = "room"
title = "one room"
[[waves.rules]]
id = "a"
title = "a"
level = "hard"
why = "w"
remedy = "r"
metric = "internet_down_per_1000"
at_least = 100e6
[[waves]]
id = "school"
title = "whole school"
[[waves.rules]]
id = "b"
title = "b"
level = "soft"
why = "w"
remedy = "r"
metric = "students_per_device"
at_most = 2
[[waves.rules]]
id = "c"
title = "c"
level = "soft"
why = "w"
remedy = "r"
metric = "clients_per_access_point"
at_most = 30
[[waves.rules]]
id = "d"
title = "d"
level = "advisory"
why = "w"
remedy = "r"
metric = "internet_up_per_1000"
at_least = 30e6
"""

STANDARD = b"""version = "1"
[[standards]]
id = "x"
who = "X"
title = "X 2026"
per = "students"
link = "internet"
down = 2e6
quantity = "provisioned"
source = "made up"
verified = "primary"
"""

PRICES = Prices(currency="USD", student_device=350.0, access_point=600.0, server=4000.0, insured_device=20.0, mbps=1.5)


@pytest.fixture
def rules(roadmap_text):
    from readiness import roadmap as roadmaps

    found = roadmaps.parse(roadmap_text + MORE, "roadmap.toml", CATALOGUE)
    return found, parse_policy(POLICY, "policy.toml", found, CATALOGUE)


@pytest.fixture
def items(school, rules):
    """The items by id, of a school with these readings and devices."""

    def make(readings=(), devices=(), site=school, **more):
        roadmap, policy = rules
        at = more.pop("devices_at", None)
        gathered = gather(site, readings, devices, now=NOW, audits=[NOW], told=more.pop("told", Told()), devices_at=at)
        judgement = judge(roadmap, site, gathered, [], now=NOW)
        if standards := more.pop("text", b""):
            more["standards"] = compare(site, judgement.down, judgement.up, parse_standards(standards, "s.toml"))
        found = fit_gap(site, judgement, roadmap, policy, **more)
        return {item.id: item for item in found}

    return make


def row(item, goal):
    return next(gap for gap in item.gaps if goal in gap.goals)


def test_the_items_are_those_that_the_roadmap_lists_in_its_order(items):
    assert [(item.area, item.criterion) for item in items().values()] == [
        ("Classroom hardware", "CT.2.1"),
        ("Wireless", "CT.2.2"),
        ("Internet access", "CT.2.3"),
        ("Internet access", "CT.2.3"),
        ("Servers", "CT.2.4"),
        ("Insurance", "CT.3.1"),
        ("Five years of growth", "CT.3.2"),
    ]


def test_without_an_inventory_no_gap_is_known_and_none_is_zero(items):
    found = items(prices=PRICES)
    for name in ("student_devices", "access_points", "servers"):
        assert found[name].current.value is None
        for gap in found[name].gaps:
            assert (gap.gap.value, gap.gap.how, gap.cost) == (None, "no inventory has found a device yet", None)
    assert found["access_points"].gaps == ()
    assert "not known: no end device has been counted" in found["access_points"].note


def test_where_nobody_asks_for_a_number_the_note_says_so_and_not_that_nothing_was_counted(school, roadmap, rules, devices):
    policy = msgspec.structs.replace(rules[1], waves=rules[1].waves[:1])
    judgement = judge(roadmap, school, gather(school, [], devices(staff_device=3), now=NOW, audits=[NOW]), [], now=NOW)
    hardware, wireless, *_ = fit_gap(school, judgement, roadmap, policy)
    nobody = "Neither a further stage of the roadmap nor a wave asks for a number."
    assert (hardware.gaps, hardware.note) == ((), nobody)
    assert (wireless.gaps, wireless.note) == ((), f"Routers and cabling are not counted here. {nobody}")


def test_a_count_is_a_lower_bound_so_the_gap_and_its_cost_are_upper_bounds(items, devices):
    found = items(devices=devices(student_device=85, staff_device=15), prices=PRICES)["student_devices"]
    assert (found.current.value, found.current.at_least) == (85.0, True)
    stage, wave = row(found, "stage"), row(found, "wave:school")
    assert (stage.titles, stage.wanted.value, stage.wanted.how) == (
        ("Rooms, Emerging (R.2)",),
        120.0,
        "6 in each of 20 classrooms",
    )
    assert (stage.gap.value, stage.gap.at_most, stage.gap.at_least) == (35.0, True, False)
    assert (stage.cost.amount, stage.cost.per, stage.cost.at_most) == (12250.0, Per.ONCE, True)
    assert stage.cost.how == "35 at 350 USD each"
    assert (wave.wanted.value, wave.wanted.how, wave.gap.value) == (240.0, "one for every 2 of 480 students", 155.0)


def test_what_is_there_already_is_no_gap_and_costs_nothing(items, devices):
    found = items(devices=devices(student_device=240), prices=PRICES)["student_devices"]
    # The stage that asked for devices is reached with them; what is left is the wave.
    (gap,) = found.gaps
    assert (gap.goals, gap.gap.value, gap.gap.how, gap.cost) == (("wave:school",), 0.0, "nothing is missing", None)
    assert not gap.gap.at_most


def test_where_nothing_of_a_kind_was_recognised_the_gap_is_not_known(items, devices):
    found = items(devices=devices(unknown=200), prices=PRICES)
    gap = row(found["student_devices"], "stage")
    assert gap.gap.value is None
    assert gap.gap.how.startswith("none was recognised, seen on the network in the latest survey")
    assert "the kind of 200 devices is not known" in gap.gap.how


def test_access_points_are_counted_for_the_devices_that_the_same_goal_wants(items, devices):
    found = items(devices=devices(student_device=60, staff_device=30, access_point=2), prices=PRICES)["access_points"]
    stage, wave = row(found, "stage"), row(found, "wave:school")
    assert (stage.wanted.value, stage.wanted.at_least) == (5.0, True)  # 120 of the stage below, and 30 of the staff
    assert stage.wanted.how == "30 end devices or fewer on each, for 150 end devices once there are 120 student devices"
    assert (wave.wanted.value, wave.gap.value) == (9.0, 7.0)  # 240 + 30, by 30
    assert (wave.gap.at_least, wave.gap.at_most, wave.gap.about, wave.cost.about) == (False, False, True, True)
    assert wave.gap.how == "both counts can only be too low, so it may be more or less"


def test_enough_access_points_on_average_are_not_enough_where_the_judgement_says_that_one_is_crowded(items, devices):
    served = Served(clients={"ap-1": 45, "ap-2": 5}, hour=10, readings=20, days=5, first_at=NOW, last_at=NOW)
    seen = devices(student_device=240, access_point=8)
    gap = row(items(devices=seen, told=Told(served=served))["access_points"], "wave:school")
    assert gap.gap.value is None
    assert gap.gap.how == "there are enough for an average, but one serves 45: add or move some where it is crowded"
    quiet = msgspec.structs.replace(served, clients={"ap-1": 30})
    gap = row(items(devices=seen, told=Told(served=quiet))["access_points"], "wave:school")
    assert (gap.gap.value, gap.gap.how) == (0.0, "nothing is missing for what was counted")
    assert gap.wanted.how == "30 end devices or fewer on each, for 240 end devices"


def test_an_inventory_that_is_too_old_leaves_everything_unknown_and_says_so(items, devices):
    old = {"devices": devices(student_device=200, access_point=9), "devices_at": NOW - timedelta(days=100)}
    found = items(**old)
    assert found["student_devices"].current.how == "the newest inventory is 100 days old, and one counts for 90 days"
    assert {gap.gap.value for gap in found["student_devices"].gaps} == {None}


def test_a_judgement_without_facts_knows_nothing_of_devices(school, rules):
    roadmap, policy = rules
    judgement = judge(roadmap, school, gather(school, [], [], now=NOW), [], now=NOW)
    found = fit_gap(school, msgspec.structs.replace(judgement, facts=()), roadmap, policy)
    assert found[0].current.how == "no inventory has found a device yet"


NUMBERS = """
[[waves]]
id = "numbers"
title = "in numbers"
"""
RULE = """[[waves.rules]]
id = "{id}"
title = "t"
level = "soft"
why = "w"
remedy = "r"
{asked}
"""


@pytest.fixture
def asked(school, roadmap_text, devices):
    """The rows of a wave that asks for these numbers: of 100 student devices, 20 of the staff and 2 access points."""

    def make(*demands):
        from readiness import roadmap as roadmaps

        text = POLICY.decode() + NUMBERS + "".join(RULE.format(id=f"n{n}", asked=each) for n, each in enumerate(demands))
        roadmap = roadmaps.parse(roadmap_text + MORE, "roadmap.toml", CATALOGUE)
        policy = parse_policy(text.encode(), "policy.toml", roadmap, CATALOGUE)
        seen = devices(student_device=100, staff_device=20, access_point=2)
        judgement = judge(roadmap, school, gather(school, [], seen, now=NOW, audits=[NOW]), [], now=NOW)
        items = fit_gap(school, judgement, roadmap, policy)
        return {item.id: gap for item in items for gap in item.gaps if "wave:numbers" in gap.goals}

    return make


def test_a_wave_may_ask_for_plain_numbers_and_other_kinds_are_not_taken_for_these(asked):
    found = asked(
        'metric = "devices"\nkind = "student-device"\nat_least = 300',
        'metric = "devices"\nkind = "access-point"\nat_least = 12',
        'metric = "devices"\nkind = "printer"\nat_least = 900',
    )
    assert {name: (gap.wanted.value, gap.wanted.how) for name, gap in found.items()} == {
        "student_devices": (300.0, "asked for as a number"),
        "access_points": (12.0, "asked for as a number"),
    }


def test_a_limit_from_above_asks_for_nothing_more(asked):
    assert not asked(
        'metric = "devices"\nkind = "student-device"\nat_most = 300',
        'metric = "devices"\nkind = "access-point"\nat_most = 300',
        'metric = "access_points_per_classroom"\nat_most = 3',
        'metric = "student_devices_per_classroom"\nat_most = 40',
        'metric = "internet_down_per_1000"\nat_most = 1e9',
    )


def test_of_two_demands_of_one_goal_the_larger_counts_and_of_equals_the_first(asked):
    ratio, number = 'metric = "students_per_device"\nat_most = 2', 'metric = "devices"\nkind = "student-device"\nat_least = '
    for demands in ((ratio, number + "300"), (number + "300", ratio)):
        assert asked(*demands)["student_devices"].wanted.value == 300
    assert asked(ratio, number + "240")["student_devices"].wanted.how == "one for every 2 of 480 students"


def test_of_the_stages_the_first_that_asks_is_the_next(school, rules, roadmap_text):
    from readiness import roadmap as roadmaps

    later = MORE.split(b"[[criteria]]")[1].replace(b'"R.2"', b'"R.4"').replace(b"stage = 2", b"stage = 4")
    text = roadmap_text + MORE + b"[[criteria]]" + later.replace(b"at_least = 6", b"at_least = 10")
    roadmap = roadmaps.parse(text, "roadmap.toml", CATALOGUE)
    judgement = judge(roadmap, school, gather(school, [], [], now=NOW), [], now=NOW)
    gap = row(fit_gap(school, judgement, roadmap, rules[1])[0], "stage")
    assert (gap.titles, gap.wanted.value) == (("Rooms, Emerging (R.2)",), 120.0)


def test_access_points_are_wanted_for_the_largest_number_of_devices_that_the_goal_wants(asked):
    found = asked(
        'metric = "students_per_device"\nat_most = 2',
        'metric = "devices"\nkind = "student-device"\nat_least = 400',
        'metric = "clients_per_access_point"\nat_most = 30',
    )
    assert found["access_points"].wanted.value == 14  # 400 and 20, by 30
    assert asked('metric = "access_points_per_classroom"\nat_least = 1')["access_points"].wanted.value == 20


def test_the_line_says_what_the_judgement_says_and_a_wave_that_asks_the_same_shares_the_row(items, throughput):
    found = items(throughput([31.2e6] * 10), prices=PRICES)["internet_down"]
    assert (found.current.value, found.current.at_least) == (31.2e6, True)
    first, second = found.gaps
    assert first.goals == ("threshold:100-mbps", "stage", "wave:room")
    assert first.titles[1:] == ("Line, Emerging (L.2)", "wave “one room”")
    assert (first.wanted.value, first.gap.value) == (52e6, pytest.approx(20.8e6))
    assert (second.wanted.value, second.gap.value) == (520e6, pytest.approx(488.8e6))


def test_a_rate_that_no_threshold_names_has_a_row_of_its_own(items, throughput):
    found = items(throughput([9e6] * 10, direction="up"))["internet_up"]
    gap = row(found, "wave:school")
    assert (gap.goals, gap.wanted.value, gap.gap.value) == (("wave:school",), 15.6e6, pytest.approx(6.6e6))
    met = row(items(throughput([15.6e6] * 10, direction="up"))["internet_up"], "wave:school")
    assert (met.gap.value, met.gap.how) == (0.0, "nothing is missing")


def test_a_test_that_something_else_kept_down_leaves_the_gap_unknown(items, throughput):
    found = items(throughput([31.2e6] * 10, limited_by="interface"), prices=PRICES)["internet_down"]
    for gap in found.gaps:
        assert gap.gap.value is None
        assert gap.gap.how.startswith("limited by this machine's network card")
        assert gap.cost is None


def test_without_a_test_the_line_is_not_known(items):
    found = items(prices=PRICES)["internet_down"]
    assert found.current.value is None
    assert {gap.gap.value for gap in found.gaps} == {None}


def test_what_the_contract_promises_is_claimed_and_not_bought(items, throughput):
    found = items(throughput([31.2e6] * 10), prices=PRICES)["internet_down"]
    claimed, bought = (gap.cost for gap in found.gaps)
    assert (claimed.amount, claimed.how) == (0.0, "the contract promises 500 Mbps; claim it before anything is bought")
    assert (bought.amount, bought.per) == (pytest.approx(30.0), Per.MONTH)  # 20 Mbps beyond 500, at 1.50
    assert bought.how == "20 Mbps beyond the contract, at 1.50 USD for each Mbps"


def test_a_contract_for_just_what_is_asked_is_enough_of_a_contract(items, throughput, school):
    circuit = msgspec.structs.replace(school.circuits[0], contracted_down=520e6)
    site = msgspec.structs.replace(school, circuits=(circuit,))
    cost = items(throughput([31.2e6] * 10), site=site, prices=PRICES)["internet_down"].gaps[1].cost
    assert (cost.amount, cost.how) == (0.0, "the contract promises 520 Mbps; claim it before anything is bought")


def test_offers_are_priced_whole_and_the_smallest_that_carries_the_rate_is_taken(items, throughput):
    offers = Prices(
        currency="EUR", circuits=tuple(CircuitPrice(rate=rate, month=m) for rate, m in ((2e9, 900.0), (1e9, 600.0)))
    )
    cost = items(throughput([31.2e6] * 10), prices=offers)["internet_down"].gaps[1].cost
    assert (cost.amount, cost.how) == (600.0, "all of a line of 1,000 Mbps, instead of today's")
    exact = Prices(currency="EUR", circuits=(CircuitPrice(rate=520e6, month=400.0),))
    assert items(throughput([31.2e6] * 10), prices=exact)["internet_down"].gaps[1].cost.amount == 400
    small = Prices(currency="EUR", circuits=(CircuitPrice(rate=510e6, month=300.0),))
    cost = items(throughput([31.2e6] * 10), prices=small)["internet_down"].gaps[1].cost
    assert (cost.amount, cost.how) == (None, "no offer in prices.circuits carries 520 Mbps")


def test_without_a_contract_the_cost_is_at_most_what_the_test_did_not_show(items, throughput, school):
    site = msgspec.structs.replace(school, circuits=())
    cost = items(throughput([31.2e6] * 10), site=site, prices=PRICES)["internet_down"].gaps[0].cost
    assert (cost.amount, cost.at_most) == (pytest.approx(31.2), True)


def test_without_a_price_the_gap_stays_and_the_cost_is_not_known(items, throughput, devices):
    found = items(throughput([31.2e6] * 10), devices(student_device=10))
    assert row(found["student_devices"], "stage").cost.amount is None
    assert row(found["student_devices"], "stage").cost.how == "no price is given (prices.student_device)"
    assert found["internet_down"].gaps[1].cost.how == "no price is given (prices.mbps or prices.circuits)"


def test_one_line_carries_both_directions_and_is_not_priced_twice(items, throughput):
    found = items(throughput([9e6] * 10, direction="up"), prices=PRICES)["internet_up"]
    assert {gap.cost.amount for gap in found.gaps} == {None}


def test_a_standard_that_the_school_chose_has_its_own_row_with_its_denominator(items, throughput):
    found = items(throughput([31.2e6] * 10), text=STANDARD, prices=PRICES)["internet_down"]
    gap = row(found, "standard:x")
    assert gap.titles == ("X 2026, for 480 students",)
    assert (gap.wanted.value, gap.gap.value) == (960e6, pytest.approx(460e6))  # of the contract, as the standard asks
    assert gap.wanted.how == "for 480 students"
    assert (gap.cost.amount, gap.cost.at_most) == (pytest.approx(690.0), False)
    up = items(throughput([9e6], direction="up"), text=STANDARD)["internet_up"]
    assert not any("standard:x" in gap.goals for gap in up.gaps)  # it asks for nothing in this direction


def test_a_chosen_standard_that_does_not_apply_says_why_once(items):
    text = STANDARD.replace(b'"students"', b'"concurrent-testers"')
    found = items(text=text)
    gap = row(found["internet_down"], "standard:x")
    assert (gap.wanted.value, gap.gap.value) == (None, None)
    assert gap.gap.how == gap.wanted.how
    assert gap.gap.how.endswith("(site.concurrent_testers)")
    assert not any("standard:x" in gap.goals for gap in found["internet_up"].gaps)


def test_the_schools_own_plan_is_a_goal_of_everything(items, throughput, devices):
    wanted = Wanted(student_devices=480, access_points=12, servers=2, internet_down=300e6, internet_up=300e6)
    seen = devices(student_device=100, access_point=4, server=1)
    found = items(throughput([31.2e6] * 10), seen, wanted=wanted, prices=PRICES)
    gaps = {name: row(item, "plan").gap.value for name, item in found.items() if any("plan" in gap.goals for gap in item.gaps)}
    assert gaps == {
        "student_devices": 380.0,
        "access_points": 8.0,
        "internet_down": pytest.approx(268.8e6),
        "internet_up": None,
        "servers": 1.0,
        "insured_devices": None,
    }


def test_for_servers_the_roadmap_names_no_number_and_the_note_says_where_to_give_one(items, devices):
    found = items(devices=devices(server=2))["servers"]
    assert (found.current.value, found.gaps) == (2.0, ())
    assert found.note.endswith("and give the number that is wanted (wanted.servers).")


def test_insurance_is_compared_with_the_devices_that_were_seen(items, devices, school):
    covered = msgspec.structs.replace(school, insured_devices=60)
    found = items(devices=devices(student_device=85), site=covered, prices=PRICES)["insured_devices"]
    (gap,) = found.gaps
    assert (gap.gap.value, gap.gap.at_least) == (25.0, True)
    assert (gap.cost.amount, gap.cost.per, gap.cost.at_least) == (500.0, Per.YEAR, True)
    (gap,) = items(devices=devices(student_device=85), prices=PRICES)["insured_devices"].gaps
    assert (gap.gap.value, gap.gap.how) == (None, "the site's configuration does not give it (site.insured_devices)")


def test_growth_is_three_bands_against_the_contract(items):
    seen = forecast(peak=200e6, users=[520] * 6, year=2026, growth=NO_HISTORY, contracted=500e6)
    found = items(foreseen=seen, prices=PRICES)["growth_down"]
    assert [gap.titles for gap in found.gaps] == [("2031, low growth",), ("2031, middle growth",), ("2031, high growth",)]
    needs = [200e6 * 1.35 * rate**5 for rate in (1.12, 1.25, 1.5)]
    assert [gap.wanted.value for gap in found.gaps] == pytest.approx(needs)
    assert [gap.gap.value for gap in found.gaps] == pytest.approx([max(0.0, need - 500e6) for need in needs])
    assert found.gaps[0].cost is None
    assert found.gaps[2].cost.amount == pytest.approx((needs[2] - 500e6) / 1e6 * 1.5)
    assert "no history" in found.note


def test_growth_without_a_contract_is_needed_but_no_gap(items, school):
    seen = forecast(peak=200e6, users=[520] * 6, year=2026, growth=NO_HISTORY, contracted=None)
    found = items(foreseen=seen, prices=PRICES, site=msgspec.structs.replace(school, circuits=()))["growth_down"]
    absent = "no circuit is described in the site's configuration"
    assert (found.current.value, found.current.how) == (None, absent)
    assert {(gap.gap.value, gap.gap.how, gap.cost) for gap in found.gaps} == {(None, absent, None)}
    known = items(foreseen=seen)["growth_down"].current
    assert (known.value, known.how) == (500e6, "the contracts in the site's configuration")


def test_growth_that_nobody_can_foresee_says_why(items):
    found = items(foreseen=Quantity(value=None, how="no circuit names a counter"))["growth_down"]
    assert (found.gaps, found.note) == ((), "What is wanted by then is not known: no circuit names a counter.")


def test_an_item_says_what_became_of_the_criterion_that_asks_for_it(items, school, rules):
    roadmap, policy = rules
    renamed = msgspec.structs.replace(roadmap.criteria[-1], id="CT.2.1")
    roadmap = msgspec.structs.replace(roadmap, criteria=(*roadmap.criteria[:-1], renamed))
    judgement = judge(roadmap, school, gather(school, [], [], now=NOW), [], now=NOW)
    found = fit_gap(school, judgement, roadmap, policy)
    assert [item.compared for item in found[:2]] == [Outcome.UNKNOWN, None]


def test_a_bill_sums_what_has_a_price_and_names_what_is_not_in_it(items, throughput, devices, rules):
    readings = throughput([31.2e6] * 10) + throughput([9e6] * 10, direction="up")
    priced = msgspec.structs.replace(PRICES, access_point=None)
    found = items(readings, devices(student_device=85, staff_device=30, access_point=2), prices=priced)
    stage, room, school = bills(tuple(found.values()), rules[1])
    assert (room.title, [cost.amount for cost in room.costs], room.left) == ("wave “one room”", [0.0], ())
    (once,) = school.costs
    assert (once.amount, once.per, once.at_most) == (155 * 350.0, Per.ONCE, True)
    assert school.left == (
        "Access points: no price is given (prices.access_point)",
        "The line from the school: one line carries both directions; it is priced by the rate towards the school",
    )
    assert [cost.per for cost in stage.costs] == [Per.ONCE]  # the line is claimed, which costs nothing


def test_a_sum_with_an_estimate_in_it_is_an_estimate_and_no_bound(items, devices, rules):
    found = bills(tuple(items(devices=devices(student_device=85, access_point=2), prices=PRICES).values()), rules[1])
    (once,) = next(bill for bill in found if bill.goal == "wave:school").costs
    assert (once.amount, once.about, once.at_most) == (155 * 350.0 + 6 * 600.0, True, False)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ([{}, {}], (False, False, False)),
        ([{"at_least": True}, {}], (True, False, False)),
        ([{"at_most": True}, {}], (False, True, False)),
        ([{"at_least": True}, {"at_most": True}], (False, False, True)),
        ([{"at_least": True}, {"about": True}], (False, False, True)),
        ([{"at_most": True}, {"about": True}], (False, False, True)),
    ],
)
def test_a_sum_is_a_bound_only_as_far_as_its_parts_are(rules, bounds, expected):
    amount = Amount(value=1.0, how="so")
    items = [
        Item(
            id=f"i{number}",
            area="A",
            title="T",
            unit=Unit.COUNT,
            current=amount,
            gaps=(
                Gap(
                    goals=("plan",),
                    titles=("p",),
                    wanted=amount,
                    gap=amount,
                    cost=Cost(amount=5.0, how="so", currency="USD", **fields),
                ),
            ),
        )
        for number, fields in enumerate(bounds)
    ]
    (bill,) = bills(items, rules[1])
    (cost,) = bill.costs
    assert (cost.amount, cost.at_least, cost.at_most, cost.about) == (10.0, *expected)


def test_a_gap_that_is_not_known_is_in_no_sum(items, rules):
    found = bills(tuple(items(prices=PRICES).values()), rules[1])
    school = next(bill for bill in found if bill.goal == "wave:school")
    assert school.costs == ()
    assert school.left[0] == "Student devices: what is missing is not known: no inventory has found a device yet"


def test_the_order_of_devices_does_not_matter(items, devices):
    seen = devices(student_device=5, access_point=2, staff_device=3)
    assert msgspec.json.encode(items(devices=seen)) == msgspec.json.encode(items(devices=seen[::-1]))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"currency": "usd"}, "expected a currency of three capital letters, such as USD"),
        ({"currency": "EURO"}, "expected a currency of three capital letters, such as USD"),
        ({"student_device": 350.0}, 'expected a currency beside the prices, such as currency = "USD"'),
        ({"currency": "USD", "server": float("inf")}, "expected prices that are finite numbers"),
        (
            {"currency": "USD", "mbps": 1.0, "circuits": (CircuitPrice(rate=1e9, month=1.0),)},
            "expected mbps or circuits, not both; they price the same line",
        ),
        ({"currency": "USD", "circuits": (CircuitPrice(rate=1e9, month=1.0),) * 2}, "expected each rate of circuits once"),
    ],
)
def test_prices_that_make_no_sense_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        Prices(**fields)


def test_a_count_says_on_which_day_it_was_taken(items, devices):
    found = items(devices=devices(student_device=1))["student_devices"]
    assert found.current.how.endswith(f", on {date(2026, 3, 31)}")
