import contextlib
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed, Failure
from probes.throughput.ndt7_spec import Load, load_frames, next_tick, parse_told
from probes.throughput.websocket import Opcode, Receiver, parse_header


def test_message_sizes_double_as_the_reference_server_s_do():
    load = Load(load_frames(random.Random(1)))
    sizes = Counter(parse_header(load.next_frame()[:14]).length for _ in range(200))
    assert sizes[8192] == 16
    assert all(sizes[1 << power] == 8 for power in range(14, 20))
    assert sizes[1 << 20] == 200 - 16 - 6 * 8
    assert max(sizes) == 1 << 20


def test_a_client_s_load_is_masked_and_a_server_s_is_not():
    for key in (b"", b"\0\1\2\3"):
        receiver = Receiver(masked=bool(key))
        frame = Load(load_frames(random.Random(1), key=key)).next_frame()
        receiver.feed(memoryview(frame))
        assert receiver.binary == 8192
        assert parse_header(frame[:14]).opcode is Opcode.BINARY


def test_measurements_come_at_memoryless_times_within_bounds():
    chance = random.Random(3)
    ticks = [next_tick(chance) for _ in range(5000)]
    assert min(ticks) == 0.025
    assert max(ticks) == 0.625
    assert 0.22 < sum(ticks) / len(ticks) < 0.25


def test_a_measurement_of_the_reference_server_is_read():
    told = parse_told(
        b'{"ConnectionInfo":{"Client":"127.0.0.1:32832","Server":"127.0.0.1:14080","UUID":"_0000000000001001"},'
        b'"BBRInfo":{"BW":5573020612},"TCPInfo":{"State":1,"BytesReceived":433,"MinRTT":3,"ElapsedTime":625270}}'
    )
    assert told.ConnectionInfo.UUID == "_0000000000001001"
    assert (told.TCPInfo.BytesReceived, told.TCPInfo.ElapsedTime, told.TCPInfo.BusyTime) == (433, 625270, None)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"TCPInfo":7}',
        b'{"TCPInfo":{"BytesReceived":-1}}',
        b'{"TCPInfo":{"BytesReceived":1.5}}',
        b'{"TCPInfo":{"BytesReceived":9007199254740992}}',
        b'{"TCPInfo":{"BytesReceived":1e400}}',
        b'{"ConnectionInfo":{"UUID":"' + b"x" * 300 + b'"}}',
        b"[" * 60000,
        b"\xff\xfe",
    ],
)
def test_nonsense_and_impossible_counts_are_malformed(text):
    with pytest.raises(Failed) as caught:
        parse_told(text)
    assert caught.value.failure is Failure.MALFORMED


@given(st.binary(max_size=300))
def test_rubbish_is_refused_in_one_way_only(text):
    with contextlib.suppress(Failed):
        assert parse_told(text) is not None
