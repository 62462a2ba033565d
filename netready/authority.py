"""Who allowed it: the list of what may be scanned, asked or loaded. Refusal comes before the first packet."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """A target that nobody authorised. The CLI prints it and exits with status 2."""


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """What this run may touch.

    networks   scanned and asked: the config's authorised networks (and loopback, which is this machine itself)
    hosts      loaded or fetched: test servers, platform endpoints and resolvers that the config or the command line
               names, lower case, without port; a name here allows whatever address it resolves to
    widest     the largest number of addresses one scan may cover
    """

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    widest: int = 4096

    def allow_scan(self, text: str) -> Network:
        """The network to scan; raises Refused when it is not inside an authorised one or is too large."""
        try:
            network = ip_network(text)
        except ValueError as error:
            msg = f"{text!r} is not a network such as 10.20.0.0/24 ({error})"
            raise Refused(msg) from error
        if not any(_inside(network, allowed) for allowed in self.networks):
            listed = ", ".join(str(allowed) for allowed in self.networks) or "none"
            msg = f"{network} is not inside an authorised network (site.networks: {listed}); nothing was sent"
            raise Refused(msg)
        if network.num_addresses > self.widest:
            msg = (
                f"{network} has {network.num_addresses:,} addresses, more than survey.widest_scan allows "
                f"({self.widest:,}); nothing was sent"
            )
            raise Refused(msg)
        return network

    def allow_host(self, host: str) -> str:
        """The host to ask or load, unchanged; raises Refused when nobody named it."""
        name = host.strip("[]").lower().rstrip(".")
        if name in self.hosts or name == "localhost":
            return host
        try:
            address = ip_address(name)
        except ValueError:
            msg = f"{host} is neither a named test server, a platform endpoint nor a device in netready.toml; nothing was sent"
            raise Refused(msg) from None
        if self.holds(address):
            return host
        what = "no test server or platform endpoint that netready.toml names"
        msg = f"{host} is outside the authorised networks and is {what}; nothing was sent"
        raise Refused(msg)

    def holds(self, address: Address) -> bool:
        """Whether the address is of an authorised network or this machine's own loopback."""
        return address.is_loopback or any(address in allowed for allowed in self.networks)


def _inside(network: Network, allowed: Network) -> bool:
    match network, allowed:
        case (IPv4Network(), IPv4Network()):
            return network.subnet_of(allowed)
        case (IPv6Network(), IPv6Network()):
            return network.subnet_of(allowed)
        case _:
            return False
