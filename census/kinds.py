"""What kind of thing a device is: rows of evidence with weights, added up, and an honest "unknown".

Order of trust: what a managed device says over SNMP, what it announces by mDNS, SSDP or DHCP, then the order of DHCP
options, its name, and last the maker of its network card. Evidence of one sort counts once, however often it is repeated.
No packet tells whose laptop it is: a student's device is one only if the site's own naming says so.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from census.vendors import is_local, vendor
from netready.device import Kind, Sighting

ENOUGH = 3  # below this the evidence is a hint and the device stays unknown
CLEAR = 1  # by how much the best must lead, or the evidence contradicts itself
SITE_NAMING = 6  # the site's own words; only a managed device's own description outweighs them

# A bridge, router or host from sysServices (RFC 3418): 2 is the data link layer, 4 the Internet layer, 64 applications.
LINK, INTERNET, APPLICATIONS = 2, 4, 64


class Naming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a site names devices, as shell patterns without regard to case: ("chromebook-*", "cart??-*")."""

    student: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """If `source` says something under `fact` that fits `pattern`, the device is more likely a `kind`, by `weight`."""

    kind: Kind
    weight: int
    source: str  # "snmp", "mdns", "ssdp", "dhcp"; "any" for names and vendors
    fact: str
    pattern: str
    means: str = ""


_AP, _SWITCH, _ROUTER, _FIREWALL = Kind.ACCESS_POINT, Kind.SWITCH, Kind.ROUTER, Kind.FIREWALL
_SERVER, _PRINTER, _CAMERA, _PHONE = Kind.SERVER, Kind.PRINTER, Kind.CAMERA, Kind.PHONE
_UPS, _DISPLAY, _IOT, _COMPUTER = Kind.UPS, Kind.DISPLAY, Kind.IOT, Kind.COMPUTER


def _rules(kind: Kind, weight: int, source: str, fact: str, *patterns: str) -> tuple[Rule, ...]:
    return tuple(Rule(kind, weight, source, fact, pattern) for pattern in patterns)


def _enterprises(kind: Kind, weight: int, **numbers: int) -> tuple[Rule, ...]:
    """Makers of one sort of thing, by their IANA enterprise number."""
    return tuple(
        Rule(kind, weight, "snmp", "sysobjectid", f"1.3.6.1.4.1.{number}.*", maker.replace("_", " "))
        for maker, number in numbers.items()
    )


