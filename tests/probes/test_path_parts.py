"""The judgements behind the path's measurements, from counters alone."""

import random
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed
from probes.path_ask import Answer, Place
from probes.path_changes import is_clamped, is_split
from probes.path_facts import LOAD_LIMIT, Facts, request, request_fields
from probes.path_mtu import FoundBy, downward, judge_downward, judge_upward, least, search, upward
from probes.throughput.handshake import HEAD_LIMIT, parse_request

FOUR = Place(family=socket.AF_INET, address="198.51.100.1", port=1, host="h")
SIX = Place(family=socket.AF_INET6, address="2001:db8::1", port=1, host="h")
ALL, TIMESTAMPS, WINDOW_SCALING = 0b111, 0b001, 0b100


def end(*, mss=1448, advertised=1448, pmtu=1500, options=ALL, scale=0x77, received=1448, **more):
    counters = {"SndMSS": mss, "AdvMSS": advertised, "PMTU": pmtu, "Options": options, "WScale": scale, "RcvMSS": received}
    return counters | more


def answer(tcp, *, agreed=None, known=1500, mtu=1500):
    return Answer(
        status=200,
        fields={},
        body=b"",
        own="o",
        known_mtu=known,
        mtu=mtu,
        agreed=agreed or tcp,
        tcp=tcp,
        tls=None,
        bytes_sent=1,
        bytes_received=1,
    )


def facts(tcp):
    return Facts(nonce="", peer="", version="", tls=None, tcp=tcp, fields={}, names=[])


# --- one connection or two ---------------------------------------------------------------------------------------------


def test_two_ends_of_one_connection_agree_on_options_and_windows():
    assert not is_split(end(scale=0x79), end(scale=0x97))
    assert not is_split(end(options=ALL | 8 | 32), end(options=ALL | 16)), "congestion bits are each end's own"
    assert not is_split(end(options=TIMESTAMPS, scale=0x12), end(options=TIMESTAMPS, scale=0x34)), "no scaling, no scale"


def test_two_ends_that_agreed_on_other_things_are_of_two_connections():
    assert is_split(end(scale=0x79), end(scale=0x79))
    assert is_split(end(), end(options=ALL & ~TIMESTAMPS))
    assert is_split(end(), end(options=ALL & ~WINDOW_SCALING))
    assert not is_split({}, end())
    assert not is_split(end(), {})


# --- clamping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "clamped"),
    [
        (end(), end(), False),
        (end(mss=1440), end(), True),  # PPPoE: 1452 with the timestamps
        (end(), end(mss=1440), True),
        (end(mss=1452, options=0), end(mss=1452, options=0, advertised=1460), True),
        (end(mss=1348, pmtu=1400), end(), False),  # our own path says so
        (end(mss=1348), end(advertised=1348, pmtu=1400), False),  # they announced it
        (end(), end(mss=1348, pmtu=1400), False),
        (end(mss=8948, pmtu=9000, advertised=8948), end(mss=8948, pmtu=9000, advertised=8948), False),
        (end(mss=32741, pmtu=65535, advertised=65471), end(mss=32741, pmtu=65535, advertised=65471), False),  # loopback
        ({}, end(), False),
        (end(), {}, False),
    ],
)
def test_a_smaller_segment_than_both_ends_wanted_is_clamped(ours, theirs, clamped):
    assert is_clamped(ours, theirs, FOUR) is clamped


def test_ipv6_s_longer_header_is_no_clamping():
    ours = end(mss=1428, advertised=1428)
    assert not is_clamped(ours, ours, SIX)
    assert is_clamped(end(mss=1420, advertised=1428), ours, SIX)


# --- sizes -------------------------------------------------------------------------------------------------------------


def test_a_size_counts_when_the_far_end_received_segments_of_it():
    assert judge_upward(answer(end()), facts(end()), FOUR, 1500).size == 1500
    with pytest.raises(Failed, match="1448 bytes went out, and 1348 arrived"):
        judge_upward(answer(end()), facts(end(received=1348)), FOUR, 1500)
    for ours, theirs in (({}, end()), (end(), {})):
        with pytest.raises(Failed, match="without TCP's counters"):
            judge_upward(answer(ours), facts(theirs), FOUR, 1500)


