"""Our method against our own testpoint on loopback: every way to reach it, and every way to end."""

import random
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from netready.authority import Authority
from netready.instrument import Context
from probes.throughput.netready import INSTRUMENT, METHOD, read
from probes.throughput.secure import describe
from probes.throughput.settings import Direction, Throughput

TOKEN = "a-token-of-more-than-16-characters"


def run(server, context, **settings):
    """All measurements; a short test of two streams unless said otherwise."""
    return list(read(Throughput(server=server, **({"seconds": 0.9, "streams": 2} | settings)), context))


def figure(found) -> float:
    """The rate; a machine so busy that readings come too rarely for any figure proves nothing."""
    if found.failure == "inconclusive":
        pytest.skip(f"this machine is too busy just now: {found.details['reason']}")
    assert found.failure is None, found.details["reason"]
    return found.value


def moved(found, name) -> float:
    """Bit/s that the kernel's byte counts of the whole test come to."""
    return 8 * found.details[name] / found.details["seconds"]


def test_both_directions_are_counted_as_the_kernel_counts_bytes(testpoint_at, context):
    down, up = run(testpoint_at(), context)
    for found, name in ((down, "bytes_received"), (up, "bytes_sent")):
        details = found.details
        assert found.method == METHOD == "netready/1"
        assert figure(found) > 1e8
        assert 0.2 * moved(found, name) < figure(found) < 3 * moved(found, name)
        low, high = details["interval"]
        assert low <= found.value <= high
        assert 0.2 < details["seconds"] < 4
        assert (details["streams"], details["layer"]) == (2, "TCP payload")
        assert (details["interface"], details["limited_by"]) == ("lo", "loopback")
        assert len(details["server_uuid"]) == 36
        assert details["cpu_server"] >= 0
        assert "ignored_messages" not in details
    assert (down.metric, up.metric) == ("throughput_down", "throughput_up")


def test_what_it_says_before_the_first_packet(testpoint_at, context_for):
    said = []
    run(testpoint_at(), context_for(said=said), direction=Direction.DOWN, seconds=0.4)
    run(testpoint_at(), context_for(said=said), direction=Direction.UP, seconds=0.4, at_least=2e6)
    assert said == [
        "netready: down until the rate is known to 2.0%, at most 0.4 s",
        "netready: up, at least 2 Mbit/s? at most 0.4 s",
    ]


def test_time_and_data_are_foretold():
    usual, target = Throughput(server="192.0.2.1:1"), Throughput(server="192.0.2.1:1", at_least=50e6)
    assert INSTRUMENT.seconds(usual) == 12
    assert INSTRUMENT.seconds(Throughput(server="192.0.2.1:1", seconds=2.5, direction=Direction.UP)) == 2.5
    assert INSTRUMENT.load(usual, 100e6) == 2 * 15e6
    assert INSTRUMENT.load(Throughput(server="192.0.2.1:1", most_bytes=1000), 100e6) == 2000
    assert INSTRUMENT.load(target, 1e9) <= 2 * 15e6
    assert INSTRUMENT.missing(Throughput()) == "no test server is named in [throughput]"
    assert INSTRUMENT.hosts(usual) == ("192.0.2.1",)


