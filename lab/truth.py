"""THE VIRTUAL SCHOOL's truth: what is really there, and what an audit is compared with."""

from ipaddress import IPv6Address, IPv6Network

import msgspec

from lab.campus import Campus, Outlet, Vlan
from lab.campus_wiring import agent6
from lab.plan import AGENT, AGENT_MAC, ROUTER, ROUTER_MAC, ROUTER_WAN, SWITCH, SWITCH_MAC, Plan, Wan
from lab.six import LINK_LOCAL, made_of


class TrueHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host on the school's network that is really there and answers.

    others        further addresses of the same host, which may be seen; IPv6 where the machine's kernel has it
    vlan          number of its VLAN, or 0 when there are none
    switch, port  what it hangs on: the switch's name and the port's (ifName); of a wireless host, its access point's
    room, point   where it is, and the access point it is a client of; "" when there is no such thing
    serial        as LLDP-MED, a controller or an asset list says it
    """

    name: str
    kind: str
    mac: str
    address: str
    others: tuple[str, ...] = ()
    vlan: int = 0
    switch: str = ""
    port: str = ""
    room: str = ""
    point: str = ""
    serial: str = ""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What is really there. Rates in bit/s at the IP layer; `hosts` are all that answer ARP, the agent's own included."""

    wan: Wan
    users: int
    networks: tuple[str, ...]
    hosts: tuple[TrueHost, ...]


def truth(plan: Plan) -> Truth:
    """What an audit of this plan should find."""
    hosts = _on_one_segment(plan) if plan.campus is None else _on_campus(plan, plan.campus)
    return Truth(wan=plan.wan, users=plan.students + plan.staff, networks=plan.networks, hosts=hosts)


def _on_one_segment(plan: Plan) -> tuple[TrueHost, ...]:
    return (
        TrueHost(name="router", kind="router", mac=ROUTER_MAC, address=ROUTER),
        TrueHost(name="switch", kind="switch", mac=SWITCH_MAC, address=SWITCH),
        TrueHost(name="agent", kind="computer", mac=AGENT_MAC, address=AGENT),
        *(TrueHost(name=host.name, kind=host.kind, mac=host.mac, address=host.address) for host in plan.hosts),
    )


def _on_campus(plan: Plan, campus: Campus) -> tuple[TrueHost, ...]:
    def there(host: TrueHost, outlet: Outlet) -> TrueHost:
        switch, port = campus.switch(outlet.switch), campus.port(outlet)
        return msgspec.structs.replace(host, switch=switch.name, port=switch.port_name(port.number), room=port.room)

    first, *others = (vlan.router for vlan in campus.vlans)
    others += [ROUTER_WAN, *(vlan.router6 for vlan in campus.vlans if vlan.network6), _local(ROUTER_MAC)]
    router = TrueHost(name="router", kind="router", mac=ROUTER_MAC, address=first, others=tuple(others))
    stay = campus.vlan(campus.port(campus.agent).vlan)
    own = (agent6(stay), _local(AGENT_MAC)) if stay.network6 else ()
    agent = TrueHost(name="agent", kind="computer", mac=AGENT_MAC, address=AGENT, others=own, vlan=stay.number)
    switches = (
        TrueHost(name=one.name, kind="switch", mac=one.mac, address=one.address, room=one.room, serial=one.serial)
        for one in campus.switches
    )
    hosts = (
        TrueHost(
            name=host.name,
            kind=host.kind,
            mac=host.mac,
            address=host.address,
            others=_six(host.mac, campus.vlan(host.vlan)) if host.six else (),
            vlan=host.vlan,
            point=host.point,
            serial=host.serial,
        )
        for host in plan.hosts
    )
    return (
        there(router, campus.router),
        *switches,
        there(agent, campus.agent),
        *(there(true, campus.outlet(host, plan.hosts)) for true, host in zip(hosts, plan.hosts, strict=True)),
    )


def _six(mac: str, vlan: Vlan) -> tuple[str, ...]:
    """The IPv6 addresses of a host in a VLAN."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return (str(IPv6Address(made_of(octets, IPv6Network(vlan.network6)))), _local(mac)) if vlan.network6 else ()


def _local(mac: str) -> str:
    return str(IPv6Address(made_of(bytes.fromhex(mac.replace(":", "")), LINK_LOCAL)))
