from datetime import date

import pytest

from census.lifecycle import end_of, horizon, parse, past_support, school_year, table
from census.specification import below_specification, lacks, named, shipped, untold
from netready.device import Device, Kind
from netready.refusal import Unfit

TODAY = date(2026, 11, 2)


def device(key, kind=Kind.STUDENT_DEVICE, enrolled=(), **facts):
    return Device(key=key, mac=None, addresses=(), names=(), kind=kind, vendor=None, enrolled=enrolled, facts=facts)


# --- the shipped data --------------------------------------------------------------------------------------------------------


def test_every_entry_says_where_it_is_from_and_ends_on_a_day():
    assert len(table().entries) >= 30
    assert all(entry.source and entry.ends.year > 2010 for entry in table().entries)
    assert "Aruba" in table().missing


def test_every_specification_asks_for_something_and_says_where_it_is_from():
    for each in shipped().specifications:
        assert each.source
        assert any((each.memory, each.storage, each.screen, each.systems)), each.id


ENTRY = (
    'version = "1"\nmissing = "x"\n[[entries]]\nid = "a"\nwhat = "A"\nends = 2026-01-01\nsource = "s"\nverified = "primary"\n'
)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "t.toml: entries[0] (a): expected either models or os, and not both"),
        ('models = ["a"]\nos = ["b"]', "t.toml: entries[0] (a): expected either models or os, and not both"),
        ('os = ["b"]\nsince = "1"', "t.toml: entries[0] (a).since: expected below beside it"),
        ('models = ["a"]\nprice = 3', "t.toml: entries[0] (a).price: unknown field"),
    ],
)
def test_an_entry_that_could_fit_nothing_or_everything_is_refused(more, said):
    with pytest.raises(
        Unfit, match=r"^" + said.replace("[", r"\[").replace("]", r"\]").replace("(", r"\(").replace(")", r"\)")
    ):
        parse((ENTRY + more).encode(), "t.toml")


# --- support -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "day"),
    [
        ({"os": "Windows", "os_version": "10.0.19045.3693"}, date(2025, 10, 14)),
        ({"os": "Windows 10 Education"}, date(2025, 10, 14)),
        ({"os": "Windows", "os_version": "10.0.22631.2861"}, date(2026, 11, 10)),
        ({"os": "Windows", "os_version": "10.0.26100.1"}, date(2027, 10, 12)),
        ({"os": "iPadOS", "os_version": "16.7.2"}, date(2025, 3, 31)),
        ({"os": "iPadOS", "os_version": "17.5"}, date(2025, 9, 15)),
        ({"os": "macOS", "os_version": "13.6.9"}, date(2025, 9, 15)),
        ({"os": "Android", "os_version": "12"}, date(2025, 3, 3)),
        ({"model": "WS-C2960X-48FPD-L"}, date(2027, 10, 31)),
        ({"model": "WS-C2960-24TT-L"}, date(2019, 10, 31)),
        ({"model": "AIR-CAP2702I-E-K9"}, date(2024, 4, 30)),
        ({"model": "UAP-PRO"}, date(2021, 3, 1)),
        ({"os": "ChromeOS", "updates_until": "2029-06-30", "model": "Lenovo 300e"}, date(2029, 6, 30)),
    ],
)
def test_support_ends_by_model_system_and_the_schools_own_list(facts, day):
    assert end_of(device("a", **facts)).day == day


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"os": "Windows"},
        {"os": "Windows", "os_version": "later"},
        {"os": "iPadOS", "os_version": "26.1"},
        {"os": "ChromeOS", "os_version": "120.0"},
        {"model": "UAP-AC-Pro"},
        {"model": "WS-C2960S-24TS-L"},
        {"model": "J9776A"},
    ],
)
def test_what_is_not_in_the_table_has_no_date(facts):
    assert end_of(device("a", **facts)) is None


def test_a_chromebooks_own_date_counts_before_any_table():
    assert end_of(device("a", os="Windows 10", updates_until="2030-06-30")).day == date(2030, 6, 30)