def test_ipv6(testpoint_at, context):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    server = testpoint_at("--listen", "[::1]:0")
    assert server.startswith("[::1]:")
    (found,) = run(server, context, direction=Direction.UP)
    assert figure(found) > 1e8
    assert found.details["limited_by"] == "loopback"


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    """An authority, a certificate for loopback by it, and its key: three files."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    return str(folder / "ca.pem"), str(folder / "cert.pem"), str(folder / "key.pem")


def _der(path):
    return ssl.PEM_cert_to_DER_cert(Path(path).read_text(encoding="ascii"))


def test_tls(identity, testpoint_at, context):
    ca, cert, key = identity
    server = testpoint_at("--cert", cert, "--key", key)
    (found,) = run(server, context, tls=True, ca=ca, direction=Direction.UP)
    assert figure(found) > 3e7
    assert found.details["limited_by"] == "loopback"
    (stranger,) = run(server, context, tls=True, direction=Direction.DOWN)
    assert stranger.failure == "tls-certificate"
    pin, _ = describe(_der(cert))
    (pinned,) = run(server, context, tls=True, pin=pin, direction=Direction.DOWN)
    assert figure(pinned) > 3e7
    (other,) = run(server, context, tls=True, pin="0" * 64, direction=Direction.DOWN)
    assert other.failure == "tls-certificate"
    assert "pinned" in other.details["reason"]
    (clear,) = run(server, context, direction=Direction.DOWN)
    assert figure(clear) > 3e7  # the port speaks both


def test_a_token_is_shown_and_without_it_we_are_turned_away(tmp_path, testpoint_at, context):
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    server = testpoint_at("--token-file", str(file))
    (found,) = run(server, context, token_file=str(file), direction=Direction.DOWN)
    assert figure(found) > 0
    (stranger,) = run(server, context, direction=Direction.DOWN)
    assert stranger.failure == "server-busy"
    assert "401" in stranger.details["reason"]
    (missing,) = run(server, context, token_file=str(tmp_path / "gone"), direction=Direction.DOWN)
    assert missing.failure == "local-resources"
    assert INSTRUMENT.missing(Throughput(server=server, token_file=str(tmp_path / "gone")))


def test_two_tests_at_once_both_come_to_a_figure(testpoint_at, context_for):
    server = testpoint_at()
    found = []

    def one(seed):
        context = context_for()
        found.extend(
            run(server, Context(**{**_fields(context), "chance": random.Random(seed)}), seconds=1.2, direction=Direction.DOWN)
        )

    threads = [threading.Thread(target=one, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert all(figure(each) > 0 for each in found)


def _fields(context):
    return {name: getattr(context, name) for name in ("clock", "chance", "authority", "say")}


def test_a_server_that_has_no_place_for_another_test_is_busy(testpoint_at, context_for):
    server = testpoint_at("--max-tests", "1")
    running = threading.Thread(target=run, args=(server, context_for()), kwargs={"seconds": 1.5, "direction": Direction.DOWN})
    running.start()
    time.sleep(0.6)
    other = Context(**{**_fields(context_for()), "chance": random.Random(99)})
    (found,) = run(server, other, direction=Direction.DOWN)
    running.join()
    assert found.failure == "server-busy"
    assert found.details["reason"]


def test_more_connections_than_the_server_allows_are_a_failure(testpoint_at, context):
    (found,) = run(testpoint_at("--max-connections", "3"), context, streams=8, direction=Direction.DOWN)
    assert found.value is None
    assert found.failure in {"server-busy", "closed-early", "reset", "timeout"}
    assert found.details["reason"]


def test_a_server_that_has_given_enough_bytes_ends_the_test(testpoint_at, context):
    server = testpoint_at("--client-gigabytes", "0.02")
    (found,) = run(server, context, seconds=3.0, direction=Direction.DOWN)
    assert (found.value is not None and found.details["ended"] == "server") or found.failure == "closed-early"
    assert "data budget" in found.details["reason"]
    (after,) = run(server, context, direction=Direction.DOWN)
    assert after.failure == "server-busy"


def test_the_congestion_control_that_is_asked_for_is_used_by_both_ends_where_they_have_it(testpoint_at, context):
    server = testpoint_at()
    down, up = run(server, context, congestion="cubic", seconds=0.3)
    assert (down.details["congestion"], up.details["congestion"]) == ("cubic", "cubic")
    down, up = run(server, context, congestion="nosuch", seconds=0.3)
    assert not {down.details["congestion"], up.details["congestion"]} & {"nosuch", ""}


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.UP])
def test_no_more_bytes_are_moved_than_allowed(direction, testpoint_at, context):
    most = 20_000_000
    (found,) = run(testpoint_at(), context, direction=direction, seconds=4.0, most_bytes=most)
    assert found.details["ended"] == "data-budget"
    assert found.details["seconds"] < 3
    # A reading every 10 ms, at tens of gigabits per second, and what is under way then.
    assert max(found.details["bytes_received"], found.details["bytes_sent"]) < most + 200_000_000
    assert found.value is not None or found.failure in {"inconclusive", "data-budget"}


def test_a_time_too_short_for_a_figure_is_inconclusive(testpoint_at, context):
    (found,) = run(testpoint_at(), context, direction=Direction.DOWN, seconds=0.2)
    assert found.failure == "inconclusive"
    assert found.details["bytes_received"] > 0
    assert found.details["seconds"] < 1


class SteppedClock:
    """The wall clock is set back by a day as soon as it has been read; the monotonic clock does not know."""

    def __init__(self) -> None:
        self.read = 0

    def now(self) -> datetime:
        self.read += 1
        return datetime.now(UTC) - timedelta(days=self.read)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def test_a_step_of_the_wall_clock_changes_no_figure(testpoint_at):
    clock = SteppedClock()
    context = Context(clock=clock, chance=random.Random(7), authority=Authority(networks=()), say=lambda _text: None)
    started = time.monotonic()
    (found,) = run(testpoint_at(), context, direction=Direction.DOWN)
    took = time.monotonic() - started
    assert 0.2 < found.details["seconds"] < took
    assert clock.read == 1  # for taken_at
    assert 0.2 * moved(found, "bytes_received") < figure(found) < 3 * moved(found, "bytes_received")


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.UP])
def test_a_target_test_stays_within_its_data_and_says_no_of_no_line_that_is_faster(direction, testpoint_at, context):
    """Loopback's packets of 64 KiB are too coarse for a yes at this rate; a shaped line of real packets is tested elsewhere."""
    (found,) = run(testpoint_at(), context, direction=direction, at_least=20e6, seconds=1.0, streams=4)
    assert found.metric == f"throughput_{direction}_reaches"
    assert found.value == 1.0 or found.failure == "inconclusive"
    details = found.details
    assert (details["asked"], details["limited_by"]) == (20e6, "loopback")
    assert max(details["bytes_received"], details["bytes_sent"]) < 1.5 * 22e6 / 8 * 1.5 + 1e6
    assert details["seconds"] < 4


def test_a_target_test_that_has_no_time_cannot_say(testpoint_at, context):
    (found,) = run(testpoint_at(), context, direction=Direction.DOWN, at_least=8e6, seconds=0.3)
    assert found.failure == "inconclusive"
    assert found.details["answer"] == "cannot-say"
    assert found.details["reason"]
