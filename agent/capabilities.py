"""What this machine lets us do, asked before use: each right, whether we have it, and the one line that would give it."""

import contextlib
import socket

import msgspec

from netready.instrument import Capability


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """One right: `have` it, what it is `needed_for`, and `how` to get it."""

    capability: Capability
    have: bool
    needed_for: str
    how: str


_NEEDED_FOR = {
    Capability.RAW_SOCKET: "finding devices by ARP and hearing their announcements",
    Capability.PING_SOCKET: "measuring latency by ICMP echo",
}
_HOW = {
    Capability.RAW_SOCKET: "run as root, or give the Python that runs netready the right: "
    "sudo setcap cap_net_raw+ep $(readlink -f $(command -v python3))",
    Capability.PING_SOCKET: 'sudo sysctl -w net.ipv4.ping_group_range="0 2147483647"',
}


def rights() -> tuple[Right, ...]:
    """Every right netready can use, tried on this machine now. No packet is sent."""
    return tuple(Right(capability=each, have=_have(each), needed_for=_NEEDED_FOR[each], how=_HOW[each]) for each in Capability)


def held() -> frozenset[Capability]:
    """The rights we have."""
    return frozenset(right.capability for right in rights() if right.have)


def _have(capability: Capability) -> bool:
    match capability:
        case Capability.RAW_SOCKET:
            return _opens(socket.AF_PACKET, socket.SOCK_RAW, 0)
        case Capability.PING_SOCKET:
            return _opens(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) or _opens(
                socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP
            )


def _opens(family: int, kind: int, protocol: int) -> bool:
    with contextlib.suppress(OSError):
        socket.socket(family, kind, protocol).close()
        return True
    return False
