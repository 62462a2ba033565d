"""THE VIRTUAL SCHOOL's people and things: one row for each host, with what it shouts on the network.

MACs carry prefixes of real vendors, so that vendor look-up has something to find, or the locally administered bit, as
phones and laptops with "private addresses" do. Addresses are private; nobody's device is described here.
"""

import msgspec


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """One host.

    kind          a word of netready.device.Kind
    services      DNS-SD service types it announces over mDNS (RFC 6763), without ".local"
    text          what its TXT records say, "key=value"
    ssdp          device type of its SSDP NOTIFY (UPnP Device Architecture 1.1), or ""
    vendor_class  DHCP option 60, or "" when it sends none
    parameters    DHCP option 55; empty: it does not speak DHCP (a fixed address)

    On the campus (lab.campus) only:
    vlan          number of its VLAN
    switch, port  where its cable begins; a wireless host has none
    point         the access point that it is a client of
    model, serial of the thing itself, as LLDP-MED or an asset list says them
    system        the operating system that an access point takes it for
    six           it speaks IPv6 too (lab.six)
    offers        an address that it offers to others, as a DHCP server that nobody wants
    """

    name: str
    kind: str
    mac: str
    address: str
    room: str = ""
    services: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    ssdp: str = ""
    vendor_class: str = ""
    parameters: tuple[int, ...] = ()
    vlan: int = 0
    switch: str = ""
    port: int = 0
    point: str = ""
    model: str = ""
    serial: str = ""
    system: str = ""
    six: bool = False
    offers: str = ""


CHROME = (1, 121, 33, 3, 6, 12, 15, 26, 28, 51, 54, 58, 59, 119)
WINDOWS = (1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252)
APPLE = (1, 121, 3, 6, 15, 108, 114, 119, 252)
ANDROID = (1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114, 108)
PRINTER = (6, 3, 1, 15, 66, 67, 13, 44, 12, 81)
EMBEDDED = (1, 3, 6, 12, 15, 28, 42)

# A Chromebook's MAC names the maker of its radio (here AzureWave and Intel), not of the computer.
RADIOS = ("80:c5:f2", "74:c6:3b", "3c:a9:f4", "34:13:e8")


def _chromebook(number: int) -> Host:
    return Host(
        name=f"chromebook-{number:02}",
        kind="student-device",
        mac=f"{RADIOS[number % len(RADIOS)]}:20:00:{number:02x}",
        address=f"10.20.0.{100 + number}",
        room=f"1{number // 8:02}",
        vendor_class="dhcpcd-9.4.1:Linux-5.15:x86_64:GenuineIntel" if number % 2 else "",
        parameters=CHROME,
    )


def _printer(name: str, mac: str, address: str, *, room: str, model: str, vendor_class: str = "") -> Host:
    return Host(
        name=name,
        kind="printer",
        mac=mac,
        address=address,
        room=room,
        services=("_ipp._tcp", "_printer._tcp"),
        text=(f"ty={model}", f"note=Room {room}", "pdl=application/pdf"),
        vendor_class=vendor_class,
        parameters=PRINTER,
    )


def _access_point(number: int, mac: str, vendor_class: str) -> Host:
    return Host(
        name=f"ap-{number:02}",
        kind="access-point",
        mac=mac,
        address=f"10.20.0.{20 + number}",
        room=f"10{number}",
        vendor_class=vendor_class,
        parameters=EMBEDDED,
    )


def _laptop(number: int, mac: str, vendor_class: str, parameters: tuple[int, ...]) -> Host:
    return Host(
        name=f"staff-laptop-{number}",
        kind="staff-device",
        mac=mac,
        address=f"10.20.0.{60 + number}",
        vendor_class=vendor_class,
        parameters=parameters,
    )


HOSTS: tuple[Host, ...] = (
    Host(
        name="fileserver",
        kind="server",
        mac="b8:ca:3a:10:00:10",
        address="10.20.0.10",
        room="server room",
        services=("_smb._tcp", "_ssh._tcp"),
    ),
    Host(name="ups", kind="ups", mac="00:c0:b7:10:00:11", address="10.20.0.11", room="server room", parameters=EMBEDDED),
    _access_point(1, "88:15:44:10:00:21", "Cisco AP c9120"),
    _access_point(2, "94:b4:0f:10:00:22", "ArubaAP"),
    _access_point(3, "94:b4:0f:10:00:23", "ArubaAP"),
    _access_point(4, "24:a4:3c:10:00:24", "ubnt"),
    _printer(
        "printer-office",
        "3c:d9:2b:10:00:31",
        "10.20.0.31",
        room="001",
        model="LaserJet M507",
        vendor_class="Hewlett-Packard JetDirect",
    ),
    _printer("printer-library", "30:05:5c:10:00:32", "10.20.0.32", room="110", model="HL-L6400DW"),
    _printer(
        "printer-staff",
        "64:eb:8c:10:00:33",
        "10.20.0.33",
        room="004",
        model="WF-C5790",
        vendor_class="Mfg=EPSON;Typ=Printer;Mod=WF-C5790",
    ),
    Host(
        name="camera-gate",
        kind="camera",
        mac="00:40:8c:10:00:41",
        address="10.20.0.41",
        room="gate",
        services=("_axis-video._tcp", "_rtsp._tcp"),
        ssdp="urn:schemas-upnp-org:device:Basic:1",
        parameters=EMBEDDED,
    ),
    Host(
        name="display-hall",
        kind="display",
        mac="54:60:09:10:00:42",
        address="10.20.0.42",
        room="hall",
        services=("_googlecast._tcp",),
        text=("md=Chromecast", "fn=Hall display"),
        ssdp="urn:dial-multiscreen-org:device:dial:1",
        parameters=ANDROID,
    ),
    Host(
        name="phone-office",
        kind="phone",
        mac="80:5e:c0:10:00:43",
        address="10.20.0.43",
        room="001",
        vendor_class="yealink",
        parameters=EMBEDDED,
    ),
    _laptop(1, "a4:83:e7:10:00:61", "", APPLE),
    _laptop(2, "8c:16:45:10:00:62", "MSFT 5.0", WINDOWS),
    _laptop(3, "8c:16:45:10:00:63", "MSFT 5.0", WINDOWS),
    _laptop(4, "da:a1:19:10:00:64", "MSFT 5.0", WINDOWS),
    Host(
        name="phone-pupil-1",
        kind="student-device",
        mac="5a:3c:10:10:00:71",
        address="10.20.0.71",
        vendor_class="android-dhcp-13",
        parameters=ANDROID,
    ),
    Host(name="phone-pupil-2", kind="student-device", mac="e6:10:7f:10:00:72", address="10.20.0.72", parameters=APPLE),
    *(_chromebook(number) for number in range(1, 29)),
)
