"""THE VIRTUAL SCHOOL with VLANs: three networks behind a router and two switches, and which room each port leads to.

router --- switch-1 (server room) === switch-2 (first floor) --- agent, in the staff's network

Where the kernel has VLAN tags or not, a cable that carries several VLANs is one veth for each of them, and a switch one bridge
for each: frames cross from one to another in the router only, as behind real tags, which are merely not seen on the wire.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

import msgspec

from lab.school import Host

STAFF, STUDENTS, INFRASTRUCTURE = 10, 20, 30


class Vlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network of the school's. The router has its first address, and that of its IPv6 prefix, a /64 or none."""

    number: int
    name: str
    network: str
    network6: str = ""

    @property
    def router(self) -> str:
        """The router's address in it."""
        return str(IPv4Network(self.network)[1])

    @property
    def router6(self) -> str:
        """The router's IPv6 address in it; "" when it has none."""
        return str(IPv6Network(self.network6)[1]) if self.network6 else ""

    @property
    def width(self) -> int:
        """The length of its prefix."""
        return IPv4Network(self.network).prefixlen


class Port(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One port of a switch with a cable to somewhere.

    vlan      of untagged frames
    carries   other VLANs, tagged on a real cable
    half      its far end settled for half duplex
    failing   its cable damages frames
    """

    number: int
    room: str
    vlan: int
    carries: tuple[int, ...] = ()
    half: bool = False
    failing: bool = False

    @property
    def vlans(self) -> tuple[int, ...]:
        """All the VLANs it carries."""
        return (self.vlan, *self.carries)


class Switch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One switch, and what it says of itself.

    size      its number of ports; those that are not in `ports` have no cable
    naming    ifName of a port, with "{}" for its number
    offset    ifIndex of a port is its number and this
    power     W for what it feeds over its cables (IEEE 802.3at)
    tables    how its forwarding table is read: "tagged" by Q-BRIDGE-MIB; "by community", as Catalysts want it: VLAN 20 in
              BRIDGE-MIB under the community "public@20", and no Q-BRIDGE-MIB
    """

    name: str
    address: str
    mac: str
    room: str
    description: str
    identity: str
    maker: str
    model: str
    serial: str
    firmware: str
    ports: tuple[Port, ...]
    size: int = 24
    naming: str = "{}"
    offset: int = 0
    power: int = 370
    tables: str = "tagged"

    def port(self, number: int) -> Port:
        """The port of that number. ValueError when no cable leads to it."""
        found = next((port for port in self.ports if port.number == number), None)
        if found is None:
            raise ValueError(f"{self.name} has no cable at port {number}")
        return found

    def port_name(self, number: int) -> str:
        """What it calls that port (ifName)."""
        return self.naming.format(number)

    def port_mac(self, number: int) -> str:
        """The port's own address, in the block of the switch's."""
        return f"{self.mac[:-2]}{int(self.mac[-2:], 16) + number:02x}"


class Outlet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a cable begins: a switch and the number of its port."""

    switch: str
    port: int


class Campus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The networks, switches and cables.

    trunk         the cable between the two switches, end by end
    router, agent their outlets
    controller    the access point that answers SNMP for all of them
    wlans         SSID of each VLAN that has one
    """

    vlans: tuple[Vlan, ...]
    switches: tuple[Switch, ...]
    trunk: tuple[Outlet, Outlet]
    router: Outlet
    agent: Outlet
    controller: str
    wlans: dict[int, str]

    def vlan(self, number: int) -> Vlan:
        """The VLAN of that number. ValueError when there is none."""
        found = next((vlan for vlan in self.vlans if vlan.number == number), None)
        if found is None:
            raise ValueError(f"the campus has no VLAN {number}")
        return found

    def switch(self, name: str) -> Switch:
        """The switch of that name. ValueError when there is none."""
        found = next((switch for switch in self.switches if switch.name == name), None)
        if found is None:
            raise ValueError(f"the campus has no switch {name!r}")
        return found

    def port(self, outlet: Outlet) -> Port:
        """The port at an outlet. ValueError when there is none."""
        return self.switch(outlet.switch).port(outlet.port)

    def taken(self) -> tuple[Outlet, ...]:
        """The outlets of the network's own cables, where no host can be plugged in."""
        return (*self.trunk, self.router, self.agent)

    def outlet(self, host: Host, hosts: Iterable[Host]) -> Outlet:
        """Where the frames of `host`, one of `hosts`, come into a switch. ValueError when they cannot."""
        wired = host
        if host.point:
            found = next((other for other in hosts if other.name == host.point), None)
            if found is None or found.kind != "access-point":
                raise ValueError(f"{host.name}: there is no access point {host.point!r}")
            wired = found
        outlet = Outlet(switch=wired.switch, port=wired.port)
        try:
            carried = self.port(outlet).vlans
        except ValueError as error:
            raise ValueError(f"{host.name}: {error}") from error
        if outlet in self.taken():
            raise ValueError(f"{host.name}: port {outlet.port} of {outlet.switch} is taken by the network itself")
        if host.vlan not in carried:
            raise ValueError(f"{host.name}: port {outlet.port} of {outlet.switch} does not carry VLAN {host.vlan}")
        return outlet

    def check(self, hosts: tuple[Host, ...]) -> None:
        """ValueError when some host cannot be where it is said to be, or two are the same."""
        for host in hosts:
            self.outlet(host, hosts)
        for what in ("name", "mac", "address"):
            words = [getattr(host, what) for host in hosts]
            twice = sorted({word for word in words if words.count(word) > 1})
            if twice:
                raise ValueError(f"two hosts have the {what} {twice[0]}")


def _access(number: int, room: str, vlan: int = STAFF, *, half: bool = False, failing: bool = False) -> Port:
    return Port(number=number, room=room, vlan=vlan, half=half, failing=failing)


def _wireless(number: int, room: str) -> Port:
    return Port(number=number, room=room, vlan=INFRASTRUCTURE, carries=(STAFF, STUDENTS))


_MAIN = Switch(
    name="switch-1",
    address="10.22.0.2",
    mac="94:b4:0f:00:01:00",
    room="server room",
    description="Aruba JL261A 2930F-24G-PoE+-4SFP Switch, revision WC.16.10.0012 (virtual school)",
    identity="1.3.6.1.4.1.11.2.3.7.11.181",
    maker="Aruba",
    model="JL261A",
    serial="CN00VS0001",
    firmware="WC.16.10.0012",
    ports=(
        _access(1, "server room", INFRASTRUCTURE),
        _access(2, "server room", INFRASTRUCTURE),
        _access(3, "office"),
        _access(4, "office"),
        _access(5, "gate", INFRASTRUCTURE, half=True),
        _access(6, "hall", STUDENTS),
        _wireless(7, "hall"),
        _access(8, "library"),
        _wireless(9, "001"),
        _access(10, "001"),
        _wireless(11, "002"),
        _access(12, "002", failing=True),
        _access(13, "staff room"),
        _access(14, "staff room"),
        _access(15, "104"),
        _wireless(23, "server room"),
        _wireless(24, "server room"),
    ),
)
_FLOOR = Switch(
    name="switch-2",
    address="10.22.0.3",
    mac="00:1e:14:00:02:00",
    room="cabinet 1",
    description="Cisco IOS Software, C2960X Software (C2960X-UNIVERSALK9-M), Version 15.2(7)E4 (virtual school)",
    identity="1.3.6.1.4.1.9.1.1208",
    maker="Cisco",
    model="WS-C2960X-24PS-L",
    serial="FOC00VS0002",
    firmware="15.2(7)E4",
    ports=(
        _wireless(1, "101"),
        _access(2, "101"),
        _wireless(3, "102"),
        _access(4, "102"),
        _wireless(5, "103"),
        _access(6, "103"),
        *(_access(number, "computer lab", STUDENTS) for number in (7, 8, 9, 10)),
        _access(11, "library", STUDENTS),
        _access(12, "IT office"),
        _access(13, "IT office"),
        _access(14, "103"),
        _wireless(24, "cabinet 1"),
    ),
    naming="Gi1/0/{}",
    offset=10100,
    power=60,
    tables="by community",
)

LAYOUT = Campus(
    vlans=(
        Vlan(number=STAFF, name="staff", network="10.20.0.0/24", network6="fd20:10::/64"),
        Vlan(number=STUDENTS, name="students", network="10.21.0.0/23", network6="fd20:20::/64"),
        Vlan(number=INFRASTRUCTURE, name="infrastructure", network="10.22.0.0/24", network6="fd20:30::/64"),
    ),
    switches=(_MAIN, _FLOOR),
    trunk=(Outlet(switch="switch-1", port=24), Outlet(switch="switch-2", port=24)),
    router=Outlet(switch="switch-1", port=23),
    agent=Outlet(switch="switch-2", port=12),
    controller="ap-101",
    wlans={STAFF: "School-Staff", STUDENTS: "School"},
)

# Who is in a room when it is full, as the room plan says.
PEOPLE = {
    "001": 28,
    "002": 27,
    "101": 29,
    "102": 26,
    "103": 28,
    "104": 24,
    "computer lab": 16,
    "hall": 120,
    "library": 20,
    "office": 5,
    "staff room": 12,
    "IT office": 2,
}
