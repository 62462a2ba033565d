"""The network card of a test: what kind it is, how fast it says it is, and what that means for a figure.

Everything is asked of a socket, which belongs to the network namespace of this process; the files under /sys/class/net
belong to the namespace in which /sys was mounted, which in a container may be another one.
"""

import array
import contextlib
import fcntl
import socket
import struct
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import msgspec

from netready.text import clean

NEAR_INTERFACE = 0.9  # of the nominal speed, at the IP layer; framing takes 2.5 % of an Ethernet with 1,500-byte packets

# linux/sockios.h, linux/wireless.h, linux/ethtool.h
_SIOCGIFMTU, _SIOCGIFHWADDR, _SIOCETHTOOL = 0x8921, 0x8927, 0x8946
_SIOCGIWNAME, _SIOCGIWRATE = 0x8B01, 0x8B21
_ETHTOOL_GDRVINFO, _ETHTOOL_GLINKSETTINGS = 0x00000003, 0x0000004C
_DRVINFO_SIZE = 196  # struct ethtool_drvinfo: command, five names of 32 bytes, and the rest
_SETTINGS = struct.Struct("=IIBBBBBBBb4B28x")  # struct ethtool_link_settings, before its masks
_MASKS = 3  # supported, advertising, advertised by the peer
_SPEED_UNKNOWN = 0xFFFFFFFF  # Mbit/s
_HALF, _FULL = 0, 1
# What the tun driver answers when nobody has set a speed, bit/s, before and since Linux 6.0 (drivers/net/tun.c).
_TUN_DEFAULT_SPEEDS = frozenset({10e6, 10e9})

# ARPHRD_*, linux/if_arp.h
_ETHER, _LOOPBACK = 1, 772
_RADIOS = frozenset({801, 802, 803})
_TUNNELS = frozenset({256, 512, 768, 769, 776, 778, 823})  # SLIP, PPP, IPIP, IP6IP6, SIT, GRE over IPv4, GRE over IPv6

_TUNNEL_DRIVERS = frozenset(
    {"tun", "wireguard", "ipip", "sit", "gre", "gretap", "ip6gre", "ip6gretap", "ip6tnl", "vti", "vti6", "xfrm", "vxlan"}
    | {"geneve", "erspan", "ip6erspan", "ppp"}
)
# Their nominal speed, where they have one, is a constant of the driver. Bonds, VLANs and macvlans are not here: they pass on
# what the card below them says.
_VIRTUAL_DRIVERS = frozenset(
    {"veth", "bridge", "dummy", "ifb", "netkit", "ipvlan", "virtio_net", "vmxnet3", "hv_netvsc", "xen_netfront", "vif"}
    | {"netvsc", "ena", "gve", "netdevsim"}
)


class Kind(StrEnum):
    """What a test's packets leave through."""

    ETHERNET = "ethernet"
    WIFI = "wifi"
    TUNNEL = "tunnel"
    VIRTUAL = "virtual"
    LOOPBACK = "loopback"
    UNKNOWN = "unknown"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a network interface. Speeds in bit/s; None is what the system does not tell.

    speed        nominal; a virtual card's is a constant of its driver and limits nothing
    mtu          bytes of the largest IP packet
    wifi_rate    of the radio just now, far above what TCP can get
    wifi_signal  dBm
    """

    interface: str
    kind: Kind
    speed: float | None = None
    full_duplex: bool | None = None
    driver: str = ""
    mtu: int | None = None
    wifi_rate: float | None = None
    wifi_signal: float | None = None

    @property
    def line_speed(self) -> float | None:
        """The nominal speed where it is a limit: that of a wired card."""
        return self.speed if self.kind is Kind.ETHERNET else None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Speed in bit/s and duplex, as a driver says them."""

    speed: float | None = None
    full_duplex: bool | None = None


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A driver's name, and where it says its device is."""

    name: str = ""
    bus: str = ""


