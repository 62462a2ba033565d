"""THE VIRTUAL SCHOOL's line, its two ends: a ring shared with the kernel, and messages that point into it (packet(7))."""

import ctypes
import mmap
import socket
import struct

from lab import kernel

# Of packet(7) and linux/if_packet.h.
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
PACKET_QDISC_BYPASS = 20
TPACKET_V2 = 1
TP_STATUS_USER = 1
ETH_P_ALL = 3

SLOT = 2048  # bytes of ring for each frame
BLOCK = 1 << 20
WORDS = SLOT // 4
# Where TPACKET_V2 puts the frame in its slot: the header and a sockaddr_ll (52 bytes), 16 of room for the link layer,
# rounded up to 16, minus the Ethernet header itself.
FRAME_AT = 66


class Ring:
    """The receive ring as columns: element i of a column belongs to slot i."""

    def __init__(self, interface: str, slots: int) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(kernel.SOL_PACKET, PACKET_VERSION, TPACKET_V2)
        self.socket.setsockopt(kernel.SOL_PACKET, kernel.PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(
            kernel.SOL_PACKET, PACKET_RX_RING, struct.pack("IIII", BLOCK, slots * SLOT // BLOCK, SLOT, slots)
        )
        self.memory = mmap.mmap(self.socket.fileno(), slots * SLOT, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self.socket.bind((interface, ETH_P_ALL))
        words = memoryview(self.memory).cast("I")
        self.status, self.length = words[0::WORDS], words[1::WORDS]
        self.second, self.nanosecond = words[4::WORDS], words[5::WORDS]
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.free = memoryview(bytes(4 * slots)).cast("I")

    def drops(self) -> int:
        """Frames the kernel could not store since the last call."""
        found = self.socket.getsockopt(kernel.SOL_PACKET, PACKET_STATISTICS, 8)
        return int(struct.unpack("II", found)[1])


class Outlet:
    """The sending side: `slots` prepared messages whose one vector points wherever a frame lies in the ring."""

    def __init__(self, interface: str, slots: int) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(kernel.SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self.socket.bind((interface, 0))
        store = bytearray(16 * slots)
        self._keep = store
        self.vectors = memoryview(store).cast("Q")  # iov_base, iov_len
        vectors = ctypes.addressof(ctypes.c_char.from_buffer(store))
        self._messages = bytearray(64 * slots)
        for number in range(slots):  # struct mmsghdr: name, namelen, iov, iovlen, control, controllen, flags, len
            struct.pack_into("QIIQQQQIIII", self._messages, 64 * number, 0, 0, 0, vectors + 16 * number, 1, 0, 0, 0, 0, 0, 0)
        self.messages = ctypes.addressof(ctypes.c_char.from_buffer(self._messages))
        libc = ctypes.CDLL(None, use_errno=True)
        self.sendmmsg = libc.sendmmsg
        self.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
