"""Every format, read from a small file with the headers that its program documents; people and numbers are invented.

The leases of dnsmasq 2.90, ISC dhcpd 4.4.3 and Kea 2.2 were recorded from those servers, each in a namespace of its own, with
the same nine requests: a laptop with a client id, a tablet that changed its address, a name with quotes, one that gave its
lease back, one that refused it.
"""

import importlib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

import collectors.imports
from collectors.imports.format import Format
from collectors.imports.read import FORMATS, recognise
from netready.device import Sighting
from netready.refusal import Unfit

SAMPLES = Path(__file__).parent / "samples"
RECORDED = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
TABLET = "ffaabbccdd000100012c3d4e5f3c286d100003"


def facts(sighting):
    return {name: text for name, text in sighting.facts.items() if name != "file"}


def test_every_format_has_a_row_and_a_sample():
    rooms = [path.stem for path in Path(collectors.imports.__file__).parent.glob("*.py")]
    modules = [importlib.import_module(f"collectors.imports.{name}") for name in rooms if name not in {"__init__", "read"}]
    rows = [value for module in modules for value in vars(module).values() if isinstance(value, Format)]
    assert {row.name for row in rows} == set(FORMATS)
    plan = {"room_plan.csv"}
    assert {recognise(path).name for path in SAMPLES.iterdir() if path.name not in plan} == set(FORMATS)


def test_chromebooks_from_the_directory_api(read):
    found = read("google_api.csv")
    assert (found.form, found.source) == ("google-admin", "google")
    wifi, cable, other = found.sightings
    assert (wifi.mac, cable.mac, wifi.name) == ("3c:28:6d:1a:2b:01", "a0:ce:c8:1a:2b:01", None)
    assert (
        facts(wifi)
        == facts(cable)
        == {
            "serial": "5CD2346KLM",
            "model": "HP Chromebook 11 G8 EE",
            "os": "ChromeOS",
            "os_version": "128.0.6613.137",
            "status": "ACTIVE",
            "asset": "A-1001",
            "room": "Room 12",
            "owner": "student",
            "memory": "4294967296",
            "storage": "31268536320",
            "last_seen": "2026-02-27",
            "updates_until": "2030-06-01",
        }
    )
    assert (other.facts["cart"], other.facts["owner"]) == ("Cart 3", "staff")
    assert "room" not in other.facts
    assert other.facts["updates_until"] == "2026-06-01", "autoUpdateExpiration, where autoUpdateThrough says nothing"
    assert found.notes == ("left out: devices that are deprovisioned: 1, first in line 5",)


def test_a_dock_is_nobodys_address(read):
    assert "a0:ce:c8:ff:ff:01" not in str(read("google_api.csv").sightings)


def test_chromebooks_from_the_console(read):
    found = read("google_console.csv")
    (one,) = found.sightings
    assert one.mac == "3c:28:6d:1a:2b:01"
    assert facts(one) == {
        "serial": "5CD2346KLM",
        "model": "HP Chromebook 11 G8 EE",
        "os": "ChromeOS",
        "os_version": "128.0.6613.137",
        "status": "Provisioned",
        "owner": "student",
        "last_seen": "2026-02-27",
        "updates_until": "2030-06-01",
    }


def test_intune_devices_from_the_console(read):
    found = read("intune.csv")
    laptop, cable, tablet = found.sightings
    assert (laptop.source, laptop.name, laptop.mac, cable.mac) == (
        "intune",
        "LAB-PC-04",
        "a4:bb:6d:10:00:02",
        "8c:ec:4b:10:00:02",
    )
    assert facts(laptop) == {
        "serial": "PF3ABCDE",
        "maker": "LENOVO",
        "model": "20U1S0XX00",
        "os": "Windows",
        "os_version": "10.0.22631.4890",
        "status": "Managed",
        "owner": "student",
        "storage": "242000000000",
        "last_seen": "2026-02-27",
    }
    assert (tablet.mac, tablet.name, tablet.facts["serial"], tablet.facts["owner"]) == (None, None, "001234567890", "staff")


def test_an_intune_report_with_its_other_names_and_american_dates(read):
    first, second = read("intune_report.csv").sightings
    assert (first.facts["last_seen"], second.facts["last_seen"]) == ("2026-02-27", "2026-02-03"), "the 27th proves the order"
    assert (first.facts["storage"], second.facts["storage"]) == ("242000000000", "238000000000")


def test_jamf_computers_and_mobile_devices(read):
    first, second = read("jamf_computers.csv").sightings
    assert (first.source, first.name, first.mac, second.mac) == ("jamf", "MUSIC-04", "f0:18:98:10:00:01", "f0:18:98:10:00:02")
    assert facts(first) == {
        "serial": "C02XK0AAJG5H",
        "maker": "Apple",
        "model": "MacBook Air (Retina, 13-inch, 2020)",
        "os": "macOS",
        "os_version": "13.6.9",
        "asset": "M-0004",
        "room": "Music 1",
        "owner": "student",
        "memory": "8589934592",
        "storage": "251000000000",
        "last_seen": "2026-02-27",
    }
    found = read("jamf_mobile.csv")
    named, carted = found.sightings
    assert (found.form, named.name, named.mac, named.facts["room"]) == ("jamf-mobile", None, "f0:d1:a9:10:00:01", "Library")
    assert (carted.name, carted.facts["cart"], carted.facts["maker"]) == ("iPad-Cart-07", "Trolley 2", "Apple")


