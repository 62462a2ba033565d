import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from probes import tries
from probes.tries import ENOUGH, FURTHER, PATIENCE, Account, Pace


class Segment:
    """A segment by numbers: `hosts` says for each address after how many questions, and after how long, it answers."""

    def __init__(self, clock, hosts) -> None:
        self.clock = clock
        self.hosts = hosts
        self.questions = []
        self.counts = {}
        self.coming = []
        self.here = set()

    @property
    def answers(self):
        return len(self.here)

    def answered(self, address):
        return address in self.here

    def ask(self, address):
        self.questions.append((self.clock.monotonic(), address))
        self.counts[address] = self.counts.get(address, 0) + 1
        needed, after = self.hosts.get(address, (math.inf, 0))
        if self.counts[address] == needed:
            self.coming.append((self.clock.monotonic() + after, address))
        return True

    def listen(self, until):
        self.clock.advance(max(until - self.clock.monotonic(), 0))
        self.here |= {address for at, address in self.coming if at <= self.clock.monotonic()}


def run(clock, addresses, hosts, *, rate=500, most=4, wait=1.0):
    segment, account = Segment(clock, hosts), Account()
    begun = clock.monotonic()
    tries.ask(range(addresses), segment, Pace(rate, clock), tries=most, wait=wait, account=account)
    return segment, account, clock.monotonic() - begun


def test_only_silent_addresses_are_asked_again(hand_clock):
    segment, account, _ = run(hand_clock, 10, {3: (1, 0.0), 4: (2, 0.0)})
    assert segment.counts[3] == 1
    assert segment.counts[4] == 2
    assert account.asked == [10, 9, 8]
    assert account.found == [1, 1, 0]


def test_the_asking_ends_when_a_try_found_nobody_new_but_not_before_the_third(hand_clock):
    _, account, _ = run(hand_clock, 10, {3: (1, 0.0)}, most=5)
    assert len(account.asked) == ENOUGH
    assert account.ended == "nobody new in the last try"


def test_it_goes_on_while_a_try_still_finds_somebody(hand_clock):
    _, account, _ = run(hand_clock, 10, {1: (1, 0.0), 2: (2, 0.0), 3: (3, 0.0), 4: (4, 0.0)}, most=5)
    assert account.found == [1, 1, 1, 1, 0]


def test_a_late_answer_to_the_last_try_counts_as_new(hand_clock):
    _, account, _ = run(hand_clock, 10, {1: (1, 0.0), 3: (3, 0.9)}, most=5)
    assert account.found[:3] == [1, 0, 1]
    assert len(account.asked) == 4


def test_it_ends_at_once_when_everybody_has_answered(hand_clock):
    _, account, took = run(hand_clock, 10, dict.fromkeys(range(10), (1, 0.0)))
    assert account.asked == [10]
    assert account.ended == "no silent address left"
    assert took <= 10 / 500 + PATIENCE


def test_where_nobody_answers_at_all_only_some_are_asked_again(hand_clock):
    segment, account, took = run(hand_clock, 4093, {}, rate=2000)
    assert account.asked == [4093, FURTHER]
    assert account.ended == "nobody answered at all"
    assert took <= 4
    assert max(segment.counts.values()) == 2


def test_of_a_small_network_everybody_is_asked_three_times_although_nobody_answers(hand_clock):
    segment, _, _ = run(hand_clock, 253, {})
    assert set(segment.counts.values()) == {3}


def test_one_answer_to_a_second_question_is_enough_to_go_on_with_everybody(hand_clock):
    segment, account, _ = run(hand_clock, 4093, {7: (2, 0.5)})
    assert account.asked[:2] == [4093, 4093]
    assert min(count for address, count in segment.counts.items() if address != 7) >= 3


# The clock only ever moves on, so that one for all examples is as good as one for each.
@settings(max_examples=60)
@given(
    addresses=st.integers(0, 60),
    hosts=st.dictionaries(st.integers(0, 59), st.tuples(st.integers(1, 3), st.floats(0, 0.35)), max_size=60),
    rate=st.integers(20, 2000),
    most=st.integers(1, 5),
)
def test_whoever_answers_in_time_is_found_and_nobody_is_asked_too_often_or_too_fast(hand_clock, addresses, hosts, rate, most):
    segment, account, took = run(hand_clock, addresses, hosts, rate=rate, most=most)
    times = {}
    for at, address in segment.questions:
        assert at - times.get(address, -math.inf) >= PATIENCE - 1e-9
        times[address] = at
    sent = [at for at, _ in segment.questions]
    for first, last in itertools.combinations(range(len(sent)), 2):
        assert last - first <= (sent[last] - sent[first] + tries.CREDIT) * rate + 1e-6
    assert sum(account.asked) == len(segment.questions)
    assert sum(account.found) == segment.answers
    assert max(segment.counts.values(), default=0) <= most
    assert took <= most * (addresses / rate + PATIENCE + 1.0) + 1.0
    found_at_first = {address for address, (needed, _) in hosts.items() if address < addresses and needed == 1}
    assert found_at_first <= segment.here


def test_a_long_pause_of_the_machine_is_not_made_up_for(hand_clock):
    pace = Pace(1000, hand_clock)
    pace.went()
    hand_clock.advance(5)
    sent = 0
    while pace.due <= hand_clock.monotonic():
        pace.went()
        sent += 1
    assert sent <= 1000 * tries.CREDIT + 1
