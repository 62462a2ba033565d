"""Where makers of Wi-Fi keep their access points, radios and clients, as rows.

Columns that name people are not among them: the user names that Cisco, Aruba and Ruckus keep beside clients are never asked
for.
"""

import msgspec

from collectors.snmp.ber import Oid
from collectors.snmp.reading import ENTERPRISES, Module, When

# Cisco's controllers answer Airespace's MIB, and the newer Catalyst 9800 does too.
CISCO: tuple[Oid, ...] = ((9,), (14179,))
ARUBA: tuple[Oid, ...] = ((14823,),)
RUCKUS: tuple[Oid, ...] = ((25053,),)
UBIQUITI: tuple[Oid, ...] = ((41112,), (10002,), (8072,))  # UniFi's access points use net-snmp's sysObjectID
MIKROTIK: tuple[Oid, ...] = ((14988,),)


def _table(name: str, root: Oid, makers: tuple[Oid, ...], /, **columns: int) -> Module:
    return Module(name=name, root=(*ENTERPRISES, *root), columns=columns, when=When(makers=makers))


class System(msgspec.Struct, frozen=True, kw_only=True):
    """One maker's way of telling.

    points    the access points that a controller lists: mac, name, address, model, serial, location, software, state, clients.
              None when the device is an access point itself
    radios    rows whose index begins with that of their access point: utilisation (per cent), clients
    networks  names of networks: ssid, and bssid where that is not the end of the index; the index begins with the access point
    clients   rows for each client: mac, address, point, ssid, os; `client_at` says what their index begins with
    point_is  what a client's `point` is: "mac" or "address" of the access point, "bssid" of a network, or its "name"
    client_at "mac", "mac-address" or "mac-interface"
    up        states in which an access point works; words for states where the table has numbers
    """

    points: Module | None = None
    radios: Module | None = None
    networks: Module | None = None
    clients: Module | None = None
    point_is: str = "mac"
    client_at: str = "mac"
    up: frozenset[int | str] = frozenset()
    states: dict[int, str] = {}

    @property
    def modules(self) -> tuple[Module, ...]:
        """Its tables."""
        return tuple(module for module in (self.points, self.radios, self.networks, self.clients) if module is not None)


_DIRECTOR_STATES = {0: "disconnected", 1: "connected", 2: "approval pending", 3: "upgrading", 4: "provisioning"}


def _zone(name: str, root: Oid) -> System:
    """Ruckus SmartZone, and the SmartCell Gateway that came before it. Its index has a length before the hardware address."""
    return System(
        points=_table(
            name,
            (*root, 2, 1, 1, 2, 2, 1),
            RUCKUS,
            mac=1,
            name=5,
            software=7,
            model=8,
            serial=9,
            address=10,
            clients=15,
            state=16,
            location=19,
        ),
        up=frozenset({"connect", "connected"}),
    )


def _director(name: str, root: Oid) -> System:
    """Ruckus ZoneDirector, and Unleashed, in which an access point is the controller."""
    return System(
        points=_table(
            f"{name}-points",
            (*root, 2, 1, 1),
            RUCKUS,
            mac=1,
            name=2,
            state=3,
            model=4,
            serial=5,
            software=7,
            address=10,
            clients=15,
        ),
        clients=_table(f"{name}-clients", (*root, 3, 1, 1), RUCKUS, mac=1, point=2, ssid=4, address=8),
        up=frozenset({1}),
        states=_DIRECTOR_STATES,
    )


SYSTEMS: tuple[System, ...] = (
    System(
        points=_table(
            "airespace-points", (14179, 2, 2, 1, 1), CISCO,
            name=3, location=4, state=6, software=8, model=16, serial=17, address=19, mac=33,
        ),
        radios=_table("airespace-radios", (14179, 2, 2, 13, 1), CISCO, utilisation=3, clients=4),
        clients=_table("airespace-clients", (14179, 2, 1, 4, 1), CISCO, mac=1, address=2, point=4, ssid=7),
        up=frozenset({1}),
        states={1: "associated", 2: "leaving", 3: "upgrading"},
    ),
    System(
        points=_table(
            "aruba-points", (14823, 2, 2, 1, 5, 2, 1, 4, 1), ARUBA,
            address=2, name=3, serial=6, model=13, state=19, software=34,
        ),
        radios=_table("aruba-radios", (14823, 2, 2, 1, 5, 2, 1, 5, 1), ARUBA, utilisation=6, clients=7),
        networks=_table("aruba-networks", (14823, 2, 2, 1, 5, 2, 1, 7, 1), ARUBA, ssid=2),
        clients=_table("aruba-clients", (14823, 2, 2, 1, 4, 1, 2, 1), ARUBA, point=11, os=39),
        point_is="bssid",
        client_at="mac-address",
        up=frozenset({1}),
        states={1: "up", 2: "down"},
    ),
    System(
        points=_table(
            "instant-points", (14823, 2, 3, 3, 1, 2, 1, 1), ARUBA,
            mac=1, name=2, address=3, serial=4, model=6, state=11,
        ),
        radios=_table("instant-radios", (14823, 2, 3, 3, 1, 2, 2, 1), ARUBA, utilisation=8, clients=21),
        networks=_table("instant-networks", (14823, 2, 3, 3, 1, 2, 3, 1), ARUBA, ssid=3, bssid=4),
        clients=_table("instant-clients", (14823, 2, 3, 3, 1, 2, 4, 1), ARUBA, mac=1, bssid=2, address=3, point=4, os=6),
        point_is="address",
        up=frozenset({1}),
        states={1: "up", 2: "down"},
    ),
    _zone("zone-points", (25053, 1, 4)),
    _zone("gateway-points", (25053, 1, 3)),
    _director("director", (25053, 1, 2, 2, 1, 1)),
    _director("unleashed", (25053, 1, 15, 2, 1, 1)),
    System(radios=_table("ruckus-radios", (25053, 1, 1, 12, 1, 1, 1, 3, 1), RUCKUS, clients=3)),
    System(
        radios=_table("unifi-radios", (41112, 1, 6, 1, 1, 1), UBIQUITI, name=2, utilisation=6),
        networks=_table("unifi-networks", (41112, 1, 6, 1, 2, 1), UBIQUITI, ssid=6, clients=8),
    ),
    System(
        networks=_table("mikrotik-networks", (14988, 1, 1, 1, 3, 1), MIKROTIK, ssid=4, clients=6),
        clients=_table("mikrotik-clients", (14988, 1, 1, 1, 2, 1), MIKROTIK, strength=3),
        client_at="mac-interface",
    ),
)  # fmt: skip
MODULES = tuple(module for system in SYSTEMS for module in system.modules)
