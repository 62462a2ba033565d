"""Run as a program inside network and mount namespaces of its own: schools, paths, and a testpoint behind each.

The first argument is JSON, a plan for each name. Its "kind" is "routers" (the kernel's own, with a narrow link between them)
or "cable", where a thread moves every packet from one end to the other, drops those that are too large without a word, and
rewrites the MSS option. Every plan is played by a child of this process in namespaces of its own, all at once: they mostly
wait. The second argument is a folder that gets a file NAME.json with the measurements of each run.
"""

import ctypes
import fcntl
import itertools
import json
import os
import random
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import traceback
from ipaddress import ip_network
from pathlib import Path

import msgspec

from agent.clock import SystemClock
from netready.authority import Authority
from netready.instrument import Context
from probes import path
from probes.throughput.settings import Endpoint, Throughput
from testpoint.server import Server, listen

NEAR, FAR, NEAR_SIX, FAR_SIX = "198.51.100.1", "203.0.113.2", "2001:db8:1::1", "2001:db8:2::2"
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000  # sched.h
TUNSETIFF, TUN, NO_INFO = 0x400454CA, 1, 0x1000


def ip(command, enter=()):
    subprocess.run([*enter, "ip", *command.split()], check=True, capture_output=True)


def fresh(holders):
    """A network namespace of its own; the words that enter it."""
    holder = subprocess.Popen(["unshare", "-n", "sleep", "100"])
    holders.append(holder)
    own = Path("/proc/self/ns/net").stat().st_ino
    for _ in range(500):
        if Path(f"/proc/{holder.pid}/ns/net").stat().st_ino != own:
            break
        time.sleep(0.01)
    enter = ("nsenter", "-t", str(holder.pid), "-n")
    ip("link set lo up", enter)
    return enter


def up(name, enter, mtu, *addresses):
    for address in addresses:
        ip(f"address add {address} dev {name}{' nodad' if ':' in address else ''}", enter)
    ip(f"link set {name} mtu {mtu} up", enter)


def routers(plan, holders, far):
    """School, two routers with a link of `middle` bytes, testpoint."""
    first, second = fresh(holders), fresh(holders)
    sides = [(), first, second, far]
    for number, (left, right) in enumerate(itertools.pairwise(sides)):
        ip(f"link add a{number} type veth peer name b{number} netns {right[2]}", left)
    middle = plan["middle"]
    up("a0", (), 1500, f"{NEAR}/24", f"{NEAR_SIX}/64")
    up("b0", first, 1500, "198.51.100.254/24", "2001:db8:1::fe/64")
    up("a1", first, middle, "192.0.2.1/24", "2001:db8:3::1/64")
    up("b1", second, middle, "192.0.2.2/24", "2001:db8:3::2/64")
    up("a2", second, 1500, "203.0.113.254/24", "2001:db8:2::fe/64")
    up("b2", far, 1500, f"{FAR}/24", f"{FAR_SIX}/64")
    for enter in (first, second):
        command = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"
        subprocess.run([*enter, "sh", "-c", command], check=True)
    for enter, four, six in (
        ((), "198.51.100.254", "2001:db8:1::fe"),
        (first, "192.0.2.2", "2001:db8:3::2"),
        (second, "192.0.2.1", "2001:db8:3::1"),
        (far, "203.0.113.254", "2001:db8:2::fe"),
    ):
        ip(f"route add default via {four}", enter)
        ip(f"-6 route add default via {six}", enter)


def tun(name):
    handle = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), TUN | NO_INFO))
    return handle


def cable(plan, _holders, far):
    """School and testpoint, and a thread between them."""
    left, right = tun("near0"), tun("far0")
    ip(f"link set far0 netns {far[2]}")
    families = plan.get("families", [4, 6])
    up("near0", (), plan.get("near_mtu", 1500), *([f"{NEAR}/32"] if 4 in families else ()))
    up("far0", far, 1500, f"{FAR}/32", f"{FAR_SIX}/128")
    if 4 in families:
        ip(f"route add {FAR} dev near0{' mtu ' + str(plan['route']) if 'route' in plan else ''}")
        ip(f"route add {NEAR} dev far0", far)
    if 6 in families:
        ip(f"address add {NEAR_SIX}/128 dev near0 nodad")
        ip(f"-6 route add {FAR_SIX} dev near0")
        ip(f"-6 route add {NEAR_SIX} dev far0", far)
    for source, target, most in ((left, right, plan.get("most_up", 1500)), (right, left, plan.get("most_down", 1500))):
        threading.Thread(target=move, args=(source, target, most, plan.get("clamp")), daemon=True).start()


