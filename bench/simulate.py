"""How often the throughput rules err: many simulated transfers, no network. `python -m bench.simulate [--runs N] [PART...]`.

What the rules are told here is what an engine can know: counts, round-trip times, the share of segments sent again.
"""

import argparse
import math
import os
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence

from bench.fluid import MSS, READ, Line, transfer
from probes.throughput.netready import LONGEST
from probes.throughput.spread import SHORTEST, steady_interval
from probes.throughput.steady import steady
from probes.throughput.target import PACE, SECONDS, Answer, Sender, Verdict, budget, decide
from probes.throughput.warmup import steady_start

LOOK = 0.05  # s between two looks of the stop rule
Row = tuple[str, ...]
Draw = Callable[[random.Random], dict[str, object]]


def answer(line: Line, target: float, *, kind: str, seed: float, streams: int = 8) -> tuple[Verdict, float, float]:
    """One target test: its verdict, its seconds and the bytes that arrived, ramp-up and all."""
    readings: list[tuple[float, float]] = [(0.0, 0.0)]
    pace = PACE * target
    for reading in transfer(line, kind=kind, streams=streams, pace=pace, seconds=SECONDS, seed=seed):
        now, count = reading.seconds, reading.count
        readings.append((now, count))
        # The next reading must still be within the budget.
        finished = now >= SECONDS - 1.5 * READ or count + 1.5 * READ * pace / 8 > budget(target)
        sender = Sender(reacts=kind == "cubic", loss=reading.loss, queue=reading.queue, streams=streams)
        verdict = decide(readings, target=target, pace=pace, rtt=line.rtt, finished=finished, sender=sender)
        if verdict.answer is not Answer.GO_ON:
            break
    return verdict, now, count


def wilson(hits: int, runs: int) -> tuple[float, float]:
    """The 95 % limits of a share (Wilson 1927)."""
    z, share = 1.96, hits / runs
    middle, reach = share + z * z / 2 / runs, z * math.sqrt(share * (1 - share) / runs + z * z / 4 / runs / runs)
    return max(0.0, (middle - reach) / (1 + z * z / runs)), min(1.0, (middle + reach) / (1 + z * z / runs))


def path(chance: random.Random, **fixed: object) -> dict[str, object]:
    """A path drawn from the ranges of the bench: round trips of 2 to 120 ms, buffers of 10 to 250 ms."""
    rtt, buffer = (
        math.exp(chance.uniform(math.log(0.002), math.log(0.12))),
        math.exp(chance.uniform(math.log(0.01), math.log(0.25))),
    )
    return {"rtt": rtt, "buffer": buffer, **fixed}


KINDS: dict[str, Draw] = {
    "clean": path,
    "loss to 1 %": lambda chance: path(chance, loss=chance.uniform(0.0005, 0.01)),
    "wobble 2 %": lambda chance: path(chance, wobble=0.02, memory=math.exp(chance.uniform(math.log(0.01), math.log(0.5)))),
    "wobble 5 %": lambda chance: path(chance, wobble=0.05, memory=math.exp(chance.uniform(math.log(0.01), math.log(0.5)))),
    "wobble 10 %": lambda chance: path(chance, wobble=0.10, memory=math.exp(chance.uniform(math.log(0.01), math.log(0.5)))),
    "loss and wobble": lambda chance: path(chance, wobble=0.05, memory=0.1, loss=chance.uniform(0.0005, 0.01)),
}


def targets(runs: int) -> Iterator[Row]:
    """Both error rates of the target test, at 0.9 and 1.1 times the target."""
    yield (
        "line",
        "sender",
        "of the target",
        "yes",
        "no",
        "cannot say",
        "wrong, 95 % limits",
        "seconds: median, most",
        "MB: median, most",
    )
    for name, draw in KINDS.items():
        for kind in ("bbr", "cubic"):
            for times in (0.9, 1.1):
                yield (name, kind, f"{times}", *_tally(draw, kind, times, runs, 100e6))


