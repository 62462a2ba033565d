"""Run as a program inside a network namespace of its own: makes cards of several kinds and prints what is told of them."""

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys

import msgspec

from probes.throughput import nic
from probes.throughput.surroundings import card, interface_rate, route_interface

TUNSETIFF, TUN, TAP, NO_INFO = 0x400454CA, 1, 2, 0x1000
SLINKSETTINGS = 0x4D


def attach(name, kind):
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | NO_INFO))


def set_link(name, speed, duplex):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        raw = bytearray(nic._link_settings(asked, name))
        struct.pack_into("=IIB", raw, 0, SLINKSETTINGS, speed, duplex)
        assert nic._ethtool(asked, name, bytes(raw))


for name, kind in (("card0", TAP), ("half0", TAP), ("fresh0", TAP), ("tun0", TUN)):
    attach(name, kind)
set_link("card0", 100, 1)
set_link("half0", 100, 0)
for command in (
    "link add veth0 type veth peer name veth1",
    "link add br0 type bridge",
    "address add 198.51.100.1/24 dev card0",
    "link set card0 mtu 1400 up",
    "link set tun0 up",
    "route add 203.0.113.0/24 dev tun0",
):
    subprocess.run(["ip", *command.split()], check=True)
names = ("card0", "half0", "fresh0", "tun0", "veth0", "br0")
told = {
    "cards": {name: msgspec.to_builtins(card(name)) for name in names},
    "rates": {name: interface_rate(name) for name in ("card0", "veth0")},
    "routes": {to: route_interface(to) for to in ("198.51.100.77", "203.0.113.9", "192.0.2.1")},
}
json.dump(told, sys.stdout)
