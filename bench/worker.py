"""Makes measurements on a host of the lab, one for each line of JSON on standard input, without starting Python each time."""

import os
import random
import resource
import sys
import time

import msgspec

from agent.clock import SystemClock
from agent.instruments import method
from netready.authority import Authority
from netready.instrument import Context
from netready.measurement import Measurement
from probes.throughput.settings import Throughput, endpoint


class Wanted(msgspec.Struct):
    """One line in."""

    method: str
    settings: Throughput


class Made(msgspec.Struct):
    """One line out: seconds since the epoch, and processor seconds of this process and its children."""

    measurements: list[Measurement]
    began: float
    ended: float
    cpu: float


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin.buffer:
        wanted = msgspec.json.decode(line, type=Wanted)
        host = endpoint(wanted.settings.server).host
        context = Context(
            clock=SystemClock(),
            chance=random.SystemRandom(),
            authority=Authority(hosts=frozenset({host})),
            say=lambda _text: None,
        )
        began, cpu = time.time(), _cpu()
        found = [one for one in method(wanted.method).read(wanted.settings, context) if isinstance(one, Measurement)]
        made = Made(measurements=found, began=began, ended=time.time(), cpu=_cpu() - cpu)
        os.write(1, msgspec.json.encode(made) + b"\n")


if __name__ == "__main__":
    main()
