"""What is wrong with switch ports: half duplex, packets that arrive broken, switches that nobody manages, loops."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from census import shared
from census.merge import Census
from census.tables import Port
from netready.finding import Finding, Trouble
from netready.measurement import Measurement
from netready.units import count

BROKEN = "interface_errors_received"
# From which share of packets, and from how many, broken ones are worth a technician's time. A cable that keeps to its class
# breaks less than one in a hundred million; our own proposal leaves room for a plug that was pulled.
SHARE, FEWEST = 1e-4, 20
FEWEST_AN_HOUR = 20.0  # where the device does not say how many packets there were
CROWD = 3  # cards on one socket: a telephone and the computer behind it are two


class Names:
    """What ports are called, and what is on them."""

    def __init__(self, census: Census) -> None:
        self.census = census
        self._on: defaultdict[Port, set[str]] = defaultdict(set)
        self._rooms: dict[str, str | None] = {device.key: device.room for device in census.devices}
        for mac, port in census.topology.place.items():
            if mac in census.owner:
                self._on[port].add(census.owner[mac])

    def split(self, target: str) -> tuple[str, str]:
        """The switch's name and the rest of a measurement's target: "10.20.0.2 7" is ("switch-1", "7")."""
        address, _, rest = target.partition(" ")
        return self.device(address), rest

    def device(self, address: str) -> str:
        """What people call the device at `address`."""
        number = self.census.joined.by_address.get(address)
        return address if number is None else self.census.topology.names[number]

    def port(self, target: str) -> Port | None:
        """The port that a measurement is about; None when its switch is not known."""
        address, _, rest = target.partition(" ")
        number = self.census.joined.by_address.get(address)
        return None if number is None else Port(number, rest)

    def on(self, port: Port | None) -> tuple[str, ...]:
        """The keys of the devices that hang on a port."""
        return () if port is None else tuple(sorted(self._on.get(port, ())))

    def room(self, port: Port | None) -> str | None:
        """The room that everything on a port is in; None when that is not one room."""
        rooms = {self._rooms.get(key) for key in self.on(port)}
        return next(iter(rooms)) if len(rooms) == 1 else None


def half_duplex(measurements: Iterable[Measurement], names: Names) -> Iterator[Finding]:
    """Working ports that take turns with their neighbour."""
    for each in measurements:
        if each.metric == "interface_half_duplex" and each.value:
            switch, rest = names.split(each.target)
            port = names.port(each.target)
            yield Finding(
                trouble=Trouble.HALF_DUPLEX,
                where=f"{switch} port {rest}",
                says=f"{switch} port {rest} is half duplex, where full duplex is expected: one end was set by hand, or the"
                " cable is damaged.",
                known_by=(f"dot3StatsDuplexStatus or ifMauType of {each.target.partition(' ')[0]}",),
                devices=names.on(port),
                room=names.room(port),
            )


def failing(now: Iterable[Measurement], before: Iterable[Measurement], names: Names) -> Iterator[Finding]:
    """Ports on which too many packets arrive broken, since the last survey, or else since their counters began."""
    earlier = {each.target: each for each in before if each.metric == BROKEN and each.value is not None}
    for each in now:
        if each.metric != BROKEN or not each.value:
            continue
        errors, packets, seconds, since = _growth(each, earlier.get(each.target))
        if errors < FEWEST:
            continue
        if packets:
            bad, amount = (
                errors / packets >= SHARE,
                f"{errors:,.0f} of {packets:,.0f} packets broken ({100 * errors / packets:.2f} %)",
            )
        else:
            bad, amount = seconds > 0 and errors / seconds * 3600 >= FEWEST_AN_HOUR, f"{errors:,.0f} packets broken"
        if bad:
            switch, rest = names.split(each.target)
            port = names.port(each.target)
            yield Finding(
                trouble=Trouble.PORT_ERRORS,
                where=f"{switch} port {rest}",
                says=f"{switch} port {rest} received {amount} since {since}, where hardly any are expected: look at its cable,"
                " its sockets and the duplex of the other end.",
                known_by=(f"ifInErrors of {each.target.partition(' ')[0]}",),
                devices=names.on(port),
                room=names.room(port),
            )


def _growth(now: Measurement, before: Measurement | None) -> tuple[float, float, float, str]:
    """Errors, packets and seconds, and since when. A counter that began anew, or a device that started again, counts alone."""
    value, packets, uptime = now.value or 0.0, now.detail("packets") or 0.0, now.detail("uptime") or 0.0
    start = value, packets, uptime, "the counter began"
    if before is None or before.value is None or before.value > value:
        return start
    seconds = (now.taken_at - before.taken_at).total_seconds()
    if seconds <= 0 or uptime < seconds or now.details.get("discontinuity") != before.details.get("discontinuity"):
        return start
    more = max(0.0, packets - (before.detail("packets") or 0.0)) if packets else 0.0
    return value - before.value, more, seconds, f"{before.taken_at.day} {before.taken_at:%B}"


def unmanaged(census: Census, names: Names) -> Iterator[Finding]:
    """Sockets behind which several devices are, though nothing there says that it is a switch or an access point."""
    topology = census.topology
    points = set(topology.points.values())
    for port, learned in sorted(topology.learned.items()):
        alone = {census.owner.get(mac, mac) for mac in learned if not shared.is_guest(mac)}
        if port in topology.uplinks or port in points or port in topology.neighbours or len(alone) < CROWD:
            continue
        made_up = sum(shared.may_change(mac) for mac in learned)
        guess = "an access point that nobody listed" if 2 * made_up >= len(learned) else "a switch that nobody manages"
        number = count(len(alone), "device")
        yield Finding(
            trouble=Trouble.UNMANAGED_SWITCH,
            where=topology.shown(port),
            says=f"{number[0].upper()}{number[1:]} hang on {topology.shown(port)}, where one is expected: probably {guess}.",
            known_by=(f"forwarding table of {topology.names[port.switch]}", "no LLDP or CDP on that port"),
            devices=tuple(sorted(alone)),
            room=names.room(port),
        )


def loops(census: Census) -> Iterator[Finding]:
    """Switches that hear themselves, and cards that one switch heard on several sockets in one survey."""
    topology = census.topology
    for port, heard in topology.neighbours.items():
        if any(one.group == port.switch for one in heard):
            switch = topology.names[port.switch]
            yield Finding(
                trouble=Trouble.LOOP,
                where=topology.shown(port),
                says=f"{switch} hears its own announcements on port {port.name}: a cable leads back to it.",
                known_by=(f"LLDP or CDP of {switch}",),
            )
    pairs: defaultdict[tuple[Port, ...], set[str]] = defaultdict(set)
    for mac, ports in topology.moving.items():
        pairs[ports].add(mac)
    crowded = Counter(port for ports in pairs for port in ports)
    for ports, macs in sorted(pairs.items(), key=lambda pair: pair[0]):
        if all(port in topology.points.values() for port in ports):
            continue  # clients that walk from one access point to the next
        yield _moving(census, ports, sorted({census.owner.get(mac, mac) for mac in macs}), max(crowded[port] for port in ports))


def _moving(census: Census, ports: Sequence[Port], keys: Sequence[str], pairs: int) -> Finding:
    shown = [census.topology.shown(port) for port in ports]
    places = f"{', '.join(shown[:-1])} and {shown[-1]}"
    many = len(keys) > 1 or pairs > 1
    what = "there is a loop, or a line between the two that no table explains" if many else "it was moved, or there is a loop"
    return Finding(
        trouble=Trouble.LOOP,
        where=" and ".join(shown),
        says=f"{count(len(keys), 'device').capitalize()} {'were' if len(keys) > 1 else 'was'} heard on {places} in one survey:"
        f" {what}.",
        known_by=tuple(
            f"forwarding table of {name}" for name in sorted({census.topology.names[port.switch] for port in ports})
        ),
        devices=tuple(keys),
    )
