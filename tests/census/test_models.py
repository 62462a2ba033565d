from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census import makers
from census.models import Identity, identity
from netready.device import Sighting

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def seen(source, mac=None, name=None, **facts):
    return Sighting(source=source, at=NOW, mac=mac, name=name, facts=facts)


CASES = [
    (
        [
            seen(
                "snmp",
                sysobjectid="1.3.6.1.4.1.9.1.617",
                model="WS-C3560G-48TS-E",
                serial="FOC1",
                sysdescr="Cisco IOS Software",
            )
        ],
        ("Cisco", "WS-C3560G-48TS-E", "FOC1"),
    ),
    (
        [
            seen(
                "lldp",
                maker="Cisco Systems, Inc.",
                model="CP-8845",
                serial="FCH2212D0AB",
                description="Cisco IP Phone 8845, V3",
            )
        ],
        ("Cisco", "CP-8845", "FCH2212D0AB"),
    ),
    ([seen("cdp", platform="cisco WS-C2960X-48FPD-L")], ("Cisco", "WS-C2960X-48FPD-L", None)),
    (
        [seen("dhcp", vendor_class="Mfg=Hewlett Packard;Typ=Printer;Mod=HP LaserJet 400 M401dne;Ser=ABCDE12345;")],
        ("HP", "LaserJet 400 M401dne", "ABCDE12345"),
    ),
    ([seen("dhcp", vendor_class="AXIS,Network Camera,P3225-LV Mk II,9.70.1.5")], ("Axis", "P3225-LV Mk II", None)),
    ([seen("mdns", model="(HP Color LaserJet MFP M283fdw)")], ("HP", "Color LaserJet MFP M283fdw", None)),
    ([seen("mdns", model="KONICA MINOLTA bizhub C300i")], ("Konica Minolta", "bizhub C300i", None)),
    ([seen("mdns", model="J171AP")], ("Apple", "J171AP", None)),
    ([seen("snmp", sysdescr="RouterOS RB4011iGS+", sysobjectid="1.3.6.1.4.1.14988.1")], ("MikroTik", "RB4011iGS+", None)),
    (
        [seen("snmp", sysdescr="APC Web/SNMP Management Card (MB:v4.1.0 MN:AP7902B HR:B2 SN: 5A1551F39430 MD:10/07/2018)")],
        ("APC", "AP7902B", "5A1551F39430"),
    ),
    ([seen("google", model="HP Chromebook 11 G8 EE", serial="5CD1")], ("HP", "Chromebook 11 G8 EE", "5CD1")),
    ([seen("arp", mac="b8:27:eb:00:00:01")], (None, None, None)),
    ([], (None, None, None)),
]


@pytest.mark.parametrize(("sightings", "expected"), CASES)
def test_maker_model_and_serial_are_read_where_devices_say_them(sightings, expected):
    found = identity(sightings)
    assert (found.maker, found.model, found.serial) == expected


def test_what_a_device_reads_from_its_own_board_counts_before_what_a_person_typed():
    typed = seen("snipe-it", model="old switch", serial="typo")
    board = seen("snmp", model="JL256A", serial="CN1", maker="Aruba Networks")
    assert identity([typed, board]) == Identity(maker="Aruba", model="JL256A", serial="CN1")


def test_a_model_that_is_named_outright_counts_before_one_read_out_of_a_description():
    lists = seen("glpi", model="Aruba 2930F-48G", maker="HPE")
    words = seen("lldp", description="Aruba JL256A 2930F-48G-PoE+-4SFP+ Switch, revision WC.16.10.0016")
    assert identity([words, lists]).model == "Aruba 2930F-48G"
    assert identity([words]) == Identity(maker="Aruba", model="JL256A 2930F-48G-PoE+-4SFP+")


@pytest.mark.parametrize("empty", ["", "Unknown", "unspecified", "N/A", "To be filled by O.E.M.", "---", "0000", "()"])
def test_what_is_written_only_because_a_field_must_not_be_empty_is_no_model(empty):
    assert identity([seen("snmp", model=empty, serial=empty, maker=empty)]) == Identity()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Hewlett-Packard Company", "HP"),
        ("HUAWEI", "Huawei"),
        ("Dell Inc.", "Dell"),
        ("Dellwood", "Dellwood"),
        ("Geist Manufacturing Corp.", "Geist Manufacturing"),
        ("Meru Networks, Inc", "Meru"),
        ("Inc.", "Inc."),
    ],
)
def test_makers_have_one_name_each(said, name):
    assert makers.plain(said) == name


def test_the_number_of_an_agent_that_runs_anywhere_names_no_maker():
    assert makers.of_number("1.3.6.1.4.1.8072.3.2.10") is None
    assert makers.of_number("1.3.6.1.4.1.25461.2.3.9") == "Palo Alto Networks"
    assert makers.of_number("") is None


@given(
    st.lists(
        st.builds(
            lambda source, fact, text: seen(source, **{fact: text}),
            st.sampled_from(["snmp", "lldp", "cdp", "dhcp", "mdns", "google", "other"]),
            st.sampled_from(["model", "maker", "serial", "sysdescr", "description", "platform", "vendor_class", "sysobjectid"]),
            st.text(max_size=60) | st.text(alphabet="Mfg=;Mod SwitchHPCisco ()-,/0123456789.", max_size=80),
        ),
        max_size=5,
    )
)
def test_any_words_give_an_identity_whatever_their_order(sightings):
    found = identity(sightings)
    assert identity(list(reversed(sightings))) == found
    assert found.model != ""
    assert found.maker != ""
    assert found.serial != ""