def curve(runs: int) -> Iterator[Row]:
    """The operating characteristic: the same nearer to the target, clean and wobbling lines mixed, and other targets."""
    yield (
        "target, Mbit/s",
        "line",
        "of the target",
        "yes",
        "no",
        "cannot say",
        "wrong, 95 % limits",
        "seconds: median, most",
        "MB: median, most",
    )
    for name in ("clean", "wobble 2 %"):
        for times in (0.95, 0.98, 0.99, 1.0, 1.01, 1.02, 1.05):
            yield ("100", name, f"{times}", *_tally(KINDS[name], "bbr", times, runs, 100e6))
    for target in (8e6, 25e6, 400e6, 1e9):
        for times in (0.9, 1.1):
            yield (f"{target / 1e6:.0f}", "wobble 2 %", f"{times}", *_tally(KINDS["wobble 2 %"], "bbr", times, runs, target))


def policers(runs: int) -> Iterator[Row]:
    """Lines with burst credit at twice the target: how often it fakes a yes, and whether the yes said that it might."""
    yield ("then sustained, of the target", "credit, MB", "yes", "no", "cannot say", "yes that rules this credit out")
    for share in (0.5, 0.9):
        for credit in (0.5e6, 1e6, 2e6, 4e6, 8e6):
            verdicts = []
            for run in range(runs):
                chance = random.Random(f"{share} {credit} {run}")
                line = Line(rate=200e6, credit=credit, sustained=share * 100e6, **path(chance))
                verdicts.append(answer(line, 100e6, kind="bbr", seed=chance.random())[0])
            count = [sum(verdict.answer is one for verdict in verdicts) for one in (Answer.YES, Answer.NO, Answer.CANNOT_SAY)]
            # The yes speaks of lines DELTA below the target; less sustained needs more credit.
            untrue = sum(verdict.answer is Answer.YES and verdict.credit > credit + 2 * MSS for verdict in verdicts)
            yield (f"{share}", f"{credit / 1e6}", *(f"{one}" for one in count), f"{untrue}")


def _tally(draw: Draw, kind: str, times: float, runs: int, target: float) -> Row:
    answers, seconds, moved = [], [], []
    for run in range(runs):
        chance = random.Random(f"{kind} {times} {run}")
        verdict, took, count = answer(Line(rate=times * target, **draw(chance)), target, kind=kind, seed=chance.random())
        answers.append(verdict.answer)
        seconds.append(took)
        moved.append(count / 1e6)
    count = [answers.count(one) for one in (Answer.YES, Answer.NO, Answer.CANNOT_SAY)]
    wrong = count[0] if times < 1 else count[1]
    low, high = wilson(wrong, runs)
    return (
        *(f"{one}" for one in count),
        f"{wrong / runs:.1%} ({low:.1%} to {high:.1%})",
        f"{statistics.median(seconds):.2f}, {max(seconds):.2f}",
        f"{statistics.median(moved):.1f}, {max(moved):.1f}",
    )


CROSS = {
    "10 %, 0.1 s of 0.4 s": (0.1, 0.1, 0.3),
    "30 %, 0.05 s of 0.1 s": (0.3, 0.05, 0.05),
    "20 %, 0.2 s of 0.4 s": (0.2, 0.2, 0.2),
}
WOBBLES = (
    (0.02, 0.03),
    (0.02, 0.1),
    (0.02, 0.5),
    (0.05, 0.01),
    (0.05, 0.03),
    (0.05, 0.1),
    (0.05, 0.3),
    (0.05, 0.5),
    (0.1, 0.1),
)
PRECISION = 0.02
LEAST = (SHORTEST, 0.6, 0.9)  # s of steady phase before the stop rule may end a test
Found = tuple[float, float, float] | None
Rule = Callable[[Sequence[tuple[float, float]], float], Found]


