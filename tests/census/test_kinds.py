from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census.kinds import ENOUGH, RULES, Naming, classify, layers
from netready.device import Kind, Sighting

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMING = Naming(student=("Chromebook-*", "cart??-*"), staff=("t-*",))


def seen(source, mac=None, name=None, **facts):
    return Sighting(source=source, at=NOW, mac=mac, name=name, facts=facts)


CASES = [
    (Kind.SWITCH, [seen("snmp", sysobjectid="1.3.6.1.4.1.9.1.1208", services="2", sysdescr="Cisco IOS Software, C2960X")]),
    (Kind.SWITCH, [seen("snmp", sysobjectid="1.3.6.1.4.1.11.2.3.7.11", services="6", sysdescr="HP J9776A 2530-24G Switch")]),
    (Kind.ROUTER, [seen("snmp", sysobjectid="1.3.6.1.4.1.14988.1", services="78", sysdescr="RouterOS RB4011")]),
    (Kind.FIREWALL, [seen("snmp", sysobjectid="1.3.6.1.4.1.12356.101.1.1", services="78", sysdescr="FortiGate")]),
    (Kind.ACCESS_POINT, [seen("snmp", sysobjectid="1.3.6.1.4.1.41112", services="6", sysdescr="UAP-AC-Pro 6.2")]),
    (Kind.PRINTER, [seen("snmp", sysobjectid="1.3.6.1.4.1.2435.2.3.9.1", services="72", sysdescr="Brother NC-8700w")]),
    (Kind.UPS, [seen("snmp", sysobjectid="1.3.6.1.4.1.318.1.3.27", services="72", sysdescr="APC Web/SNMP Management Card")]),
    (Kind.SERVER, [seen("snmp", sysobjectid="1.3.6.1.4.1.8072.3.2.10", services="72", sysdescr="Linux files 6.1")]),
    (Kind.PRINTER, [seen("mdns", name="NPI12AB34", types="_ipp._tcp _pdl-datastream._tcp _uscan._tcp")]),
    (Kind.DISPLAY, [seen("mdns", types="_googlecast._tcp")]),
    (Kind.DISPLAY, [seen("mdns", types="_airplay._tcp _raop._tcp", model="AppleTV11,1")]),
    (Kind.COMPUTER, [seen("mdns", types="_airplay._tcp _smb._tcp", model="MacBookPro18,1", name="Annes-MacBook")]),
    (Kind.CAMERA, [seen("mdns", types="_axis-video._tcp", name="axis-accc8e")]),
    (Kind.ROUTER, [seen("ssdp", kinds="urn:schemas-upnp-org:device:InternetGatewayDevice:1")]),
    (Kind.ACCESS_POINT, [seen("dhcp", vendor_class="ArubaAP")]),
    (Kind.PHONE, [seen("dhcp", vendor_class="yealink", name="SIP-T46")]),
    (Kind.COMPUTER, [seen("dhcp", vendor_class="MSFT 5.0", name="DESKTOP-1A2B")]),
    (Kind.STUDENT_DEVICE, [seen("dhcp", vendor_class="MSFT 5.0", name="CART07-12")]),
    (Kind.STUDENT_DEVICE, [seen("dhcp", name="chromebook-12")]),
    (Kind.STAFF_DEVICE, [seen("dhcp", name="t-mueller", vendor_class="MSFT 5.0")]),
    (
        Kind.STAFF_DEVICE,
        [seen("dhcp", name="t-laptop", vendor_class="MSFT 5.0", parameters="1,3,6,15,31,33,43,44,46,47,119,121,249,252")],
    ),
    (Kind.UPS, [seen("dhcp", mac="00:c0:b7:10:00:11", name="ups")]),
    (Kind.SERVER, [seen("mdns", name="fileserver", types="_smb._tcp")]),
    (Kind.COMPUTER, [seen("arp", self="yes")]),
    (Kind.PRINTER, [seen("snmp", name="chromebook-room-printer", sysobjectid="1.3.6.1.4.1.641.1", sysdescr="Lexmark printer")]),
    (Kind.UNKNOWN, [seen("arp", mac="00:00:0c:00:00:01")]),
    (Kind.UNKNOWN, [seen("arp", mac="02:00:00:00:00:01")]),
    (Kind.UNKNOWN, [seen("dhcp", vendor_class="android-dhcp-13")]),
    (Kind.UNKNOWN, [seen("dhcp", name="galaxy-s21")]),
    (Kind.UNKNOWN, []),
]


