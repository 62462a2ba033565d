"""From sightings and the school's own lists to what is kept: counted once, and under pseudonyms."""

import random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from agent.config import load
from agent.counting import counted, forget, lists, naming, veil, withheld
from agent.survey import take
from census.vendors import table_date
from netready.device import Device, Kind, Place, Sighting
from netready.instrument import Instrument
from netready.room_plan import RoomPlan
from reports import inventory_lines, inventory_page
from reports.inventory import inventory
from store import open_store

SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
networks = ["10.20.0.0/24"]
"""
PUPIL, PRINTER = "3c:06:30:11:22:33", "30:05:5c:10:00:32"
BARE = PUPIL.replace(":", "")  # as it stands within a DHCP client id


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No settings."""


def school(tmp_path, more=""):
    (tmp_path / "netready.toml").write_text(SITE + more)
    return load(tmp_path / "netready.toml", ())


def seen(_settings, context):
    at = context.clock.now()
    yield Sighting(source="arp", at=at, mac=PUPIL, address="10.20.0.61")
    yield Sighting(
        source="mdns", at=at, mac=PUPIL, address="10.20.0.61", name="annas-macbook", facts={"model": "MacBookPro18,1"}
    )
    yield Sighting(source="dhcp", at=at, mac=PUPIL, facts={"client_id": f"01{BARE}"})
    yield Sighting(source="mdns", at=at, mac=PRINTER, address="10.20.0.31", name="printer", facts={"types": "_ipp._tcp"})


ROW = Instrument(name="eyes", version=1, read=seen, settings=Nothing, does="looks", metrics=(), silent=True)


def test_what_a_survey_keeps_names_no_person_s_device_and_the_same_one_again_in_the_next(tmp_path, hand_clock):
    config = school(tmp_path)
    surveys = [
        take(
            config,
            [ROW],
            clock=hand_clock,
            chance=random.Random(1),
            say=print,
            rights=frozenset(),
            cover=veil(config, hand_clock.now()),
        )
        for _ in range(2)
    ]
    text = msgspec.json.encode(surveys[0]).decode()
    for secret in (PUPIL, BARE, "10.20.0.61", "annas-macbook"):
        assert secret not in text
    assert "10.20.0.31" in text
    pupils = [[device.key for device in survey.devices if device.kind is not Kind.PRINTER] for survey in surveys]
    assert pupils[0] == pupils[1]
    assert surveys[0].period == f"{hand_clock.now():%Y-%m}"
    with open_store(tmp_path / "a.sqlite") as store:
        for survey in surveys:
            store.add(msgspec.structs.replace(survey, id=f"{len(store.surveys(survey.started_at, survey.started_at))}"))
    dump = b"".join(path.read_bytes() for path in tmp_path.glob("a.sqlite*"))
    assert PRINTER.encode() in dump, "what is kept in clear can be read in it"
    for secret in (PUPIL, BARE, "10.20.0.61", "annas-macbook"):
        assert secret.encode() not in dump


def test_a_survey_without_a_kept_key_is_veiled_all_the_same(tmp_path, hand_clock):
    config = school(tmp_path)
    survey = take(config, [ROW], clock=hand_clock, chance=random.Random(1), say=print, rights=frozenset())
    assert PUPIL not in msgspec.json.encode(survey).decode()
    assert survey.period == ""
    assert not (tmp_path / "netready.keys").exists()


def test_the_list_and_the_page_tell_of_what_day_the_makers_names_are(tmp_path, hand_clock):
    survey = take(school(tmp_path), [ROW], clock=hand_clock, chance=random.Random(1), say=print, rights=frozenset())
    told = f"by the table of {table_date().day} {table_date():%B %Y}"
    page = {"site": "Lincoln", "zone": ZoneInfo("UTC"), "made_at": hand_clock.now(), "software": "netready"}
    assert f"Makers: {told}" in inventory_lines.lines(inventory(survey))
    assert told in inventory_page.render(inventory(survey), **page)


