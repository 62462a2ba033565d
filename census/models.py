"""Maker, model and serial number of a device, by the best word there is on each."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from census import makers
from netready.device import Sighting

# Whose word on a model counts before whose: what the device or its management reads from its own board, then what it
# announces, then what a person typed.
_TRUST = ("snmp", "lldp", "cdp", "controller", "google", "intune", "jamf", "glpi", "mdns", "dhcp", "lease", "ssdp", "snipe-it")
_TEXTS = {"snmp": "sysdescr", "lldp": "description", "cdp": "description", "dhcp": "vendor_class", "lease": "vendor_class"}
_NOTHING = frozenset({"", "unknown", "unspecified", "n/a", "none", "not available", "default string", "to be filled by o.e.m."})
_WORDLESS = re.compile(r"^[\s.\-_0]*$")
_PART = re.compile(r"^\d{2}-\d{7}-\d{2}$")  # a part number of Brocade's where a model belongs
_THING = re.compile(r"\s+((intelligent|smart|managed|ethernet)\s+)*(switch|router|chassis)$", re.IGNORECASE)

_UP_TO_A_VERSION = r"(?P<model>[^;,/]*?\d[^;,/]*?)(?=,| version\b| v?\d+\.\d|;| /|/|$)"
# Where a model stands in sysDescr, in LLDP and CDP descriptions and in DHCP's vendor class; the first that fits counts.
_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        r"\bMfg=(?P<maker>[^;]*);.*?\bMod=(?P<model>[^;]+)(;Ser=(?P<serial>[^;]*))?",  # printers' vendor class
        r"^AXIS,[^,]*,(?P<model>[^,]+)",
        r"\bMN: ?(?P<model>[A-Z]\w+).*?\bSN: ?(?P<serial>\w+)",  # APC
        r"^MikroTik RouterOS \S+( \(\S+\))? (?P<model>\S+)",
        r"^RouterOS (?P<model>\S+)",
        r"ArubaOS \(MODEL: (?P<maker>Aruba)?(?P<model>[^)]+)\)",
        r"running on an (?P<maker>Arista) Networks (?P<model>\S+)",
        r"\bEC?OS\b.* (?P<model>DCS-\S+)",
        r"^(?P<maker>Aruba) (?P<model>[A-Z]\w{4,5} \d{4}\S*)",
        r"^(HP )?ProCurve (?P<model>J\d{4}[A-Z]|\d{6}-B21)",
        r"^HPE? (?P<model>J\w{4}A? )?ProCurve Switch (?P<other>\S+)",
        r"^HPE OfficeConnect Switch (?P<model>\S+ \S+ \S+ J\w{4}A)",
        r"\bPID:(?P<model>HP [^,;]+)",
        r"^(?P<maker>HP) (?P<model>Onboard Administrator)",
        r"^(?P<maker>H3C) Comware Platform Software (H3C )?(?P<model>\S+)\. Product Version",
        r"^(?P<maker>H3C) Switch (?P<model>\S+) Software",
        r"^(?P<maker>Juniper) Networks, ?Inc\.? (?P<upper>(?!SRC)[a-z]+\d[\w-]*)",
        r"^(Cisco )?(?P<maker>Meraki) (?P<model>M[A-Z]\d+\S*)",
        r"^Cisco (Systems,? Inc\.? )?IP Phone (?P<model>(CP-?)?\d[^\s,]+)",
        r"^cisco ios software(?: \[\w+\])?, (?P<model>[cisa]\S+) software",
        r"^(?P<maker>Palo Alto Networks) (?P<model>PA-\S+) series",
        r"^(?P<model>Forti(?:Gate|Switch|AP)-\S+)",
        r"^(?P<maker>SonicWALL) (?P<model>[^(]+?) \(",
        r"^(?P<maker>Brocade)[^,]*, Inc\.? (?P<model>\S+),",
        r"^Foundry[^,]*, Inc\.? (?P<model>\S+) ",
        r"^(?P<maker>Ruckus)[^,]*, Inc\.? Stacking System (?P<model>\S+),",
        r"^(?P<maker>Ruckus) (?P<model>[A-Z]\d{3}\w*) ",
        r"^(?P<model>DS[-_]\d{4}B)$",
        r"(?P<model>\bD[EGX]S-\d{3,4}[-\w/]*)",
        r"^(?P<maker>Ruijie) .*?\((?P<model>[^)]+)\) By Ruijie",
        r"^(?P<model>[A-Z]+\d{3,5}[-\w]*)\s+Huawei Versatile",
        r"^(?P<maker>Huawei) (?P<model>\S+) Huawei Versatile",
        r"^(?P<model>S\d{4,5}[-\w]*)$",
        r"^(?P<maker>ZTE) (Ethernet Switch )?(?P<model>ZXR10 [^,\s]+)",
        r"^(?P<model>\S+) Device, Compiled",
        r"^(?P<maker>Digital China) (?P<model>\S+)",
        r"^BDCOM\(tm\) (?P<model>\S+) Software",
        r"^(?P<maker>Topsec)\s+(?P<model>[\w-]+)\(",
        r"(?P<model>\S+) Product Version \S+",
        r"Hardware: (?P<maker>INFOSEC) (?P<model>NSAE \d+)",
        r"^DrayTek .*Router Model: (?P<model>[^,]+)",
        r"^(?P<model>(?:UAP|USW|US|U6|U7)-[A-Z0-9][\w-]*)",
        r"^(?P<model>X?GS\d{3,4}\S*)",
        r"^(?P<maker>AXIS) (?P<model>[A-Z]\d{4}\S*) ",
        r"^(?P<maker>Canon) (?P<model>iR\S* .+)$",
        r"^(?P<maker>Xerox|Lexmark|RICOH|Brother|EPSON|SHARP|KONICA MINOLTA|TOSHIBA|SAMSUNG|Dell|OKI) " + _UP_TO_A_VERSION,
        r"^(?P<maker>EATON) (?P<model>.+)$",
    )
)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a device is by name; None where nobody says it."""

    maker: str | None = None
    model: str | None = None
    serial: str | None = None


