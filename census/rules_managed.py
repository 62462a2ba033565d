"""Rows of evidence: what managed devices say in numbers and roles, over SNMP, LLDP and CDP, and what controllers say of others.

IANA's enterprise numbers for sysObjectID, RFC 3418 for sysServices, IEEE 802.1AB for capabilities, ANSI/TIA-1057 for classes.
"""

from census.evidence import Rule, rows
from netready.device import Kind


def _enterprises(kind: Kind, weight: int, **numbers: str) -> tuple[Rule, ...]:
    """Makers of one sort of thing, by their IANA enterprise number and what may follow it."""
    return tuple(
        Rule(kind, weight, "snmp", "sysobjectid", f"1.3.6.1.4.1.{tail}{end}", maker.replace("_", " "))
        for maker, tail in numbers.items()
        for end in ("", ".*")
    )


MANAGED: tuple[Rule, ...] = (
    # --- sysObjectID -------------------------------------------------------------------------------------------------------
    *_enterprises(Kind.PRINTER, 7, Brother="2435", Ricoh="367", Canon="1602", Lexmark="641", Xerox="253", Kyocera="1347"),
    *_enterprises(
        Kind.PRINTER, 7, Konica_Minolta="18334", Epson="1248", Sharp="2385", Oki="2001", Zebra="10642", Toshiba="1129"
    ),
    *_enterprises(Kind.PRINTER, 7, Fuji_Xerox="297", JetDirect="11.2.3.9", Samsung_printers="236.11"),
    *_enterprises(Kind.UPS, 6, APC="318", Eaton="534", MGE="705", CyberPower="3808", Tripp_Lite="850", Phoenixtec="935"),
    *_enterprises(Kind.UPS, 5, Liebert="476", Emerson="13400", Socomec="4555", Riello="5491"),
    *_enterprises(
        Kind.IOT, 8, APC_rack_PDU="318.1.3.4", APC_environment="318.1.3.8", Raritan="13742", Server_Technology="1718"
    ),
    *_enterprises(Kind.IOT, 7, Geist="21239", AKCP="3854", NetBotz="5528", ServersCheck="17095"),
    *_enterprises(
        Kind.FIREWALL, 7, Palo_Alto="25461", SonicWall="8741", FortiGate="12356.101", WatchGuard="3097", Sophos="2604"
    ),
    *_enterprises(Kind.FIREWALL, 6, Check_Point="2620", NetScreen="3224", Clavister="5089", Topsec="14331", Venustech="15227"),
    *_enterprises(Kind.FIREWALL, 5, NSFOCUS="19849", Sangfor="35047.2.1"),
    *_enterprises(Kind.ACCESS_POINT, 7, Ubiquiti_airOS="41112.1.4", Ubiquiti_UniFi="41112.1.6", Cambium="17713"),
    *_enterprises(Kind.ACCESS_POINT, 4, Ruckus="25053", Aerohive="26928", Ubiquiti="41112", Ubiquiti_Networks="10002"),
    *_enterprises(
        Kind.ROUTER,
        6,
        EdgeOS="41112.1.5",
        DrayTek="7367",
        ADTRAN="664",
        Vyatta="30803",
        Huawei_ME60="2011.2.89",
        Huawei_NE="2011.2.62",
    ),
    *_enterprises(Kind.SWITCH, 7, HP_switches="11.2.3.7.11", FortiSwitch="12356.106", D_Link="171.10", Netgear="4526.100"),
    *_enterprises(
        Kind.SWITCH, 6, Foundry="1991.1.3", Arista="30065", Extreme="1916.2", Aruba_CX="47196.4.1", Aruba="14823.1.1"
    ),
    # Makers of little else, by the public registry; the tree below the number is the maker's own.
    *_enterprises(Kind.SWITCH, 5, Extreme_all="1916", Enterasys="5624", Cabletron="52", Force10="6027", OmniSwitch="6486.80"),
    *_enterprises(Kind.SWITCH, 5, OmniSwitch_AOS="6486.800", OmniSwitch_AOS_7="6486.801", Dell_Networking="674.10895"),
    *_enterprises(Kind.SWITCH, 5, Lenovo_Networking="19046", Blade_Networks="26543", Blade="20301", Pica8="35098"),
    *_enterprises(Kind.SWITCH, 5, Cumulus="40310", Mellanox="33049", Accton="259", Ruijie="4881", Digital_China="6339"),
    *_enterprises(Kind.SWITCH, 5, BDCOM="3320", Maipu="5651", Planet="10456", TP_Link_switches="11863.5", FASTPATH="4413"),
    *_enterprises(Kind.SWITCH, 5, Bay_stackables="45.3", Rapid_City="2272", Nexans="266", Hirschmann="248", Moxa="8691"),
    *_enterprises(Kind.SWITCH, 5, H3C="25506.1", Huawei_3Com="43.1.16.4.3", ThreeCom_switches="43.10.27", Cisco_small="9.6.1"),
    *_enterprises(Kind.SWITCH, 8, Airespace="14179.1.1", HP_Virtual_Connect="11.5.7.5"),
    *_enterprises(Kind.ROUTER, 5, Wellfleet="18", Unisphere="4874", Redback="2352", TiMetra="6527", OneAccess="13191"),
    *_enterprises(Kind.ROUTER, 5, Teltonika="48690", Peplink="23695", Tasman="3174", Cradlepoint="20992", Sierra="20542"),
    *_enterprises(Kind.ROUTER, 3, MikroTik="14988"),
    *_enterprises(Kind.FIREWALL, 5, Stormshield="11256", Genua="3717", Secure_Access="12532", Altiga="3076", Contivity="2505"),
    *_enterprises(Kind.FIREWALL, 5, Fortinet="12356", Barracuda="10704", Smoothwall="6047"),
    *_enterprises(Kind.SERVER, 5, F5="3375", NetScaler="5951", Alteon="1872", Blue_Coat="3417", Radware="89", Sun="42"),
    *_enterprises(Kind.ACCESS_POINT, 5, Proxim="11898", Symbol="388", Aironet="522", Colubris="8744", Mist="49970"),
    *_enterprises(Kind.SWITCH, 5, Meru="15983", Trapeze="14525", Allied_Telesis="207.1", Sangfor_WAC="35047.2.12"),
    *_enterprises(Kind.SWITCH, 5, Cisco_NX_OS="9.12.3.1.3", Brocade="1588.2.1.1", ZTE="3902.3", Huawei_S="2011.2.23"),
    *_enterprises(Kind.CAMERA, 6, Hikvision="39165", Hikvision_old="50001", Axis="368", Hanwha="36849"),
    *_enterprises(Kind.PHONE, 6, Polycom="13885", Yealink="37459", Snom="7526"),
    *_enterprises(
        Kind.SERVER, 7, VMware="6876", NetApp="789", Isilon="12124", Synology="6574", QNAP="24681", iDRAC="674.10892"
    ),
    *_enterprises(Kind.SERVER, 7, Windows_Server="311.1.1.3.1.2", Windows_Datacenter="311.1.1.3.1.3", iBMC="2011.2.235"),
    *_enterprises(Kind.SERVER, 6, OceanStor="2011.2.91", HP_enclosures="11.5.7", HP_servers="232.9"),
    *_enterprises(Kind.SERVER, 3, net_snmp="8072.3.2"),
    *_enterprises(Kind.COMPUTER, 7, Windows_workstation="311.1.1.3.1.1"),
    # --- Special tables, sysServices ---------------------------------------------------------------------------------------
    *rows(Kind.PRINTER, 7, "snmp", "mibs", "* printer *", means="it has the printers' own tables"),
    *rows(Kind.UPS, 7, "snmp", "mibs", "* ups *", means="it has the tables of uninterruptible power supplies"),
    *rows(Kind.ACCESS_POINT, 6, "snmp", "mibs", "* wireless *", means="it has the tables of radios"),
    *rows(Kind.SWITCH, 5, "snmp", "layers", "bridge", "bridge and router"),
    *rows(Kind.ROUTER, 4, "snmp", "layers", "router"),
    *rows(Kind.SWITCH, 3, "snmp", "layers", "bridge router host"),
    *rows(Kind.ROUTER, 2, "snmp", "layers", "bridge router host"),
    *rows(Kind.SWITCH, 1, "snmp", "bridge", "*", means="it has a bridge's address"),
    # --- LLDP and CDP. A telephone and an access point bridge as well, so the rarer capability is the one that tells ---------
    *rows(Kind.PHONE, 8, "lldp", "role", "telephone"),
    *rows(Kind.ACCESS_POINT, 8, "lldp", "role", "access point"),
    *rows(Kind.SWITCH, 7, "lldp", "role", "bridge"),
    *rows(Kind.ROUTER, 7, "lldp", "role", "router"),
    *rows(Kind.ROUTER, 5, "lldp", "role", "cable modem"),
    *rows(Kind.COMPUTER, 1, "lldp", "role", "station"),
    *rows(Kind.PHONE, 6, "lldp", "class", "3", means="LLDP-MED: a communication device"),
    *rows(Kind.PHONE, 8, "cdp", "role", "telephone"),
    *rows(Kind.SWITCH, 4, "cdp", "role", "bridge"),
    *rows(Kind.ROUTER, 4, "cdp", "role", "router"),
    *rows(Kind.COMPUTER, 1, "cdp", "role", "station"),
    # --- What others say of it ---------------------------------------------------------------------------------------------
    *rows(Kind.ACCESS_POINT, 9, "controller", "seen", "yes", means="a wireless controller lists it as an access point"),
    *(
        rule
        for kind in (Kind.ACCESS_POINT, Kind.SWITCH, Kind.ROUTER, Kind.FIREWALL, Kind.UPS)
        for rule in rows(kind, -2, "wifi", "seen", "yes", means="it is a client of an access point")
    ),
    # --- What it was seen doing --------------------------------------------------------------------------------------------
    *rows(Kind.SWITCH, 3, "stp", "seen", "yes", means="it takes part in spanning tree, as bridges do"),
    *rows(Kind.ROUTER, 3, "nd", "router", "yes", means="it advertises itself as an IPv6 router"),
    *rows(Kind.ROUTER, 2, "icmp", "router", "yes", means="it answered for another network"),
    *rows(Kind.ROUTER, 1, "arp", "proxy", "yes", means="it answers for other addresses"),
    *rows(Kind.ROUTER, 3, "dhcp-server", "seen", "yes", means="it gives out addresses"),
    *rows(Kind.SERVER, 3, "dhcp-server", "seen", "yes", means="it gives out addresses"),
    *rows(Kind.COMPUTER, 4, "dhcp-server", "serves", "192.168.137.*", means="the network that Windows shares"),
    *rows(Kind.COMPUTER, 3, "arp", "self", "yes", means="this machine"),
)
# What a device does, as against what it is said to be: many kinds bridge, route and give out addresses.
DEEDS = frozenset(
    {
        ("snmp", "layers"),
        ("snmp", "bridge"),
        ("stp", "seen"),
        ("nd", "router"),
        ("icmp", "router"),
        ("arp", "proxy"),
        ("dhcp-server", "seen"),
    }
)
DEED_ROLES = frozenset({Kind.SWITCH, Kind.ROUTER})  # of the roles in LLDP and CDP, those that many kinds play
