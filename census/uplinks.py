"""Which ports of switches lead to other switches.

By what LLDP and CDP tell, by the port on which a switch's own cards are heard, and where neither tells, by what the forwarding
tables share: in a network without loops that is enough (Breitbart et al. 2000; Lowekamp, O'Hallaron, Gross 2001).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain

from census.joining import Joined
from census.tables import Neighbour, Port, Tables, is_bridge

# Where nothing but the tables tells: so many cards behind a port, and this share of them, must be heard by the other switch on
# ports apart from where it hears the rest.
_ENOUGH, _SHARE = 2, 0.2


def uplinks(
    joined: Joined, tables: Tables, neighbours: Mapping[Port, Sequence[Neighbour]]
) -> tuple[dict[Port, frozenset[int]], frozenset[Port]]:
    """The ports that lead to switches, with the switches known there; and those that lead to one that was not asked."""
    leads: defaultdict[Port, set[int]] = defaultdict(set)
    strange: set[Port] = set()
    for port, heard in neighbours.items():
        for one in heard:
            if one.group == port.switch:
                continue  # a loop, which is a finding and leads nowhere
            if one.group is not None and one.group in tables.switches:
                leads[port].add(one.group)
            elif is_bridge(one):
                strange.add(port)
    for number in tables.switches:
        group = joined.groups[number]
        for mac in (*group.macs, *group.own):
            for port in tables.ports.get(mac, ()):
                leads[port].add(number)
    _reason_out(tables, neighbours, leads)
    beyond = frozenset(strange - leads.keys())
    return {port: frozenset(leads.get(port, ())) for port in sorted(leads.keys() | strange)}, beyond


def _reason_out(tables: Tables, neighbours: Mapping[Port, Sequence[Neighbour]], leads: defaultdict[Port, set[int]]) -> None:
    """Pairs of switches that have not heard of each other, by what their tables share; adds to `leads`.

    If cards behind one port of ours are heard on two ports of another switch, that switch lies between them, and so behind our
    port. Once the other's port towards us is known, whatever it hears on its other ports lies behind it. Telephones walk from
    one access point to the next, so a few cards prove nothing.
    """
    silent = [port for port in sorted(tables.learned) if port not in neighbours]
    known = {(port.switch, other) for port, others in leads.items() for other in others}
    strangers = {one: any((one, other) not in known for other in tables.switches if other != one) for one in tables.switches}
    spread = {port: _spread(tables, port) for port in silent if strangers[port.switch]}
    for port, switches in spread.items():
        for other, heard in switches.items():
            rest = sum(heard.values()) - max(heard.values())
            if (port.switch, other) not in known and rest >= max(_ENOUGH, _SHARE * len(tables.learned[port])):
                leads[port].add(other)
    found = {(port.switch, other) for port, others in leads.items() for other in others}
    best: dict[tuple[int, int], tuple[int, Port]] = {}
    for port, switches in spread.items():
        for other, heard in switches.items():
            pair = (port.switch, other)
            far = sum(count for theirs, count in heard.items() if port.switch not in leads.get(theirs, ()))
            if pair not in found and (other, port.switch) in found and far >= _ENOUGH:
                best[pair] = max(best.get(pair, (0, port)), (far, port))
    for (_, other), (_, port) in best.items():
        leads[port].add(other)


def _spread(tables: Tables, port: Port) -> dict[int, Counter[Port]]:
    """How many of the cards behind `port` each other switch hears, port by port."""
    found: defaultdict[int, Counter[Port]] = defaultdict(Counter)
    for other, number in Counter(chain.from_iterable(tables.ports[mac] for mac in tables.learned[port])).items():
        if other.switch != port.switch:
            found[other.switch][other] = number
    return dict(sorted(found.items()))
