"""THE VIRTUAL SCHOOL's people and things on the campus: where each is plugged in, or which access point it hangs on."""

from lab.campus import INFRASTRUCTURE, STAFF, STUDENTS
from lab.school import ANDROID, APPLE, CHROME, EMBEDDED, PRINTER, RADIOS, WINDOWS, Host

_AP_MODEL = "AP-515"


def _point(room: str, number: int, switch: str, port: int) -> Host:
    return Host(
        name=f"ap-{room}",
        kind="access-point",
        mac=f"94:b4:0f:30:00:{number:02x}",
        address=f"10.22.0.{20 + number}",
        vlan=INFRASTRUCTURE,
        switch=switch,
        port=port,
        vendor_class="ArubaInstantAP",
        parameters=EMBEDDED,
        model=_AP_MODEL,
        serial=f"CNVSAP{number:04}",
    )


POINTS = (
    _point("hall", 1, "switch-1", 7),
    _point("001", 2, "switch-1", 9),
    _point("002", 3, "switch-1", 11),
    _point("101", 4, "switch-2", 1),
    _point("102", 5, "switch-2", 3),
    _point("103", 6, "switch-2", 5),
)
_TEACHING = POINTS[1:]


def _chromebook(number: int, point: str) -> Host:
    return Host(
        name=f"chromebook-{number:02}",
        kind="student-device",
        mac=f"{RADIOS[number % len(RADIOS)]}:21:00:{number:02x}",
        address=f"10.21.{number % 2}.{100 + number}",  # both halves of the /23
        vlan=STUDENTS,
        point=point,
        vendor_class="dhcpcd-9.4.1:Linux-5.15:x86_64:GenuineIntel" if number % 2 else "",
        parameters=CHROME,
        model="Lenovo 100e Chromebook" if number <= 4 else "Lenovo 300e Chromebook Gen 3",
        serial=f"PF0VS{number:03}",
        system="ChromeOS",
        six=True,
    )


def _laptop(number: int, point: str, mac: str, system: str) -> Host:
    windows = system == "Windows"
    return Host(
        name=f"staff-laptop-{number}",
        kind="staff-device",
        mac=mac,
        address=f"10.20.0.{60 + number}",
        vlan=STAFF,
        point=point,
        vendor_class="MSFT 5.0" if windows else "",
        parameters=WINDOWS if windows else APPLE,
        system=system,
        six=True,
    )


def _phone(number: int, point: str, mac: str, system: str) -> Host:
    android = system == "Android"
    return Host(
        name=f"phone-pupil-{number}",
        kind="student-device",
        mac=mac,
        address=f"10.21.1.{200 + number}",
        vlan=STUDENTS,
        point=point,
        vendor_class="android-dhcp-13" if android else "",
        parameters=ANDROID if android else APPLE,
        system=system,
        six=True,
    )


def _desktop(name: str, number: int, switch: str, port: int, *, vlan: int = STAFF) -> Host:
    """A Windows computer on a cable; a pupil's in the students' VLAN, else a member of staff's."""
    pupil = vlan == STUDENTS
    return Host(
        name=name,
        kind="student-device" if pupil else "staff-device",
        mac=f"d4:be:d9:20:00:{number:02x}",
        address=f"10.21.0.{40 + number}" if pupil else f"10.20.0.{80 + number}",
        vlan=vlan,
        switch=switch,
        port=port,
        vendor_class="MSFT 5.0",
        parameters=WINDOWS,
        six=True,
    )


def _printer(name: str, mac: str, address: str, *, switch: str, port: int, model: str, vendor_class: str = "") -> Host:
    return Host(
        name=name,
        kind="printer",
        mac=mac,
        address=address,
        vlan=STAFF,
        switch=switch,
        port=port,
        services=("_ipp._tcp", "_printer._tcp"),
        text=(f"ty={model}", "pdl=application/pdf"),
        vendor_class=vendor_class,
        parameters=PRINTER,
    )