class _Said(msgspec.Struct, frozen=True):
    """What one sighting says of maker, model and serial number."""

    maker: str = ""
    model: str = ""
    serial: str = ""
    explicit: bool = False


def identity(sightings: Iterable[Sighting]) -> Identity:
    """The maker, model and serial number of one device, whose sightings these are."""
    ranked = sorted(
        (each for each in sightings if each.source in _TRUST),
        key=lambda each: (_TRUST.index(each.source), each.at, sorted(each.facts.items())),
    )
    told = [said for each in ranked for said in _told(each)]
    named = [said for said in told if said.explicit] + [said for said in told if not said.explicit]
    model = next((said.model for said in named if said.model), None)
    serial = next((said.serial for said in named if said.serial), None)
    maker = _maker(named, ranked)
    return Identity(maker=maker, model=_shorter(model, maker) if model else None, serial=serial)


def _told(sighting: Sighting) -> Iterator[_Said]:
    facts = sighting.facts
    yield _Said(_real(facts.get("maker")), _real(facts.get("model")), _real(facts.get("serial")), explicit=True)
    platform = _real(facts.get("platform"))
    if platform:
        yield _Said(model=re.sub(r"^cisco ", "", platform, flags=re.IGNORECASE), explicit=True)
    text = facts.get(_TEXTS.get(sighting.source, ""), "")
    found = next((found for shape in _SHAPES if (found := shape.search(text))), None)
    if found:
        parts = found.groupdict()
        model = parts.get("model") or parts.get("other") or (parts.get("upper") or "").upper()
        yield _Said(_real(parts.get("maker")), _real(model), _real(parts.get("serial")))


def _real(text: str | None) -> str:
    """`text` without what people and machines write into a field that must not be empty."""
    kept = (text or "").strip()
    kept = kept[1:-1].strip() if kept.startswith("(") and kept.endswith(")") else kept  # Bonjour printing's "product"
    return "" if kept.lower() in _NOTHING or _WORDLESS.match(kept) or _PART.match(kept) else kept


def _maker(named: list[_Said], ranked: list[Sighting]) -> str | None:
    """By its own word, else by the brand in a model or description, else by IANA's number."""
    for said in named:
        if said.maker:
            return makers.plain(said.maker)
    texts = [said.model for said in named if said.model]
    texts += [
        each.facts[fact]
        for each in ranked
        for fact in ("sysdescr", "description", "platform", "vendor_class")
        if fact in each.facts
    ]
    for text in texts:
        if maker := makers.of_words(text):
            return maker
    numbers = (makers.of_number(each.facts["sysobjectid"]) for each in ranked if "sysobjectid" in each.facts)
    return next((maker for maker in numbers if maker), None)


def _shorter(model: str, maker: str | None) -> str:
    """A model without its maker's name before it and the kind of thing behind it."""
    words = model.split()
    while maker and len(words) > 1:
        if " ".join(words[:2]).lower() == maker.lower():
            words = words[2:]
        elif makers.named(words[0]) == maker or words[0].lower() == "switch":
            words = words[1:]
        else:
            break
    return _THING.sub("", " ".join(words)) or model
