"""Hardware addresses and serial numbers that name no single device: shared, made up, or printed on every box."""

from census.vendors import is_local

# Prefixes that several routers answer under, one at a time. None of them is a card; none may join two routers into one.
_VIRTUAL = {
    "00:00:5e:00:01:": "VRRP",  # RFC 9568, 7.3, for IPv4; CARP uses it too
    "00:00:5e:00:02:": "VRRP",  # for IPv6
    "00:00:0c:07:ac:": "HSRP",  # Cisco, version 1
    "00:00:0c:9f:f": "HSRP",  # version 2
    "00:05:73:a0:0": "HSRP",  # for IPv6
    "00:07:b4:": "GLBP",  # Cisco
}

# Cards that hypervisors make up for their guests; the locally administered one is KVM's.
_GUESTS = ("00:05:69:", "00:0c:29:", "00:50:56:", "00:15:5d:", "00:16:3e:", "08:00:27:", "52:54:00:", "bc:24:11:")

# What stands in a maker's serial number field when nobody filled it in.
_BLANK = frozenset(
    {
        "",
        "0",
        "00000000",
        "0123456789",
        "1234567890",
        "123456789",
        "12345678",
        "default string",
        "empty",
        "invalid",
        "n/a",
        "na",
        "none",
        "not applicable",
        "not available",
        "not specified",
        "null",
        "o.e.m.",
        "serial",
        "serial number",
        "system serial number",
        "to be filled by o.e.m.",
        "unknown",
        "xxxxxxxx",
    }
)
_SHORTEST = 5  # characters of a serial number that can be told from a shelf number


def is_card(mac: str) -> bool:
    """Whether `mac` can be the source address of one card: not a group address, not all zeros."""
    return not int(mac[:2], 16) & 1 and mac != "00:00:00:00:00:00"


def virtual(mac: str) -> str:
    """The protocol by which several routers share `mac`, such as "VRRP"; "" when it is nobody's to share."""
    return next((name for prefix, name in _VIRTUAL.items() if mac.startswith(prefix)), "")


def is_guest(mac: str) -> bool:
    """Whether a hypervisor made `mac` up for a virtual machine."""
    return mac.startswith(_GUESTS)


def may_change(mac: str) -> bool:
    """Whether the device that uses `mac` may use another one tomorrow: made up by software, and not by a hypervisor."""
    return is_local(mac) and is_card(mac) and not is_guest(mac)


def serial(text: str) -> str:
    """A serial number as it is compared: without spaces at its ends, in upper case; "" when it names no single device."""
    plain = text.strip().upper()
    if plain.lower() in _BLANK or len(plain) < _SHORTEST or len(set(plain)) < 2:
        return ""
    return plain


def client_id(text: str, mac: str | None) -> str:
    """A DHCP client id, in hex, as it is compared; "" when it only repeats the hardware address that sent it.

    Of an id made of interface and device (RFC 4361) only the device's part counts.
    """
    plain = text.strip().lower().replace(":", "")
    if plain.startswith("ff") and len(plain) > 18:
        return plain[10:]
    own = "" if mac is None else mac.replace(":", "")
    if len(plain) < 8 or not plain.strip("0") or plain in {own, f"01{own}"}:
        return ""
    return plain
