"""Frames as the kernel hands them over: a ring of blocks that it fills and we empty (packet(7), TPACKET_V3). Sends nothing.

There is no system call for each frame and nothing of the kernel's beside its bytes, so a ring of 1.5 MiB holds what comes
while the machine is looking elsewhere. What does not fit is counted by the kernel.
"""

import array
import mmap
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Self

from collectors.kernel_filter import NOTHING, Instruction

BLOCK, BLOCKS = 1 << 16, 24
PATIENCE = 50  # ms after which the kernel hands over a block that is not full
NOMINAL_FRAME = 1 << 11  # the kernel wants a size of frames that it then does not use
# linux/if_packet.h and asm-generic/socket.h; Python's socket module names none of them.
SOL_PACKET, ADD_MEMBERSHIP, RX_RING, STATISTICS, VERSION, V3, ALL_MULTICAST = 263, 1, 5, 6, 10, 2, 2
ATTACH_FILTER = 26
EVERY_PROTOCOL = socket.htons(3)
OURS = 1  # in a block's status: the kernel has filled it
HAS_VLAN = 1 << 4  # in a frame's status: the kernel took a tag off
ETHERNET = 1  # kind of hardware
_STATUS, _COUNT, _FIRST = 8, 12, 16  # where a block says whose it is, how many frames it has, where the first one begins
_WORD = struct.Struct("=I")
# Of a frame's header: where the next begins, bytes kept, status, where the frame begins, VLAN; then of its address: interface,
# kind of hardware.
_FRAME = struct.Struct("=I8xI4xIH6xI16xiH")

Frame = tuple[bytes, int, int | None]  # the frame without its outer tag, the index of the interface, the tag's VLAN


class Ring:
    """One ring for all interfaces. Frames are there from the moment it is made until `stop`."""

    def __init__(self, program: Sequence[Instruction], interfaces: Sequence[int]) -> None:
        """Listen by `program` to `interfaces`, by their index. OSError when this machine does not allow it."""
        # A socket that is made for every protocol hears every interface at once; until the ring stands, it is to hear nothing.
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, EVERY_PROTOCOL)
        try:
            attach(self._sock, NOTHING)
            self._sock.setsockopt(SOL_PACKET, VERSION, V3)
            size = BLOCK * BLOCKS
            wanted = struct.pack("7I", BLOCK, BLOCKS, NOMINAL_FRAME, size // NOMINAL_FRAME, PATIENCE, 0, 0)
            self._sock.setsockopt(SOL_PACKET, RX_RING, wanted)
            self._memory = mmap.mmap(self._sock.fileno(), size)
            for index in interfaces:
                # Take in every multicast group without joining one: joining would send a packet.
                self._sock.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, struct.pack("iHH8x", index, ALL_MULTICAST, 0))
            self._sock.getsockopt(SOL_PACKET, STATISTICS, 12)  # forget what came before
            attach(self._sock, program)
        except OSError:
            self._sock.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._sock, select.POLLIN)
        self._turn = 0
        self._passed = self._lost = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._memory.close()
        self._sock.close()

    def wait(self, seconds: float) -> bool:
        """Whether a block is ready now, or within `seconds`."""
        if not self._ready():
            self._poll.poll(max(seconds, 0) * 1e3)
        return self._ready()

    def frames(self) -> Iterator[Frame]:
        """The frames of the block that is ready, which the kernel may fill again afterwards; none when none is."""
        if not self._ready():
            return
        start = self._turn * BLOCK
        memory = self._memory
        at = start + _WORD.unpack_from(memory, start + _FIRST)[0]
        for _ in range(_WORD.unpack_from(memory, start + _COUNT)[0]):
            step, size, status, begin, tag, interface, hardware = _FRAME.unpack_from(memory, at)
            if hardware == ETHERNET:
                begin += at
                yield memory[begin : begin + size], interface, tag & 0x0FFF if status & HAS_VLAN else None
            at += step
        _WORD.pack_into(memory, start + _STATUS, 0)
        self._turn = (self._turn + 1) % BLOCKS

    def stop(self) -> None:
        """Take in nothing more. What is in the ring already can still be read, until `wait` says that no block is ready."""
        attach(self._sock, NOTHING)

    def statistics(self) -> tuple[int, int]:
        """Frames that passed the filter since the ring was made, and how many of them the kernel had no room for."""
        passed, lost = struct.unpack_from("II", self._sock.getsockopt(SOL_PACKET, STATISTICS, 12))  # the kernel begins anew
        self._passed += passed
        self._lost += lost
        return self._passed, self._lost

    def _ready(self) -> bool:
        return bool(_WORD.unpack_from(self._memory, self._turn * BLOCK + _STATUS)[0] & OURS)


def attach(sock: socket.socket, program: Sequence[Instruction]) -> None:
    """Have the kernel throw away what `program` does not keep."""
    held = array.array("B", b"".join(struct.pack("HBBI", *row) for row in program))
    sock.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("@HP", len(program), held.buffer_info()[0]))
