from datetime import UTC, datetime

from census.changes import changes
from netready.device import Device, Kind, Place
from netready.survey import Survey

OCTOBER, NOVEMBER = datetime(2026, 10, 3, 9, tzinfo=UTC), datetime(2026, 11, 2, 9, tzinfo=UTC)


def survey(at, *devices, period="2026", forgotten=None):
    return Survey(
        id=f"{at:%m}",
        site="s",
        software="t",
        started_at=at,
        finished_at=at,
        devices=devices,
        period=period,
        forgotten=forgotten or {},
    )


def device(key, kind=Kind.STUDENT_DEVICE, name=None, room=None, *, made_up=False, port=None, **facts):
    return Device(
        key=key,
        mac=key if ":" in key else None,
        addresses=(f"10.20.0.{sum(map(ord, key)) % 250}",),
        names=(name,) if name else (),
        kind=kind,
        vendor=None,
        room=room,
        place=Place(switch="switch-1", port=port) if port else None,
        random=made_up,
        facts=facts,
    )


def pupils(numbers):
    return [device(f"mac-{number}") for number in numbers]


def test_a_head_teacher_reads_what_is_new_and_what_is_missing():
    before = survey(OCTOBER, *pupils(range(100)), device("aa:01", Kind.PRINTER, "printer-office", "office"))
    after = survey(
        NOVEMBER,
        *pupils(range(146)),
        device("aa:07", Kind.ACCESS_POINT, "ap-7", "7"),
        device("aa:09", Kind.ACCESS_POINT, "ap-9", "9"),
    )
    found = changes(before, after, UTC)
    assert found.sentences == (
        "Since 3 October: 46 more student devices (146).",
        "Two new access points: ap-7 (room 7), ap-9 (room 9).",
        "One printer not seen any more: printer-office (room office).",
        "46 student devices were not seen in the earlier survey.",
    )
    assert found.numbers[Kind.STUDENT_DEVICE] == (100, 146)
    assert len(found.come) == 48
    assert [one.key for one in found.gone] == ["aa:01"]


def test_three_come_and_two_go():
    found = changes(survey(OCTOBER, *pupils(range(10))), survey(NOVEMBER, *pupils(range(2, 13))), UTC)
    assert sorted(one.key for one in found.come) == ["mac-10", "mac-11", "mac-12"]
    assert sorted(one.key for one in found.gone) == ["mac-0", "mac-1"]
    assert found.sentences == (
        "Since 3 October: 1 more student device (11).",
        "Three student devices were not seen in the earlier survey.",
        "Two student devices were seen then and not now.",
    )


def test_what_changed_on_infrastructure_is_said_one_by_one():
    before = survey(
        OCTOBER,
        device("aa:01", Kind.CAMERA, "cam-1", "3", port="4"),
        device("aa:02", Kind.SWITCH, "switch-1", firmware="16.10"),
        device("aa:03", Kind.ACCESS_POINT, "ap-3", port="7"),
    )
    after = survey(
        NOVEMBER,
        device("aa:01", Kind.CAMERA, "cam-1", "4", port="5"),
        device("aa:02", Kind.SWITCH, "switch-1", firmware="16.11"),
        device("aa:03", Kind.ACCESS_POINT, "ap-3", port="9"),
    )
    found = changes(before, after, UTC)
    assert [(one.name, one.what, one.before, one.after) for one in found.changed] == [
        ("cam-1", "room", "3", "4"),
        ("cam-1", "port", "switch-1 port 4", "switch-1 port 5"),
        ("switch-1", "firmware", "16.10", "16.11"),
        ("ap-3", "port", "switch-1 port 7", "switch-1 port 9"),
    ]
    assert "Changed room: cam-1 (3, now 4)." in found.sentences
    assert "Changed firmware: switch-1 (16.10, now 16.11)." in found.sentences


def test_a_device_of_unknown_kind_that_turns_out_to_be_a_printer_is_the_same_device():
    found = changes(survey(OCTOBER, device("aa:01", Kind.UNKNOWN)), survey(NOVEMBER, device("aa:01", Kind.PRINTER)), UTC)
    assert found.come == found.gone == ()
    assert [(one.what, one.before, one.after) for one in found.changed] == [("kind", "unknown", "printer")]


def test_a_switch_that_is_called_by_another_of_its_cards_is_the_same_switch():
    before = survey(OCTOBER, device("aa:01", Kind.SWITCH, "switch-1", macs="aa:02 aa:03"))
    after = survey(NOVEMBER, device("aa:03", Kind.SWITCH, "switch-1"))
    found = changes(before, after, UTC)
    assert found.come == found.gone == ()


def test_where_people_went_with_their_computers_is_not_said():
    before = survey(OCTOBER, device("mac-1", Kind.STUDENT_DEVICE, room="7"))
    after = survey(NOVEMBER, device("mac-1", Kind.STUDENT_DEVICE, room="8"))
    found = changes(before, after, UTC)
    assert found.changed == ()
    assert found.sentences == ("Since 3 October nothing has changed that a survey can see.",)


def test_clients_under_another_key_are_compared_by_number_only_and_it_is_said():
    before = survey(OCTOBER, *pupils(range(5)), device("aa:01", Kind.PRINTER, "p"), period="2026-10")
    after = survey(NOVEMBER, *pupils(range(100, 107)), device("aa:01", Kind.PRINTER, "p"), period="2026-11")
    found = changes(before, after, UTC)
    assert found.come == found.gone == ()
    assert not found.one_by_one
    assert found.sentences == (
        "Since 3 October: 2 more student devices (7).",
        "The key behind clients' pseudonyms changed between the surveys: clients are compared by number only.",
    )


def test_made_up_addresses_are_compared_by_number_only():
    before = survey(OCTOBER, *(device(f"r{number}", Kind.UNKNOWN, made_up=True) for number in range(5)))
    after = survey(NOVEMBER, *(device(f"s{number}", Kind.UNKNOWN, made_up=True) for number in range(9)))
    found = changes(before, after, UTC)
    assert found.come == found.gone == ()
    assert found.made_up == (5, 9)
    assert "Made-up hardware addresses: 9, before 5; how many devices that is, the estimate says." in found.sentences


def test_clients_that_were_forgotten_since_still_count():
    before = survey(OCTOBER, forgotten={"student-device": 100}, period="2026-10")
    found = changes(before, survey(NOVEMBER, *pupils(range(100)), period="2026-11"), UTC)
    assert found.numbers[Kind.STUDENT_DEVICE] == (100, 100)


def test_another_year_is_named():
    found = changes(survey(OCTOBER.replace(year=2025)), survey(NOVEMBER, *pupils(range(2))), UTC)
    assert found.sentences[0] == "Since 3 October 2025: 2 more student devices (2)."
