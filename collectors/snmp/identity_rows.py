"""Where makers keep the model and serial number of their devices, as rows; and what their descriptions give away.

Every number is below the maker's enterprise number. What a description gives away is the weaker source.
"""

import re

import msgspec

from collectors.snmp.ber import Oid
from collectors.snmp.reading import ENTERPRISES, Module, When


def _corner(name: str, root: Oid, /, *, makers: tuple[Oid, ...] = (), table: bool = False, **columns: int | Oid) -> Module:
    """A maker's own corner, read of that maker's devices, or of those of `makers`; values, or the first row of a table."""
    return Module(
        name=name,
        root=(*ENTERPRISES, *root),
        columns=columns,
        when=When(makers=makers or (root[:1],)),
        alone=not table,
    )


NET_SNMP: Oid = (8072,)  # runs on anything: NAS boxes, cameras, access points
MODULES = (
    _corner("own-hp", (11, 2, 36, 1, 1, 2), serial=9),  # hpHttpMgSerialNumber
    _corner("own-jetdirect", (11, 2, 3, 9, 4, 2, 1, 1, 3), makers=((11, 2, 3, 9),), model=2, serial=3),
    _corner("own-apc", (318, 1, 1, 1, 1), model=(1, 1), firmware=(2, 1), serial=(2, 3)),  # PowerNet-MIB upsIdent
    _corner("own-apc-pdu", (318, 1, 1, 12, 1), firmware=3, model=5, serial=6),  # rPDUIdent
    _corner("own-liebert", (476, 1, 42, 2, 4, 2, 1), table=True, maker=3, model=4, firmware=5),  # lgpAgentDevice
    _corner("own-eaton", (534, 1, 1), makers=((534,), (705,)), maker=1, model=2, software=3),  # XUPS-MIB xupsIdent
    _corner("own-mge", (705, 1, 1), family=1, model=2, serial=7),  # MG-SNMP-UPS-MIB upsmgIdent
    _corner("own-netapp", (789, 1, 1), model=5, serial=9),
    _corner("own-juniper", (2636, 3, 1), serial=3),  # jnxBoxSerialNo; the description has the model
    _corner("own-netgear", (4526, 10, 1, 1, 1), model=3, serial=4),  # agentInventory
    _corner("own-netgear-smart", (4526, 11, 1, 1, 1), model=3, serial=4),
    _corner("own-synology", (6574, 1, 5), makers=((6574,), NET_SNMP), model=1, serial=2, software=3),
    _corner("own-qnap", (24681, 1, 2), makers=((24681,), (55062,), NET_SNMP), model=12),
    _corner("own-vmware", (6876, 1), software=2),
    _corner("own-sonicwall", (8741, 2, 1, 1), model=1, serial=2, firmware=3),
    _corner("own-fortinet", (12356, 100, 1, 1), serial=1),  # fnSysSerial
    _corner("own-fortigate", (12356, 101, 4, 1), makers=((12356, 101),), software=1),  # fgSysVersion
    _corner("own-airespace", (14179, 1, 1, 1), makers=((14179,), (9, 1)), model=3, serial=4, software=14),  # agentInventory
    _corner("own-aruba", (14823, 2, 2, 1, 2, 1), software=28, serial=29),  # wlsxSysExt
    _corner("own-mikrotik", (14988, 1, 1, 7), serial=3, firmware=4, model=8),  # mtxrSystem
    _corner("own-geist", (21239, 5, 1, 1), model=1, software=2, serial=10),
    _corner("own-ruckus-ap", (25053, 1, 1, 2, 1, 1, 1), model=1, serial=2),  # ruckusHwInfo
    _corner("own-ruckus-director", (25053, 1, 2, 1, 1, 1, 1), model=9, serial=15, software=18),  # ruckusZDSystem
    _corner("own-ruckus-unleashed", (25053, 1, 15, 1, 1, 1, 1), model=9, serial=15, software=18),
    _corner("own-ruckus-zone", (25053, 1, 8, 1, 1, 1, 1, 1, 1), table=True, model=3),  # ruckusCtrlSystemNode
    _corner("own-paloalto", (25461, 2, 1, 2, 1), software=1, serial=3),  # panSys
    _corner("own-metel", (38616, 1, 1), serial=2),
    _corner("own-hikvision", (39165, 1), model=1, software=3, maker=6),
    _corner("own-unifi", (41112, 1, 6, 3), makers=((41112,), (10002,), NET_SNMP), model=3, software=6),  # unifiApSystem
)
# A number by which spares are ordered: "710-030012", "40-1000165-14".
PART_NUMBER = re.compile(r"\d+(-\d+)+")
# A word of a part's description that is a model: "ME60-X8", "SNS2124"; letters, then digits.
NAMED = re.compile(r"\b[A-Za-z]{1,10}_?-?\d[\w/-]*")


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a sysDescr gives away: the pattern's groups are facts.

    makers  below `ENTERPRISES`
    maker   told where the enterprise number is not the maker's own
    sure    it names the model better than the chassis does
    """

    makers: tuple[Oid, ...]
    pattern: re.Pattern[str]
    maker: str = ""
    sure: bool = False


def _says(pattern: str, *makers: int, maker: str = "", sure: bool = False) -> Described:
    compiled = re.compile(pattern, re.IGNORECASE)
    return Described(makers=tuple((each,) for each in makers), pattern=compiled, maker=maker, sure=sure)


# The first row that fits names the model, and likewise for each other fact.
DESCRIBED: tuple[Described, ...] = (
    _says(r"Cisco IOS Software.*?, Version (?P<software>[^, ]+)", 9),
    _says(r"Cisco NX-OS.*?, Version (?P<software>[^, ]+)", 9),
    _says(r"\b(?P<model>J[LR]?\d{3,4}[A-Z] [^,]*?)(?: Switch[^,]*)?,? revision (?P<software>[^, ]+)", 11),
    _says(r"\b(?P<model>(?:J[LR]?\d{3,4}[A-Z]|R\d[A-Z]\d{2}[A-Z]))\b.* (?P<software>[A-Z]{2}\.\d[\w.]+)", 11, 47196),
    _says(r"^HP (?P<model>Onboard Administrator)", 11),
    _says(r"PID:(?:HP )?(?P<model>[^,;]+)", 11),
    _says(r"\b(?P<model>D[A-Z]S-[\w-]+)", 171),
    _says(r"Xerox (?P<model>[^;]+);", 253),
    _says(r"(?:RICOH|SAVIN|LANIER|NRG|Gestetner) (?P<model>.+?) (?P<firmware>\d[\d.]*) /", 367),
    _says(r"AXIS (?P<model>[\w-]+);.*?; (?P<firmware>\d[\d.]+)", 368),
    _says(r"Lexmark (?P<model>\S+) version (?P<firmware>\S+)", 641),
    _says(r"(?:Dell (?:EMC )?Networking |PowerConnect )(?P<model>\w+)(?:, (?P<software>[\d.]+))?", 674),
    _says(r"(?P<model>(?:X?[GM]S|ES|NWA|WAC|WAX|USG|ATP|VMG|NXC)[\w-]*\d[\w-]*)", 890),
    _says(r"EPSON (?P<model>.+)", 1248),
    _says(r"^(?P<model>[A-Z]{2,}-\d\w+)$", 1588, sure=True),
    _says(r"Canon (?P<model>.+?)(?: /P)?$", 1602),
    _says(r"ExtremeXOS \((?P<model>[\w.-]+)\) version (?P<software>\S+)", 1916),
    _says(
        r"Communications Systems, Inc\. (?:Stacking System )?(?P<model>[^,]+), IronWare Version (?P<software>\w[\w.]*?)T", 1991
    ),
    _says(r"Hardware: INFOSEC (?P<model>NSAE \w+)", 27971),
    _says(r"^(?:Huawei )?(?P<model>[A-Z]{1,4}\d[\w-]*)", 2011, sure=True),
    _says(r"Version (?P<software>[\d.]+) \([^)]*\)", 2011),
    _says(r"Brother (?P<model>[^;,]+)", 2435),
    _says(r"Inc\. (?P<model>\w+\d\S*) .*?JUNOS (?P<software>[\w.-]+)", 2636),
    _says(r"^BDCOM\(tm\) (?P<model>\S+) Software, Version (?P<software>\S+)", 3320),
    _says(r"(?P<model>ZXR10 [\w-]+).*?Version:? (?P<software>[\w.]+)", 3902, sure=True),
    _says(r"(?P<model>(?:GS|GSM|JGS|FS|XS|M\d|WAC|WAX|WND)\d?\w+)", 4526),
    _says(r"\((?P<model>[\w/.-]+)\) By Ruijie", 4881, sure=True),
    _says(r"Firewall (?P<software>\d[\w.-]+)", 5089),
    _says(r"^(?P<model>SM[\w-]+) Device", 5651),
    _says(r"\b(?P<model>DC\w+-[\w-]+)", 6339),
    _says(r"Netentsec (?P<model>\w+)", 30803, maker="Netentsec"),
    _says(r"(?:Vyatta|VyOS) (?P<software>\S*\d\S*)?", 30803, maker="Vyatta"),
    _says(r"Software: (?P<software>Windows.*? Version [\d.]+)", 311),
    _says(r"OneFS v(?P<software>[\d.]+)", 12124),
    _says(r"Topsec (?P<model>[\w-]+)\(", 14331),
    _says(r"Inc (?P<model>WLC\w+) (?P<software>[\d.]+)", 14525),
    _says(r"ArubaOS \(MODEL: (?:Aruba)?(?P<model>[\w-]+)\), Version (?P<software>\S+)", 14823, sure=True),
    _says(r"RouterOS (?P<model>\S+)", 14988),
    _says(r"VSOS-(?P<software>\w+)", 15227),
    _says(r"^KONICA MINOLTA (?P<model>.+)", 18334),
    _says(r"^(?P<model>Optimizer [\w-]+)", 21671),
    _says(r"H3C (?P<model>[A-Z]+\d[\w-]+)", 25506),
    _says(r"Comware .*?Software[, ]+(?P<model>[A-Z]+\d\w+)\.", 25506),
    _says(r"(?P<model>DP\w*-\w+) Product Version", 31648, sure=True),
    _says(r"^Linux (?P<model>AD-[\w-]+|vAD\d*) ", 35047),
    _says(r"(?P<model>IPS-\d+)", 37940, maker="WDT"),
    _says(r"(?P<model>Edge(?:Switch|Router|Point)[^,]*)(?:, (?P<software>[\d.]+))?", 41112),
    _says(r"^(?P<model>U(?:AP|SW|[67]|DM)[\w-]*) (?P<software>[\d.]+)", 41112, 10002, 8072, maker="Ubiquiti"),
    _says(r"^(?P<model>\S+)", 38616),
    _says(r"^Hikvision ", 50001, maker="Hikvision"),
)


def described(objectid: Oid, descr: str) -> dict[str, str]:
    """What a device's description says of it, beside its sysObjectID."""
    below = objectid[len(ENTERPRISES) :]
    found: dict[str, str] = {}
    for row in DESCRIBED:
        if not any(below[: len(maker)] == maker for maker in row.makers):
            continue
        if match := row.pattern.search(descr):
            words = {fact: value.strip() for fact, value in match.groupdict(default="").items()}
            words |= {"maker": row.maker, "sure": "yes" if row.sure else ""}
            found = {fact: value for fact, value in words.items() if value} | found
    return found
