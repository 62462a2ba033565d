"""THE VIRTUAL SCHOOL's cables on the school's side of the router, as data; here those of one segment with one switch.

Each host is a namespace of its own with a kernel's whole network stack, on a port of one bridge. Those of the campus are in
`lab.campus_wiring`; PID 1 (lab.building) puts either up.
"""

import msgspec

from lab.plan import AGENT, AGENT_MAC, ROUTER, ROUTER_MAC, SWITCH, SWITCH_MAC, Plan

PREFIX = "/24"

# No snooping: an announcement to a multicast group reaches every port, as on the plain switches schools have.
BRIDGE = "type bridge mcast_snooping 0 forward_delay 0 stp_state 0"


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """What to make, in lines for `ip -batch`.

    spaces     namespaces beside the router's
    cables     lines that make interfaces, each list in its namespace
    ends       interfaces that carry whole frames only, by namespace
    addresses  lines that bring everything up, each list in its namespace
    inward     the router's interfaces towards the school
    six        where a kernel speaks IPv6, if it can: namespace, interface, address with prefix, and router ("" at the router)
    """

    spaces: tuple[str, ...]
    cables: tuple[tuple[str, list[str]], ...]
    ends: tuple[tuple[str, list[str]], ...]
    addresses: tuple[tuple[str, list[str]], ...]
    inward: tuple[str, ...]
    six: tuple[tuple[str, str, str, str], ...] = ()


def up(*interfaces: str) -> list[str]:
    """Lines that bring interfaces up, and the loopback with them."""
    return [f"link set dev {interface} up" for interface in ("lo", *interfaces)]


def agent_end(plan: Plan) -> str:
    """Where the agent's cable ends: at its card, when it has one in a namespace where lab.card carries it on."""
    return "jack netns card" if plan.card else f"eth0 address {AGENT_MAC} netns agent"


def agent_spaces(plan: Plan) -> tuple[str, ...]:
    """The agent's namespaces."""
    return ("agent", "card") if plan.card else ("agent",)


def host(address: str, width: str, router: str) -> list[str]:
    """Lines for a host with one address."""
    return [f"address add {address}{width} dev eth0", *up("eth0"), f"route add default via {router}"]


def one_segment(plan: Plan) -> Wiring:
    """One switch, and on it the router, the agent and every host."""
    names = ("agent", *(one.name for one in plan.hosts))
    far = [agent_end(plan), *(f"eth0 address {one.mac} netns {one.name}" for one in plan.hosts)]
    ports = [f"port{number}" for number in range(1, len(far) + 1)]
    switch = [f"link add name br0 address {SWITCH_MAC} {BRIDGE}"]
    switch += [f"link add name {port} type veth peer name {end}" for port, end in zip(ports, far, strict=True)]
    switch += [f"link set dev {port} master br0" for port in ("uplink", *ports)]
    addresses = [("agent", AGENT), *((one.name, one.address) for one in plan.hosts)]
    return Wiring(
        spaces=("switch", *agent_spaces(plan), *names[1:]),
        cables=(
            ("router", [f"link add name lan0 address {ROUTER_MAC} type veth peer name uplink netns switch"]),
            ("switch", switch),
        ),
        ends=(
            ("router", ["lan0"]),
            ("switch", ["uplink", *ports]),
            *([("card", ["jack"])] if plan.card else []),
            *((name, ["eth0"]) for name in names),
        ),
        addresses=(
            ("router", [f"address add {ROUTER}{PREFIX} dev lan0", *up("lan0")]),
            *([("card", up("jack"))] if plan.card else []),
            (
                "switch",
                [f"address add {SWITCH}{PREFIX} dev br0", *up("br0", "uplink", *ports), f"route add default via {ROUTER}"],
            ),
            *((name, host(address, PREFIX, ROUTER)) for name, address in addresses),
        ),
        inward=("lan0",),
    )
