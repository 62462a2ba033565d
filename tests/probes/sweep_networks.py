"""Run as a program inside a network namespace of its own: builds networks, sweeps them, prints the readings.

"icmp" builds networks behind a router, some of which cannot be reached; "nd" a segment of IPv6 with hosts whose kernels answer
themselves, one of them never to a multicast, and others that scapy plays.
"""

import contextlib
import json
import random
import socket
import subprocess
import sys
import threading
import time
from ipaddress import ip_network
from pathlib import Path

import msgspec

from agent.clock import SystemClock
from netready.authority import Authority
from netready.instrument import Context
from probes import icmp_sweep, nd_sweep

# Linux tells one host at most once a second that a network is barred, so only one network here is.
FAR = ("10.80.0.0/28", "10.84.0.0/28", "10.82.0.0/28", "10.81.0.0/26", "10.80.0.0/27", "fd00::/64")
ROUTER, OLD_ROUTER, STRANGER, GHOST = (f"aa:bb:cc:00:00:0{number}" for number in range(1, 5))


def run(*argv, enter=()):
    subprocess.run([*enter, *argv], check=True, capture_output=True)


def space(holders):
    """A network namespace of its own: the words that enter it, and its process."""
    holder = subprocess.Popen(["unshare", "-n", "sleep", "30"])
    holders.append(holder)
    own = Path("/proc/self/ns/net").stat().st_ino
    for _ in range(200):
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{holder.pid}/ns/net").stat().st_ino != own:
                break
        time.sleep(0.01)
    enter = ("nsenter", "-t", str(holder.pid), "-n")
    setting("ipv6/conf/default/accept_dad", 0, enter)
    return enter, holder


def setting(name, value, enter=()):
    run("sh", "-c", f"echo '{value}' > /proc/sys/net/{name}", enter=enter)


def cable(here, name, other, other_name, holder):
    run("ip", "link", "add", name, "type", "veth", "peer", "name", other_name, "netns", str(holder.pid), enter=here)
    run("ip", "link", "set", name, "up", enter=here)
    run("ip", "link", "set", other_name, "up", enter=other)


def context(*networks):
    allowed = tuple(ip_network(text) for text in networks)
    return Context(clock=SystemClock(), chance=random.Random(5), authority=Authority(networks=allowed), say=lambda _line: None)


def printed(readings):
    return [json.loads(msgspec.json.encode(reading)) for reading in readings]


