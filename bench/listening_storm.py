"""The sender of the `listen` part, a program: frames of 4,096 devices at a steady rate, by AF_PACKET and sendmmsg(2).

`python -m bench.listening_storm INTERFACE RATE SECONDS [flood]` prints how many were sent, and how many a second. Each device
asks by ARP, and says one more thing: mDNS, DHCP, SSDP or LLDP. No frame is sent twice as it was: what real ones change is
changed. A flood changes the sender too, so that every frame is a new device's.
"""

import ctypes
import random
import socket
import struct
import sys
import time

DEVICES = 4096
FIRST = 0x0A090000  # 10.9.0.0, in a namespace of our own
BATCH = 32
# Where a frame names its sender beside its head, by EtherType and, in UDP, the port it goes to.
SENDERS = {b"\x08\x06": (22,), b"\x08\x00\x00\x43": (70,), b"\x88\xcc": (17,)}


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct mmsghdr of sendmmsg(2)."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vector", ctypes.POINTER(_Vector)),
        ("vectors", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint32),
    )


def frames() -> list[bytes]:
    """Two frames of each device, in an order that mixes them."""
    made = []
    for number in range(DEVICES):
        mac = b"\x02\x00\x00" + number.to_bytes(3, "big")
        address = FIRST + 16 + number % (DEVICES - 32)
        made.append(_arp(mac, address))
        made.append((_mdns, _dhcp, _ssdp, _lldp)[number % 4](mac, address, number))
    random.Random(4).shuffle(made)
    return made


def _arp(mac: bytes, address: int) -> bytes:
    body = struct.pack("!HHBBH6sI6sI", 1, 0x0800, 6, 4, 1, mac, address, bytes(6), FIRST)
    return (b"\xff" * 6 + mac + b"\x08\x06" + body).ljust(60, b"\x00")


def _udp(mac: bytes, to: tuple[str, str], source: int, ports: tuple[int, int], payload: bytes) -> bytes:
    words = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBHI4s", 0x45, 0, 20 + len(words), 0, 0, 1, 17, 0, source, socket.inet_aton(to[1]))
    return bytes.fromhex(to[0].replace(":", "")) + mac + b"\x08\x00" + head[:10] + _check(head) + head[12:] + words


