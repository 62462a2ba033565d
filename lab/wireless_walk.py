"""THE VIRTUAL SCHOOL's SNMP data for its wireless network: the access point that answers for all, as Aruba Instant's do.

AI-AP-MIB (enterprise 14823): the access points, their radios and their clients. Who is a client of which is as the plan says.
"""

from collections.abc import Iterator

from lab.campus import Campus
from lab.plan import Plan
from lab.school import Host
from lab.walk import ADDRESS_INDEX, Interface, Oid, Row, address_octets, interfaces, mac_octets, system

INSTANT: Oid = (1, 3, 6, 1, 4, 1, 14823, 2, 3, 3, 1)
POINT: Oid = (*INSTANT, 2, 1, 1)
RADIO: Oid = (*INSTANT, 2, 2, 1)
WLAN: Oid = (*INSTANT, 2, 3, 1)
CLIENT: Oid = (*INSTANT, 2, 4, 1)
NETWORK: Oid = (*INSTANT, 1, 7, 1)

IDENTITY: Oid = (1, 3, 6, 1, 4, 1, 14823, 1, 2, 111)
UP = 1
UPTIME = 8_640_000  # TimeTicks: a day
RADIOS = ((0, "36E", 12), (1, "6", 41))  # number, channel, per cent of the time that it is busy


def rows(plan: Plan, campus: Campus) -> list[Row]:
    """All that the access point says, for itself and for the others."""
    points = [host for host in plan.hosts if host.kind == "access-point"]
    clients = [host for host in plan.hosts if host.point]
    own = next(host for host in points if host.name == campus.controller)
    text = f"ArubaOS (MODEL: {own.model.removeprefix('AP-')}), Version 8.10.0.6-8.10.0.6 (virtual school)"
    found = [
        *system(own.name, text, IDENTITY, 2, campus.port(campus.outlet(own, plan.hosts)).room),
        *interfaces([Interface(index=1, name="bond0", alias="", mac=own.mac)]),
        Row((*ADDRESS_INDEX, *address_octets(own.address)), "Integer32", 1),
    ]
    for number, ssid in enumerate(campus.wlans.values(), start=1):
        found.append(Row((*NETWORK, 2, number), "OctetString", ssid.encode()))
    for point in points:
        found += _point(point, campus, [client for client in clients if client.point == point.name])
    for client in clients:
        point = next(point for point in points if point.name == client.point)
        found += _client(client, point, campus)
    return found


def bssid(point: Host, radio: int, wlan: int) -> bytes:
    """The address that an access point has in the air, for one network on one radio."""
    octets = mac_octets(point.mac)
    return octets[:3] + bytes([octets[3] | 0x80, octets[5], radio << 4 | wlan])


def _point(point: Host, campus: Campus, clients: list[Host]) -> Iterator[Row]:
    index = tuple(mac_octets(point.mac))
    columns: list[tuple[int, str, int | bytes | Oid]] = [
        (1, "OctetString", mac_octets(point.mac)),
        (2, "OctetString", point.name.encode()),
        (3, "IpAddress", bytes(address_octets(point.address))),
        (4, "OctetString", point.serial.encode()),
        (6, "OctetString", point.model.encode()),
        (7, "Integer32", 9),
        (9, "TimeTicks", UPTIME),
        (11, "Integer32", UP),
    ]
    for column, kind, value in columns:
        yield Row((*POINT, column, *index), kind, value)
    for radio, channel, busy in RADIOS:
        here = (*index, radio)
        yield Row((*RADIO, 4, *here), "OctetString", channel.encode())
        yield Row((*RADIO, 8, *here), "Integer32", busy)
        yield Row((*RADIO, 20, *here), "Integer32", UP)
        yield Row((*RADIO, 21, *here), "Integer32", len(clients) if radio == 0 else 0)  # all of them have modern radios
    for number, (radio, wlan, ssid) in enumerate(
        (radio, wlan, ssid) for radio, *_ in RADIOS for wlan, ssid in enumerate(campus.wlans.values())
    ):
        yield Row((*WLAN, 3, *index, number), "OctetString", ssid.encode())
        yield Row((*WLAN, 4, *index, number), "OctetString", bssid(point, radio, wlan))


def _client(client: Host, point: Host, campus: Campus) -> Iterator[Row]:
    index = tuple(mac_octets(client.mac))
    wlan = list(campus.wlans).index(client.vlan)
    columns: list[tuple[int, str, int | bytes | Oid]] = [
        (1, "OctetString", mac_octets(client.mac)),
        (2, "OctetString", bssid(point, 0, wlan)),
        (3, "IpAddress", bytes(address_octets(client.address))),
        (4, "IpAddress", bytes(address_octets(point.address))),
        (5, "OctetString", client.name.encode()),
        (6, "OctetString", client.system.encode()),
        (7, "Integer32", 38),
    ]
    return (Row((*CLIENT, column, *index), kind, value) for column, kind, value in columns)
