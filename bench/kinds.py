"""What devices are: how often the rules are right on the labelled set, what they mistake for what, and how long they take."""

import importlib.util
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from census.kinds import RULES, classify
from census.models import identity
from census.vendors import table_date, vendor

LABELLED = Path(__file__).parents[1] / "tests" / "census" / "labelled" / "read.py"
FLEET = 5_000  # devices
LOOKUPS = 100_000
RUNS = 5
Row = tuple[str, ...]

# What a table of vendors costs a process that needs one: its first answer, from a fresh interpreter.
_OURS = "from census.vendors import vendor; vendor('00:1b:21:aa:bb:cc')"
_AIOOUI = "import asyncio, aiooui; asyncio.run(aiooui.async_load()); aiooui.get_vendor('00:1b:21:aa:bb:cc')"
_FIRST = """
import sys, time
sys.path[:0] = {paths!r}
def held(): return int(open("/proc/self/statm").read().split()[1]) * 4 / 1024
before, begun = held(), time.perf_counter()
{program}
print(time.perf_counter() - begun, held() - before)
"""


def kinds() -> Iterator[Row]:
    """How often the rules are right about the labelled set, and how long a fleet of 5,000 of its devices takes.

    Only the judging part counts: tests/census/labelled/README.md tells how the parts were kept apart. Each device of the fleet
    has a name and a card of its own. No peer here tells kinds offline; aiooui, where installed, knows vendors of /24 blocks.
    """
    labelled = _labelled()
    devices = tuple(labelled.devices())
    pace = list(_pace(devices, labelled.NAMING))  # before anything is in the rules' memory
    yield ("what", "figure", "of")
    for part in labelled.PARTS:
        ours = [each for each in devices if each.part == part]
        right = sum(labelled.said(each) is each.kind for each in ours)
        yield (f"right kind, {part}", f"{right / len(ours):.1%}", f"{right} of {len(ours)}")
    judging = [each for each in devices if each.part == "judging"]
    mistakes = Counter((each.kind, labelled.said(each)) for each in judging)
    for (kind, other), count in sorted(mistakes.items()):
        if kind is not other:
            yield (f"judging: {kind} taken for {other}", str(count), str(sum(each.kind is kind for each in judging)))
    yield from pace
    yield from _vendors()


def _labelled() -> ModuleType:
    spec = importlib.util.spec_from_file_location("labelled_set", LABELLED)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(LABELLED)
    module = importlib.util.module_from_spec(spec)
    sys.modules["labelled_set"] = module
    spec.loader.exec_module(module)
    return module


def _pace(devices: tuple[Any, ...], naming: Any) -> Iterator[Row]:
    chance = random.Random(1)
    fleet = [_own(chance.choice(devices).sightings, number) for number in range(FLEET)]
    for name, ask in (("kind", lambda each: classify(each, naming)), ("maker, model and serial", identity)):
        begun = time.perf_counter()
        for each in fleet:
            ask(each)
        spent = time.perf_counter() - begun
        yield (f"{name} of {FLEET:,} devices, first time", f"{spent:.2f} s", f"{spent / FLEET * 1e6:.0f} µs each")
    yield ("rules", f"{len(RULES):,}", "rows")


def _own(sightings: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    """The same device again, with a name and a card that no other has."""
    return tuple(
        msgspec.structs.replace(
            each,
            name=each.name and f"{each.name}-{number}",
            mac=each.mac and f"{each.mac[:8]}:00:{number >> 8:02x}:{number & 255:02x}",
        )
        for each in sightings
    )


def _vendors() -> Iterator[Row]:
    chance = random.Random(2)
    macs = [f"{chance.randrange(64) * 4:02x}:" + chance.randbytes(5).hex(":") for _ in range(LOOKUPS)]
    yield (f"vendor lookup, netready, table of {table_date()}", f"{_each(vendor.__wrapped__, macs):.2f} µs", "/24, /28 and /36")
    programs = [("netready", _OURS)]
    if importlib.util.find_spec("aiooui") is not None:
        import asyncio  # noqa: PLC0415

        import aiooui  # noqa: PLC0415 - a peer, which need not be here

        asyncio.run(aiooui.async_load())
        yield ("vendor lookup, aiooui", f"{_each(aiooui.get_vendor, macs):.2f} µs", "/24")
        programs.append(("aiooui", _AIOOUI))
    for name, program in programs:
        runs = [_first(program) for _ in range(RUNS)]
        seconds, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        yield (f"first vendor of a process, {name}", f"{seconds * 1e3:.0f} ms", f"{memory:.1f} MiB more")


def _each(ask: Callable[[str], object], macs: list[str]) -> float:
    """Microseconds for one."""
    begun = time.perf_counter()
    for mac in macs:
        ask(mac)
    return (time.perf_counter() - begun) / len(macs) * 1e6


def _first(program: str) -> tuple[float, float]:
    paths = [str(Path(__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-c", _FIRST.format(paths=paths, program=program)], capture_output=True, text=True, check=True
    )
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)
