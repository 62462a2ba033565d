"""The formats of capture files: scapy and the tests' own bytes write what must be read; what is spoiled is named."""

import gzip
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import pcap
from netready.failure import Failed

FRAMES = [bytes([number]) * size for number, size in ((1, 60), (2, 61), (3, 1514))]


def read(data, *, most_bytes=1 << 30, began=7.0):
    """The frames, the account, and the fault in words."""
    account, found = pcap.Account(), []
    try:
        found.extend(pcap.frames(io.BytesIO(data), account, most_bytes=most_bytes, began=began))
    except Failed as failed:
        return found, account, f"{failed.failure}: {failed.reason}"
    return found, account, None


def classic(order="<", magic=0xA1B2C3D4, link=1, frames=FRAMES):
    made = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for number, frame in enumerate(frames):
        made += struct.pack(f"{order}IIII", 1000 + number, 250, len(frame), len(frame) + 9) + frame
    return made


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def option(number, value, order="<"):
    return struct.pack(f"{order}HH", number, len(value)) + value + bytes(-len(value) % 4)


def section(order="<"):
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order="<", link=1, longest=0, options=b""):
    return block(1, struct.pack(f"{order}HHI", link, 0, longest) + options, order)


def enhanced(frame, ticks=1_000_000_250, order="<", which=0, size=None):
    size = len(frame) if size is None else size
    return block(6, struct.pack(f"{order}IIIII", which, ticks >> 32, ticks & 0xFFFFFFFF, size, len(frame)) + frame, order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "parts"), [(0xA1B2C3D4, 1e6), (0xA1B23C4D, 1e9)])
def test_pcap_of_both_byte_orders_and_both_resolutions(order, magic, parts):
    found, account, fault = read(classic(order, magic))
    assert fault is None
    assert [each.frame for each in found] == FRAMES
    assert [each.at for each in found] == [1000 + number + 250 / parts for number in range(3)]
    assert (account.frames, account.foreign, account.dropped) == (3, 0, None)
    assert (account.began, account.ended) == (found[0].at, found[-1].at)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_names_times_drops_and_blocks_that_nobody_knows(order):
    names = option(2, b"trunk \x07port", order) + option(9, b"\x09", order) + option(14, struct.pack(f"{order}q", 500), order)
    data = section(order) + block(0x0BAD, b"whatever" * 40, order) + interface(order, options=names + option(0, b"", order))
    data += enhanced(FRAMES[0], 2_000_000_000, order) + block(4, b"names of hosts", order)
    drops = struct.pack(f"{order}III", 0, 0, 0) + option(5, struct.pack(f"{order}Q", 12), order)
    found, account, fault = read(data + block(5, drops, order))
    assert fault is None
    assert found == [pcap.Captured(at=502.0, frame=FRAMES[0], interface="trunk port")]
    assert account.dropped == 12


def test_the_resolution_may_be_a_power_of_two():
    found, _, _ = read(section() + interface(options=option(9, b"\x8a")) + enhanced(FRAMES[0], 3 << 10))
    assert found[0].at == 3.0


def test_a_simple_packet_has_no_time_and_gets_that_of_the_frame_before():
    simple = block(3, struct.pack("<I", 60) + FRAMES[0])
    found, account, _ = read(section() + interface() + simple + enhanced(FRAMES[1], 9_000_000) + simple)
    assert [each.at for each in found] == [7.0, 9.0, 9.0]
    assert [each.frame for each in found] == [FRAMES[0], FRAMES[1], FRAMES[0]]
    assert account.ended == 9.0


def test_a_simple_packet_is_as_long_as_its_interface_keeps():
    found, _, _ = read(section() + interface(longest=20) + block(3, struct.pack("<I", 60) + FRAMES[0][:20]))
    assert found[0].frame == FRAMES[0][:20]


def test_sections_of_both_byte_orders_may_follow_each_other():
    drops = block(5, struct.pack("<III", 0, 0, 0) + option(5, struct.pack("<Q", 3)))
    more = block(5, struct.pack(">III", 0, 0, 0) + option(5, struct.pack(">Q", 4), ">"), ">")
    data = (
        section() + interface() + enhanced(FRAMES[0]) + drops + section(">") + interface(">") + enhanced(FRAMES[1], order=">")
    )
    found, account, fault = read(data + more)
    assert fault is None
    assert [each.frame for each in found] == FRAMES[:2]
    assert account.dropped == 7


def test_a_time_that_cannot_be_is_that_of_the_frame_before():
    seconds = interface(options=option(9, b"\x00"))
    found, _, _ = read(section() + seconds + enhanced(FRAMES[0], 5) + enhanced(FRAMES[1], 1 << 60) + enhanced(FRAMES[2], 0))
    assert [each.at for each in found] == [5.0, 5.0, 5.0]


def test_the_same_under_gzip():
    for data in (classic(), section() + interface() + enhanced(FRAMES[0])):
        assert read(gzip.compress(data))[0] == read(data)[0] != []


