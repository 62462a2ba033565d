"""THE VIRTUAL SCHOOL's SNMP data for LLDP: LLDP-MIB (IEEE 802.1AB-2005 clause 12) and LLDP-EXT-MED-MIB (TIA-1057 clause 13)."""

from collections.abc import Iterator, Sequence

from lab import lldp
from lab.campus import Switch
from lab.walk import Oid, Row, address_octets, mac_octets

LLDP: Oid = (1, 0, 8802, 1, 1, 2, 1)
MED: Oid = (*LLDP, 5, 4795, 1)
SINCE = 4200  # TimeTicks; a row's first index is when it last changed, and no reader may count on it
LOCAL_NAME = 7


def lldp_rows(switch: Switch, neighbours: Sequence[tuple[int, lldp.Neighbour]]) -> Iterator[Row]:
    """The switch's own side, and each neighbour on its port."""
    able = lldp.mib_bits(lldp.BRIDGE)
    yield Row((*LLDP, 3, 1, 0), "Integer32", lldp.MAC_ADDRESS)
    yield Row((*LLDP, 3, 2, 0), "OctetString", mac_octets(switch.mac))
    yield Row((*LLDP, 3, 3, 0), "OctetString", switch.name.encode())
    yield Row((*LLDP, 3, 4, 0), "OctetString", switch.description.encode())
    yield Row((*LLDP, 3, 5, 0), "OctetString", able)
    yield Row((*LLDP, 3, 6, 0), "OctetString", able)
    for number in range(1, switch.size + 1):
        name = switch.port_name(number)
        yield Row((*LLDP, 3, 7, 1, 2, number), "Integer32", LOCAL_NAME if name == str(number) else lldp.INTERFACE_NAME)
        yield Row((*LLDP, 3, 7, 1, 3, number), "OctetString", name.encode())
        yield Row((*LLDP, 3, 7, 1, 4, number), "OctetString", name.encode())
    for number, (port, said) in enumerate(neighbours, start=1):
        yield from _neighbour((SINCE, port, number), said)


def _neighbour(index: Oid, said: lldp.Neighbour) -> Iterator[Row]:
    columns: list[tuple[int, str, int | bytes]] = [
        (4, "Integer32", lldp.MAC_ADDRESS),
        (5, "OctetString", said.chassis),
        (6, "Integer32", said.way),
        (7, "OctetString", said.port),
        (8, "OctetString", said.port_text.encode()),
        (9, "OctetString", said.name.encode()),
        (10, "OctetString", said.text.encode()),
        (11, "OctetString", lldp.mib_bits(said.able)),
        (12, "OctetString", lldp.mib_bits(said.able)),
    ]
    for column, kind, value in columns:
        yield Row((*LLDP, 4, 1, 1, column, *index), kind, value)
    if said.address:
        where = (*index, 1, 4, *address_octets(said.address))
        yield Row((*LLDP, 4, 2, 1, 3, *where), "Integer32", 2)  # the number is an ifIndex
        yield Row((*LLDP, 4, 2, 1, 4, *where), "Integer32", 1)
    if said.med:
        yield Row((*MED, 3, 1, 1, 3, *index), "Integer32", said.med)
        for column, what in enumerate(lldp.INVENTORY, start=1):
            if what in said.inventory:
                yield Row((*MED, 3, 3, 1, column, *index), "OctetString", said.inventory[what].encode())
