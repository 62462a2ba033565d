import json

import msgspec
import pytest

from netready.failure import Failed
from probes.throughput.iperf3_answer import describe, figure, limited, refusal
from probes.throughput.iperf3_json import parse
from probes.throughput.settings import Direction

DOWN, UP = Direction.DOWN, Direction.UP
SECOND = 2_500_000  # bytes: 20 Mbit/s


def answer(counts=(SECOND,) * 5, *, warm_up=(SECOND,), sent=None, received=None, seconds=5.0, stream=None, **more):
    stream = {"rtt": 20_000, "snd_cwnd": 60_000, "snd_wnd": 400_000} if stream is None else stream
    rows = [(count, True) for count in warm_up] + [(count, False) for count in counts]
    data = {
        "start": {"version": "iperf 3.12", "tcp_mss_default": 1448},
        "intervals": [
            {
                "streams": [{"seconds": 1.0, "bytes": count, **stream}],
                "sum": {"seconds": 1.0, "bytes": count, "omitted": omitted},
            }
            for count, omitted in rows
        ],
        "end": {
            "sum_sent": {"seconds": 5.0, "bytes": sum(counts) if sent is None else sent, "retransmits": 12},
            "sum_received": {"seconds": seconds, "bytes": sum(counts) if received is None else received},
            "streams": [{"sender": {"mean_rtt": 20_000}, "receiver": {}}],
            "cpu_utilization_percent": {"host_total": 10.0, "remote_total": 5.0},
            "sender_tcp_congestion": "cubic",
            "receiver_tcp_congestion": "bbr",
        },
        **more,
    }
    return parse(json.dumps(data).encode())


@pytest.mark.parametrize("direction", [DOWN, UP])
def test_the_figure_is_the_receiver_s_count_by_its_own_clock(direction):
    found = figure(answer(seconds=5.01), direction)
    assert found.rate == pytest.approx(8 * 5 * SECOND / 5.01)
    assert found.samples == 5


def test_the_interval_is_made_of_the_seconds_that_count():
    counts = (SECOND, SECOND + 50_000, SECOND - 50_000, SECOND, SECOND)
    found = figure(answer(counts, warm_up=(9_000_000,)), DOWN)
    low, high = found.interval
    assert low < found.rate < high
    # By hand: seconds of 20, 20.4, 19.6, 20, 20 Mbit/s; s = 0.2828, t(4) = 2.776, half-width 2.776 * 0.2828 / sqrt(5)
    assert high - low == pytest.approx(2 * 0.3511e6, rel=0.001)
    assert figure(answer((SECOND, SECOND)), DOWN).interval is None


def test_a_second_of_warm_up_that_iperf3_threw_away_is_reckoned_and_gives_its_time_to_no_other():
    # As iperf 3.12 prints it: the first counted second is called two seconds long and ends at one.
    rows = json.loads(msgspec.json.encode(answer().intervals))
    rows[1]["sum"] |= {"seconds": 2.0, "end": 1.0}
    found = answer(intervals=rows)
    assert found.reckoned == pytest.approx(1.0)
    assert found.moved == 7 * SECOND  # a listed second of warm-up, the one that is reckoned, and five that count
    assert figure(found, DOWN).interval == figure(answer(), DOWN).interval
    assert describe(found, DOWN)["warm_up_reckoned"] == 1.0
    assert "warm_up_reckoned" not in describe(answer(), DOWN)


@pytest.mark.parametrize(("seconds", "end"), [(1e308, 1e-300), (2.0, 0.0), (2.0, -1.0), (-5.0, 1.0), (1e9, 1.0)])
def test_an_interval_of_a_length_that_cannot_be_adds_no_more_than_itself(seconds, end):
    rows = json.loads(msgspec.json.encode(answer().intervals))
    rows[1]["sum"] |= {"seconds": seconds, "end": end}
    assert answer(intervals=rows).moved <= 7 * SECOND