def test_linux_cooked_captures_become_ethernet():
    sender = b"\x02\x00\x00\x00\x00\x01"
    cooked = b"\x00\x00\x00\x01\x00\x06" + sender + b"\x00\x00\x08\x06" + b"body"
    version_2 = b"\x08\x06\x00\x00\x00\x00\x00\x02\x00\x01\x00\x06" + sender + b"\x00\x00" + b"body"
    for link, frame in ((113, cooked), (276, version_2)):
        assert read(classic(link=link, frames=[frame]))[0][0].frame == bytes(6) + sender + b"\x08\x06body"


def test_frames_of_other_links_are_counted_and_left_out():
    loopback = b"\x00\x00\x03\x04\x00\x06" + bytes(40)
    for data in (classic(link=105), classic(link=113, frames=[loopback] * 3)):
        found, account, fault = read(data)
        assert (found, account.foreign, fault) == ([], 3, None)


@pytest.mark.parametrize("cut", [1, 15, 17, 200])
def test_a_file_that_breaks_off_gives_what_came_before(cut):
    data = classic()
    found, _, fault = read(data[:-cut])
    assert [each.frame for each in found] == FRAMES[:2]
    assert fault == "malformed: after frame 2 the file breaks off"


def test_so_does_a_pcapng():
    data = section() + interface() + enhanced(FRAMES[0]) + enhanced(FRAMES[1])
    found, _, fault = read(data[:-30])
    assert [each.frame for each in found] == FRAMES[:1]
    assert fault == "malformed: after frame 1 the file breaks off"


def test_so_does_a_gzip():
    data = gzip.compress(classic(frames=[bytes(random_bytes(number, 500)) for number in range(200)]))
    found, account, fault = read(data[: len(data) // 2])
    assert 50 < len(found) == account.frames < 150
    assert fault.startswith("malformed: the compressed file breaks off")


def random_bytes(seed, size):
    import random

    return random.Random(seed).randbytes(size)


def test_a_file_that_unpacks_to_more_than_allowed_is_stopped():
    data = gzip.compress(classic(frames=[bytes(1500)] * 1000))
    found, account, fault = read(data, most_bytes=100_000)
    assert 60 < len(found) < 70
    assert account.bytes < 102_000
    assert fault == "too-large: more than 100,000 bytes"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a pcap or pcapng file"),
        (b"%PDF-1.7 and so on", "not a pcap or pcapng file"),
        (gzip.compress(b"hello, world", mtime=0), "not a pcap or pcapng file"),
        (classic()[:9], "after frame 0 the file breaks off"),
        (classic() + struct.pack("<IIII", 1, 1, 1 << 30, 1), "after frame 3 one of 1,073,741,824 bytes"),
        (section().replace(b"\x4d\x3c\x2b\x1a", b"abcd"), "a section of no known byte order"),
        (section() + block(1, b"abc")[:-4], "after frame 0 the file breaks off"),
        (section() + block(1, b"abcd"), "an interface is cut off"),
        (section() + b"\x06\x00\x00\x00\x0b\x00\x00\x00" + bytes(40), "after frame 0 a block of an impossible length"),
        (section() + b"\x06\x00\x00\x00\x00\x00\x00\x20" + bytes(40), "after frame 0 a block of 536,870,904 bytes"),
        (section() + enhanced(FRAMES[0]), "after frame 0 one of an interface that was not named"),
        (section() + interface() + enhanced(FRAMES[0], size=61 * 4), "after frame 0 one of 244 bytes"),
        (section() + interface() + block(6, bytes(8)), "a packet is cut off"),
    ],
)
def test_faults_are_named(data, says):
    assert read(data)[2] == f"malformed: {says}"


def test_a_block_that_nobody_knows_is_skipped_without_being_kept():
    data = section() + block(0x0BAD, bytes(3 << 20)) + interface() + enhanced(FRAMES[0])
    assert [each.frame for each in read(data)[0]] == FRAMES[:1]


def test_scapys_own_files_are_read(tmp_path):
    from scapy.layers.l2 import Ether
    from scapy.utils import wrpcap, wrpcapng

    packets = [Ether(frame) for frame in FRAMES]
    for packet in packets:
        packet.time = 1000.000005
    for write in (wrpcap, wrpcapng):
        write(str(tmp_path / "written"), packets)
        found, _, fault = read((tmp_path / "written").read_bytes())
        assert fault is None
        assert [each.frame for each in found] == FRAMES
        assert found[0].at == pytest.approx(1000.000005)


GOOD = (
    classic(),
    classic(">", 0xA1B23C4D),
    section() + interface() + enhanced(FRAMES[0]) + enhanced(FRAMES[1]),
    gzip.compress(classic(), mtime=0),
)


@given(
    st.sampled_from(GOOD),
    st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=4)), max_size=4),
    st.integers(0, 400),
)
def test_a_file_that_was_spoiled_is_read_or_refused_in_one_way(good, changes, cut):
    data = bytearray(good)
    for at, value in changes:
        data[at : at + len(value)] = value
    found, account, fault = read(bytes(data[: len(data) - cut]))
    assert len(found) == account.frames
    assert all(0 < each.at < pcap.LAST_TIME and len(each.frame) <= pcap.LARGEST for each in found)
    assert fault is None or fault.startswith("malformed: ")