def test_snipe_it_assets_without_the_markup_of_older_releases(read):
    found = read("snipe_it.csv")
    (one,) = found.sightings
    assert (one.source, one.name, one.mac) == ("snipe-it", "LIB-CB-1", "98:3b:8f:10:00:01")
    assert facts(one) == {
        "serial": "NXH8VEK001",
        "maker": "Acer",
        "model": "Acer Chromebook 314",
        "asset": "SN-0672",
        "status": "Ready to Deploy",
        "room": "Library",
        "memory": "4294967296",
        "screen": "14",
    }
    assert found.notes == ("left out: devices that are archived: 1, first in line 3",)


def test_glpi_computers_in_french_and_in_english(read):
    found = read("glpi_fr.csv")
    first, second = found.sightings
    assert (first.source, first.name, first.mac, second.mac) == ("glpi", "CDI-PC-02", "00:be:43:10:00:01", "00:be:43:10:00:02")
    assert facts(first) == {
        "serial": "8XK2JQ3",
        "maker": "Dell Inc.",
        "model": "Latitude 3520",
        "os": "Microsoft Windows 11 Professionnel Éducation",
        "os_version": "10.0.22631",
        "asset": "INV-0042",
        "status": "En service",
        "room": "Bâtiment A > CDI",
        "owner": "student",
        "memory": "8589934592",
        "last_seen": "2026-02-27",
    }
    assert found.notes == ("the file is not in UTF-8; it was read as Windows-1252",)
    (english,) = read("glpi_en.csv").sightings
    assert (english.mac, english.facts["room"], english.facts["os"]) == (None, "Room 7", "Windows 10")


@pytest.mark.parametrize("name", [path.name for path in SAMPLES.iterdir() if path.name != "room_plan.csv"])
def test_nobodys_name_mail_or_telephone_is_kept_whatever_the_column(read, name):
    kept = msgspec.json.encode(read(name)).lower()
    for word in (b"lovelace", b"hopper", b"grace", b"ada'", b"ada\xe2\x80\x99", b"@", b"555"):
        assert word not in kept


def test_dnsmasq_leases_as_the_server_wrote_them(read):
    found = read("dnsmasq.leases", at=RECORDED)
    by_mac = {each.mac: each for each in found.sightings}
    assert len(by_mac) == len(found.sightings) == 5
    assert by_mac["a4:bb:6d:10:00:02"] == Sighting(
        source="lease",
        at=RECORDED,
        mac="a4:bb:6d:10:00:02",
        address="10.66.1.118",
        name="LAB-PC-04",
        facts={"file": "dnsmasq.leases", "expires": "2026-11-22T07:25:03+00:00", "client_id": "01a4bb6d100002"},
    )
    assert by_mac["5e:a1:19:10:00:04"].facts["client_id"] == TABLET
    assert "expires" not in by_mac["00:11:85:10:00:08"].facts, "infinite"


@pytest.mark.parametrize(("name", "form"), [("dhcpd.leases", "isc-dhcp"), ("kea-leases4.csv", "kea")])
def test_a_log_of_leases_as_the_server_wrote_it_last_entry_first(read, name, form):
    found = read(name, at=RECORDED)
    assert found.form == form
    assert [(each.mac, each.address) for each in found.sightings] == [
        ("3c:28:6d:10:00:01", "10.66.1.100"),
        ("a4:bb:6d:10:00:02", "10.66.1.101"),
        ("da:a1:19:10:00:03", None),  # the address that the tablet had before, which its client id tells
        ("5e:a1:19:10:00:04", "10.66.1.102"),
        ("00:11:85:10:00:05", "10.66.1.103"),
        ("00:11:85:10:00:08", "10.66.1.106"),
    ]
    chromebook, laptop, before, after, printer, _ = found.sightings
    assert (chromebook.name, laptop.facts["client_id"]) == ("chromebook-7", "01a4bb6d100002")
    assert before.facts["client_id"] == after.facts["client_id"] == TABLET
    assert bytes.fromhex(printer.facts["client_id"]) == b'\x00pr"in\\t,er'
    assert found.notes[0].startswith("left out: leases that were given back or refused: 2, first in line")


def test_isc_keeps_the_vendor_class_and_the_end_of_a_lease(read):
    chromebook, laptop, *_ = read("dhcpd.leases", at=RECORDED).sightings
    assert (chromebook.facts["vendor_class"], laptop.facts["vendor_class"]) == ("dhcpcd-9.4.1:ChromeOS", "MSFT 5.0")
    assert laptop.facts["expires"] == "2026-11-22T07:25:31+00:00"


