"""The forecast on a terminal: what it rests on, one line a year, and when the contract is used up."""

import textwrap

from readiness.forecast import Band, Forecast
from reports import units

WIDTH = 80
NOT_KNOWN = "not known"


def lines(found: Forecast) -> list[str]:
    """The whole forecast in words and one table; rates are Mbps."""
    first, last = found.years[0].year, found.years[-1].year
    growth = ", ".join(f"{found.growth.of(band):.0%} ({band.value})" for band in Band)
    per_1000 = units.mbps(found.per_user * 1000)
    text = [
        f"The busiest minutes take {units.mbps(found.peak)} Mbps now, {per_1000} for each 1,000 users.",
        f"Growth a year: {growth}; {found.growth.how}.",
        f"Needed is that, grown, with {found.headroom:.0%} above it so that the line is not full.",
    ]
    wrapped = [line for each in text for line in textwrap.wrap(each, WIDTH)]
    head = f"{'year':6}{'users':>8}{'low':>12}{'middle':>12}{'high':>12}"
    table = [
        f"{year.year:<6}{year.users:>8,}" + "".join(f"{units.mbps(year.need[band]):>12}" for band in Band)
        for year in found.years
    ]
    return [*wrapped, "", f"Mbps needed, {first} to {last}", head, *table, "", *_ends(found), "", *_floors(found)]


def _ends(found: Forecast) -> list[str]:
    last = found.years[-1].year
    if found.contracted is None:
        return ["No contract is described in the site's configuration, so nobody can say when it is used up."]
    said = [f"{band.value}: {found.exhausted[band] or f'not by {last}'}" for band in Band]
    text = f"The contract of {units.mbps(found.contracted)} Mbps is used up in: {'; '.join(said)}."
    sizes = [f"{band.value}: {_size(found.order[band])}" for band in Band]
    return [
        *textwrap.wrap(text, WIDTH),
        *textwrap.wrap(f"The next size that is sold and lasts to {last}, standards included: {'; '.join(sizes)}.", WIDTH),
    ]


def _floors(found: Forecast) -> list[str]:
    parts = []
    for name, rate in found.years[-1].floors.items():
        below = found.below[name]
        contract = NOT_KNOWN if found.contracted is None else f"below it from {below} on" if below else "not below it"
        parts += textwrap.wrap(
            f"{name}: {units.mbps(found.years[0].floors[name])} Mbps now, {units.mbps(rate)} in {found.years[-1].year}; "
            f"the contract: {contract}.",
            WIDTH,
            subsequent_indent="  ",
        )
    return parts


def _size(rate: float | None) -> str:
    return "more than any" if rate is None else f"{units.mbps(rate)} Mbps"
