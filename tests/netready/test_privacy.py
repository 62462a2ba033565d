"""What points at a person leaves a survey under a pseudonym."""

import hmac
from ipaddress import ip_network

import msgspec
import pytest

from netready.device import Device, Kind, Place
from netready.finding import Finding, Trouble
from netready.privacy import Veil, scrubbed, veiled

VEIL = Veil(key=b"k" * 32, period="2026-11", networks=(ip_network("10.20.0.0/16"), ip_network("fd00:20::/32")))
MAC, OTHER = "3c:06:30:11:22:33", "3c:06:30:11:22:34"
LAPTOP = Device(
    key=MAC,
    mac=MAC,
    addresses=("10.20.0.61", "fe80::3e06:30ff:fe11:2233"),
    names=("annas-macbook.school.test",),
    kind=Kind.COMPUTER,
    vendor="Apple, Inc.",
    room="12",
    place=Place(switch="switch-1", port="7"),
    why=("its name is annas-macbook", "mdns model is MacBookPro18,1"),
    merged=(f"address 10.20.0.61 belonged to {MAC} in the table of 10.20.0.1", "DHCP client id 01.3c06.3011.2233"),
    how=("arp", "mdns"),
    facts={"serial": "C02XK1", "client_id": "013c0630112233", "asset": "TAG-0042", "model": "MacBookPro18,1", "os": "macOS 15"},
)
SWITCH = Device(
    key="94:b4:0f:00:00:02",
    mac="94:b4:0f:00:00:02",
    addresses=("10.20.0.1",),
    names=("switch-1",),
    kind=Kind.SWITCH,
    vendor="Aruba",
    facts={"serial": "SG12", "macs": "94:b4:0f:00:00:10 94:b4:0f:00:00:11"},
)
PRIVATE = (
    MAC,
    "3c-06-30-11-22-33",
    "3c06.3011.2233",
    "3c0630112233",
    "10.20.0.61",
    "fe80::3e06",
    "annas-macbook",
    "C02XK1",
    "TAG-0042",
)


def test_nothing_that_names_a_persons_device_is_left_in_any_of_its_texts():
    (hidden, _), _ = veiled((LAPTOP, SWITCH), (), VEIL)
    text = msgspec.json.encode(hidden).decode().lower()
    for secret in PRIVATE:
        assert secret.lower() not in text, secret
    assert hidden.mac is None
    assert hidden.facts["model"] == "MacBookPro18,1"
    assert hidden.place == LAPTOP.place
    assert hidden.kind is Kind.COMPUTER
    assert "table of 10.20.0.1" in hidden.merged[0]


def test_infrastructure_stays_as_it_is():
    (_, switch), _ = veiled((LAPTOP, SWITCH), (), VEIL)
    assert switch == SWITCH


def test_findings_speak_of_pseudonyms_too():
    finding = Finding(
        trouble=Trouble.DUPLICATE_ADDRESS,
        where="10.20.0.61",
        says=f"10.20.0.61 is claimed by {MAC} (annas-macbook) and {OTHER}; the switch is 10.20.0.1, 94:b4:0f:00:00:10",
        known_by=(f"ARP reply of {OTHER.upper()}",),
        devices=(MAC, SWITCH.key),
    )
    hidden, (told,) = veiled((LAPTOP, SWITCH), (finding,), VEIL)
    text = msgspec.json.encode(told).decode().lower()
    for secret in (*PRIVATE, OTHER):
        assert secret.lower() not in text, secret
    assert told.devices == (hidden[0].key, SWITCH.key)
    assert "the switch is 10.20.0.1, 94:b4:0f:00:00:10" in told.says


def test_the_same_thing_has_the_same_pseudonym_however_it_is_written():
    forms = {VEIL.pseudonym("mac", text) for text in (MAC, MAC.upper(), "3c-06-30-11-22-33", "3c06.3011.2233")}
    assert len(forms) == 1


def test_another_key_gives_another_pseudonym_and_a_dictionary_without_it_finds_nothing():
    other = Veil(key=b"j" * 32, period="2026-12")
    assert VEIL.pseudonym("mac", MAC) != other.pseudonym("mac", MAC)
    stored = VEIL.pseudonym("mac", MAC).removeprefix("mac-")
    # Every address of the block of the maker that this one is in, by plain hashes of its usual spellings and by an empty key.
    for last in range(0x10000):
        plain = f"3c063011{last:04x}"
        for text in (plain, ":".join(plain[i : i + 2] for i in range(0, 12, 2))):
            assert hmac.new(b"", f"mac {text}".encode(), "sha256").hexdigest()[:16] != stored


@pytest.mark.parametrize(
    "text",
    [
        "sysObjectID 1.3.6.1.4.1.9.1.2134",
        "firmware 15.2.4.1",
        "10.20.0.0/24 was not swept",
        "seen at 09:14:07, 12:30",
        "resolver 9.9.9.9",
        "a port::b",
    ],
)
def test_what_only_looks_like_an_address_is_left_alone(text):
    assert scrubbed(text, (LAPTOP, SWITCH), VEIL) == text


def test_a_veil_does_not_print_its_key():
    assert "kkkk" not in repr(VEIL)
    assert VEIL.key.hex() not in repr(VEIL)
