"""What the collectors' tests share: a context with the real clock."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from netready.authority import Authority
from netready.instrument import Context


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@pytest.fixture
def context_for() -> Callable[..., Context]:
    """A context that allows loopback, and what the test names."""

    def make(*, networks: tuple[str, ...] = (), said: list[str] | None = None) -> Context:
        return Context(
            clock=RealClock(),
            chance=random.Random(7),
            authority=Authority(networks=tuple(ip_network(text) for text in networks)),
            say=[].append if said is None else said.append,
        )

    return make


@pytest.fixture
def context(context_for: Callable[..., Context]) -> Context:
    return context_for()
