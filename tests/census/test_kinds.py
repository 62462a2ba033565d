from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census.evidence import Matcher, Rule, words
from census.kinds import ENOUGH, RULES, Naming, classify, layers, role
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
    assert why[-1].startswith("whose it is cannot be seen in packets; inventory.student_names and staff_names or an asset list")
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
    weak = [rule for rule in RULES if rule.fact in {"name", "vendor", "random"}]
    assert weak
    assert all(rule.weight < ENOUGH for rule in weak)


# What each source can say; `seen` is that it saw the device at all, and of "any" are the facts that several sources share.
FACTS = {
    "any": {"name", "vendor", "maker", "random", "os", "says"},
    "arp": {"self", "proxy"},
    "icmp": {"router"},
    "nd": {"router"},
    "snmp": {"sysobjectid", "layers", "mibs", "bridge"},
    "lldp": {"role", "class"},
    "cdp": {"role"},
    "controller": {"seen"},
    "wifi": {"seen"},
    "dhcp": {"vendor_class", "parameters"},
    "dhcp-server": {"seen", "serves"},
    "stp": {"seen"},
    "mdns": {"types"},
    "ssdp": {"kinds"},
    "google": {"seen"},
    "intune": {"seen"},
    "jamf": {"seen"},
}


def test_every_rule_can_match_what_the_sources_really_say():
    for rule in RULES:
        assert rule.fact in FACTS[rule.source], rule
        assert rule.weight != 0
        assert rule.pattern == rule.pattern.lower()
        example = rule.pattern.replace("*", " x ").strip()
        assert rule.pattern.strip("* ") in words(example) or any(mark in rule.pattern for mark in "*?["), rule


def test_no_rule_is_written_twice():
    assert len({(rule.kind, rule.source, rule.fact, rule.pattern) for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("uap-*", ["UAP-AC-Pro 6.2"], ["My UAP-AC"]),
        ("* switch *", ["Switch", "HP 2530 (switch)", "router/switch,2"], ["Switched", "fortiswitch"]),
        ("*laserjet*", ["HP LaserJet", "colourlaserjet9"], ["laser jet"]),
        ("*jet", ["deskjet"], ["jets"]),
        ("apc", ["APC", " (apc) "], ["apc1", "an apc"]),
        ("* c29[4-7][0-9]*", ["IOS, C2960X Software"], ["C2900 Software"]),
    ],
)
def test_patterns_are_laid_over_words(pattern, fits, fits_not):
    matcher = Matcher([Rule(Kind.IOT, 1, "any", "says", pattern)])
    assert all(matcher.fits(words(text)) for text in fits)
    assert not any(matcher.fits(words(text)) for text in fits_not)


OWN = "1.3.6.1.4.1.8072.3.2.10"


@pytest.mark.parametrize(
    ("expected", "sightings"),
    [
        # A telephone and an access point bridge, a firewall routes and gives out addresses.
        (Kind.PHONE, [seen("lldp", capabilities="bridge telephone", description="SIP 66.86.0.15")]),
        (Kind.ACCESS_POINT, [seen("lldp", capabilities="bridge wlan-ap router")]),
        (Kind.ACCESS_POINT, [seen("cdp", capabilities="router bridge", platform="cisco AIR-CAP2702I-E-K9")]),
        (Kind.FIREWALL, [seen("snmp", sysdescr="FortiGate", services="78"), seen("dhcp-server", serves="10.0.0.9")]),
        (Kind.SERVER, [seen("cdp", capabilities="bridge", platform="VMware ESX")]),
        (Kind.SERVER, [seen("lldp", capabilities="bridge router", description="Debian GNU/Linux 12 Linux 6.1.0-18-amd64")]),
        (Kind.SWITCH, [seen("lldp", capabilities="bridge router")]),
        (Kind.ROUTER, [seen("lldp", capabilities="router")]),
        (Kind.ROUTER, [seen("nd", router="yes"), seen("dhcp-server", serves="10.0.0.9")]),
        # A laptop that shares its network routes and gives out addresses.
        (
            Kind.COMPUTER,
            [
                seen("dhcp", vendor_class="MSFT 5.0", name="OFFICE-3"),
                seen("dhcp-server", serves="192.168.137.20"),
                seen("ssdp", kinds="urn:schemas-upnp-org:device:InternetGatewayDevice:1", server="Microsoft-Windows-NT/5.1"),
            ],
        ),
        # A Mac with a printer of others behind it is a Mac, a network disk with a printer is a server.
        (Kind.COMPUTER, [seen("mdns", types="_ipp._tcp _airplay._tcp", model="iMac21,1")]),
        (Kind.SERVER, [seen("mdns", types="_ipp._tcp _smb._tcp _adisk._tcp", maker="Synology", model="DS918+")]),
        (Kind.PRINTER, [seen("snmp", sysobjectid=OWN, sysdescr="Linux kmsvc 3.10.38 armv7l", mibs="printer")]),
        (Kind.UPS, [seen("snmp", sysobjectid=OWN, sysdescr="Linux ups2 3.10.0 armv5tejl", mibs="ups")]),
        (Kind.UNKNOWN, [seen("snmp", sysobjectid=OWN, sysdescr="Linux box 3.10.0 armv5tejl")]),
        # What others list.
        (Kind.ACCESS_POINT, [seen("controller", name="Room 8")]),
        (Kind.PHONE, [seen("wifi", point="AP-3", os="iPhone")]),
        (Kind.COMPUTER, [seen("wifi", point="AP-3", os="Chrome OS")]),
        (Kind.UNKNOWN, [seen("wifi", mac="02:00:00:00:00:01", point="AP-3", ssid="school")]),
        (Kind.COMPUTER, [seen("google", model="Lenovo 300e")]),
        (Kind.STUDENT_DEVICE, [seen("google", model="Lenovo 300e", owner="student")]),
        (Kind.STAFF_DEVICE, [seen("jamf", model="MacBook Air (M1, 2020)", owner="staff"), seen("dhcp", name="stu-1")]),
        (Kind.PRINTER, [seen("snipe-it", model="Brother HL-L5100DN", owner="staff"), seen("mdns", types="_ipp._tcp")]),
        (Kind.ACCESS_POINT, [seen("snipe-it", model="UniFi U6 Pro", owner="staff"), seen("controller", model="U6-Pro")]),
        # Loudspeakers and thermostats that announce what screens announce.
        (Kind.IOT, [seen("mdns", types="_googlecast._tcp", model="Google Nest Mini")]),
        (Kind.IOT, [seen("mdns", types="_airplay._tcp _raop._tcp", model="AudioAccessory5,1")]),
        (Kind.DISPLAY, [seen("mdns", types="_airplay._tcp _raop._tcp", model="J305AP")]),
    ],
)
def test_the_hard_cases(expected, sightings):
    kind, why = classify(sightings, Naming(student=("stu-*",)))
    assert kind is expected, why


