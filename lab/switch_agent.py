"""THE VIRTUAL SCHOOL's switches on the campus, alive: what their bridges have learnt, their ports, and the LLDP they speak.

All of it is of the namespace in which the process is. Nothing here asks the plan where a host is.
"""

import contextlib
import socket
import threading
import time

import msgspec

from lab import lldp
from lab.announce import PERIOD
from lab.campus import Switch
from lab.campus_wiring import bridge, cable, outlet_of
from lab.iproute import ask

LONGEST = 2048
LOCAL_NAME = 7  # of a port, where the switch calls it by its number (IEEE 802.1AB-2016 table 8-3)


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a forwarding table. `port` 0: the switch itself."""

    mac: str
    vlan: int
    port: int


class Traffic(msgspec.Struct, kw_only=True):
    """One port: whether something is plugged in, and what has passed, seen from the switch."""

    up: bool = False
    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The switch at one moment."""

    learnt: list[Learnt]
    ports: dict[int, Traffic]
    neighbours: list[tuple[int, lldp.Neighbour]]


def learnt(switch: Switch) -> list[Learnt]:
    """The forwarding tables of all VLANs, the switch's own address among them."""
    vlans = sorted({vlan for port in switch.ports for vlan in port.vlans})
    rows = [Learnt(mac=switch.mac, vlan=vlan, port=0) for vlan in vlans]
    for row in ask("bridge", "fdb", "show"):
        outlet = outlet_of(row["ifname"])
        # What the bridge was told ("permanent") are its ports' own addresses, and the groups that the kernel listens to.
        if outlet and row.get("state") != "permanent" and row.get("master") == bridge(outlet[1]):
            rows.append(Learnt(mac=row["mac"], vlan=outlet[1], port=outlet[0]))
    return rows


def traffic() -> dict[int, Traffic]:
    """Every port that has a cable, with all its VLANs together."""
    found: dict[int, Traffic] = {}
    for row in ask("ip", "-statistics", "link", "show"):
        outlet = outlet_of(row["ifname"])
        if outlet:
            port = found.setdefault(outlet[0], Traffic())
            counts = row.get("stats64", {})
            port.up |= "LOWER_UP" in row["flags"]
            port.bytes_in += counts.get("rx", {}).get("bytes", 0)
            port.bytes_out += counts.get("tx", {}).get("bytes", 0)
            port.packets_in += counts.get("rx", {}).get("packets", 0)
            port.packets_out += counts.get("tx", {}).get("packets", 0)
    return found


class Neighbours:
    """The switch's LLDP: it tells each port's far end who it is, and keeps what the far ends say."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._heard: dict[tuple[int, bytes], tuple[float, lldp.Neighbour]] = {}
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(lldp.ETHERTYPE))
        threading.Thread(target=self._talk, daemon=True).start()

    def present(self, ports: dict[int, Traffic]) -> list[tuple[int, lldp.Neighbour]]:
        """Each port that has a neighbour, and the neighbour. Who is unplugged is forgotten."""
        now = time.monotonic()
        kept = list(self._heard.items())
        return sorted(
            ((port, said) for (port, _), (until, said) in kept if until > now and ports.get(port, Traffic()).up),
            key=lambda pair: (pair[0], pair[1].chassis),
        )

    def _talk(self) -> None:
        while True:
            for port in self._switch.ports:
                with contextlib.suppress(OSError):  # nothing is plugged in
                    self._socket.sendto(self._frame(port.number), (cable(port.number, port.vlan), 0))
            until = time.monotonic() + PERIOD
            while (left := until - time.monotonic()) > 0:
                self._socket.settimeout(left)
                with contextlib.suppress(OSError):
                    frame, (interface, _, kind, *_) = self._socket.recvfrom(LONGEST)
                    outlet, said = outlet_of(interface), lldp.read(frame)
                    if outlet and said and kind != socket.PACKET_OUTGOING:
                        self._heard[outlet[0], said.chassis] = (time.monotonic() + lldp.LIFETIME, said)

    def _frame(self, port: int) -> bytes:
        switch = self._switch
        name = switch.port_name(port)
        said = lldp.Neighbour(
            chassis=bytes.fromhex(switch.mac.replace(":", "")),
            port=name.encode(),
            way=LOCAL_NAME if name == str(port) else lldp.INTERFACE_NAME,
            port_text=name,
            name=switch.name,
            text=switch.description,
            able=lldp.BRIDGE,
            address=switch.address,
        )
        return lldp.frame(bytes.fromhex(switch.port_mac(port).replace(":", "")), said)


def look(switch: Switch, neighbours: Neighbours) -> Seen:
    """The switch as it is now."""
    ports = traffic()
    return Seen(learnt=learnt(switch), ports=ports, neighbours=neighbours.present(ports))