RULES: tuple[Rule, ...] = (
    # --- SNMP: sysObjectID (IANA enterprise numbers of makers of one thing) --------------------------------------------
    *_enterprises(
        _PRINTER, 6, Brother=2435, Ricoh=367, Canon=1602, Lexmark=641, Xerox=253, Kyocera=1347, Konica_Minolta=18334, Epson=1248
    ),
    *_rules(_PRINTER, 6, "snmp", "sysobjectid", "1.3.6.1.4.1.11.2.3.9.*"),  # HP JetDirect
    *_enterprises(_UPS, 6, APC=318, Eaton=534),
    *_enterprises(_FIREWALL, 5, Palo_Alto=25461, SonicWall=8741),
    *_rules(_FIREWALL, 5, "snmp", "sysobjectid", "1.3.6.1.4.1.12356.101.*"),  # Fortinet FortiGate; 106 is FortiSwitch
    *_enterprises(_AP, 4, Ruckus=25053, Aerohive=26928),
    *_enterprises(_AP, 3, Ubiquiti=41112, Ubiquiti_Networks=10002),
    *_rules(_SERVER, 5, "snmp", "sysobjectid", "1.3.6.1.4.1.311.1.1.3.1.2", "1.3.6.1.4.1.311.1.1.3.1.3"),  # Windows Server
    *_rules(_COMPUTER, 5, "snmp", "sysobjectid", "1.3.6.1.4.1.311.1.1.3.1.1"),  # Windows workstation
    *_enterprises(_SERVER, 4, VMware=6876),
    *_enterprises(_SERVER, 3, net_snmp=8072),
    # --- SNMP: sysServices, as words -----------------------------------------------------------------------------------
    *_rules(_SWITCH, 4, "snmp", "layers", "bridge", "bridge and router"),
    *_rules(_ROUTER, 4, "snmp", "layers", "router"),
    # --- SNMP: sysDescr ------------------------------------------------------------------------------------------------
    *_rules(
        _AP, 5, "snmp", "sysdescr", "*access point*", "*wireless ap*", "uap-*", "u6-*", "u7-*", "*instant ap*", "*aruba*ap-*"
    ),
    *_rules(_SWITCH, 5, "snmp", "sysdescr", "*switch*", "*catalyst*", "*procurve*", "*ex series*", "usw-*", "*arubaos-cx*"),
    *_rules(_ROUTER, 5, "snmp", "sysdescr", "*router*", "*routeros*", "*edgeos*", "*vyos*"),
    *_rules(_FIREWALL, 6, "snmp", "sysdescr", "*firewall*", "*fortigate*", "*adaptive security*", "*pfsense*", "*opnsense*"),
    *_rules(_PRINTER, 6, "snmp", "sysdescr", "*jetdirect*", "*printer*", "*laserjet*", "*officejet*", "*multifunction*"),
    *_rules(_UPS, 6, "snmp", "sysdescr", "*smart-ups*", "* ups *", "*ups network*"),
    *_rules(_CAMERA, 6, "snmp", "sysdescr", "*network camera*", "*ip camera*"),
    *_rules(_PHONE, 6, "snmp", "sysdescr", "*ip phone*"),
    *_rules(_SERVER, 4, "snmp", "sysdescr", "*windows server*", "*esxi*", "*synology*", "*diskstation*", "*truenas*"),
    # --- mDNS service types and models ---------------------------------------------------------------------------------
    *_rules(_PRINTER, 4, "mdns", "types", "_ipp._tcp", "_ipps._tcp", "_pdl-datastream._tcp", "_printer._tcp"),
    *_rules(_PRINTER, 4, "mdns", "types", "_uscan._tcp", "_uscans._tcp", "_scanner._tcp"),
    *_rules(_DISPLAY, 4, "mdns", "types", "_googlecast._tcp", "_amzn-wplay._tcp"),
    *_rules(_DISPLAY, 2, "mdns", "types", "_airplay._tcp", "_raop._tcp"),  # Macs announce it too
    *_rules(_DISPLAY, 5, "mdns", "model", "appletv*", "chromecast*"),
    *_rules(_COMPUTER, 5, "mdns", "model", "macbook*", "imac*", "macmini*", "macpro*", "mac1*"),
    *_rules(_COMPUTER, 3, "mdns", "types", "_workstation._tcp"),
    *_rules(_COMPUTER, 1, "mdns", "types", "_companion-link._tcp", "_rdlink._tcp", "_ssh._tcp", "_sftp-ssh._tcp"),
    *_rules(_SERVER, 3, "mdns", "types", "_nfs._tcp", "_adisk._tcp"),
    *_rules(_SERVER, 1, "mdns", "types", "_smb._tcp", "_afpovertcp._tcp"),
    *_rules(_CAMERA, 4, "mdns", "types", "_axis-video._tcp", "_rtsp._tcp"),
    *_rules(_IOT, 4, "mdns", "types", "_hap._tcp", "_matter._tcp", "_matterc._udp", "_hue._tcp", "_esphomelib._tcp"),
    *_rules(_IOT, 4, "mdns", "types", "_sonos._tcp"),
    *_rules(_AP, 4, "mdns", "types", "_airport._tcp"),
    # --- SSDP ----------------------------------------------------------------------------------------------------------
    *_rules(_ROUTER, 4, "ssdp", "kinds", "*device:internetgatewaydevice:*"),
    *_rules(_PRINTER, 4, "ssdp", "kinds", "*device:printer:*"),
    *_rules(_DISPLAY, 3, "ssdp", "kinds", "*device:mediarenderer:*", "*dial-multiscreen-org:service:dial:*", "roku:ecp"),
    *_rules(_SERVER, 2, "ssdp", "kinds", "*device:mediaserver:*"),
    *_rules(_CAMERA, 3, "ssdp", "kinds", "*networkcamera*", "*digitalsecuritycamera*"),
    # --- DHCP: vendor class --------------------------------------------------------------------------------------------
    *_rules(_AP, 5, "dhcp", "vendor_class", "arubaap*", "arubainstantap*", "cisco ap *", "ruckus cpe*", "ubnt*"),
    *_rules(_PHONE, 5, "dhcp", "vendor_class", "cisco systems, inc. ip phone*", "yealink*", "polycom*"),
    *_rules(_PRINTER, 5, "dhcp", "vendor_class", "hewlett-packard jetdirect*", "mfg=*;typ=printer;*"),
    *_rules(_COMPUTER, 4, "dhcp", "vendor_class", "msft 5.0*"),
    *_rules(_COMPUTER, 2, "dhcp", "vendor_class", "pxeclient:*", "dhcpcd*"),
    *_rules(_PHONE, 2, "dhcp", "vendor_class", "android-dhcp-*"),  # a telephone, a tablet or a television
    *_rules(_IOT, 1, "dhcp", "vendor_class", "udhcp*"),
    # --- DHCP: order of the requested options. Versions drift, and private addresses thin them on purpose (RFC 7844) ---
    *_rules(_COMPUTER, 2, "dhcp", "parameters", "1,3,6,15,31,33,43,44,46,47,119,121,249,252"),
    *_rules(_COMPUTER, 2, "dhcp", "parameters", "1,15,3,6,44,46,47,31,33,121,249,43*"),
    *_rules(_PHONE, 1, "dhcp", "parameters", "1,3,6,15,26,28,51,58,59,43*"),
    # --- The machine netready runs on -----------------------------------------------------------------------------------
    Rule(_COMPUTER, 3, "arp", "self", "yes", "this machine"),
    # --- Names, which anybody may choose -------------------------------------------------------------------------------
    *_rules(_PRINTER, 2, "any", "name", "*printer*", "npi[0-9a-f]*", "brn[0-9a-f]*", "*laserjet*", "*officejet*"),
    *_rules(_AP, 2, "any", "name", "ap-*", "*-ap", "*-ap-*", "ap[0-9]*", "*-ap[0-9]*"),
    *_rules(_SWITCH, 2, "any", "name", "sw-*", "*-sw", "*-sw-*", "sw[0-9]*", "*-sw[0-9]*", "*switch*"),
    *_rules(_CAMERA, 2, "any", "name", "axis-*", "*camera*", "cam[0-9]*", "cam-*"),
    *_rules(_PHONE, 2, "any", "name", "*iphone*", "android-*", "galaxy-*", "sep[0-9a-f]*"),
    *_rules(_COMPUTER, 2, "any", "name", "*macbook*", "*chromebook*", "desktop-*", "laptop-*", "*-imac*"),
    *_rules(_SERVER, 2, "any", "name", "*server*", "*-srv", "srv-*", "*-nas", "nas-*"),
    *_rules(_UPS, 2, "any", "name", "ups", "ups-*", "*-ups"),
    *_rules(_DISPLAY, 2, "any", "name", "*apple-tv*", "*appletv*", "*chromecast*", "*projector*"),
    # --- The maker of the network card ---------------------------------------------------------------------------------
    *_rules(_AP, 1, "any", "vendor", "ruckus*", "ubiquiti*", "aerohive*"),
    *_rules(_PRINTER, 1, "any", "vendor", "brother *", "lexmark*", "ricoh*", "seiko epson*", "kyocera*", "canon *"),
    *_rules(_CAMERA, 1, "any", "vendor", "axis comm*", "*hikvision*", "*dahua*", "hanwha*"),
    *_rules(_PHONE, 1, "any", "vendor", "polycom*", "yealink*", "grandstream*"),
    *_rules(_UPS, 1, "any", "vendor", "american power*"),
    *_rules(_IOT, 1, "any", "vendor", "espressif*", "sonos*"),
)
_LISTS = frozenset({"types", "kinds"})  # facts that are several words, each matched on its own