def test_lists_and_the_room_plan_are_read_and_one_that_is_unfit_costs_only_itself(tmp_path, hand_clock):
    (tmp_path / "rooms.csv").write_text("switch,port,room\nswitch-1,7,12\n")
    (tmp_path / "leases").write_text("no such thing")
    (tmp_path / "dnsmasq.leases").write_text(f"0 {PUPIL} 10.20.0.61 annas-macbook *\n")
    more = '[inventory]\nrooms = "rooms.csv"\nlists = ["leases", "absent.csv", "dnsmasq.leases"]\n'
    found = lists(school(tmp_path, more), (), hand_clock)
    assert found.plan.room_of_port("switch-1", "7") == "12"
    assert [each.mac for each in found.sightings] == [PUPIL]
    unfit = [note for note in found.notes if note.startswith("a list was not used")]
    assert len(unfit) == 2
    assert any("absent.csv: no such file" in note for note in unfit)


def test_a_file_that_was_imported_is_read_again_at_every_survey(tmp_path, hand_clock):
    path = tmp_path / "dnsmasq.leases"
    path.write_text(f"0 {PUPIL} 10.20.0.61 annas-macbook *\n")
    found = lists(school(tmp_path), [(str(path), "dnsmasq")], hand_clock)
    assert [each.mac for each in found.sightings] == [PUPIL]


@pytest.mark.parametrize(("people", "room"), [(4, None), (5, "12")])
def test_the_place_of_a_person_s_device_in_a_small_room_is_not_kept(people, room):
    plan = RoomPlan(people={"12": people})
    place = Place(switch="s", port="7")
    device = Device(key="a", mac=None, addresses=(), names=(), kind=Kind.COMPUTER, vendor=None, room="12", place=place)
    printer = msgspec.structs.replace(device, key="b", kind=Kind.PRINTER)
    kept, untouched = withheld([device, printer], plan)
    assert kept.room == room
    assert (kept.place is None) == (room is None)
    assert untouched == printer


def test_clients_are_forgotten_when_their_time_is_over_and_so_are_the_keys(tmp_path, hand_clock):
    config = school(tmp_path, '[inventory]\nretention = "30d"\n')
    survey = take(
        config,
        [ROW],
        clock=hand_clock,
        chance=random.Random(1),
        say=print,
        rights=frozenset(),
        cover=veil(config, hand_clock.now()),
    )
    first = (tmp_path / "netready.keys").read_text()
    with open_store(tmp_path / "a.sqlite") as store:
        store.add(survey)
        assert forget(config, store, hand_clock.now()) == 0
        hand_clock.sleep(70 * 86400)
        veil(config, hand_clock.now())
        assert forget(config, store, hand_clock.now()) == 1
        assert [device.kind for device in store.survey(survey.id).devices] == [Kind.PRINTER]
        assert sum(store.survey(survey.id).forgotten.values()) == 1
    old = first.partition('"keys":')[2]
    assert old.strip("{}").split(":")[1].strip('"}') not in (tmp_path / "netready.keys").read_text()


def test_the_census_takes_in_lists(tmp_path, hand_clock):
    (tmp_path / "dnsmasq.leases").write_text(f"0 {PUPIL} 10.20.0.61 annas-macbook *\n")
    config = school(tmp_path, '[inventory]\nlists = ["dnsmasq.leases"]\nstudent_names = ["annas-*"]\n')
    own = lists(config, (), hand_clock)
    at = hand_clock.now()
    seen_here = [
        Sighting(source="arp", at=at, mac=PUPIL, address="10.20.0.61"),
        Sighting(source="router", at=at, mac="00:00:5e:00:53:09", address="198.51.100.1"),  # the provider's router
    ]
    found = counted(seen_here, own, naming(config), config.site.authorised)
    assert [device.kind for device in found.devices] == [Kind.STUDENT_DEVICE]
