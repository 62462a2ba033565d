"""A network card that is slower than the line behind it."""

import time

import msgspec
import pytest

from lab import BARE, Plan, Wan, open_lab
from lab.card import TUN, Way
from lab.link import SECOND

CARD = 5e6
IP = 1500 / 1538  # of the card's rate is left for IP packets of 1500 bytes


@pytest.fixture
def slow_card(namespaces):
    if not TUN.exists():
        pytest.skip(f"{TUN} is missing: modprobe tun")
    plan = msgspec.structs.replace(BARE, card=CARD, wan=Wan(down=20e6, up=20e6, delay=0.002))
    with open_lab(plan) as lab:
        yield lab


@pytest.mark.namespaces
def test_the_interface_says_how_fast_it_is_and_carries_no_more_either_way(slow_card, blast):
    shown = "cat /sys/class/net/eth0/speed /sys/class/net/eth0/duplex /sys/class/net/eth0/address"
    said = slow_card.run("agent", ["sh", "-c", shown], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["5", "full", "00:1b:21:00:00:09"]
    seen = blast(slow_card, 1000, seconds=1.0)  # 12 Mbit/s
    rate = (len(seen) - 1) * 1500 * 8 / (seen[-1][2] - seen[0][2]) * 1e9
    assert rate == pytest.approx(CARD * IP, rel=0.04)
    with slow_card.cross("up", rate=12e6, host="agent") as crossing:
        time.sleep(1.5)
        now = time.time()
    assert crossing.carried(now - 1, now) == pytest.approx(CARD * IP, rel=0.04)


@pytest.mark.namespaces
def test_a_card_that_does_nothing_adds_no_delay_to_speak_of(slow_card, blast):
    seen = blast(slow_card, 50, size=100, seconds=0.5)
    assert len(seen) == 50
    assert sorted(way for _, way, _ in seen)[25] < (0.002 + 0.002) * 1e9


def test_frames_have_the_time_of_their_cable():
    frames = [bytes(1514)] * 3 + [bytes(42)]
    sent = []
    way = Way(100e6, SECOND, lambda: frames.pop(0) if frames else None, sent.append)
    way.fill(0, 0, drop=True)
    dues = []
    while (due := way.empty(dues[-1] if dues else 0)) is not None:
        dues.append(due)
    assert dues == [pytest.approx(1538 * 8 * 10 * n) for n in (1, 2, 3)] + [pytest.approx((3 * 1538 + 84) * 80)]
    assert len(sent) == 4


def test_a_plan_names_a_card_in_whole_megabits():
    with pytest.raises(msgspec.ValidationError, match="multiple of"):
        msgspec.convert({"card": 1.5e6}, Plan)
