"""What both ends of throughput1 agree on: messages, their sizes, and the times between them."""

import contextlib
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed, Failure
from probes.throughput.throughput1 import (
    GROWTH,
    LARGEST,
    PIECE,
    SMALLEST,
    TICK_LEAST,
    TICK_MOST,
    Load,
    Told,
    block,
    next_tick,
    parse_told,
)
from probes.throughput.websocket import Opcode, Receiver, parse_header


@pytest.fixture(scope="module", params=[b"", b"abcd"], ids=["a server's", "a client's"])
def load(request):
    """Load, and whether it is masked."""
    return block(random.Random(1), key=request.param), bool(request.param)


def test_each_message_is_one_frame_of_its_size_on_the_wire(load):
    ready, masked = load
    assert sorted(ready.messages) == [1 << power for power in range(10, 21)]
    for size, (first, more) in ready.messages.items():
        header = parse_header(first[:14])
        assert (header.opcode, header.fin, bool(header.key)) == (Opcode.BINARY, True, masked)
        assert header.size + header.length == size == len(first) + more * len(ready.rest)
        assert len(first) <= PIECE


def test_messages_grow_as_the_protocol_says_and_another_frame_goes_only_between_them(load):
    ready, masked = load
    source, receiver = Load(ready), Receiver(masked=masked)
    total, sizes, size = 0, [], 0
    while total < 24 << 20:
        assert source.between == (size == 0)
        piece = source.next_frame()
        receiver.feed(memoryview(piece))
        size += len(piece)
        if source.between:
            assert receiver.discardable == 0  # the frame is whole
            before = sizes[-1] if sizes else SMALLEST
            assert size == (2 * before if before < LARGEST and before <= total / GROWTH else before)
            sizes.append(size)
            total, size = total + size, 0
    assert sizes[0] == SMALLEST
    assert max(sizes) == LARGEST


def test_a_load_that_is_ended_ends_with_a_whole_message(load):
    ready, _ = load
    source = Load(ready)
    assert not source.ended
    while source.between:
        source.next_frame()
    source.end()
    while not source.ended:
        assert not source.between
        source.next_frame()
    assert source.between


def test_load_cannot_be_compressed():
    rest = block(random.Random(2)).rest
    assert len(zlib.compress(rest)) > len(rest)


@given(st.floats(0.02, 10.0), st.integers(0, 1000))
def test_messages_keep_the_protocol_s_bounds_in_proportion(mean, seed):
    found = next_tick(random.Random(seed), mean)
    assert TICK_LEAST / 0.25 * mean * 0.999 <= found <= TICK_MOST / 0.25 * mean * 1.001


def test_messages_come_a_quarter_of_a_second_apart_by_themselves():
    chance = random.Random(3)
    waits = [next_tick(chance) for _ in range(2000)]
    assert (min(waits), max(waits)) == (TICK_LEAST, TICK_MOST)
    assert 0.2 < sum(waits) / len(waits) < 0.25  # the bounds cut off more at the top


NO_MEASUREMENTS = [
    b"",
    b"[]",
    b"7",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b'{"TCPInfo":[]}',
    b'{"TCPInfo":{"BytesReceived":-1}}',
    b'{"TCPInfo":{"BytesReceived":9007199254740992}}',
    b'{"TCPInfo":{"BytesReceived":1.5}}',
    b'{"TCPInfo":{"BytesReceived":"7"}}',
    b'{"ElapsedTime":1e400}',
    b'{"Host":{"All":1.01}}',
    b'{"Host":{"Process":NaN}}',
    b'{"UUID":"' + b"x" * 257 + b'"}',
    b"[" * 100_000,
    b'{"x":' * 5000 + b"1" + b"}" * 5000,
]


@pytest.mark.parametrize("text", NO_MEASUREMENTS, ids=lambda text: repr(text[:30]))
def test_what_is_no_measurement_is_malformed(text):
    with pytest.raises(Failed) as failed:
        parse_told(text)
    assert failed.value.failure is Failure.MALFORMED


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f'{{"UUID":"{text}","TCPInfo":{{}}}}'.encode()))
def test_any_bytes_are_a_measurement_or_malformed(data):
    with contextlib.suppress(Failed):
        assert isinstance(parse_told(data), Told)


def test_a_measurement_may_lack_everything():
    assert parse_told(b"{}") == Told()
    assert parse_told(b'{"TCPInfo":null,"BBRInfo":{"BW":1},"Application":7}') == Told()
