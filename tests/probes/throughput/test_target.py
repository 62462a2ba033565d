import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.throughput.target import DELTA, HOLD, PACE, Answer, Sender, budget, decide

TARGET = 1e8
RTT = 0.02
READ = 0.02


def counts(rate_at, seconds, *, begin=0.0):
    """Readings every 20 ms of a transfer whose rate in bit/s at a moment is rate_at(moment); slow start before it."""
    samples = [(begin, 0.0)]
    for index in range(round(seconds / READ)):
        when, count = samples[-1]
        moment = index * READ
        samples.append((when + READ, count + min(rate_at(moment), 5e6 * 2 ** (moment / RTT)) / 8 * READ))
    return samples


def judge(samples, *, finished=True, target=TARGET, pace=PACE * TARGET, rtt=RTT, sender=None):
    return decide(samples, target=target, pace=pace, rtt=rtt, finished=finished, sender=sender)


def test_a_line_that_carries_the_pace_gets_a_yes():
    verdict = judge(counts(lambda _: PACE * TARGET, 1.0), finished=False)
    assert verdict.answer is Answer.YES
    assert verdict.rate == pytest.approx(PACE * TARGET)
    assert verdict.interval[0] > TARGET
    assert verdict.log_ratio > math.log(19)


def test_a_line_that_is_full_below_the_target_gets_a_no():
    verdict = judge(counts(lambda _: 0.9 * TARGET, 1.0), finished=False)
    assert verdict.answer is Answer.NO
    assert verdict.rate == pytest.approx(0.9 * TARGET)
    assert verdict.interval[1] < TARGET
    assert verdict.log_ratio < -math.log(19)


def test_before_the_rate_was_held_long_enough_it_goes_on():
    for seconds in (0.1, 0.4, HOLD):
        assert judge(counts(lambda _: PACE * TARGET, seconds), finished=False).answer is Answer.GO_ON
        assert judge(counts(lambda _: 0.5 * TARGET, seconds), finished=False).answer is Answer.GO_ON


def test_at_the_target_it_cannot_say():
    chance = random.Random(1)
    noisy = counts(lambda _: TARGET * chance.gauss(1, 0.03), 3.0)
    verdicts = [judge(noisy[:count], finished=count == len(noisy)) for count in range(20, len(noisy) + 1)]
    assert {verdict.answer for verdict in verdicts[:-1]} == {Answer.GO_ON}
    assert verdicts[-1].answer is Answer.CANNOT_SAY
    assert verdicts[-1].reason == "too near the target, or too unsteady, to tell"


def test_an_unsteady_line_cannot_be_told():
    verdict = judge(counts(lambda moment: TARGET * (0.8 if int(moment / 0.3) % 2 else 1.05), 1.5))
    assert verdict.answer is Answer.CANNOT_SAY


def test_without_a_steady_phase_it_cannot_be_told():
    for samples in ([], [(0.0, 0.0)], counts(lambda _: 0.0, 2.0)):
        verdict = judge(samples)
        assert verdict.answer is Answer.CANNOT_SAY
        assert verdict.rate is None
        assert verdict.interval is None


@pytest.mark.parametrize("word", ["receive-window", "application", "cpu"])
def test_a_sender_that_was_held_back_forbids_a_no_and_not_a_yes(word):
    sender = Sender(limits=(word,))
    verdict = judge(counts(lambda _: 0.9 * TARGET, 1.5), sender=sender)
    assert verdict.answer is Answer.CANNOT_SAY
    assert word in verdict.reason
    assert judge(counts(lambda _: PACE * TARGET, 1.5), sender=sender).answer is Answer.YES


def test_losses_that_slow_tcp_down_forbid_a_no_unless_a_queue_shows_that_the_line_is_full():
    low = counts(lambda _: 0.5 * TARGET, 1.5)
    # 8 streams, 1 % of loss, 20 ms: TCP carries about 8 * 7 Mbit/s whatever the line can do.
    held_back = Sender(reacts=True, loss=0.01, queue=0.0005, streams=8)
    assert judge(low, sender=held_back).answer is Answer.CANNOT_SAY
    assert "loss" in judge(low, sender=held_back).reason
    full = Sender(reacts=True, loss=0.01, queue=0.02, streams=8)
    assert judge(low, sender=full).answer is Answer.NO
    careless = Sender(reacts=False, loss=0.01, streams=8)
    assert judge(low, sender=careless).answer is Answer.NO
    harmless = Sender(reacts=True, loss=1e-6, streams=8)
    assert judge(low, sender=harmless).answer is Answer.NO


def test_more_than_the_pace_is_not_believed():
    verdict = judge(counts(lambda _: 3 * TARGET, 1.5))
    assert verdict.answer is Answer.CANNOT_SAY
    assert "more was counted than the pace allows" in verdict.reason