_THINGS = (
    Host(
        name="fileserver",
        kind="server",
        mac="b8:ca:3a:30:00:10",
        address="10.22.0.10",
        vlan=INFRASTRUCTURE,
        switch="switch-1",
        port=1,
        services=("_smb._tcp", "_ssh._tcp"),
    ),
    Host(
        name="ups",
        kind="ups",
        mac="00:c0:b7:30:00:11",
        address="10.22.0.11",
        vlan=INFRASTRUCTURE,
        switch="switch-1",
        port=2,
        parameters=EMBEDDED,
    ),
    _printer(
        "printer-office",
        "3c:d9:2b:30:00:31",
        "10.20.0.31",
        switch="switch-1",
        port=3,
        model="LaserJet M507",
        vendor_class="Hewlett-Packard JetDirect",
    ),
    Host(
        name="phone-office",
        kind="phone",
        mac="80:5e:c0:30:00:43",
        address="10.20.0.43",
        vlan=STAFF,
        switch="switch-1",
        port=4,
        vendor_class="yealink",
        parameters=EMBEDDED,
        model="SIP-T46U",
        serial="VSPHONE0001",
    ),
    _desktop("office-desktop", 1, "switch-1", 4),  # behind the telephone
    Host(
        name="camera-gate",
        kind="camera",
        mac="00:40:8c:30:00:41",
        address="10.22.0.41",
        vlan=INFRASTRUCTURE,
        switch="switch-1",
        port=5,
        services=("_axis-video._tcp", "_rtsp._tcp"),
        ssdp="urn:schemas-upnp-org:device:Basic:1",
        parameters=EMBEDDED,
    ),
    Host(
        name="display-hall",
        kind="display",
        mac="54:60:09:30:00:42",
        address="10.21.0.30",
        vlan=STUDENTS,
        switch="switch-1",
        port=6,
        services=("_googlecast._tcp",),
        text=("md=Chromecast", "fn=Hall display"),
        ssdp="urn:dial-multiscreen-org:device:dial:1",
        parameters=ANDROID,
    ),
    _printer("printer-library", "30:05:5c:30:00:32", "10.20.0.32", switch="switch-1", port=8, model="HL-L6400DW"),
    _desktop("teacher-001", 2, "switch-1", 10),
    _desktop("teacher-002", 3, "switch-1", 12),
    # Four on one port: a little switch that nobody manages stands under a desk there.
    _desktop("staff-desktop-1", 4, "switch-1", 13),
    _desktop("staff-desktop-2", 5, "switch-1", 13),
    _desktop("staff-desktop-3", 6, "switch-1", 13),
    _printer(
        "printer-staff",
        "64:eb:8c:30:00:33",
        "10.20.0.33",
        switch="switch-1",
        port=13,
        model="WF-C5790",
        vendor_class="Mfg=EPSON;Typ=Printer;Mod=WF-C5790",
    ),
    Host(  # somebody brought it from home, with its DHCP server
        name="home-router",
        kind="router",
        mac="50:c7:bf:30:00:50",
        address="10.20.0.250",
        vlan=STAFF,
        switch="switch-1",
        port=14,
        ssdp="urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        offers="10.20.0.251",
    ),
    _desktop("teacher-104", 7, "switch-1", 15),
    _desktop("teacher-101", 8, "switch-2", 2),
    _desktop("teacher-102", 9, "switch-2", 4),
    _desktop("teacher-103", 10, "switch-2", 6),
    *(_desktop(f"lab-pc-{number}", 10 + number, "switch-2", 6 + number, vlan=STUDENTS) for number in range(1, 5)),
    Host(
        name="display-library",
        kind="display",
        mac="54:60:09:30:00:44",
        address="10.21.0.31",
        vlan=STUDENTS,
        switch="switch-2",
        port=11,
        services=("_googlecast._tcp",),
        text=("md=Chromecast", "fn=Library display"),
        parameters=ANDROID,
    ),
    _desktop("it-desktop", 15, "switch-2", 13),
)

PEOPLE_AND_THINGS: tuple[Host, ...] = (
    *POINTS,
    *_THINGS,
    *(_chromebook(number, _TEACHING[number % len(_TEACHING)].name) for number in range(1, 29)),
    _laptop(1, "ap-001", "a4:83:e7:30:00:61", "macOS"),
    _laptop(2, "ap-002", "8c:16:45:30:00:62", "Windows"),
    _laptop(3, "ap-101", "8c:16:45:30:00:63", "Windows"),
    _laptop(4, "ap-102", "da:a1:19:30:00:64", "Windows"),  # a private address
    _laptop(5, "ap-103", "8c:16:45:30:00:65", "Windows"),
    _phone(1, "ap-hall", "5a:3c:10:30:00:71", "Android"),
    _phone(2, "ap-101", "e6:10:7f:30:00:72", "iOS"),
    _phone(3, "ap-103", "92:7b:44:30:00:73", "iOS"),
    _phone(4, "ap-002", "fe:01:d9:30:00:74", "Android"),
)

# For a second survey: three who come, and the names of two who go.
NEWCOMERS: tuple[Host, ...] = (
    _chromebook(29, "ap-102"),
    _laptop(6, "ap-101", "8c:16:45:30:00:66", "Windows"),
    _printer("printer-103", "00:26:73:30:00:34", "10.20.0.34", switch="switch-2", port=14, model="MP C3004"),
)
LEAVERS = ("chromebook-05", "teacher-104")

# An asset list is never quite right: two that nobody has seen for a while stand in it, and one that is here does not.
ENROLLED_NOT_SEEN: tuple[Host, ...] = (_chromebook(41, ""), _chromebook(42, ""))
SEEN_NOT_ENROLLED = ("chromebook-28",)
