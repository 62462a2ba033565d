"""All that is asked of a device, in the order of asking, and all that is made of the answers."""

from collections.abc import Callable, Iterator

from collectors.snmp import (
    arp,
    forwarding,
    hosts,
    identity,
    interfaces,
    neighbours,
    power,
    printer,
    ups,
    wireless,
    wireless_rows,
)
from collectors.snmp.reading import Module, Told, Yield

# What locates things comes before what only describes them: the time for a device may run out.
MODULES: tuple[Module, ...] = (
    *interfaces.MODULES,
    *identity.MODULES,
    *arp.MODULES,
    *forwarding.MODULES,
    *neighbours.MODULES,
    *wireless_rows.MODULES,
    *power.MODULES,
    *ups.MODULES,
    *printer.MODULES,
    *hosts.MODULES,
)
YIELDS: tuple[Callable[[Told], Iterator[Yield]], ...] = (
    interfaces.measure,
    arp.neighbours,
    forwarding.learned,
    neighbours.lldp,
    neighbours.cdp,
    wireless.measure,
    power.measure,
    ups.measure,
    printer.measure,
    hosts.measure,
)
METRICS = (
    *interfaces.METRICS,
    *wireless.METRICS,
    *power.METRICS,
    *ups.METRICS,
    *printer.METRICS,
    *hosts.METRICS,
)