def intervals(runs: int) -> Iterator[Row]:
    """Coverage of the long-run rate at a half-width of 2 %, or when time is up: the rule as built, and plainer ones."""
    lines: dict[tuple[str, str], Draw] = {
        ("clean", "bbr"): path,
        ("clean", "cubic"): path,
        ("0.5 % loss", "bbr"): lambda chance: path(chance, loss=0.005),
        ("policed to half", "bbr"): lambda chance: path(chance, sustained=50e6, credit=chance.uniform(1e6, 4e6)),
    }
    for wobble, memory in WOBBLES:
        lines[f"wobble {wobble:.0%}, {memory} s", "bbr"] = lambda chance, w=wobble, m=memory: path(chance, wobble=w, memory=m)
    for name, cross in CROSS.items():
        lines[f"cross traffic {name}", "bbr"] = lambda chance, c=cross: path(chance, cross=c)
    rules: dict[str, Rule] = {"`steady` as built": _built}
    rules |= {f"`steady_start`, {least} s at least": lambda readings, rtt, s=least: _plain(readings, rtt, s) for least in LEAST}
    yield ("line", "sender", *(f"{rule}: covered, stopped by 2 %, median s, median error" for rule in rules))
    for (name, kind), draw in lines.items():
        ends: dict[str, list[tuple[bool, bool, float, float]]] = {rule: [] for rule in rules}
        for run in range(runs):
            chance = random.Random(f"{name} {run}")
            line = Line(rate=100e6, **draw(chance))
            for rule, (found, took) in _stops(line, kind, chance.random(), rules).items():
                mean, low, high = found
                ends[rule].append((low <= line.left <= high, _narrow(found), took, abs(mean / line.left - 1)))
        yield (name, kind, *(_summary(ends[rule]) for rule in rules))


def _summary(ends: Sequence[tuple[bool, bool, float, float]]) -> str:
    covered, stopped, took, error = zip(*ends, strict=True)
    share, narrow = statistics.fmean(covered), statistics.fmean(stopped)
    return f"{share:.0%}, {narrow:.0%}, {statistics.median(took):.2f}, {statistics.median(error):.1%}"


def _built(readings: Sequence[tuple[float, float]], rtt: float) -> Found:
    found = steady(readings, rtt=rtt)
    return None if found is None else (found.rate, found.low, found.high)


def _plain(readings: Sequence[tuple[float, float]], rtt: float, least: float) -> Found:
    begin = steady_start(readings, rtt=rtt)
    if begin is None or readings[-1][0] - readings[begin][0] < least:
        return None
    return steady_interval(readings[begin:], rtt=rtt)


def _narrow(found: Found) -> bool:
    return found is not None and found[2] - found[0] <= PRECISION * found[0]


def _stops(line: Line, kind: str, seed: float, rules: dict[str, Rule]) -> dict[str, tuple[tuple[float, float, float], float]]:
    """What each rule ends with, and when (s): its first narrow interval, else its last; else that of the last half."""
    readings: list[tuple[float, float]] = [(0.0, 0.0)]
    ends: dict[str, tuple[tuple[float, float, float], float]] = {}
    latest: dict[str, tuple[float, float, float]] = {}
    look = 0.0
    for reading in transfer(line, kind=kind, streams=8, pace=math.inf, seconds=LONGEST, seed=seed):
        readings.append((reading.seconds, reading.count))
        if reading.seconds < look:
            continue
        # Later looks are rarer than a test's, to save time; by then nothing changes quickly any more.
        look = reading.seconds + (LOOK if reading.seconds < 2 else 4 * LOOK)
        for name, rule in rules.items():
            if name in ends or (found := rule(readings, line.rtt)) is None:
                continue
            latest[name] = found
            if _narrow(found):
                ends[name] = (found, reading.seconds)
        if len(ends) == len(rules):
            return ends
    half = [reading for reading in readings if reading[0] >= LONGEST / 2]
    spare = steady_interval(half, rtt=line.rtt) or (0.0, 0.0, 0.0)
    return {name: ends.get(name, (latest.get(name, spare), LONGEST)) for name in rules}


PARTS: dict[str, Callable[[int], Iterator[Row]]] = {
    "targets": targets,
    "curve": curve,
    "policers": policers,
    "intervals": intervals,
}


def main(argv: Sequence[str]) -> None:
    """Print the asked parts as markdown tables."""
    parser = argparse.ArgumentParser(description="simulated error rates of the throughput rules")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    asked = parser.parse_args(argv)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    os.nice(15)
    for name in asked.parts or PARTS:
        print(f"\n### {name}\n\n{PARTS[name].__doc__}\n")
        for index, row in enumerate(PARTS[name](asked.runs)):
            print(f"| {' | '.join(row)} |", flush=True)
            if index == 0:
                print("|" + " --- |" * len(row))


if __name__ == "__main__":
    main(sys.argv[1:])
