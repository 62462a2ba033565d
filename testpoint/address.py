"""What a peer's address tells: which client it is, and whether it is near. Pure."""

from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

_SITE = 64  # bits of an IPv6 address that name a client: nobody is given less than that (RFC 6177)

# This machine and networks that nobody routes: RFC 1122, 1918, 3927; RFC 4291, 4193.
_NEAR = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fe80::/10", "fc00::/7"
    )
)  # fmt: skip


def client_of(host: str) -> str:
    """The client that the address `host` belongs to: an IPv4 address, or an IPv6 /64."""
    address = ip_address(host)
    return str(IPv6Network((address, _SITE), strict=False)) if isinstance(address, IPv6Address) else str(address)


def is_near(host: str) -> bool:
    """Whether the address `host` is this machine's or a private one."""
    address = ip_address(host)
    return any(address in network for network in _NEAR)
