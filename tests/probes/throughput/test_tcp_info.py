import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from probes.throughput import tcp_info


def test_the_kernel_counts_what_a_connection_moved():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        with far:
            near.sendall(bytes(50_000))
            got = 0
            while got < 50_000:
                got += len(far.recv(65536))
            assert tcp_info.read(far)["BytesReceived"] == 50_000
            info = tcp_info.read(near)
    assert info["BytesAcked"] in {50_000, 50_001}  # the SYN may count as one
    assert info["BytesSent"] >= 50_000
    assert info["BytesRetrans"] == 0
    assert 500 <= info["SndMSS"] <= 65535
    assert info["MinRTT"] < 1_000_000
    assert "MaxPacingRate" not in info  # unset is 2**64-1, which no JSON reader holds exactly


def test_a_connection_that_said_something_acknowledges_at_once_again():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        with far:
            for _ in range(5):  # a conversation, in which the kernel waits for an answer to put the acknowledgement on
                near.sendall(b"load")
                far.recv(100)
                far.sendall(b"a word")
                near.recv(100)
            quick = struct.Struct("=I")
            before = far.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, quick.size)
            tcp_info.acknowledge_at_once(far)
            after = far.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, quick.size)
    assert (quick.unpack(before), quick.unpack(after)) == ((0,), (1,))


def test_a_closed_socket_has_no_counters():
    gone = socket.socket()
    gone.close()
    assert tcp_info.read(gone) == {}
    assert tcp_info.read_bbr(gone) == {}
    assert tcp_info.send_buffer_share(gone) == 0.0
    assert not tcp_info.use_congestion(gone, "bbr")


@given(st.binary(max_size=600))
def test_a_shorter_struct_leaves_out_what_it_does_not_hold(raw):
    whole = tcp_info.decode(raw + bytes(600))
    short = tcp_info.decode(raw)
    assert short.items() <= whole.items()
    assert all(value < tcp_info.INT53 for value in short.values())


def test_the_layout_is_the_kernels():
    raw = struct.pack("=8B24I4Q6I4Q2I2Q4I", *range(8), *range(100, 124), *range(200, 204), *range(300, 306), *range(400, 404),
                      500, 501, 600, 601, *range(700, 704))  # fmt: skip
    info = tcp_info.decode(raw)
    assert (info["State"], info["RTT"], info["BytesReceived"], info["MinRTT"]) == (0, 115, 203, 303)
    assert (info["DeliveryRate"], info["SndBufLimited"], info["BytesSent"], info["SndWnd"]) == (400, 403, 600, 703)
    assert len(info) == 54


def test_bbr_is_read_in_bits_per_second():
    raw = struct.pack("=5I", 125_000, 1, 20_000, 739, 512)
    assert tcp_info.decode_bbr(raw) == {"BW": 8 * (125_000 + 2**32), "MinRTT": 20_000, "PacingGain": 739, "CwndGain": 512}
    assert tcp_info.decode_bbr(b"short") == {}


def test_headers_follow_the_address_family_and_the_timestamps():
    assert tcp_info.header_bytes({"Options": 7}, socket.AF_INET) == 52
    assert tcp_info.header_bytes({"Options": 6}, socket.AF_INET) == 40
    assert tcp_info.header_bytes({"Options": 7}, socket.AF_INET6) == 72