def _check(head: bytes) -> bytes:
    total = sum(struct.unpack(f"!{len(head) // 2}H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")


def _label(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"


def _mdns(mac: bytes, address: int, number: int) -> bytes:
    host = _label(b"printer-%d" % number, b"local")
    service, name = _label(b"_ipp", b"_tcp", b"local"), _label(b"Printer %d" % number, b"_ipp", b"_tcp", b"local")
    text = b"".join(bytes([len(word)]) + word for word in (b"txtvers=1", b"ty=Laser 400", b"note=Room %d" % (number % 40)))
    records = [
        service + struct.pack("!HHIH", 12, 1, 4500, len(name)) + name,
        name + struct.pack("!HHIH", 33, 0x8001, 120, 6 + len(host)) + struct.pack("!HHH", 0, 0, 631) + host,
        name + struct.pack("!HHIH", 16, 0x8001, 4500, len(text)) + text,
        host + struct.pack("!HHIH", 1, 0x8001, 120, 4) + address.to_bytes(4, "big"),
    ]
    payload = struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)
    return _udp(mac, ("01:00:5e:00:00:fb", "224.0.0.251"), address, (5353, 5353), payload)


def _dhcp(mac: bytes, _address: int, number: int) -> bytes:
    name = b"chromebook-%d" % number
    options = bytes([53, 1, 1, 12, len(name)]) + name + b"\x3c\x08dhcpcd-9\x37\x09\x01\x79\x21\x03\x06\x0f\x1a\x1c\x33\xff"
    fixed = struct.pack("!BBBBIHH16x6s10x64x128x", 1, 1, 6, 0, number, 0, 0, mac)
    payload = fixed + b"\x63\x82\x53\x63" + options
    return _udp(mac, ("ff:ff:ff:ff:ff:ff", "255.255.255.255"), 0, (68, 67), payload)


def _ssdp(mac: bytes, address: int, number: int) -> bytes:
    payload = (
        b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\n"
        b"NT: urn:schemas-upnp-org:device:MediaRenderer:1\r\nNTS: ssdp:alive\r\nSERVER: Linux/5.4 UPnP/1.0 TV/2.1\r\n"
        b"USN: uuid:%032x::urn:schemas-upnp-org:device:MediaRenderer:1\r\n\r\n" % number
    )
    return _udp(mac, ("01:00:5e:7f:ff:fa", "239.255.255.250"), address, (1900, 1900), payload)


def _lldp(mac: bytes, address: int, number: int) -> bytes:
    def field(kind: int, value: bytes) -> bytes:
        return (kind << 9 | len(value)).to_bytes(2, "big") + value

    payload = field(1, b"\x04" + mac) + field(2, b"\x05Gi1/0/%d" % (number % 48)) + field(3, b"\x00\x78")
    payload += field(5, b"phone-%d" % number) + field(6, b"IP telephone, firmware 5.2") + field(7, b"\x00\x24\x00\x20")
    payload += field(8, b"\x05\x01" + address.to_bytes(4, "big") + b"\x02\x00\x00\x00\x01\x00")
    payload += field(127, b"\x00\x12\xbb\x01\x00\x33\x03") + field(127, b"\x00\x12\xbb\x08SN%06d" % number) + field(0, b"")
    return b"\x01\x80\xc2\x00\x00\x0e" + mac + b"\x88\xcc" + payload


class Held:
    """The frames in memory that the kernel reads, one message each."""

    def __init__(self, made: list[bytes]) -> None:
        self.kept = [ctypes.create_string_buffer(frame, len(frame)) for frame in made]
        self._vectors = (_Vector * len(made))(*(_Vector(ctypes.addressof(kept), len(kept)) for kept in self.kept))
        self.messages = (_Message * len(made))()
        for number, message in enumerate(self.messages):
            message.vector = ctypes.pointer(self._vectors[number])
            message.vectors = 1

    def disguise(self, number: int, count: int) -> None:
        """Give a frame another sender, wherever it names it."""
        held = self.kept[number]
        for at in (6, *SENDERS.get(held[12:14] + held[36:38], SENDERS.get(held[12:14], ()))):
            struct.pack_into("!I", held, at + 2, count)

    def renew(self, number: int, turn: int) -> None:
        """Change what a real frame changes: whom ARP asks for, the number of an IPv4 packet, a transaction's number."""
        held = self.kept[number]
        kind = held[12:14]
        if kind == b"\x08\x06":
            struct.pack_into("!I", held, 38, FIRST + 0x1000 + turn)
        elif kind == b"\x08\x00":
            struct.pack_into("!HHBBH", held, 18, turn & 0xFFFF, 0, 1, 17, 0)
            held[24:26] = _check(held[14:34])
            if held[36:38] == b"\x00\x43":
                struct.pack_into("!I", held, 46, turn)


def send(interface: str, rate: float, seconds: float, *, flood: bool) -> tuple[int, float]:
    """Send at `rate` frames/s for `seconds`; how many were sent, and in how many seconds."""
    held = Held(frames())
    kernel = ctypes.CDLL(None, use_errno=True)
    count, size = len(held.kept), ctypes.sizeof(_Message)
    start, sent, number, turn = ctypes.addressof(held.messages), 0, 0, 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((interface, 0))
        begun = time.perf_counter()
        while (spent := time.perf_counter() - begun) < seconds:
            if (early := sent / rate - spent) > 0:
                time.sleep(early)
            batch = min(BATCH, count - number)
            done = kernel.sendmmsg(sock.fileno(), ctypes.c_void_p(start + number * size), batch, 0)
            if done < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            for each in range(number, number + done):
                held.renew(each, turn)
                if flood:
                    held.disguise(each, sent + each)
            sent, number = sent + done, number + done
            if number == count:
                number, turn = 0, turn + 1
        return sent, time.perf_counter() - begun


if __name__ == "__main__":
    found, took = send(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), flood="flood" in sys.argv)
    print(found, found / took)