def move(source, target, most, clamp):
    while True:
        packet = os.read(source, 65536)
        if len(packet) <= most:
            os.write(target, clamped(packet, clamp) if clamp else packet)


def clamped(packet, most):
    """The packet with its MSS option lowered, as a router with `--clamp-mss-to-pmtu` does it."""
    start = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    protocol = packet[9] if packet[0] >> 4 == 4 else packet[6]
    if protocol != socket.IPPROTO_TCP or not packet[start + 13] & 2:
        return packet
    changed = bytearray(packet)
    at, end = start + 20, start + (packet[start + 12] >> 4) * 4
    while at < end and packet[at] != 0:
        if packet[at] == 1:
            at += 1
            continue
        if packet[at] == 2:
            (old,) = struct.unpack_from("!H", packet, at + 2)
            if old > most:
                struct.pack_into("!H", changed, at + 2, most)
                (check,) = struct.unpack_from("!H", packet, start + 16)
                # RFC 1624: the sum without the old word and with the new one. The option begins at an even offset.
                total = (~check & 0xFFFF) + (~old & 0xFFFF) + most
                total = (total & 0xFFFF) + (total >> 16)
                total = (total & 0xFFFF) + (total >> 16)
                struct.pack_into("!H", changed, start + 16, ~total & 0xFFFF)
        at += packet[at + 1]
    return bytes(changed)


def measure(plan, port):
    networks = tuple(ip_network(text) for text in ("203.0.113.0/24", "2001:db8::/32"))
    authority = Authority(networks=networks, hosts=frozenset({"far.test", "nowhere.test"}))
    context = Context(clock=SystemClock(), chance=random.Random(5), authority=authority, say=lambda _text: None)
    settings = msgspec.convert({"server": f"far.test:{port}"} | plan.get("settings", {}), Throughput)
    return [json.loads(msgspec.json.encode(each)) for each in path.read(settings, context)]


def serve(plan, enter):
    """A testpoint in the namespace that `enter` enters, in a child of its own; its number and its port."""
    mine, its = os.pipe()
    child = os.fork()
    if child:
        os.close(its)
        with os.fdopen(mine) as told:
            return child, int(told.read())
    with Path(f"/proc/{enter[2]}/ns/net").open() as namespace:
        assert ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET) == 0
    tls = None
    if "chain" in plan:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(plan["chain"])
    server = Server(listen(Endpoint("::", 0), 16), tls=tls, log=lambda _line: None)
    os.write(its, str(server.where.port).encode())
    os.close(its)
    server.run()
    os._exit(0)


def play(name, plan, folder):
    """One plan, in namespaces of its own."""
    assert ctypes.CDLL(None).unshare(CLONE_NEWNET | CLONE_NEWNS) == 0
    names = folder / f"{name}.hosts"
    names.write_text(f"127.0.0.1 localhost\n{FAR} far.test\n{FAR_SIX} far.test\n")
    subprocess.run(["mount", "--bind", str(names), "/etc/hosts"], check=True)
    ip("link set lo up")
    for key, value in plan.get("sysctl", {}).items():
        Path("/proc/sys/net", key).write_text(value)
    holders, testpoint = [], None
    try:
        far = fresh(holders)
        testpoint, port = serve(plan, far)
        (routers if plan["kind"] == "routers" else cable)(plan, holders, far)
        runs = [measure(plan, port) for _ in range(plan.get("runs", 1))]
        (folder / f"{name}.json").write_text(json.dumps(runs))
    finally:
        if testpoint is not None:
            os.kill(testpoint, signal.SIGKILL)
        for holder in holders:
            holder.kill()
            holder.wait()


def main():
    plans, folder, children = json.loads(sys.argv[1]), Path(sys.argv[2]), []
    for name, plan in plans.items():
        child = os.fork()
        if child == 0:
            try:
                play(name, plan, folder)
            except BaseException:  # noqa: BLE001 - a forked child must never return into the parent's code
                traceback.print_exc()
                os._exit(1)
            os._exit(0)  # the threads of a cable wait in read(2)
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