def test_a_pace_that_does_not_exceed_the_target_tells_nothing():
    assert judge(counts(lambda _: TARGET, 1.5), pace=TARGET).answer is Answer.CANNOT_SAY


def test_a_yes_says_what_it_excludes():
    verdict = judge(counts(lambda _: PACE * TARGET, 1.0))
    assert verdict.answer is Answer.YES
    assert verdict.bytes == pytest.approx(verdict.seconds * PACE * TARGET / 8)
    assert verdict.credit == pytest.approx(verdict.seconds * (PACE - 1 + DELTA) * TARGET / 8)


def test_a_policed_line_whose_credit_ends_in_time_is_no_yes():
    answers = []
    for switch in (0.2, 0.3, 0.4, 0.5, 0.6):
        samples = counts(lambda moment, switch=switch: TARGET * (PACE if moment < switch else 0.6), 2.5)
        verdicts = (judge(samples[:count], finished=count == len(samples)) for count in range(len(samples) + 1))
        answers.append(next(verdict.answer for verdict in verdicts if verdict.answer is not Answer.GO_ON))
    assert Answer.YES not in answers
    assert Answer.NO in answers


def test_a_rate_that_fell_at_the_end_is_no_yes():
    verdict = judge(counts(lambda moment: TARGET * (PACE if moment < 2.0 else 0.97), 2.6))
    assert verdict.answer is Answer.CANNOT_SAY


def test_the_budget_is_14_mb_and_grows_above_100_mbit():
    assert budget(8e6) == budget(1e8) == 14_000_000
    assert budget(1e9) == 140_000_000


@pytest.mark.parametrize(("share", "wrong"), [(0.9, Answer.YES), (1.1, Answer.NO)])
def test_both_error_rates_are_below_5_percent_on_a_wobbling_line(share, wrong):
    errors = known = 0
    for run in range(200):
        chance = random.Random(run)
        drift = chance.gauss(0, 1)
        keep = math.exp(-READ / 0.1)
        rates = []
        for _ in range(60):
            drift = keep * drift + math.sqrt(1 - keep * keep) * chance.gauss(0, 1)
            rates.append(min(PACE, share * (1 + 0.05 * drift)) * TARGET)
        samples = counts(lambda moment, rates=rates: rates[int(moment / READ + 0.5)], 1.2)
        # Every look counts, as in a real test: the first answer is the answer.
        verdicts = (judge(samples[:count], finished=count == len(samples)) for count in range(35, len(samples) + 1))
        answer = next(verdict.answer for verdict in verdicts if verdict.answer is not Answer.GO_ON)
        errors += answer is wrong
        known += answer in {Answer.YES, Answer.NO}
    assert errors <= 10
    assert known >= 100


noisy_rates = st.lists(st.floats(0.5, PACE), min_size=40, max_size=60)


@given(noisy_rates, st.floats(0, 0.2))
def test_more_bytes_never_turn_a_yes_into_a_no(rates, more):
    samples = counts(lambda moment: TARGET * rates[int(moment / READ + 0.5)], len(rates) * READ)
    if judge(samples).answer is Answer.YES:
        scaled = [(when, count * (1 + more)) for when, count in samples]
        added = [(when, count + more * TARGET / 8 * when) for when, count in samples]
        assert judge(scaled).answer is not Answer.NO
        assert judge(added).answer is not Answer.NO


@given(st.sampled_from([0.9, 0.97, 1.0, 1.03, PACE]), st.floats(0, 1e4), st.integers(0, 99))
def test_the_clocks_zero_does_not_matter(share, shift, seed):
    chance = random.Random(seed)
    samples = counts(lambda _: TARGET * min(PACE, chance.gauss(share, 0.005)), 1.2)
    later = [(when + shift, count) for when, count in samples]
    one, other = judge(samples), judge(later)
    assert one.answer is other.answer
    assert one.rate == pytest.approx(other.rate, rel=0.01)


@given(
    st.lists(st.tuples(st.floats(), st.floats()), max_size=80),
    st.floats(0, 10),
    st.booleans(),
)
def test_rubbish_never_crashes_and_never_gets_an_answer(samples, rtt, finished):
    # Floats drawn at random do not rise evenly, so that no steady phase can be among them.
    expected = Answer.CANNOT_SAY if finished else Answer.GO_ON
    assert judge(samples, rtt=rtt, finished=finished).answer is expected


@given(st.integers(10, 60), st.sampled_from([math.nan, math.inf, -math.inf, -1.0, 0.0]), st.booleans())
def test_one_bad_reading_never_gets_an_answer(place, bad, in_time):
    samples = counts(lambda _: PACE * TARGET, 1.2)
    when, count = samples[place]
    samples[place] = (bad, count) if in_time else (when, bad)
    assert judge(samples).answer is Answer.CANNOT_SAY