def test_isc_leases_that_never_end_in_other_words_and_with_blocks_within(read):
    text = b"""# made by hand
    failover peer "school" state { my state normal at 3 2026/02/25 10:00:00; }
    lease 10.20.0.7 { ends never; hardware ethernet 3C:28:6D:10:00:01; client-hostname "a\\"b"; on commit { set x = "}"; } }
    lease 10.20.0.8 { ends epoch 1772445600; # Mon Mar 2 10:00:00 2026
      hardware ethernet 3c:28:6d:10:00:02; uid 01:3c:28:6d:10:00:02; abandoned; }
    lease 10.20.0.9 { ends epoch 1772445600; hardware ethernet 3c:28:6d:10:00:03; binding state active; }
    """
    forever, last = read(text, name="dhcpd.leases").sightings
    assert (forever.mac, forever.name, "expires" in forever.facts) == ("3c:28:6d:10:00:01", 'a"b', False)
    assert last.facts["expires"] == "2026-03-02T10:00:00+00:00"


def test_a_lease_that_has_run_out_when_the_file_is_read_is_no_sighting(read):
    found = read("dnsmasq.leases", at=datetime(2026, 11, 23, tzinfo=UTC))
    assert [each.mac for each in found.sightings] == ["00:11:85:10:00:08"]
    assert found.notes == ("left out: leases that have run out: 4, first in line 2",)


def test_kea_leases_for_ipv6(read):
    found = read("kea-leases6.csv", at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    (one,) = found.sightings
    assert (one.mac, one.address, one.name) == ("3c:28:6d:10:00:03", "2001:db8:1::7", "lab,pc")
    assert facts(one) == {"client_id": "ff00000000000100012c3d4e5f3c286d100003"}, "no end: the longest lifetime means forever"
    assert found.notes == ("left out: leases that name no hardware address: 1, first in line 3",)


def test_windows_leases_in_utf_16_with_the_day_first_and_the_sites_own_time(read):
    found = read("windows_dhcp.csv", at=datetime(2026, 2, 2, tzinfo=UTC), zone=ZoneInfo("America/Chicago"))
    printer, laptop, unnamed, other = found.sightings
    assert (printer.address, printer.mac, printer.name) == ("10.20.0.5", "00:11:85:10:00:05", "printer.school.example")
    assert (laptop.mac, laptop.facts["expires"]) == ("a4:bb:6d:10:00:02", "2026-02-03T17:00:00-06:00"), (
        "the 25th proves the order"
    )
    assert (unnamed.mac, unnamed.address, unnamed.facts["client_id"]) == (
        None,
        "10.20.0.72",
        "ffaabbccdd000300013c286d100003",
    )
    assert other.facts["expires"] == "2026-03-05T17:00:00-06:00"
    assert found.notes == ("left out: leases that were given back or refused: 1, first in line 6",)


def test_a_date_that_could_be_either_is_left_out_where_nothing_proves_the_order(read):
    text = (
        b"Device name,Serial number,Managed by,Compliance,Last check-in,Wi-Fi MAC\nPC-1,AAAAA1,Intune,Compliant,03/02/2026,\n"
    )
    text += b"PC-2,AAAAA2,Intune,Compliant,03/03/2026,\n"
    found = read(text, form="intune")
    assert [each.facts.get("last_seen") for each in found.sightings] == [None, "2026-03-03"], "the second is the same both ways"
    assert found.notes == ("left out: dates that could be day and month or month and day: 1, first in line 2",)


def test_an_old_list_says_how_old_it_is(tmp_path, clock_at):
    import os

    from collectors.imports.read import read_file

    path = tmp_path / "dnsmasq.leases"
    path.write_text("0 3c:28:6d:10:00:01 10.20.0.7 * *\n")
    os.utime(path, (RECORDED.timestamp(),) * 2)
    later = clock_at(datetime(2026, 12, 2, 7, tzinfo=UTC))
    assert read_file(path, clock=later).notes == ("the file was written 10 days ago, on 2026-11-22",)


def test_a_list_of_nothing_says_so(read):
    found = read(b"serialNumber,orgUnitPath\n")
    assert (found.sightings, found.notes) == ((), ("the list is empty",))


def test_a_format_may_be_named_and_a_name_that_is_none_is_put_right(read):
    text = b"serial;model\nAAAAA1;Chromebook\n"
    with pytest.raises(Unfit, match="expected the header of one of"):
        read(text)
    (one,) = read(text, form="snipe-it").sightings
    assert one.facts["serial"] == "AAAAA1"
    with pytest.raises(Unfit, match='no format is called "snipeit"; did you mean snipe-it?'):
        read(text, form="snipeit")


def test_a_room_plan_is_sent_where_it_belongs(read):
    with pytest.raises(Unfit, match=r"this is a room plan, which belongs in inventory\.rooms"):
        read("room_plan.csv")
