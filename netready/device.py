"""A device on the network, from one or more sightings; what it is, and how that is known."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a device is. `UNKNOWN` is an honest answer."""

    ACCESS_POINT = "access-point"
    SWITCH = "switch"
    ROUTER = "router"
    FIREWALL = "firewall"
    SERVER = "server"
    PRINTER = "printer"
    CAMERA = "camera"
    PHONE = "phone"
    UPS = "ups"
    DISPLAY = "display"
    IOT = "iot"
    STUDENT_DEVICE = "student-device"
    STAFF_DEVICE = "staff-device"
    COMPUTER = "computer"
    UNKNOWN = "unknown"


INFRASTRUCTURE = frozenset(
    {Kind.ACCESS_POINT, Kind.SWITCH, Kind.ROUTER, Kind.FIREWALL, Kind.SERVER, Kind.UPS, Kind.PRINTER, Kind.CAMERA}
)


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One observation of a device by one source. Text is sanitised before it comes here.

    facts     what this source said, by name; a fact that was not said is left out

    source        facts
    ------------  -------------------------------------------------------------------------------------------------------
    arp           self ("yes": this machine), interface, duplicate ("yes": two MACs claim the address), proxy ("yes": its MAC
                  answers for many addresses), confirmed ("unicast": a known host was asked, nobody else), heard ("yes": it
                  spoke, nobody here asked)
    icmp          ttl; router ("yes": it answered for a network that is not this machine's own)
    nd            router ("yes": it advertises itself), interface, heard (as for arp)
    snmp          sysdescr, sysobjectid, services (number), location, model, serial, maker, firmware, software,
                  mibs (words for the special tables it has: printer, ups, wireless),
                  bridge (its bridge MAC), macs (MACs of its interfaces, space-separated), addresses (the same for IP),
                  clients (of an access point), member (of a stack but its first: "2"; without address, told by its serial)
    router        a row of a router's ARP or ND table: router (address asked), interface, vlan, vlan_name
    fdb           a row of a switch's forwarding table: switch (address asked), port (ifName), vlan, vlan_name
    lldp, cdp     a neighbour: switch and port (of the switch that told; absent when heard here), interface (heard here),
                  remote_port, capabilities (words: bridge router wlan-ap telephone station repeater docsis other host),
                  description, platform, class (LLDP-MED: "1" to "4"), model, serial, maker, firmware, software, vlan (of
                  untagged frames on its port)
    stp           a bridge in a capture file: bridge (its bridge MAC), root ("yes": it is the root), interface
    netbios       a name in a capture file: group (the workgroup or domain)
    controller    an access point that a wireless controller lists: controller (address asked), model, serial, location,
                  state, clients
    wifi          a client that an access point or a controller lists: point (name of the access point), ssid, os
    dhcp          vendor_class (option 60), parameters (option 55, comma-separated numbers), client_id (option 61, hex; a
                  DUID of DHCPv6 in that form, RFC 4361)
    dhcp-server   a server that offered or acknowledged an address: interface, serves (the address offered)
    mdns          types (service types, space-separated), model, location, maker
    ssdp          kinds (device and service types, space-separated), server
    lease         a DHCP server's list: file, expires (ISO 8601), vendor_class, client_id (option 61, hex)
    google, intune, jamf, snipe-it, glpi
                  an asset list: serial, model, maker, os, os_version, owner ("student" or "staff", never a name), room,
                  last_seen and updates_until (ISO dates), memory (bytes), storage (bytes), screen (inches), cart, status, file,
                  asset (its tag); a device with two hardware addresses is two sightings
    What was heard (arp, nd, dhcp, dhcp-server, mdns, ssdp) also has vlan, when the frame came with a VLAN's tag.
    """

    source: str
    at: datetime
    mac: str | None = None  # lower case, colons
    address: str | None = None  # IPv4 or IPv6
    name: str | None = None
    facts: dict[str, str] = {}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a switch, by the switch's name or address and the port's name."""

    switch: str
    port: str
    vlan: str | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One thing on the network, counted once.

    key       what makes it this device and no other: its MAC, else its serial number, else its address; or the pseudonym of
              that, when it is not infrastructure and has been stored
    random    its MAC is locally administered, so it may be one of several the same device has used
    place     the port of a switch that it hangs on, nearest to it
    point     the access point that it is a client of
    why       the evidence behind `kind`, one short line each
    merged    why several sightings were taken for one device, one short line each
    how       the sources that saw it
    enrolled  the asset lists it stands in
    facts     what the census needs later and is nobody's name: model, serial, maker, os, updates_until, memory, storage,
              screen, clients, parameters ...
    """

    key: str
    mac: str | None
    addresses: tuple[str, ...]
    names: tuple[str, ...]
    kind: Kind
    vendor: str | None
    room: str | None = None
    place: Place | None = None
    point: str | None = None
    random: bool = False
    why: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    how: tuple[str, ...] = ()
    enrolled: tuple[str, ...] = ()
    facts: dict[str, str] = {}
