"""A leg: the interface or address of this machine that a connection goes out by, to be made from a network on purpose."""

import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import msgspec

from netready.access import Nominated
from netready.failure import Failed, Failure
from netready.instrument import Context
from netready.site import Circuit
from netready.text import clean
from probes import dns_lookup
from probes.where import Place, addresses, is_address

RP_FILTER = Path("/proc/sys/net/ipv4/conf")
TRIES = 2  # questions to a network's own name server


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """Where a connection goes out, in a network or on a circuit of that name; without interface and source, anywhere."""

    name: str = ""
    interface: str = ""
    source: str = ""
    resolver: str = ""

    @classmethod
    def of(cls, one: Nominated | Circuit) -> "Leg":
        """The leg in a nominated network, or on a circuit."""
        resolver = one.resolver if isinstance(one, Nominated) else ""
        return cls(name=one.name, interface=one.interface, source=one.source, resolver=resolver)

    def bind(self, sock: socket.socket) -> None:
        """Make `sock` go out by this leg. Raises Failed(local-resources): that it cannot is this machine's own trouble."""
        try:
            if self.interface:
                # The route is then looked up among those of this interface only (socket(7)).
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode() + b"\0")
            if self.source:
                sock.bind((self.source, 0))
        except OSError as error:
            by = " and ".join(part for part in (self.interface, self.source) if part)
            reason = f"this machine cannot send from {self.name} by {by} ({error.strerror})"
            raise Failed(Failure.LOCAL_RESOURCES, reason) from error

    def reach(self, family: socket.AddressFamily, address: str) -> None:
        """Raises Failed(local-resources) where the kernel would drop what comes back from `address` by this leg.

        A strict reverse-path filter (RFC 3704 section 2.2; ip-sysctl, rp_filter) takes a packet only on the interface that it
        would itself send to that address by. Nothing is sent to find out: a datagram socket only looks its route up.
        """
        if not self.interface or family != socket.AF_INET or not _strict(self.interface):
            return
        own, free = (_source(leg, family, address) for leg in (self, HERE))
        if own and own != free:  # without a way of its own it is simply unreachable
            reason = f"the kernel drops what comes back to {self.interface}"
            raise Failed(Failure.LOCAL_RESOURCES, f"{reason}; set net.ipv4.conf.{self.interface}.rp_filter to 2")

    def places(self, host: str, seconds: float, context: Context) -> list[Place]:
        """The addresses of `host` as a device in this network finds them, of the family that the leg has.

        Raises Failed, and OSError as the system gives it.
        """
        own = bool(self.resolver) and not is_address(host)
        found = self._asked(host, seconds, context) if own else addresses(host, seconds)
        if self.source:
            family = socket.AF_INET6 if ip_address(self.source).version == 6 else socket.AF_INET
            found = [place for place in found if place[0] == family]
        if not found:
            raise Failed(Failure.DNS_NO_ADDRESS)
        return found

    def _asked(self, host: str, seconds: float, context: Context) -> list[Place]:
        context.authority.allow_host(self.resolver)
        try:
            name = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise Failed(Failure.DNS_NXDOMAIN, f"{clean(host)} is not a host name") from None
        place = addresses(self.resolver, seconds)[0]
        settings = dns_lookup.Settings(timeout=max(seconds / TRIES / 2, 0.001), tries=TRIES)
        found: list[Place] = []
        for kind, family in (("A", socket.AF_INET), ("AAAA", socket.AF_INET6)):
            question = dns_lookup.Question(name=name, kind=kind, place=place, port=dns_lookup.PORT, bind=self.bind)
            answer, _ = dns_lookup.ask(question, settings, context)
            if answer.rcode:
                raise Failed(dns_lookup.word(answer.rcode), f"the name server {self.resolver} does not know {name}")
            found += [(family, address) for address in answer.addresses]
        return found


HERE = Leg()


def _strict(interface: str) -> bool:
    """Whether the kernel checks the reverse path of what comes in by the interface strictly: the larger setting holds."""
    settings = [RP_FILTER / name / "rp_filter" for name in ("all", interface)]
    try:
        return max(int(setting.read_text()) for setting in settings) == 1
    except (OSError, ValueError):  # another system, or no such interface, which binding to it tells
        return False


def _source(leg: Leg, family: socket.AddressFamily, address: str) -> str:
    """The address that a packet to `address` would come from; nothing where there is no way."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        leg.bind(sock)
        try:
            sock.connect((address, 9))
        except OSError:
            return ""
        return str(sock.getsockname()[0])


def joined(places: list[Place], port: int, leg: Leg, left: Callable[[], float]) -> tuple[socket.socket, str]:
    """A connection to the first address that takes one, in the given order, and that address. Raises OSError or Failed.

    `left` gives the seconds that remain; a dead first address must not eat all of them when there are others to try.
    """
    trouble: OSError | None = None
    for number, (family, address) in enumerate(places):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            leg.bind(sock)
            leg.reach(family, address)
            sock.settimeout(left() / (len(places) - number))
            sock.connect((address, port))
        except OSError as error:
            sock.close()
            trouble = error
        except Failed:
            sock.close()
            raise
        else:
            return sock, address
    raise trouble or Failed(Failure.DNS_NO_ADDRESS)
