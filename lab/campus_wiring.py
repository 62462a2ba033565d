"""THE VIRTUAL SCHOOL's cables on the campus, as data: a bridge for each VLAN in each switch, a veth for each VLAN of a port.

The far ends of the hosts' cables lie side by side in one namespace, "rooms", where one process is all of the hosts
(lab.residents): a kernel's own stack for each of them would take a namespace each, and they have little to say.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Network

from lab.campus import Campus, Outlet, Switch, Vlan
from lab.plan import AGENT, ROUTER_MAC, Plan
from lab.school import Host
from lab.wiring import BRIDGE, Wiring, agent_end, agent_spaces, host, up

ROOMS = "rooms"


def bridge(vlan: int) -> str:
    """The bridge of a VLAN, in each switch; and the router's interface in it."""
    return f"vlan{vlan}"


def cable(port: int, vlan: int) -> str:
    """The switch's end of the cable that carries a VLAN over a port."""
    return f"p{port}v{vlan}"


def outlet_of(interface: str) -> tuple[int, int] | None:
    """The port and the VLAN that `cable` made the name from; None for interfaces that are no cable."""
    port, _, vlan = interface.removeprefix("p").partition("v")
    return (int(port), int(vlan)) if interface.startswith("p") and port.isdecimal() and vlan.isdecimal() else None


def far_end(campus: Campus, outlet: Outlet, vlan: int) -> str:
    """The far end of a host's cable, in ROOMS; an interface's name has 15 characters, a switch's may be longer."""
    number = [switch.name for switch in campus.switches].index(outlet.switch) + 1
    return f"s{number}{cable(outlet.port, vlan)}"


def controller(plan: Plan, campus: Campus) -> Host | None:
    """The access point with a kernel's stack, because it answers more than ARP and echo."""
    return next((one for one in plan.hosts if one.name == campus.controller), None)


def campus_wiring(plan: Plan, campus: Campus) -> Wiring:
    """The router with an interface in each VLAN, the switches, and what hangs on them."""
    wireless = controller(plan, campus)
    stay = campus.vlan(campus.port(campus.agent).vlan)
    whole = [("agent", AGENT, stay)]
    if wireless is not None:
        whole.append((wireless.name, wireless.address, campus.vlan(wireless.vlan)))
    names = [name for name, _, _ in whole]
    inward = tuple(bridge(vlan.number) for vlan in campus.vlans)
    router = [f"address add {vlan.router}/{vlan.width} dev {bridge(vlan.number)}" for vlan in campus.vlans]
    return Wiring(
        spaces=(*(switch.name for switch in campus.switches), ROOMS, *agent_spaces(plan), *names[1:]),
        cables=(
            *((switch.name, _cables(plan, campus, switch, wireless)) for switch in campus.switches),
            *((switch.name, _bridges(campus, switch)) for switch in campus.switches),  # once the trunk has both its ends
        ),
        ends=(
            ("router", [*inward]),
            *((switch.name, _ports(switch)) for switch in campus.switches),
            *([("card", ["jack"])] if plan.card else []),
            *((name, ["eth0"]) for name in names),
        ),
        addresses=(
            ("router", [*router, *up(*inward)]),
            *((switch.name, _switch_up(campus, switch)) for switch in campus.switches),
            *([("card", up("jack"))] if plan.card else []),
            (ROOMS, up()),  # a cable comes up when somebody plugs in
            *((name, host(address, f"/{vlan.width}", vlan.router)) for name, address, vlan in whole),
        ),
        inward=inward,
        six=(
            *(("router", bridge(vlan.number), f"{vlan.router6}/64", "") for vlan in campus.vlans if vlan.network6),
            *([("agent", "eth0", f"{agent6(stay)}/64", stay.router6)] if stay.network6 else []),
        ),
    )


def agent6(vlan: Vlan) -> str:
    """The agent's IPv6 address, with the number that ends its IPv4 address."""
    return str(IPv6Network(vlan.network6)[int(AGENT.rpartition(".")[2])])


def _ports(switch: Switch) -> list[str]:
    """The switch's ends of all its cables."""
    return [cable(port.number, vlan) for port in switch.ports for vlan in port.vlans]


def _cables(plan: Plan, campus: Campus, switch: Switch, wireless: Host | None) -> list[str]:
    begin, end = campus.trunk
    other = campus.switch(end.switch)
    lines = []
    for port in switch.ports:
        here = Outlet(switch=switch.name, port=port.number)
        for vlan in port.vlans:
            if here == end:
                continue  # it comes from the trunk's other side
            if here == begin:
                far = f"{cable(end.port, vlan)} address {other.port_mac(end.port)} netns {other.name}"
            elif here == campus.router:
                far = f"{bridge(vlan)} address {ROUTER_MAC} netns router"
            elif here == campus.agent:
                far = agent_end(plan)
            elif wireless is not None and here == campus.outlet(wireless, plan.hosts) and vlan == wireless.vlan:
                far = f"eth0 address {wireless.mac} netns {wireless.name}"
            else:
                far = f"{far_end(campus, here, vlan)} netns {ROOMS}"
            near = f"{cable(port.number, vlan)} address {switch.port_mac(port.number)}"
            lines.append(f"link add name {near} type veth peer name {far}")
    return lines


def _bridges(campus: Campus, switch: Switch) -> list[str]:
    made = [f"link add name {bridge(vlan.number)} address {switch.mac} {BRIDGE}" for vlan in campus.vlans]
    return made + [
        f"link set dev {cable(port.number, vlan)} master {bridge(vlan)}" for port in switch.ports for vlan in port.vlans
    ]


def _switch_up(campus: Campus, switch: Switch) -> list[str]:
    own = next(vlan for vlan in campus.vlans if IPv4Address(switch.address) in IPv4Network(vlan.network))
    return [
        f"address add {switch.address}/{own.width} dev {bridge(own.number)}",
        *up(*(bridge(vlan.number) for vlan in campus.vlans), *_ports(switch)),
        f"route add default via {own.router}",
    ]