def classify(sightings: Iterable[Sighting], naming: Naming | None = None) -> tuple[Kind, tuple[str, ...]]:
    """The kind with the most evidence for it, and that evidence, heaviest first; UNKNOWN when it is weak or divided.

    `sightings` are all of one device.
    """
    words = sorted({word for sighting in sightings for word in _words(sighting)})
    found: dict[tuple[Kind, str, str], tuple[int, str]] = {}
    for source, fact, text in words:
        for kind, weight, line in _weigh(source, fact, text, naming or Naming()):
            group = (kind, source, fact)
            found[group] = max(found.get(group, (0, "")), (weight, line))
    totals: dict[Kind, int] = {}
    for (kind, _, _), (weight, _) in found.items():
        totals[kind] = totals.get(kind, 0) + weight
    owners = [kind for kind in (Kind.STUDENT_DEVICE, Kind.STAFF_DEVICE) if kind in totals]
    if len(owners) == 1:
        # What a person uses is a computer or a telephone: what speaks for either speaks for the person's device too.
        for kind in (Kind.COMPUTER, Kind.PHONE):
            totals[owners[0]] += totals.pop(kind, 0)
            found = {(owners[0], source, fact): line for (which, source, fact), line in found.items() if which is kind} | found
    ranked = sorted(totals.items(), key=lambda pair: -pair[1])
    match ranked:
        case [(kind, total), *_] if total < ENOUGH:
            return Kind.UNKNOWN, (f"only a hint of {kind.value}", *_lines(found, kind))
        case [(kind, total), (other, rest), *_] if total - rest < CLEAR:
            return Kind.UNKNOWN, (
                f"divided between {kind.value} and {other.value}",
                *_lines(found, kind),
                *_lines(found, other),
            )
        case [(Kind.COMPUTER, _), *_]:
            note = "whose it is cannot be seen in packets; inventory.student_names and staff_names can say"
            return Kind.COMPUTER, (*_lines(found, Kind.COMPUTER), note)
        case [(kind, _), *_]:
            return kind, _lines(found, kind)
        case _:
            return Kind.UNKNOWN, ("nothing it said tells what it is",)