def test_school_years_begin_in_july_unless_the_school_says_otherwise():
    assert school_year(date(2026, 6, 30)) == "2025-26"
    assert school_year(date(2026, 7, 1)) == "2026-27"
    assert school_year(date(2026, 7, 1), first_month=9) == "2025-26"
    assert school_year(date(2099, 12, 1)) == "2099-00"


def test_the_horizon_counts_by_school_year_and_says_what_has_no_date():
    found = horizon(
        [
            device("a", updates_until="2026-06-30"),
            device("b", updates_until="2027-06-30"),
            device("c", updates_until="2027-06-30"),
            device("d", updates_until="2029-06-30"),
            device("e", Kind.SWITCH, model="WS-C2960X-24PS-L"),
            device("f", Kind.PRINTER),
        ],
        TODAY,
    )
    assert found.years == (
        ("before", {Kind.STUDENT_DEVICE: 1}),
        ("2026-27", {Kind.STUDENT_DEVICE: 2}),
        ("2027-28", {Kind.SWITCH: 1}),
        ("2028-29", {Kind.STUDENT_DEVICE: 1}),
    )
    assert found.unknown == {Kind.PRINTER: 1}
    assert "Ruckus" in found.missing


def test_what_ended_or_ends_this_school_year_is_one_finding_for_each_product():
    found = list(
        past_support(
            [
                device("a", enrolled=("google",), updates_until="2026-06-30", model="HP 11 G6"),
                device("b", enrolled=("google",), updates_until="2026-06-30", model="HP 11 G6"),
                device("c", enrolled=("google",), updates_until="2027-06-30", model="HP 11 G8"),
                device("d", enrolled=("google",), updates_until="2027-07-31", model="HP 11 G9"),
                device("e", Kind.SWITCH, model="WS-C2960-24TT-L"),
            ],
            TODAY,
        )
    )
    assert [one.says for one in found] == [
        "One device: support of Cisco Catalyst 2960 ended on 31 October 2019, school year 2019-20.",
        "Two devices: support of HP 11 G6 ended on 30 June 2026, school year 2025-26.",
        "One device: support of HP 11 G8 ends on 30 June 2027, school year 2026-27.",
    ]
    assert found[1].devices == ("a", "b")
    assert found[1].known_by == ("updates until, by google",)
    assert found[0].known_by[1] == f"support table {table().version}"


# --- specification ----------------------------------------------------------------------------------------------------------

CLASSROOM = named("classroom-2026")


def test_a_size_that_is_a_tenth_less_still_counts():
    assert lacks(device("a", memory="3900000000", storage="29000000000"), CLASSROOM) == ()
    assert lacks(device("a", memory="1900000000"), CLASSROOM) == ("1.9 GB of memory, 4 GB expected",)


def test_screens_and_systems_are_held_against_the_specification():
    assert lacks(device("a", screen="9.7", os="iPadOS", os_version="17.1"), CLASSROOM) == (
        "a screen of 9.7 inches, 10 expected",
        "iPadOS 17.1",
    )
    assert lacks(device("a", screen="11.6", os="ChromeOS", os_version="130"), CLASSROOM) == ()


def test_what_nobody_tells_is_not_held_against_a_device():
    assert lacks(device("a"), CLASSROOM) == ()
    assert lacks(device("a", memory="much"), CLASSROOM) == ()
    assert untold(device("a"), CLASSROOM)
    assert not untold(device("a", memory="4000000000"), CLASSROOM)


def test_devices_below_the_specification_are_one_finding_for_each_model():
    weak = {"memory": "2000000000", "model": "HP 11 G4"}
    found = list(
        below_specification(
            [
                device("a", **weak),
                device("b", **weak),
                device("c", memory="8000000000"),
                device("d", Kind.STAFF_DEVICE, **weak),
            ],
            CLASSROOM,
        )
    )
    assert [one.devices for one in found] == [("a", "b")]
    assert found[0].says.startswith("Two student devices (HP 11 G4): 2 GB of memory, 4 GB expected (A classroom device")
    assert named("no such thing") is None
