"""Run as a program inside a network namespace of its own: two ends of a cable, devices that announce themselves on one,
the collector listening on the other; with `bridged`, the listening end is a port of a bridge that has the address. Prints the
sightings, the measurements, what was said, the frames that were made, and those that the listening end sent."""

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
from netready.measurement import Measurement

EVERYBODY = "ff:ff:ff:ff:ff:ff"


def frames():
    """An honest printer, a television, a laptop, a switch, a telephone, a router and a server; a stranger's network, a
    reflector, a trunk, and what nobody can read. Last what the kernel is to throw away."""
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.dns import DNS, DNSRR
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptSrcLLAddr, IPv6
    from scapy.layers.l2 import ARP, Dot1Q, Ether

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
    broadcast = Ether(src="02:00:00:00:00:03", dst=EVERYBODY) / IP(src="0.0.0.0", dst="255.255.255.255")
    offer = BOOTP(op=2, yiaddr="192.168.1.7") / DHCP(options=[("message-type", "offer"), ("server_id", "192.168.1.1"), "end"])
    rogue = Ether(src="02:00:00:00:00:08", dst=EVERYBODY) / IP(src="192.168.1.1", dst="255.255.255.255")
    asks = ARP(hwsrc="02:00:00:00:00:09", psrc="10.66.0.90", pdst="10.66.0.91")
    tagged = ARP(hwsrc="02:00:00:00:00:09", psrc="10.66.0.92", pdst="10.66.0.91")
    router = Ether(src="02:00:00:00:00:0a", dst="33:33:00:00:00:01") / IPv6(src="fe80::a", dst="ff02::1", hlim=255)
    lldp = bytes.fromhex("0207040200000000 0b 0404 05 676931 0602 0078 0a06 636f72652d31 0000".replace(" ", ""))
    cdp = bytes.fromhex("02b40000 0001 000b 70686f6e652d31 0004 0008 00000090".replace(" ", ""))
    snap = b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + cdp
    return [
        multicast("10.66.0.20", 5353, services("npi12", "_ipp._tcp", address="10.66.0.20"), "02:00:00:00:00:01"),
        multicast("10.66.0.20", 5353, services("npi12", "_uscan._tcp"), "02:00:00:00:00:01"),
        multicast("10.66.0.30", 1900, notify, "02:00:00:00:00:02"),
        bytes(broadcast / UDP(sport=68, dport=67) / discover),
        multicast("192.0.2.66", 5353, services("stranger", "_ipp._tcp"), "02:00:00:00:00:04"),
        multicast("10.66.0.1", 5353, services("cast", "_googlecast._tcp", address="10.66.0.40"), "02:00:00:00:00:05"),
        multicast("10.66.0.50", 5353, b"\xff" * 40, "02:00:00:00:00:06"),
        bytes(rogue / UDP(sport=67, dport=68) / offer),
        bytes(Ether(src="02:00:00:00:00:09", dst=EVERYBODY) / asks),
        bytes(Ether(src="02:00:00:00:00:09", dst=EVERYBODY) / Dot1Q(vlan=20) / tagged),
        bytes(router / ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:0a")),
        bytes.fromhex("0180c200000e 02000000000b 88cc".replace(" ", "")) + lldp,
        bytes.fromhex("01000ccccccc 02000000000c".replace(" ", "")) + len(snap).to_bytes(2, "big") + snap,
        multicast("10.66.0.60", 9999, services("other-port", "_ipp._tcp"), "02:00:00:00:00:07"),
        bytes(router / UDP(sport=53, dport=53) / b"x"),
    ]


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True)


def main():
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "ear", "type", "veth", "peer", "name", "mouth")
    for name in ("ear", "mouth"):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="ascii")
        run("ip", "link", "set", name, "up")
    place = "ear"
    if "bridged" in sys.argv:
        place = "bridge"
        run("ip", "link", "add", place, "type", "bridge")
        Path(f"/proc/sys/net/ipv6/conf/{place}/disable_ipv6").write_text("1", encoding="ascii")
        run("ip", "link", "set", "ear", "master", place)
        run("ip", "link", "set", place, "up")
    run("ip", "address", "add", "10.66.0.1/24", "dev", place)
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
        readings = list(listen.read(listen.Settings(seconds=0.8), context))
        after = int(Path("/sys/class/net/ear/statistics/tx_packets").read_text(encoding="ascii"))
        done.set()
        speaker.join()
    measurements = [each for each in readings if isinstance(each, Measurement)]
    sightings = [each for each in readings if each not in measurements]
    told = {"sightings": sightings, "measurements": measurements, "said": said, "sent": after - before}
    sys.stdout.write(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    main()
