"""Run as a program inside a network namespace of its own: builds segments with hosts, sweeps them, prints what came of it.

The hosts are namespaces on a bridge whose kernels answer ARP themselves; the others are played by scapy at a port of the
bridge, among them a machine that answers for many and one that answers for everything.
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
from probes import arp_sweep

OWN = "10.66.0.1/24"
HOSTS = ("10.66.0.10", "10.66.0.11", "10.66.0.12", "10.66.0.12")  # the last two quarrel over one address
LATE = {f"10.66.0.{number}" for number in range(100, 140)}  # answer only the second question
SLOW, SHARED, PRIORITY, OTHER_VLAN = "10.66.0.141", "10.66.0.140", "10.66.0.211", "10.66.0.210"
PROXIED = {f"10.66.0.{number}" for number in range(150, 170)} | {SHARED}
UNUSED = {"10.66.0.0", "10.66.0.255", "10.66.0.200"}
PLAYED = LATE | PROXIED | UNUSED | {SLOW, PRIORITY, OTHER_VLAN, "10.66.0.10", "10.66.0.11"}
PROXY, LIAR = "aa:bb:cc:00:ff:01", "aa:bb:cc:00:ff:02"


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True)


def attach(number):
    """A namespace of its own with one end of a cable whose other end is here; gives its process."""
    holder = subprocess.Popen(["unshare", "-n", "sleep", "30"])
    own = Path("/proc/self/ns/net").stat().st_ino
    for _ in range(200):
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{holder.pid}/ns/net").stat().st_ino != own:
                break
        time.sleep(0.01)
    run("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", f"e{number}", "netns", str(holder.pid))
    run("ip", "link", "set", f"v{number}", "up")
    run(*inside(holder), "ip", "link", "set", f"e{number}", "up")
    return holder


def inside(holder):
    return ("nsenter", "-t", str(holder.pid), "-n")


class Player:
    """Plays the other hosts. `asked` counts the questions it has seen, by address: those to everybody, and to its own MACs."""

    def __init__(self, sock) -> None:
        self.sock = sock
        self.asked = {}
        self.stop = threading.Event()
        self.later = []

    def play(self):
        from scapy.layers.l2 import Ether

        self.sock.settimeout(0.02)
        while not self.stop.is_set():
            while self.later and self.later[0][0] <= time.monotonic():
                self.sock.send(self.later.pop(0)[1])
            try:
                frame = self.sock.recv(256)
            except TimeoutError:
                continue
            wanted = socket.inet_ntoa(frame[38:42])
            if frame[20:22] == b"\x00\x01" and wanted in PLAYED:  # the others are the kernels' own or nobody's
                self.asked.setdefault(wanted, []).append(frame[:6].hex(":"))
                self.answer(Ether(frame), wanted)

    def answer(self, question, wanted):
        own = f"aa:bb:cc:00:00:{int(wanted.split('.')[3]):02x}"
        if question.dst not in {"ff:ff:ff:ff:ff:ff", own}:
            return
        if wanted in LATE and len(self.asked[wanted]) == 2:
            self.tell(question, own, wanted)
            # Claims that nobody may believe: an address of another network, and an answer to somebody else.
            self.tell(question, own, "10.99.0.1")
            self.tell(question, own, "10.66.0.77", to="10.66.0.9")
        if wanted in {SHARED, PRIORITY}:
            self.tell(question, own, wanted, vlan=0 if wanted == PRIORITY else None)
        if wanted == SLOW:
            self.tell(question, own, wanted, after=0.35)
        if wanted == OTHER_VLAN:
            self.tell(question, own, wanted, vlan=30)
        if question.dst == own:
            return
        if wanted in PROXIED:
            self.tell(question, PROXY, wanted)
        if wanted in UNUSED:
            self.tell(question, LIAR, wanted)

    def tell(self, question, mac, address, *, to=None, vlan=None, after=0.0):
        from scapy.layers.l2 import ARP, Dot1Q, Ether

        ask = question[ARP]
        tag = Ether(src=mac, dst=ask.hwsrc) if vlan is None else Ether(src=mac, dst=ask.hwsrc) / Dot1Q(vlan=vlan, prio=5)
        frame = bytes(tag / ARP(op=2, hwsrc=mac, psrc=address, hwdst=ask.hwsrc, pdst=to or ask.psrc))
        if after:
            self.later.append((time.monotonic() + after, frame))
        else:
            self.sock.send(frame)


def main():
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "address", "add", OWN, "dev", "br0")
    run("ip", "link", "set", "br0", "up")
    holders = [attach(number) for number in range(len(HOSTS) + 2)]
    try:
        for number, address in enumerate(HOSTS):
            run("ip", "link", "set", f"v{number}", "master", "br0")
            run(*inside(holders[number]), "ip", "address", "add", f"{address}/24", "dev", f"e{number}")
        run("ip", "link", "add", "late", "type", "veth", "peer", "name", "player")
        run("ip", "link", "set", "late", "master", "br0", "up")
        run("ip", "link", "set", "player", "up")
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
            sock.bind(("player", 0x0806))
            player = Player(sock)
            thread = threading.Thread(target=player.play)
            thread.start()
            time.sleep(0.7)  # scapy is loaded and the bridge has learnt its ports
            try:
                found = {"first": sweep()}
                found["again"] = again(player, found["first"])
            finally:
                player.stop.set()
                thread.join()
        found["unplugged"] = spoiled(holders[4], 4, inside(holders[4]), "set", "e4", "down")
        found["removed"] = spoiled(holders[5], 5, (), "delete", "v5")
        json.dump(found, sys.stdout)
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


def again(player, first):
    """A second sweep, which knows three hosts, one of them wrongly; and to whom the questions about them went."""
    macs = {each["address"]: each["mac"] for each in first if "address" in each}
    known = {"10.66.0.10": macs["10.66.0.10"], "10.66.0.11": "02:00:00:00:00:99", "10.66.0.140": "aa:bb:cc:00:00:8c"}
    player.asked.clear()
    readings = sweep(known=tuple(known.items()), networks=("10.66.0.0/24",), rate=1000)
    return {"readings": readings, "asked": {address: player.asked.get(address, []) for address in known}}


def spoiled(holder, number, enter, *damage):
    """A sweep whose interface is spoiled half-way; the far end has every twentieth address."""
    net = f"10.{70 + number}.0"
    batch = "\n".join(f"address add {net}.{host}/24 dev e{number}" for host in range(2, 254, 20))
    subprocess.run([*inside(holder), "ip", "-batch", "-"], input=batch, text=True, check=True)
    run("ip", "address", "add", f"{net}.1/24", "dev", f"v{number}")
    timer = threading.Timer(0.4, run, (*enter, "ip", "link", *damage))
    timer.start()
    readings = sweep(networks=(f"{net}.0/24",), rate=300)
    timer.join()
    return readings


def sweep(*, known=(), networks=("10.66.0.0/16", "10.70.0.0/24", "fd00::/64"), rate=500):
    """The readings of a sweep: of the whole site as far as it is attached, and of what is not attached or is IPv6."""
    context = Context(
        clock=SystemClock(),
        chance=random.Random(3),
        authority=Authority(networks=tuple(ip_network(text) for text in networks), widest=256),
        say=lambda _line: None,
    )
    settings = arp_sweep.Settings(networks=networks, packets_per_second=rate, tries=3, wait=0.8, known=known)
    return [json.loads(msgspec.json.encode(reading)) for reading in arp_sweep.read(settings, context)]


if __name__ == "__main__":
    main()
