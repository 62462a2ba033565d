"""Run as a program inside a network namespace of its own: builds a segment with hosts, sweeps it, prints the readings.

The hosts are namespaces on a bridge whose kernels answer ARP themselves; one more is played by scapy, which answers for
many addresses, each only when it is asked for the second time.
"""

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
LATE = tuple(f"10.66.0.{number}" for number in range(100, 140))


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True)


def attach(number):
    """A namespace of its own with one end of a cable whose other end is in the bridge; gives its process and interface."""
    holder = subprocess.Popen(["unshare", "-n", "sleep", "30"])
    own = Path("/proc/self/ns/net").stat().st_ino
    for _ in range(200):
        try:
            if Path(f"/proc/{holder.pid}/ns/net").stat().st_ino != own:
                break
        except FileNotFoundError:
            pass
        time.sleep(0.01)
    run("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", f"e{number}", "netns", str(holder.pid))
    run("ip", "link", "set", f"v{number}", "master", "br0", "up")
    run("nsenter", "-t", str(holder.pid), "-n", "ip", "link", "set", f"e{number}", "up")
    return holder


def answer_late(sock, stop):
    """Play `LATE`: each address answers its second question, made and read by scapy; one answers a stranger only."""
    from scapy.layers.l2 import ARP, Ether

    asked = dict.fromkeys(LATE, 0)
    sock.settimeout(0.05)
    while not stop.is_set():
        try:
            question = Ether(sock.recv(256))
        except TimeoutError:
            continue
        if ARP not in question or question[ARP].op != 1 or question[ARP].pdst not in asked:
            continue
        asked[question[ARP].pdst] += 1
        if asked[question[ARP].pdst] == 2:
            mac = f"aa:bb:cc:00:00:{int(question[ARP].pdst.split('.')[3]):02x}"
            ask = question[ARP]
            sock.send(
                bytes(Ether(src=mac, dst=ask.hwsrc) / ARP(op=2, hwsrc=mac, psrc=ask.pdst, hwdst=ask.hwsrc, pdst=ask.psrc))
            )
            # Claims that nobody may believe: an address of another network, and an answer to somebody else.
            sock.send(
                bytes(Ether(src=mac, dst=ask.hwsrc) / ARP(op=2, hwsrc=mac, psrc="10.99.0.1", hwdst=ask.hwsrc, pdst=ask.psrc))
            )
            sock.send(
                bytes(
                    Ether(src=mac, dst=ask.hwsrc) / ARP(op=2, hwsrc=mac, psrc="10.66.0.77", hwdst=ask.hwsrc, pdst="10.66.0.9")
                )
            )


def main():
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "address", "add", OWN, "dev", "br0")
    run("ip", "link", "set", "br0", "up")
    holders = [attach(number) for number in range(len(HOSTS))]
    try:
        for number, address in enumerate(HOSTS):
            into = ("nsenter", "-t", str(holders[number].pid), "-n")
            run(*into, "ip", "address", "add", f"{address}/24", "dev", f"e{number}")
        run("ip", "link", "add", "late", "type", "veth", "peer", "name", "player")
        run("ip", "link", "set", "late", "master", "br0", "up")
        run("ip", "link", "set", "player", "up")
        stop = threading.Event()
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
            sock.bind(("player", 0x0806))
            player = threading.Thread(target=answer_late, args=(sock, stop))
            player.start()
            time.sleep(0.7)  # scapy is loaded and the bridge has learnt its ports
            json.dump(sweep(), sys.stdout)
            stop.set()
            player.join()
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()


def sweep():
    """The readings of two sweeps: of the whole site as far as it is attached, and of what is not attached or is IPv6."""
    allowed = ("10.66.0.0/16", "10.70.0.0/24", "fd00::/64")
    context = Context(
        clock=SystemClock(),
        chance=random.Random(3),
        authority=Authority(networks=tuple(ip_network(text) for text in allowed), widest=256),
        say=lambda _line: None,
    )
    settings = arp_sweep.Settings(networks=allowed, packets_per_second=2000, tries=3, wait=0.3)
    return [json.loads(msgspec.json.encode(reading)) for reading in arp_sweep.read(settings, context)]


if __name__ == "__main__":
    main()