@pytest.mark.parametrize(("expected", "sightings"), CASES)
def test_devices_are_told_apart(expected, sightings):
    kind, why = classify(sightings, NAMING)
    assert kind is expected, why
    assert why


def test_a_chromebook_is_nobodys_until_the_site_says_so():
    sightings = [seen("dhcp", name="chromebook-12", vendor_class="dhcpcd-9")]
    kind, why = classify(sightings)
    assert kind is Kind.COMPUTER
    assert why[-1] == "whose it is cannot be seen in packets; inventory.student_names and staff_names can say"
    kind, why = classify(sightings, NAMING)
    assert kind is Kind.STUDENT_DEVICE
    assert why[0] == "its name chromebook-12 fits the site's own Chromebook-*"


def test_contradictions_are_unknown_and_name_both_sides():
    kind, why = classify([seen("mdns", types="_ipp._tcp _googlecast._tcp")])
    assert kind is Kind.UNKNOWN
    assert why[0].startswith("divided between ")
    assert len(why) == 3


def test_a_name_that_fits_students_and_staff_is_neither():
    both = Naming(student=("lab-*",), staff=("lab-*",))
    assert classify([seen("dhcp", name="lab-3")], both)[0] is Kind.UNKNOWN


def test_evidence_of_one_sort_counts_once_however_often_it_is_repeated():
    hint = seen("ssdp", kinds="urn:schemas-upnp-org:device:MediaServer:1 urn:schemas-upnp-org:device:MediaServer:2")
    assert classify([hint] * 50)[0] is Kind.UNKNOWN


def test_no_single_name_or_network_card_is_enough():
    assert all(rule.weight < ENOUGH for rule in RULES if rule.source == "any")


def test_every_rule_can_match_what_the_collectors_really_yield():
    facts = {
        "snmp": {"sysobjectid", "layers", "sysdescr"},
        "mdns": {"types", "model"},
        "ssdp": {"kinds"},
        "dhcp": {"vendor_class", "parameters"},
        "any": {"name", "vendor"},
        "arp": {"self"},
    }
    for rule in RULES:
        assert rule.fact in facts[rule.source]
        assert rule.pattern == rule.pattern.lower()
        assert rule.weight > 0


@pytest.mark.parametrize(
    ("services", "word"),
    [
        ("2", "bridge"),
        ("6", "bridge and router"),
        ("4", "router"),
        ("72", ""),
        ("78", "bridge and router"),
        ("x", ""),
        ("9" * 9, ""),
    ],
)
def test_sys_services_become_words(services, word):
    assert layers(services) == word


@given(
    st.lists(
        st.builds(
            lambda source, name, fact, text: seen(source, name=name, **{fact: text}),
            st.sampled_from(["snmp", "mdns", "ssdp", "dhcp", "arp"]),
            st.none() | st.text(max_size=20),
            st.sampled_from(["types", "kinds", "services", "sysdescr", "sysobjectid", "vendor_class", "parameters", "other"]),
            st.text(max_size=40) | st.sampled_from([rule.pattern for rule in RULES]),
        ),
        max_size=5,
    )
)
def test_any_words_give_a_kind_and_a_reason_whatever_their_order(sightings):
    kind, why = classify(sightings, NAMING)
    assert why
    assert classify(list(reversed(sightings)), NAMING) == (kind, why)