def _lines(found: dict[tuple[Kind, str, str], tuple[int, str]], kind: Kind) -> tuple[str, ...]:
    lines = sorted((value for (other, _, _), value in found.items() if other is kind), key=lambda pair: (-pair[0], pair[1]))
    return tuple(line for _, line in lines)


def _words(sighting: Sighting) -> Iterable[tuple[str, str, str]]:
    """Source, fact and text of everything in a sighting that a rule may look at."""
    if sighting.name:
        yield "any", "name", sighting.name
    if sighting.mac and not is_local(sighting.mac) and (maker := vendor(sighting.mac)):
        yield "any", "vendor", maker
    for fact, text in sighting.facts.items():
        if fact in _LISTS:
            yield from ((sighting.source, fact, word) for word in text.split())
        elif sighting.source == "snmp" and fact == "services":
            yield sighting.source, "layers", layers(text)
        else:
            yield sighting.source, fact, text


def layers(services: str) -> str:
    """What sysServices amounts to, in words; "" when it says nothing of use."""
    number = int(services) if services.isascii() and services.isdigit() and len(services) < 4 else 0
    match bool(number & LINK), bool(number & INTERNET), bool(number & APPLICATIONS):
        case True, True, _:
            return "bridge and router"
        case True, False, _:
            return "bridge"
        case False, True, False:
            return "router"
        case _:
            return ""


def _weigh(source: str, fact: str, text: str, naming: Naming) -> Iterable[tuple[Kind, int, str]]:
    lower = text.lower()
    for rule in RULES:
        if (rule.source, rule.fact) == (source, fact) and fnmatchcase(lower, rule.pattern):
            said = f"{source} {fact}" if source != "any" else {"name": "its name", "vendor": "its network card's maker"}[fact]
            yield rule.kind, rule.weight, f"{said} is {text}" + (f" ({rule.means})" if rule.means else "")
    if (source, fact) == ("any", "name"):
        for kind, patterns in ((Kind.STUDENT_DEVICE, naming.student), (Kind.STAFF_DEVICE, naming.staff)):
            for pattern in patterns:
                if fnmatchcase(lower, pattern.lower()):
                    yield kind, SITE_NAMING, f"its name {text} fits the site's own {pattern}"