def test_a_server_that_lists_its_own_seconds_gives_an_upload_its_interval():
    own = [{"sum": {"seconds": 1.0, "bytes": SECOND, "omitted": False}}] * 5
    lumpy = (SECOND + 400_000, SECOND - 400_000, SECOND, SECOND + 400_000, SECOND - 400_000)
    wide = figure(answer(lumpy), UP)
    narrow = figure(answer(lumpy, server_output_json={"intervals": own}), UP)
    assert wide.interval[1] - wide.interval[0] > 100 * (narrow.interval[1] - narrow.interval[0])
    assert "writes" in wide.interval_method
    assert "server" in narrow.interval_method
    other = figure(answer(lumpy, server_output_json={"intervals": own[:3]}), UP)
    assert other == wide  # what does not add up to the server's own total is not used


def test_a_count_that_contains_the_warm_up_is_refused():
    with pytest.raises(Failed, match="in its intervals") as failed:
        figure(answer(received=6 * SECOND), DOWN)
    assert failed.value.failure == "malformed"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"received": 6 * SECOND}, "at most"),
        ({"received": 5 * SECOND + 800_000}, "at most"),
        ({"seconds": 4.5}, "clock"),
        ({"seconds": 9.0}, "clock"),
        ({"received": -5}, "cannot be"),
        ({"seconds": 1e-320}, "cannot be"),
        ({"received": 0}, "no load"),
    ],
)
def test_a_server_s_claim_that_cannot_be_is_refused(change, says):
    with pytest.raises(Failed, match=says):
        figure(answer(**change), UP)


def test_what_waited_in_the_send_buffer_when_the_warm_up_ended_may_arrive_after_it():
    assert figure(answer(received=5 * SECOND + 300_000), UP).received == 5 * SECOND + 300_000


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("the server is busy running a test. try again later", "server-busy"),
        ("unable to connect to server: Connection refused", "refused"),
        ("unable to connect to server: No route to host", "unreachable"),
        ("unable to receive control message: Connection reset by peer", "reset"),
        ("unable to set TCP_CONGESTION: Supplied congestion control algorithm not supported on this host", "not-supported"),
        ("control socket has closed unexpectedly", "closed-early"),
        ("the server has terminated", "closed-early"),
        ("test authorization failed", "not-permitted"),
        ("received an unknown control message", "malformed"),
        ("unable to receive results: ", "malformed"),
        ("\x1b[2J" + "x" * 5000, "malformed"),
    ],
)
def test_each_message_of_iperf3_has_its_word(message, word):
    assert refusal(message).failure == word
    assert len(refusal(message).reason) < 140
    assert "\x1b" not in refusal(message).reason
    with pytest.raises(Failed):
        figure(answer(error=message), DOWN)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"end": 5}', b'{"intervals": [{"sum": {"bytes": "many"}}]}', b"\xff" * 9])
def test_what_is_not_its_json_is_malformed(text):
    with pytest.raises(Failed) as failed:
        parse(text)
    assert failed.value.failure == "malformed"


def test_an_answer_without_an_end_has_no_figure():
    with pytest.raises(Failed) as failed:
        figure(parse(b"{}"), DOWN)
    assert failed.value.failure == "no-answer"


def test_details_tell_both_ends():
    details = describe(answer(), UP)
    assert details["retransmits"] == 12
    assert details["rtt_loaded"] == pytest.approx(0.02)
    assert (details["congestion"], details["congestion_receiver"]) == ("cubic", "bbr")
    assert (details["cpu_process"], details["cpu_server"]) == (0.1, 0.05)
    assert "rtt_loaded" not in describe(answer(), DOWN)


def busy(host, remote, version="iperf 3.12"):
    found = answer(start={"version": version}, end={"cpu_utilization_percent": {"host_total": host, "remote_total": remote}})
    return limited(found, DOWN, 4)


def test_processors_and_the_peer_s_window_are_named_as_limits():
    assert limited(answer(), UP, 4) == []
    assert busy(90.0, 10.0) == ["cpu"]
    assert busy(10.0, 90.0) == ["server"]
    assert busy(90.0, 90.0, "iperf 3.16") == []  # a thread for each of four streams
    assert busy(350.0, 10.0, "iperf 3.17.1+") == ["cpu"]
    full = {"rtt": 20_000, "snd_cwnd": 900_000, "snd_wnd": 51_000}  # 2.5 MB/s times 20 ms are 50,000 bytes
    assert limited(answer(stream=full), UP, 4) == ["receive-window"]
    assert limited(answer(stream=full), DOWN, 4) == []
