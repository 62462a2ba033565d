"""Run as a program inside a network namespace of its own: two ends of a cable, devices that announce themselves on one,
the collector listening on the other. Prints the sightings, what was said, and the frames that the listening end sent."""

import json
import random
import socket
import subprocess
import sys
import threading
from ipaddress import ip_network
from pathlib import Path

import msgspec

from agent.clock import SystemClock
from collectors import listen
from netready.authority import Authority
from netready.instrument import Context


def frames():
    """An honest printer, a television, a laptop; a stranger's network, a reflector, and what nobody can read."""
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.dns import DNS, DNSRR
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    def multicast(source, port, payload, mac):
        return bytes(
            Ether(src=mac, dst="01:00:5e:00:00:fb") / IP(src=source, dst="224.0.0.251") / UDP(sport=port, dport=port) / payload
        )

    def services(name, *types, address=None):
        records = [DNSRR(rrname=f"{kind}.local.", type="PTR", ttl=120, rdata=f"{name}.{kind}.local.") for kind in types]
        records += [DNSRR(rrname=f"{name}.local.", type="A", ttl=120, rdata=address)] if address else []
        return DNS(id=0, qr=1, aa=1, qd=[], an=records)

    notify = b"NOTIFY * HTTP/1.1\r\nNT: roku:ecp\r\nNTS: ssdp:alive\r\nSERVER: Roku/9\r\n\r\n"
    discover = BOOTP(chaddr=bytes.fromhex("020000000003")) / DHCP(
        options=[
            ("message-type", "discover"),
            ("hostname", b"chromebook-7"),
            ("vendor_class_id", b"dhcpcd-9"),
            ("param_req_list", [1, 3]),
            "end",
        ]
    )
    broadcast = Ether(src="02:00:00:00:00:03", dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255")
    return [
        multicast("10.66.0.20", 5353, services("npi12", "_ipp._tcp", address="10.66.0.20"), "02:00:00:00:00:01"),
        multicast("10.66.0.20", 5353, services("npi12", "_uscan._tcp"), "02:00:00:00:00:01"),
        multicast("10.66.0.30", 1900, notify, "02:00:00:00:00:02"),
        bytes(broadcast / UDP(sport=68, dport=67) / discover),
        multicast("192.0.2.66", 5353, services("stranger", "_ipp._tcp"), "02:00:00:00:00:04"),
        multicast("10.66.0.1", 5353, services("cast", "_googlecast._tcp", address="10.66.0.40"), "02:00:00:00:00:05"),
        multicast("10.66.0.50", 5353, b"\xff" * 40, "02:00:00:00:00:06"),
        multicast("10.66.0.60", 9999, services("other-port", "_ipp._tcp"), "02:00:00:00:00:07"),
    ]


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True)


def main():
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "ear", "type", "veth", "peer", "name", "mouth")
    for name in ("ear", "mouth"):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="ascii")
        run("ip", "link", "set", name, "up")
    run("ip", "address", "add", "10.66.0.1/24", "dev", "ear")
    prepared = frames()
    said, done = [], threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("mouth", 0))

        def announce():
            while not done.wait(0.1):
                for frame in prepared:
                    sock.send(frame)

        speaker = threading.Thread(target=announce)
        speaker.start()
        context = Context(
            clock=SystemClock(),
            chance=random.Random(1),
            authority=Authority(networks=(ip_network("10.66.0.0/24"),)),
            say=said.append,
        )
        before = int(Path("/sys/class/net/ear/statistics/tx_packets").read_text(encoding="ascii"))
        sightings = [json.loads(msgspec.json.encode(each)) for each in listen.read(listen.Settings(seconds=0.8), context)]
        after = int(Path("/sys/class/net/ear/statistics/tx_packets").read_text(encoding="ascii"))
        done.set()
        speaker.join()
    json.dump({"sightings": sightings, "said": said, "sent": after - before}, sys.stdout)


if __name__ == "__main__":
    main()
