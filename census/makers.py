"""Who made a device, by what it says of itself: makers' names made one, IANA's enterprise numbers, and brands in product names.

The maker of its network card is another matter (`census.vendors`): a laptop's card is seldom made by who made the laptop.
"""

import re

# What makers call themselves, in lower case, to what people call them. The longest beginning that fits counts.
_ALIASES = {
    "acer": "Acer",
    "american power": "APC",
    "apc": "APC",
    "apple": "Apple",
    "arista": "Arista",
    "aruba": "Aruba",
    "asus": "ASUS",
    "axis": "Axis",
    "brocade": "Brocade",
    "brother": "Brother",
    "canon": "Canon",
    "cisco": "Cisco",
    "cisco meraki": "Cisco Meraki",
    "meraki": "Cisco Meraki",
    "d-link": "D-Link",
    "dell": "Dell",
    "digital china": "Digital China",
    "dptech": "DPtech",
    "eaton": "Eaton",
    "emerson": "Emerson",
    "epson": "Epson",
    "seiko epson": "Epson",
    "extreme": "Extreme Networks",
    "fortinet": "Fortinet",
    "forti": "Fortinet",
    "google": "Google",
    "h3c": "H3C",
    "hewlett packard enterprise": "HPE",
    "hewlett packard": "HP",
    "hewlett-packard": "HP",
    "hikvision": "Hikvision",
    "hp": "HP",
    "hpe": "HPE",
    "huawei": "Huawei",
    "isilon": "Isilon",
    "juniper": "Juniper",
    "konica minolta": "Konica Minolta",
    "kyocera": "Kyocera",
    "lenovo": "Lenovo",
    "lexmark": "Lexmark",
    "microsoft": "Microsoft",
    "mikrotik": "MikroTik",
    "routeros": "MikroTik",
    "mist": "Juniper",
    "netapp": "NetApp",
    "netentsec": "Netentsec",
    "netgear": "NETGEAR",
    "oki": "OKI",
    "palo alto": "Palo Alto Networks",
    "polycom": "Polycom",
    "qnap": "QNAP",
    "ricoh": "Ricoh",
    "ruckus": "Ruckus",
    "ruijie": "Ruijie",
    "samsung": "Samsung",
    "sharp": "Sharp",
    "sonicwall": "SonicWall",
    "sony": "Sony",
    "synology": "Synology",
    "topsec": "Topsec",
    "toshiba": "Toshiba",
    "tp-link": "TP-Link",
    "tripp lite": "Tripp Lite",
    "ubiquiti": "Ubiquiti",
    "viewsonic": "ViewSonic",
    "xerox": "Xerox",
    "yealink": "Yealink",
    "zebra": "Zebra",
    "zte": "ZTE",
    "zyxel": "Zyxel",
}
_LONGEST = sorted(_ALIASES, key=len, reverse=True)
_RUN_ON = frozenset({"forti", "routeros"})  # written together with what follows
_TAIL = re.compile(
    r"[,.\s]+(inc|ltd|llc|gmbh|corp|corporation|co|company|limited|ag|s\.?a|b\.?v|systems|networks|technologies)\b\.?$",
    re.IGNORECASE,
)
# Product names whose maker goes without saying.
_KNOWN = tuple(
    (re.compile(shape, re.IGNORECASE), maker)
    for shape, maker in (
        (r"^(iphone|ipad|ipod|macbook|imac|mac ?mini|mac ?pro|mac\d|apple ?tv|audioaccessory|airport|timecapsule)", "Apple"),
        (r"^(rackmac|xserve|[bdjknp]\d{2,3}[a-z]{0,2}ap$)", "Apple"),  # the last are the names of Apple's boards
        (r"^chromecast", "Google"),
        (r"laserjet|officejet|deskjet|procurve|jetdirect|elitebook|probook", "HP"),
        (r"^(latitude|optiplex|precision|poweredge|powerconnect)", "Dell"),
        (r"^(thinkpad|thinkcentre|ideapad)", "Lenovo"),
        (r"^surface", "Microsoft"),
        (r"^(ws-c|air-|c9[1-6]\d\d|isr\d|n[3579]k-)", "Cisco"),
        (r"^(uap-|usw-|u[67]-|unifi|us-\d|uvc )", "Ubiquiti"),
        (r"^vyatta", "Vyatta"),
        (r"^amaranten", "Clavister"),
        (r"bdcom", "BDCOM"),
        (r"maipu communication", "Maipu"),
        (r"digital china networks", "Digital China"),
        (r"^nsfocus", "NSFOCUS"),
        (r"\binfosec\b", "INFOSEC"),
        (r"\bd(es|gs|xs)-\d{3}", "D-Link"),
    )
)
# IANA's enterprise numbers, of sysObjectID 1.3.6.1.4.1.N.
ENTERPRISES = {
    2: "IBM",
    9: "Cisco",
    11: "HP",
    171: "D-Link",
    207: "Allied Telesis",
    232: "HP",
    236: "Samsung",
    253: "Xerox",
    297: "Fuji Xerox",
    311: "Microsoft",
    318: "APC",
    367: "Ricoh",
    368: "Axis",
    476: "Vertiv",
    534: "Eaton",
    641: "Lexmark",
    674: "Dell",
    705: "Eaton",
    789: "NetApp",
    850: "Tripp Lite",
    890: "Zyxel",
    935: "Phoenixtec",
    1248: "Epson",
    1347: "Kyocera",
    1588: "Brocade",
    1602: "Canon",
    1916: "Extreme Networks",
    1991: "Brocade",
    2011: "Huawei",
    2385: "Sharp",
    2435: "Brother",
    2468: "Santak",
    2604: "Sophos",
    2620: "Check Point",
    2636: "Juniper",
    3097: "WatchGuard",
    3224: "Juniper",
    3320: "BDCOM",
    3808: "CyberPower",
    3902: "ZTE",
    4526: "NETGEAR",
    4881: "Ruijie",
    5089: "Clavister",
    5651: "Maipu",
    6339: "Digital China",
    6486: "Alcatel-Lucent",
    6574: "Synology",
    6876: "VMware",
    7367: "DrayTek",
    8741: "SonicWall",
    10002: "Ubiquiti",
    11863: "TP-Link",
    12124: "Isilon",
    12356: "Fortinet",
    13400: "Emerson",
    13742: "Raritan",
    14179: "Cisco",
    14331: "Topsec",
    14525: "Juniper",
    14823: "Aruba",
    14988: "MikroTik",
    15227: "Venustech",
    15983: "Meru",
    17713: "Cambium",
    18334: "Konica Minolta",
    19849: "NSFOCUS",
    21239: "Geist",
    24681: "QNAP",
    25053: "Ruckus",
    25461: "Palo Alto Networks",
    25506: "H3C",
    26928: "Aerohive",
    27971: "INFOSEC",
    29671: "Cisco Meraki",
    30065: "Arista",
    30803: "Vyatta",
    31648: "DPtech",
    35047: "Sangfor",
    36849: "Hanwha",
    39165: "Hikvision",
    41112: "Ubiquiti",
    47196: "Aruba",
    50001: "Hikvision",
}
_ENTERPRISE = re.compile(r"^1\.3\.6\.1\.4\.1\.(\d+)")


def named(text: str) -> str | None:
    """The maker whose own name `text` begins with; None when there is none."""
    lower = text.lower()
    for start in _LONGEST:
        if lower.startswith(start) and (start in _RUN_ON or not lower[len(start) : len(start) + 1].isalnum()):
            return _ALIASES[start]
    return None


def plain(said: str) -> str:
    """One name for a maker, however it calls itself."""
    if known := named(said):
        return known
    shorter = said
    while (cut := _TAIL.sub("", shorter)) != shorter:
        shorter = cut
    return shorter or said


def of_words(text: str) -> str | None:
    """The maker that a product's name or description begins with, or that goes without saying; None when neither."""
    return named(text) or next((maker for shape, maker in _KNOWN if shape.search(text)), None)


def of_number(sysobjectid: str) -> str | None:
    """The maker behind a sysObjectID, where the number tells; agents that run anywhere have numbers of their own."""
    found = _ENTERPRISE.match(sysobjectid)
    return ENTERPRISES.get(int(found[1])) if found else None
