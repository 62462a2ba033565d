import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed, Failure
from probes.throughput.websocket import (
    LARGEST_MESSAGE,
    LARGEST_TEXT,
    Message,
    Opcode,
    Receiver,
    close_status,
    encode,
    encode_close,
    encode_header,
    mask,
    parse_header,
)

keys = st.binary(min_size=4, max_size=4)
cuts = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def feed(receiver, data, sizes=(1 << 20,)):
    """Feed `data` in pieces of the given sizes, over and over."""
    found, position, turn = [], 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        found += receiver.feed(memoryview(data)[position : position + size])
        position, turn = position + size, turn + 1
    return found


@given(st.sampled_from(list(Opcode)), st.integers(0, LARGEST_MESSAGE), st.booleans(), st.one_of(st.just(b""), keys))
def test_a_header_is_read_back_as_it_was_written(opcode, length, fin, key):
    if opcode >= Opcode.CLOSE:
        length, fin = length % 126, True
    data = encode_header(opcode, length, key=key, fin=fin)
    header = parse_header(data + b"rest")
    assert (header.opcode, header.length, header.fin, header.key, header.size) == (opcode, length, fin, key, len(data))
    assert all(parse_header(data[:size]) is None for size in range(len(data)))


@given(st.binary(max_size=1000), keys)
def test_masking_twice_gives_the_payload_back(payload, key):
    assert mask(mask(payload, key), key) == payload
    assert mask(payload, key) == bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


@given(st.lists(st.tuples(st.sampled_from([Opcode.TEXT, Opcode.PING, Opcode.BINARY]), st.binary(max_size=125))), keys, cuts)
def test_messages_come_out_whole_however_the_bytes_are_cut(messages, key, sizes):
    for used, masked in ((key, True), (b"", False)):
        receiver = Receiver(masked=masked)
        data = b"".join(encode(opcode, payload, key=used) for opcode, payload in messages)
        found = feed(receiver, data, sizes)
        assert found == [Message(opcode, payload) for opcode, payload in messages if opcode is not Opcode.BINARY]
        assert receiver.payload == sum(len(payload) for opcode, payload in messages if opcode is not Opcode.PING)
        assert receiver.binary == sum(len(payload) for opcode, payload in messages if opcode is Opcode.BINARY)


@given(st.binary(max_size=400), cuts, st.booleans())
def test_rubbish_is_refused_in_one_way_only(data, sizes, masked):
    receiver = Receiver(masked=masked)
    with contextlib.suppress(Failed):
        feed(receiver, data, sizes)
    assert receiver.payload <= len(data)


def test_load_dropped_unread_is_counted_like_load_that_was_read():
    receiver = Receiver(masked=False)
    frame = encode(Opcode.BINARY, bytes(5000)) + encode(Opcode.PING, b"7")
    assert receiver.feed(memoryview(frame)[:10]) == []
    assert receiver.discardable == 5000 - 6
    receiver.discard(receiver.discardable)
    assert receiver.discardable == 0
    assert receiver.feed(memoryview(encode(Opcode.PING, b"7"))) == [Message(Opcode.PING, b"7")]
    assert receiver.payload == receiver.binary == 5000


def test_fragments_make_one_message_and_control_frames_may_come_between():
    receiver = Receiver(masked=False)
    data = (
        encode_header(Opcode.TEXT, 2, fin=False)
        + b"ab"
        + encode(Opcode.PING, b"now")
        + encode_header(Opcode.CONTINUATION, 1)
        + b"c"
        + encode_header(Opcode.BINARY, 3, fin=False)
        + b"xyz"
        + encode_header(Opcode.CONTINUATION, 2)
        + b"zz"
    )
    assert feed(receiver, data, (1,)) == [Message(Opcode.PING, b"now"), Message(Opcode.TEXT, b"abc")]
    assert (receiver.payload, receiver.binary) == (8, 5)


@pytest.mark.parametrize(
    ("data", "failure", "words"),
    [
        (b"\xc2\x01x", Failure.MALFORMED, "compression"),
        (b"\x83\x00", Failure.MALFORMED, "opcode 3"),
        (b"\x09\x00", Failure.MALFORMED, "control"),
        (b"\x89\x7e\x00\x7e", Failure.MALFORMED, "control"),
        (b"\x82\x7e\x00\x7d", Failure.MALFORMED, "shortest"),
        (b"\x82\x7f" + (1 << 15).to_bytes(8, "big"), Failure.MALFORMED, "shortest"),
        (b"\x82\x7f" + (LARGEST_MESSAGE + 1).to_bytes(8, "big"), Failure.TOO_LARGE, "at most"),
        (b"\x82\x7f" + b"\xff" * 8, Failure.TOO_LARGE, "at most"),
        (b"\x81\x7f" + (LARGEST_TEXT + 1).to_bytes(8, "big"), Failure.TOO_LARGE, "text message"),
        (b"\x80\x00", Failure.MALFORMED, "order"),
        (b"\x02\x01x\x82\x01x", Failure.MALFORMED, "order"),
        (b"\x82\x81abcdx", Failure.MALFORMED, "is masked"),
        (b"\x88\x01x", Failure.MALFORMED, "half a status"),
    ],
)
def test_a_peer_that_breaks_the_rules_is_named_with_the_rule(data, failure, words):
    with pytest.raises(Failed, match=words) as caught:
        Receiver(masked=False).feed(memoryview(data))
    assert caught.value.failure is failure


def test_an_unmasked_client_is_refused():
    with pytest.raises(Failed, match="not masked"):
        Receiver(masked=True).feed(memoryview(b"\x82\x01x"))


def test_a_message_in_endless_fragments_is_refused_when_it_grows_too_large():
    receiver = Receiver(masked=False)
    receiver.feed(memoryview(encode_header(Opcode.TEXT, 1000, fin=False) + bytes(1000)))
    fragment = encode_header(Opcode.CONTINUATION, 1000, fin=False) + bytes(1000)
    with pytest.raises(Failed, match="text message"):
        feed(receiver, fragment * 100, (1000,))


def test_nothing_is_read_after_close():
    receiver = Receiver(masked=False)
    found = receiver.feed(memoryview(encode_close(1000, "Done sending") + b"\xff\xff\xff"))
    assert [close_status(message.payload) for message in found] == [(1000, "Done sending")]
    assert receiver.closed
    assert close_status(b"") == (1005, "")