@pytest.mark.parametrize(
    ("given", "interface", "found_by", "size"),
    [
        (answer(end()), 1500, FoundBy.INTERFACE, 1500),
        (answer(end(), known=9000), 9000, FoundBy.ICMP, 1500),
        (answer(end()), 9000, FoundBy.ROUTE, 1500),
        (answer(end(), mtu=9000, known=9000), 9000, FoundBy.MSS, 1500),
        (answer(end()), None, FoundBy.ROUTE, 1500),
    ],
)
def test_how_a_size_became_known_is_told(given, interface, found_by, size):
    found = judge_upward(given, facts(end()), FOUR, interface)
    assert (found.found_by, found.size, found.black_hole) == (found_by, size, False)


def test_segments_that_shrank_without_a_router_s_word_are_a_hole():
    small = end(mss=1024)
    assert judge_upward(answer(small, agreed=end()), facts(end(received=1024)), FOUR, 1500) is None


def test_downward_the_far_end_may_have_found_out_itself():
    assert judge_downward(answer(end()), facts(end()), FOUR, 1500).found_by is FoundBy.INTERFACE
    narrow = judge_downward(answer(end(received=1348)), facts(end()), FOUR, 1500)
    assert (narrow.size, narrow.found_by) == (1400, FoundBy.FAR_END)
    told = judge_downward(answer(end(received=1348)), facts(end(mss=1348)), FOUR, 1500)
    assert (told.size, told.found_by) == (1400, FoundBy.MSS)


@given(st.integers(576, 1499), st.integers(576, 1500))
def test_a_search_finds_the_limit_to_the_byte_in_a_few_questions(limit, above):
    asked = []

    def passes(size):
        asked.append(size)
        return size <= limit

    if above <= limit:
        if above > 576:
            with pytest.raises(Failed, match="at one time and not at another"):
                search(passes, 576, above)
        return
    assert search(passes, 576, above) == limit
    assert len(asked) <= 12


def test_a_search_where_nothing_passes_ends_at_once():
    with pytest.raises(Failed, match="not even packets of 576 bytes"):
        search(lambda _size: False, 576, 1500)


def test_one_lost_answer_is_bad_luck_and_two_are_a_hole():
    def line(losses, limit):
        asked = []

        def talk(load, fill, packet):
            asked.append(packet)
            if len(asked) <= losses or (packet or 1500) > limit:
                raise TimeoutError
            size = (packet or 1500) - 52
            return answer(end(mss=size, received=size)), facts(end(received=size))

        return talk

    for find in (upward, downward):
        assert not find(FOUR, line(0, 1500), 1500).black_hole
        assert not find(FOUR, line(1, 1500), 1500).black_hole
        found = find(FOUR, line(0, 1431), 1500)
        assert (found.size, found.black_hole, found.found_by) == (1431, True, FoundBy.SEARCH)
    with pytest.raises(Failed, match="at one time and not at another"):
        upward(FOUR, line(2, 1500), 1500)
    assert (least(FOUR), least(SIX)) == (576, 1280)


# --- the question ------------------------------------------------------------------------------------------------------


def test_a_full_question_fits_the_testpoint_s_head_and_a_small_one_fits_one_packet():
    sent = request_fields("[2001:db8::1]:65535", {"Authorization": "Bearer " + "t" * 100})
    nonce = f"{random.Random(1).getrandbits(128):032x}"
    full = request(sent, nonce, load=LOAD_LIMIT)
    assert LOAD_LIMIT < len(full) < HEAD_LIMIT
    assert len(request(sent, nonce, fill=LOAD_LIMIT)) < 500
    read = parse_request(full)
    assert (read.path, read.query) == ("/path", f"nonce={nonce}")
    assert read.fields["authorization"].startswith("Bearer t")
