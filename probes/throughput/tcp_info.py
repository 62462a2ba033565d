"""What the kernel knows of a TCP connection: TCP_INFO and its kin, under the names that ndt7 gives them.

The layout is `struct tcp_info` of Linux (include/uapi/linux/tcp.h), which only ever grows at its end. An older kernel
gives a shorter struct: what it does not give is left out, never set to zero. Times are microseconds, except the four
Last* fields (milliseconds); rates are bytes per second.
"""

import contextlib
import socket
import struct
import sys
from typing import NamedTuple

TCP_INFO = 11
TCP_NOTSENT_LOWAT = 25  # linux/tcp.h; the socket module does not always name it
TCP_CONGESTION = 13
TCP_CC_INFO = 26
SO_MAX_PACING_RATE = 47  # asm-generic/socket.h
_ROOM = 512  # larger than any tcp_info so far (280 bytes in Linux 6.18)

# JSON numbers are doubles to most readers; ndt7 asks that integers stay below 2**53. An unset rate is 2**64-1.
INT53 = 2**53

_OPTION_TIMESTAMPS = 1  # TCPI_OPT_TIMESTAMPS
_IPV4_HEADER, _IPV6_HEADER, _TCP_HEADER, _TIMESTAMPS = 20, 40, 20, 12

_FIELDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("B", ("State", "CAState", "Retransmits", "Probes", "Backoff", "Options", "WScale", "AppLimited")),
    (
        "I",
        (
            *("RTO", "ATO", "SndMSS", "RcvMSS", "Unacked", "Sacked", "Lost", "Retrans", "Fackets"),
            *("LastDataSent", "LastAckSent", "LastDataRecv", "LastAckRecv", "PMTU", "RcvSsThresh", "RTT", "RTTVar"),
            *("SndSsThresh", "SndCwnd", "AdvMSS", "Reordering", "RcvRTT", "RcvSpace", "TotalRetrans"),
        ),
    ),
    ("Q", ("PacingRate", "MaxPacingRate", "BytesAcked", "BytesReceived")),
    ("I", ("SegsOut", "SegsIn", "NotsentBytes", "MinRTT", "DataSegsIn", "DataSegsOut")),
    ("Q", ("DeliveryRate", "BusyTime", "RWndLimited", "SndBufLimited")),
    ("I", ("Delivered", "DeliveredCE")),
    ("Q", ("BytesSent", "BytesRetrans")),
    ("I", ("DSackDups", "ReordSeen", "RcvOooPack", "SndWnd")),
)

TcpInfo = dict[str, int]


def decode(raw: bytes) -> TcpInfo:
    """The fields that `raw` holds in full, by name. Pure; never raises."""
    found: TcpInfo = {}
    offset = 0
    for code, names in _FIELDS:
        size = struct.calcsize(f"={code}")
        for name in names:
            if offset + size > len(raw):
                return found
            (value,) = struct.unpack_from(f"={code}", raw, offset)
            if value < INT53:
                found[name] = value
            offset += size
    return found


def read(connection: socket.socket) -> TcpInfo:
    """TCP_INFO of a connected socket; empty where the system has none or the connection is gone."""
    try:
        return decode(connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, _ROOM))
    except OSError:
        return {}


class Glance(NamedTuple):
    """The few counters that a test reads many times a second. Segments are those of the wire, however the kernel merged them.

    rcv_mss           bytes of payload in a full segment that came
    rtt, min_rtt      microseconds; min_rtt is 2**32-1 before the kernel knows
    acked, received   bytes of payload, in order
    segments          data segments that came, in whatever order: smooth where `received` waits for a lost one
    delivered         data segments of ours that arrived, acknowledged in whatever order (SACK): smooth where `acked` waits
    """

    rcv_mss: int
    snd_mss: int
    rtt: int
    min_rtt: int
    acked: int
    received: int
    segments: int
    delivered: int


_GLANCE = struct.Struct("=16xII44xI48xQQ12xII36xI")  # the offsets of these fields in struct tcp_info


def glance(connection: socket.socket) -> Glance | None:
    """The counters of `Glance`, or None where the system has no such struct or the connection is gone."""
    try:
        raw = connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, _ROOM)
    except OSError:
        return None
    if len(raw) < _GLANCE.size:
        return None
    snd_mss, rcv_mss, rtt, acked, received, min_rtt, segments, delivered = _GLANCE.unpack_from(raw)
    return Glance(rcv_mss, snd_mss, rtt, min_rtt, acked, received, segments, delivered)


def pace(connection: socket.socket, rate: float) -> None:
    """Let this connection send at most `rate` bit/s of payload (SO_MAX_PACING_RATE; TCP paces itself since Linux 4.13)."""
    limit = min(max(1, int(rate / 8)), 2**64 - 1)
    try:
        connection.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, limit.to_bytes(8, sys.byteorder))
    except OSError:  # an older kernel takes 32 bits only
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, min(limit, 2**32 - 1).to_bytes(4, sys.byteorder))


def use_congestion(connection: socket.socket, name: str) -> bool:
    """Use this congestion control; False when the kernel has none of that name or keeps it for others."""
    try:
        connection.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, name.encode("ascii"))
    except OSError:
        return False
    return True


def congestion(connection: socket.socket) -> str:
    """The connection's congestion control, or "" where the system does not tell."""
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, 16).rstrip(b"\0").decode("ascii", "replace")
    except OSError:
        return ""


def decode_bbr(raw: bytes) -> dict[str, int]:
    """BBR's own view (`struct tcp_bbr_info`): bandwidth in bit/s, least round trip in microseconds, gains times 256."""
    if len(raw) < 20:
        return {}
    low, high, min_rtt, pacing_gain, cwnd_gain = struct.unpack_from("=5I", raw)
    return {"BW": 8 * (high << 32 | low), "MinRTT": min_rtt, "PacingGain": pacing_gain, "CwndGain": cwnd_gain}


def read_bbr(connection: socket.socket) -> dict[str, int]:
    """BBR's view of a connection that uses it; empty for any other congestion control."""
    try:
        name = connection.getsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, 16)
        if name.rstrip(b"\0") != b"bbr":
            return {}
        return decode_bbr(connection.getsockopt(socket.IPPROTO_TCP, TCP_CC_INFO, 20))
    except OSError:
        return {}


def send_buffer_share(connection: socket.socket) -> float:
    """How much of the send buffer is payload that was sent and not yet acknowledged; 0 where the system does not tell."""
    info = read(connection)
    try:
        size = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    except OSError:
        return 0.0
    return info.get("Unacked", 0) * info.get("SndMSS", 0) / size if size else 0.0


def limit_backlog(connection: socket.socket, size: int) -> None:
    """Let at most about `size` bytes wait unsent in the kernel (TCP_NOTSENT_LOWAT); one that cannot is left alone."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, size)


def acknowledge_at_once(connection: socket.socket) -> None:
    """Have the kernel acknowledge load as it is read, which it no longer does for a connection that has just said something.

    It takes such a connection for a conversation, and waits with acknowledgements for words to go with them; TCP_QUICKACK
    (tcp(7)) ends that until we next say something.
    """
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def header_bytes(info: TcpInfo, family: int) -> int:
    """Bytes of IP and TCP headers on each full segment of this connection (no IP options or extension headers)."""
    network = _IPV6_HEADER if family == socket.AF_INET6 else _IPV4_HEADER
    options = _TIMESTAMPS if info.get("Options", 0) & _OPTION_TIMESTAMPS else 0
    return network + _TCP_HEADER + options
