"""Plays the hosts of a segment: answers ARP for some addresses of a network, not every time, and some of them slowly.

Run inside a network namespace: interface, network, hosts, share of lost questions, share of slow hosts, seed.
"""

import heapq
import random
import select
import socket
import struct
import sys
import time
from ipaddress import ip_network

ARP = struct.Struct("!6s6sH HHBBH 6sI6sI")
SLOWEST, QUICKEST = 0.35, 0.05  # seconds that a slow host takes


def main() -> None:
    name, network, live, loss, slow, seed = sys.argv[1:]
    chance = random.Random(int(seed))
    addresses = [int(host) for host in ip_network(network).hosts()][1:]  # the first one is who asks
    hosts = {
        address: (bytes.fromhex(f"0200{address:08x}"), chance.random() < float(slow))
        for address in chance.sample(addresses, int(live))
    }
    lost = float(loss)
    later: list[tuple[float, bytes]] = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        sock.bind((name, 0x0806))
        sock.settimeout(0)
        print("ready", flush=True)
        while True:
            wait = max(later[0][0] - time.monotonic(), 0) if later else None
            ready = select.select([sock], [], [], wait)[0]
            while later and later[0][0] <= time.monotonic():
                sock.send(heapq.heappop(later)[1])
            if not ready:
                continue
            frame = sock.recv(256)
            if len(frame) < ARP.size:
                continue
            to, _, _, _, _, _, _, operation, asker, asked_from, _, wanted = ARP.unpack_from(frame)
            if operation != 1 or wanted not in hosts or chance.random() < lost:
                continue
            mac, sleepy = hosts[wanted]
            if to not in {b"\xff" * 6, mac}:
                continue
            answer = ARP.pack(asker, mac, 0x0806, 1, 0x0800, 6, 4, 2, mac, wanted, asker, asked_from).ljust(60, b"\x00")
            if sleepy:
                heapq.heappush(later, (time.monotonic() + chance.uniform(QUICKEST, SLOWEST), answer))
            else:
                sock.send(answer)


if __name__ == "__main__":
    main()
