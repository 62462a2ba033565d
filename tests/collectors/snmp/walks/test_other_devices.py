"""Printers and power supplies, by walks written after their MIBs; and an agent that lies."""

import re

PRINTABLE = re.compile(r"[^\x00-\x1f\x7f\u202a-\u202e]*")


def test_a_printer_tells_pages_supplies_and_what_is_wrong(replay):
    seen = replay("printer")
    facts = seen.sightings[0].facts
    assert (facts["maker"], facts["model"], facts["serial"]) == ("HP", "LaserJet MFP M527", "PHB0000001")
    assert facts["mibs"] == "printer"
    assert seen.value("printer_pages") == 48211
    assert seen.targets("printer_supply_left") == {"127.0.0.1 Black Cartridge HP CF287X": 0.15}, "some and unknown are no share"
    details = seen.details("printer_pages")
    assert (details["status"], details["errors"]) == ("idle", ["low-toner", "jammed"])


def test_a_ups_tells_how_long_it_will_last(replay):
    seen = replay("ups")
    facts = seen.sightings[0].facts
    assert (facts["maker"], facts["model"], facts["mibs"]) == ("Eaton", "5P 1550", "ups")
    assert (seen.value("ups_charge"), seen.value("ups_time_left"), seen.value("ups_load")) == (0.46, 660, 0.38)
    assert seen.details("ups_charge") == {"source": "snmp", "battery": "low", "output": "battery", "on_battery": 95}


def test_an_older_ups_of_apc_tells_it_in_its_own_table(replay):
    seen = replay("apc-ups")
    facts = seen.sightings[0].facts
    assert (facts["maker"], facts["model"], facts["serial"]) == ("APC", "Smart-UPS 1500", "AS0000000001")
    assert (seen.value("ups_charge"), seen.value("ups_time_left")) == (1.0, 4260)


def test_rows_that_cannot_be_are_left_out_and_counted(replay):
    seen = replay("hostile")
    details = seen.details("device_uptime")
    assert details["malformed"] == {"interfaces": 1, "old-arp": 2, "q-bridge": 2, "lldp": 1}
    assert [each.mac for each in seen.of("fdb")] == ["02:cc:00:00:05:01"]
    assert [each.address for each in seen.of("router")] == ["10.0.0.5"]
    assert seen.sightings[0].mac is None, "everybody's address is nobody's"
    assert "ups_charge" not in {each.metric for each in seen.measurements}, "a charge below nothing"


def test_strangers_words_are_clean_and_bounded(replay):
    seen = replay("hostile")
    texts = [text for each in seen.sightings for text in (each.name or "", *each.facts.values())]
    texts += [text for each in seen.measurements for text in (each.target, *map(str, each.details.values()))]
    for text in texts:
        assert PRINTABLE.fullmatch(text), text
        assert len(text) <= 256
    assert seen.sightings[0].name == "evil <b>name</b>"
    assert seen.sightings[0].facts["location"] == "Room [31m 1"
    (heard,) = [each for each in seen.of("lldp") if each.name]
    assert (heard.name, heard.facts["remote_port"]) == ("bell", "port")
