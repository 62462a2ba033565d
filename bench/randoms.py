"""How often the true number of devices lies in the interval that is printed for made-up hardware addresses, and how wide it is.

`python -m bench.randoms [--months N]` finds the band again: it prints the constants of census/randoms.py.
"""

import argparse
import math
import random
import statistics
from collections.abc import Iterator, Sequence

from bench.months import FOUND_ON, HABITS, JUDGED_ON, Weights, any_mix, draw, only, shares
from bench.regression import quantile
from bench.simulate import wilson
from census.randoms import estimate, shape, whole

Row = tuple[str, ...]
SHARE = 0.06  # of the months that lie below the band, and of those that lie above it
MONTHS = 120  # of each mix

MIXES: dict[str, Weights] = {
    "fixed (managed devices)": only("fixed"),
    "one for each network (Android)": only("network"),
    "another every 4 to 15 days (Apple)": only("days"),
    "another with a chance every day": only("chance"),
    "another every day (Windows)": only("daily"),
    "another for each connection": only("connection"),
    "a school: mostly network and days": shares(fixed=0.3, network=0.35, days=0.2, daily=0.1, connection=0.05),
    "any mix, drawn at random": any_mix,
}


def randoms() -> Iterator[Row]:
    """Made-up hardware addresses: simulated months drawn by other rules than those the band was found on; the truth is known.

    "Inside" is the share of months whose true number of devices lies in the printed 90 % interval, with its 95 % limits;
    "high / low" the interval's upper end divided by its lower; "of the ceiling" its width as a share of what is known without a
    method, 1 to the number of addresses.
    """
    yield ("habits", "months", "devices", "addresses for each device", "inside", "high / low, median", "of the ceiling, median")
    everything: list[tuple[bool, float, float]] = []
    for number, (name, weights) in enumerate(MIXES.items()):
        chance = random.Random(f"judged {number}")
        months = [draw(JUDGED_ON, chance, weights) for _ in range(MONTHS)]
        found = [(month, estimate(month.traces)) for month in months if month.traces]
        told = [
            (each.low <= month.devices <= each.high, each.high / each.low, (each.high - each.low + 1) / each.addresses)
            for month, each in found
        ]
        everything += told
        sizes = sorted(month.devices for month, _ in found)
        turnover = statistics.median(each.addresses / month.devices for month, each in found)
        yield (name, *_row(told, f"{sizes[0]} to {sizes[-1]}", f"{turnover:.1f}"))
    yield ("all", *_row(everything, "-", "-"))


def _row(told: Sequence[tuple[bool, float, float]], sizes: str, turnover: str) -> Row:
    inside = sum(hit for hit, _, _ in told)
    low, high = wilson(inside, len(told))
    ratio, share = (statistics.median(column) for column in list(zip(*told, strict=True))[1:])
    return (
        str(len(told)),
        sizes,
        turnover,
        f"{inside / len(told):.1%} ({low:.1%} to {high:.1%})",
        f"{ratio:.2f}",
        f"{share:.1%}",
    )


def main() -> None:
    """Find the band."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--months", type=int, default=2000)
    wanted = parser.parse_args()
    chance = random.Random("found")
    rows, truth = [], []
    mixes = (*map(only, HABITS), any_mix, any_mix, any_mix, any_mix)
    for number in range(wanted.months):
        month = draw(FOUND_ON, chance, mixes[number % len(mixes)])
        if month.traces:
            seen = shape(whole(month.traces))
            rows.append(seen.figures)
            truth.append(math.log(month.devices / seen.floor))
    for name, share in (("LOW", SHARE), ("HIGH", 1 - SHARE)):
        print(f"{name} = ({', '.join(f'{one:.4f}' for one in quantile(rows, truth, share))})")


if __name__ == "__main__":
    main()