def limits(card: Card, ip_rate: float | None) -> list[str]:
    """What about this card may have kept a test's figure down: "interface", "half-duplex", "wifi", "tunnel". Pure.

    `ip_rate` is the test's rate in bit/s of IP packets, one way. A rate at a wired card's nominal speed is the card's, not
    the line's behind it. Half duplex, a radio and a tunnel are named whatever the rate: below their nominal speed nobody can
    tell their share from the line's.
    """
    found = []
    if ip_rate is not None and card.line_speed is not None and ip_rate >= NEAR_INTERFACE * card.line_speed:
        found.append("interface")
    match card.kind:
        case Kind.ETHERNET if card.full_duplex is False:
            found.append("half-duplex")
        case Kind.WIFI:
            found.append("wifi")
        case Kind.TUNNEL:
            found.append("tunnel")
        case Kind.ETHERNET | Kind.VIRTUAL | Kind.LOOPBACK | Kind.UNKNOWN:
            pass
    return found


def parse_link(raw: bytes) -> Link:
    """Speed and duplex in a `struct ethtool_link_settings`. Pure; never raises."""
    if len(raw) < _SETTINGS.size:
        return Link()
    _, speed, duplex, *_ = _SETTINGS.unpack_from(raw)
    return Link(
        speed=speed * 1e6 if 0 < speed < _SPEED_UNKNOWN else None,
        full_duplex={_HALF: False, _FULL: True}.get(duplex),
    )


def parse_driver(raw: bytes) -> Driver:
    """Names in a `struct ethtool_drvinfo`. Pure; never raises."""
    if len(raw) < _DRVINFO_SIZE:
        return Driver()
    return Driver(name=_word(raw[4:36]), bus=_word(raw[100:132]))


def parse_signal(text: str, interface: str) -> float | None:
    """Signal in dBm of `interface` in /proc/net/wireless, or None. Pure; a level that is not in dBm (above zero) is none."""
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        columns = rest.split()
        if colon and name.strip() == interface and len(columns) >= 3:
            with contextlib.suppress(ValueError):
                level = float(columns[2].rstrip("."))
                return level if -200 < level < 0 else None
    return None


def judge_kind(hardware: int | None, driver: Driver, link: Link, *, radio: bool) -> Kind:
    """The kind of a card from its hardware type (ARPHRD_*), its driver, and whether it answers as a radio. Pure."""
    if hardware == _LOOPBACK:
        return Kind.LOOPBACK
    if radio or hardware in _RADIOS:
        return Kind.WIFI
    if _plays_a_card(driver, link):
        return Kind.ETHERNET
    if hardware in _TUNNELS or driver.name in _TUNNEL_DRIVERS:
        return Kind.TUNNEL
    if driver.name in _VIRTUAL_DRIVERS:
        return Kind.VIRTUAL
    return Kind.ETHERNET if hardware == _ETHER else Kind.UNKNOWN


def _plays_a_card(driver: Driver, link: Link) -> bool:
    """Whether this is a tap that an emulator has given a speed; a VPN leaves the driver's own."""
    return driver == Driver(name="tun", bus="tap") and link.speed is not None and link.speed not in _TUN_DEFAULT_SPEEDS


def card(interface: str) -> Card:
    """What the kernel tells about `interface`; a name that does not exist gives an unknown card."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        hardware = _number(_ioctl(asked, _SIOCGIFHWADDR, interface), "=H")
        mtu = _number(_ioctl(asked, _SIOCGIFMTU, interface), "=i")
        driver = parse_driver(_ethtool(asked, interface, struct.pack("=I", _ETHTOOL_GDRVINFO).ljust(_DRVINFO_SIZE, b"\0")))
        link = parse_link(_link_settings(asked, interface))
        radio = _ioctl(asked, _SIOCGIWNAME, interface) is not None or _has_phy(interface)
        wifi_rate = _number(_ioctl(asked, _SIOCGIWRATE, interface), "=i") if radio else None
    kind = judge_kind(hardware, driver, link, radio=radio)
    if kind is Kind.TUNNEL and driver.name == "tun":
        link = Link()  # the driver's constant
    return Card(
        interface=clean(interface, limit=15),
        kind=kind,
        speed=link.speed,
        full_duplex=link.full_duplex,
        driver=driver.name,
        mtu=mtu,
        wifi_rate=float(wifi_rate) if wifi_rate else None,
        wifi_signal=parse_signal(_text("/proc/self/net/wireless"), interface) if radio else None,
    )


def _word(raw: bytes) -> str:
    return clean(raw.partition(b"\0")[0], limit=32)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _has_phy(interface: str) -> bool:
    """Whether /sys names a radio under `interface`; newer radios no longer answer the old wireless ioctls.

    The interface's number must be the one that this process sees, or /sys is of another namespace.
    """
    folder = Path("/sys/class/net") / interface
    try:
        return (folder / "phy80211").exists() and _text(f"{folder}/ifindex").strip() == str(socket.if_nametoindex(interface))
    except (OSError, ValueError):
        return False


def _request(interface: str, argument: bytes = b"") -> bytearray | None:
    """A `struct ifreq`, or None for what cannot be an interface's name (15 bytes at most)."""
    name = interface.encode("utf-8", "replace")
    if not 0 < len(name) < 16 or b"\0" in name:
        return None
    return bytearray(name.ljust(16, b"\0") + argument.ljust(24, b"\0"))