def icmp(holders):
    """Sweeps through a router: with the right to send frames, and (as another process) without."""
    router, router_holder = space(holders)
    far, far_holder = space(holders)
    cable((), "e0", router, "r0", router_holder)
    cable(router, "r1", far, "f0", far_holder)
    run("ip", "address", "add", "10.80.0.1/28", "dev", "e0")
    run("ip", "route", "add", "default", "via", "10.80.0.14")
    run("ip", "route", "add", "10.84.0.0/28", "via", "10.80.0.7")  # nobody's
    run("ip", "address", "add", "10.80.0.14/28", "dev", "r0", enter=router)
    run("ip", "address", "add", "10.81.0.1/26", "dev", "r1", enter=router)
    run("ip", "address", "add", "10.80.0.17/32", "dev", "r1", enter=router)
    for silent in ("10.81.0.32/27", "10.80.0.16/28"):
        run("ip", "route", "add", "blackhole", silent, enter=router)
    run("ip", "route", "add", "prohibit", "10.82.0.0/28", enter=router)
    setting("ipv4/ip_forward", 1, router)
    for number in range(2, 32):
        run("ip", "address", "add", f"10.81.0.{number}/26", "dev", "f0", enter=far)
    run("ip", "route", "add", "default", "via", "10.81.0.1", enter=far)
    found = swept_by_icmp(*FAR)  # by a raw socket: nobody's group may use the kernel's own kind yet
    setting("ipv4/ping_group_range", "0 0")
    again = [sys.executable, __file__, "without"]
    done = subprocess.run(
        ["setpriv", "--bounding-set=-net_raw", *again], capture_output=True, text=True, check=False, timeout=20
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {"with": found, "without": json.loads(done.stdout)}


def swept_by_icmp(*networks):
    settings = icmp_sweep.Settings(networks=networks, packets_per_second=1000, tries=2, wait=0.3)
    return printed(icmp_sweep.read(settings, context("10.80.0.0/13", "fd00::/64")))


def nd(holders):
    setting("ipv6/conf/default/accept_dad", 0)
    setting("ipv6/conf/default/accept_ra", 0)
    run("ip", "link", "add", "br0", "type", "bridge")
    for number in range(2):
        enter, holder = space(holders)
        cable((), f"v{number}", enter, f"e{number}", holder)
        run("ip", "link", "set", f"v{number}", "master", "br0")
        run("ip", "address", "add", f"fd66::1{number}/64", "dev", f"e{number}", "nodad", enter=enter)
    setting("ipv6/icmp/echo_ignore_multicast", 1, enter)
    run("ip", "link", "add", "late", "type", "veth", "peer", "name", "player")
    run("ip", "link", "set", "late", "master", "br0", "up")
    setting("ipv6/conf/player/disable_ipv6", 1)
    run("ip", "link", "set", "player", "up")
    run("ip", "address", "add", "10.66.0.1/24", "dev", "br0")
    run("ip", "link", "set", "br0", "up")
    run("ip", "address", "add", "fd66::1/64", "dev", "br0", "nodad")
    # The second host speaks to us, so that our kernel learns of it.
    speak = "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'x', ('fd66::1', 9))"
    run(sys.executable, "-c", speak, enter=enter)
    stop = threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("player", 0x86DD))
        player = threading.Thread(target=play, args=(sock, stop))
        player.start()
        time.sleep(0.7)  # scapy is loaded
        try:
            settings = nd_sweep.Settings(networks=("10.66.0.0/24",), tries=2, wait=0.5)
            return printed(nd_sweep.read(settings, context("10.66.0.0/24")))
        finally:
            stop.set()
            player.join()


def play(sock, stop):
    """Two routers, one of which routes for nobody; a stranger; and one whose answers fit no question of ours."""
    from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_RA, ICMPv6ND_RS, IPv6
    from scapy.layers.l2 import Dot1Q, Ether

    def tell(mac, source, to, body, *, hops=255, tag=None):
        ether = Ether(src=mac, dst=to.src) if tag is None else Ether(src=mac, dst=to.src) / Dot1Q(vlan=tag)
        sock.send(bytes(ether / IPv6(src=source, dst=to[IPv6].src, hlim=hops) / body))

    sock.settimeout(0.05)
    while not stop.is_set():
        try:
            said = Ether(sock.recv(2048))
        except TimeoutError:
            continue
        if ICMPv6ND_RS in said:
            tell(ROUTER, "fe80::a", said, ICMPv6ND_RA(routerlifetime=1800))
            tell(OLD_ROUTER, "fe80::b", said, ICMPv6ND_RA(routerlifetime=0))
            tell(GHOST, "fe80::c", said, ICMPv6ND_RA(routerlifetime=1800), hops=64)
        if ICMPv6EchoRequest in said:
            ask = said[ICMPv6EchoRequest]
            true = ICMPv6EchoReply(id=ask.id, seq=ask.seq, data=ask.data)
            tell(STRANGER, "2001:db8::5", said, true)
            tell(GHOST, "fe80::d", said, ICMPv6EchoReply(id=ask.id, seq=ask.seq, data=b"x" * 16))
            tell(GHOST, "fe80::e", said, ICMPv6ND_NA(tgt="fd66::77", S=1))
            tell(GHOST, "fe80::f", said, true, tag=30)
            sock.send(b"\x33\x33" + bytes(10) + b"\x86\xdd" + random.randbytes(40))


def main():
    if sys.argv[1] == "without":
        json.dump(swept_by_icmp("10.82.0.0/28", "10.80.0.0/28"), sys.stdout)
        return
    run("ip", "link", "set", "lo", "up")
    holders = []
    try:
        json.dump({"icmp": icmp, "nd": nd}[sys.argv[1]](holders), sys.stdout)
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


if __name__ == "__main__":
    main()
