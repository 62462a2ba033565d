"""THE VIRTUAL SCHOOL's door to the kernel: the calls that Python 3.11 has no words for, each with its page of the manual."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

# Of unshare(2).
CLONE_NEWNS = 0x0002_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

# Of mount(2).
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x4_0000

# Of prctl(2).
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_TIMERSLACK = 29

# Of linux/ethtool.h and linux/sockios.h.
SIOCETHTOOL = 0x8946
ETHTOOL_SSET = 0x2
ETHTOOL_STXCSUM = 0x17
ETHTOOL_STSO = 0x1F
ETHTOOL_SGRO = 0x2C

DUPLEX_FULL = 1

# Of packet(7), linux/if_ether.h and asm/socket.h.
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33

NICE = -10
GRO_FLUSH = 100_000  # ns that a receiving card may hold segments of a stream back in order to merge them

NAMESPACES = Path("/run/netns")  # where ip-netns(8) looks; a private tmpfs inside the lab

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces in `flags` for new ones (unshare(2))."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def enter(path: str | Path, kind: int = 0) -> None:
    """Move this thread into the namespace that the file names (setns(2))."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.setns(ctypes.c_int(handle), ctypes.c_int(kind)), f"setns {path}")
    finally:
        os.close(handle)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Attach a file system (mount(2))."""
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _checked(result, f"mount {target}")


def prctl(option: int, value: int) -> None:
    """Set one property of this process (prctl(2))."""
    _checked(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), 0, 0, 0), "prctl")


def hurry(*, first: bool) -> None:
    """Run this process before ordinary ones, as far as that is allowed: only root may. `first`: before all of them.

    A real-time policy (sched(7), SCHED_RR) leaves nothing to others while it runs: for those who sleep most of the time.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        # Where the kernel weighs sessions against each other, a priority counts inside its own only (sched(7), autogroup).
        os.setsid()
        Path("/proc/self/autogroup").write_text(str(NICE))
    if first:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))


def discard(stream: socket.socket, most: int) -> int:
    """Receive up to `most` bytes of a TCP stream and throw them away inside the kernel (MSG_TRUNC of tcp(7)); how many."""
    got: int = _libc.recv(ctypes.c_int(stream.fileno()), None, ctypes.c_size_t(most), ctypes.c_int(socket.MSG_TRUNC))
    _checked(got, "recv")
    return got


@contextlib.contextmanager
def inside(host: str) -> Iterator[None]:
    """Be in the network namespace `host` for a while. Sockets opened meanwhile stay there."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(NAMESPACES / host, CLONE_NEWNET)
        try:
            yield
        finally:
            _checked(_libc.setns(ctypes.c_int(home), ctypes.c_int(CLONE_NEWNET)), "setns home")
    finally:
        os.close(home)


def sift(packets: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    """Let a socket have only the frames that a classic BPF program passes (socket(7), linux/filter.h)."""
    octets = b"".join(struct.pack("HBBI", *line) for line in program)
    lines = ctypes.create_string_buffer(octets, len(octets))
    packets.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(lines)))


def _ethtool(interface: str, wanted: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        command = ctypes.create_string_buffer(wanted, len(wanted))
        request = struct.pack("16sP", interface.encode(), ctypes.addressof(command)).ljust(40, b"\0")
        fcntl.ioctl(handle, SIOCETHTOOL, request)


def _offload(interface: str, command: int, value: int) -> None:
    _ethtool(interface, struct.pack("II", command, value))


def set_speed(interface: str, megabits: int) -> None:
    """Say how fast a TAP is, with full duplex (struct ethtool_cmd). It only says so. OSError for other kinds of interface."""
    command = struct.pack("=3IHB13xH14x", ETHTOOL_SSET, 0, 0, megabits & 0xFFFF, DUPLEX_FULL, megabits >> 16)
    _ethtool(interface, command)


def honest_frames(interface: str) -> None:
    """Make every frame on this veth a real one: at most one MTU long, with a complete checksum.

    Without it Linux hands 64 KB super-frames with unfinished checksums from one namespace to the next, and neither a
    packet count nor an emulated line would mean anything. Segmentation in software (GSO) stays: it happens before the wire.
    """
    for command in (ETHTOOL_STSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM):
        _offload(interface, command, 0)


def merge_on_receipt(interface: str, sysfs: Path) -> None:
    """Let this end merge the segments of a TCP stream as it receives them (GRO), as the network cards of real hosts do.

    The frames on the wire stay as they are, and the host works less for a fast stream (500 Mbit/s, one quiet run: 2.7 to 1.7 s
    of kernel time for 250 MB; on a busy machine the gain was smaller). Without a time to wait, a veth would hand on each frame
    before the next arrives, so both or neither. OSError where that is not allowed.
    """
    set_interface(interface, sysfs, "gro_flush_timeout", str(GRO_FLUSH))
    _offload(interface, ETHTOOL_SGRO, 1)


def steer(interface: str, sysfs: Path, processor: int) -> None:
    """Have what arrives here received by one processor, and not by the one that sent it (RPS). OSError for all but root.

    A veth's receiving side otherwise runs inside the sender's system call, which for the emulator means that one processor
    would carry the line, the router, the switch and the receiving host.
    """
    words = [f"{(1 << processor) >> shift & 0xFFFF_FFFF:08x}" for shift in range(32 * (processor // 32), -1, -32)]
    set_interface(interface, sysfs, "queues/rx-0/rps_cpus", ",".join(words))


def set_interface(interface: str, sysfs: Path, name: str, value: str) -> None:
    """Write one of this namespace's /sys/class/net/INTERFACE files; `sysfs` is an empty folder to mount it on meanwhile."""
    mount("sysfs", str(sysfs), "sysfs", MS_NOSUID | MS_NODEV)
    try:
        (sysfs / "class/net" / interface / name).write_text(value)
    finally:
        _checked(_libc.umount(str(sysfs).encode()), f"umount {sysfs}")