def _ioctl(asked: socket.socket, command: int, interface: str, argument: bytes = b"") -> bytes | None:
    """The answer's union (24 bytes), or None when the kernel has none for this interface."""
    request = _request(interface, argument)
    if request is None:
        return None
    try:
        fcntl.ioctl(asked, command, request)
    except OSError:
        return None
    return bytes(request[16:])


def _number(raw: bytes | None, code: str) -> int | None:
    if raw is None:
        return None
    (value,) = struct.unpack_from(code, raw)
    return int(value)


def _ethtool(asked: socket.socket, interface: str, command: bytes) -> bytes:
    """What the driver makes of an ethtool command; empty when it has no answer."""
    room = array.array("B", command)
    pointer = struct.pack("@P", room.buffer_info()[0])
    return room.tobytes() if _ioctl(asked, _SIOCETHTOOL, interface, pointer) is not None else b""


def _link_settings(asked: socket.socket, interface: str) -> bytes:
    """ETHTOOL_GLINKSETTINGS: asked with no masks the kernel says, as a negative number, how many words a mask has."""

    def command(words: int) -> bytes:
        head = _SETTINGS.pack(_ETHTOOL_GLINKSETTINGS, *[0] * 8, words, *[0] * 4)
        return head + bytes(4 * _MASKS * words)

    first = _ethtool(asked, interface, command(0))
    if not first:
        return b""
    words = -_SETTINGS.unpack_from(first)[9]
    return _ethtool(asked, interface, command(words)) if words > 0 else b""


# --- the route ---------------------------------------------------------------------------------------------------------

_RTM_NEWROUTE, _RTM_GETROUTE = 24, 26  # linux/rtnetlink.h
_NLM_F_REQUEST = 1
_RTA_DST, _RTA_OIF = 1, 4
_HEADER, _ROUTE, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=8BI"), struct.Struct("=HH")


def route_interface(address: str) -> str | None:
    """The interface through which packets to `address` leave, by the kernel's routes (rtnetlink(7)); None without a route."""
    target = ip_address(address.partition("%")[0])
    if isinstance(target, IPv6Address) and target.ipv4_mapped is not None:
        target = target.ipv4_mapped
    family = socket.AF_INET6 if isinstance(target, IPv6Address) else socket.AF_INET
    destination = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(target.packed), _RTA_DST) + target.packed
    body = _ROUTE.pack(family, 8 * len(target.packed), *[0] * 7) + destination
    request = _HEADER.pack(_HEADER.size + len(body), _RTM_GETROUTE, _NLM_F_REQUEST, 1, 0) + body
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as asked:
            asked.settimeout(1.0)  # the kernel answers at once
            asked.send(request)
            index = parse_route(asked.recv(8192))
        return socket.if_indextoname(index) if index else None
    except OSError:
        return None


def parse_route(raw: bytes) -> int | None:
    """The number of the interface that a route message names, or None. Pure; never raises."""
    if len(raw) < _HEADER.size + _ROUTE.size:
        return None
    length, kind, *_ = _HEADER.unpack_from(raw)
    if kind != _RTM_NEWROUTE:
        return None
    offset, end = _HEADER.size + _ROUTE.size, min(length, len(raw))
    while offset + _ATTRIBUTE.size <= end:
        size, name = _ATTRIBUTE.unpack_from(raw, offset)
        if size < _ATTRIBUTE.size or offset + size > end:
            return None
        if name == _RTA_OIF and size == _ATTRIBUTE.size + 4:
            (index,) = struct.unpack_from("=I", raw, offset + _ATTRIBUTE.size)
            return int(index)
        offset += (size + 3) & ~3
    return None