def test_what_takes_part_in_spanning_tree_is_a_switch_where_nothing_better_says_what_it_is():
    bridge = seen("stp", mac="02:5c:00:00:00:01", bridge="02:5c:00:00:00:01", root="yes")
    kind, why = classify([bridge])
    assert (kind, why[0]) == (Kind.SWITCH, "that stp has it is yes (it takes part in spanning tree, as bridges do)")
    assert classify([bridge, seen("controller", name="Room 8")])[0] is Kind.ACCESS_POINT
    assert classify([bridge, seen("snmp", sysdescr="FortiGate", services="78")])[0] is Kind.FIREWALL
    windows = seen("dhcp", vendor_class="MSFT 5.0", parameters="1,3,6,15,31,33,43,44,46,47,119,121,249,252")
    assert classify([bridge, windows])[0] is Kind.COMPUTER


def test_lists_that_disagree_on_whose_it_is_leave_it_open():
    sightings = [
        seen("google", model="Acer Chromebook", owner="student"),
        seen("snipe-it", owner="staff", model="Acer Chromebook"),
    ]
    assert classify(sightings, NAMING)[0] is Kind.COMPUTER


def test_being_a_client_of_an_access_point_speaks_against_infrastructure():
    hint = [seen("dhcp", mac="24:a4:3c:00:00:01", name="ap-spare")]
    assert classify(hint)[0] is Kind.ACCESS_POINT
    assert classify([*hint, seen("wifi", mac="24:a4:3c:00:00:01", point="AP-1")])[0] is Kind.UNKNOWN


def test_the_reasons_are_in_the_words_of_the_source_heaviest_first():
    _, why = classify([seen("lldp", capabilities="bridge telephone", **{"class": "3"}), seen("dhcp", vendor_class="yealink")])
    assert why == (
        "its role in LLDP is telephone",
        "dhcp vendor_class is yealink",
        "lldp class is 3 (LLDP-MED: a communication device)",
    )


def test_an_unknown_says_what_saw_it():
    assert classify([seen("arp"), seen("fdb", port="7")])[1] == ("nothing it said tells what it is; only arp, fdb saw it",)
    assert classify([])[1] == ("nothing was seen of it",)


@pytest.mark.parametrize(
    ("capabilities", "word"),
    [
        ("bridge telephone", "telephone"),
        ("router bridge wlan-ap", "access point"),
        ("bridge router", "bridge"),
        ("router", "router"),
        ("docsis router", "cable modem"),
        ("station", "station"),
        ("host", "station"),
        ("other repeater", ""),
        ("", ""),
    ],
)
def test_the_capability_that_tells_is_the_rarer_one(capabilities, word):
    assert role(capabilities) == word


@pytest.mark.parametrize(
    ("services", "word"),
    [
        ("2", "bridge"),
        ("3", "bridge"),
        ("6", "bridge and router"),
        ("14", "bridge and router"),
        ("4", "router"),
        ("72", ""),
        ("10", ""),
        ("78", "bridge router host"),
        ("79", ""),
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
            st.sampled_from(["snmp", "mdns", "ssdp", "dhcp", "arp", "lldp", "cdp", "wifi", "google", "controller", "other"]),
            st.none() | st.text(max_size=20),
            st.sampled_from(
                [
                    "types",
                    "kinds",
                    "services",
                    "sysdescr",
                    "sysobjectid",
                    "vendor_class",
                    "model",
                    "capabilities",
                    "owner",
                    "os",
                    "other",
                ]
            ),
            st.text(max_size=40) | st.sampled_from([rule.pattern for rule in RULES]),
        ),
        max_size=5,
    )
)
def test_any_words_give_a_kind_and_a_reason_whatever_their_order(sightings):
    kind, why = classify(sightings, NAMING)
    assert why
    assert classify(list(reversed(sightings)), NAMING) == (kind, why)
