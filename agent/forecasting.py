"""The forecast's ingredients: what the store knows of the line's use, what the school plans, and the standards it chose."""

from datetime import datetime, timedelta

from agent import shelf
from agent.config import Config
from netready.refusal import Unfit, near
from readiness.evidence import Reading
from readiness.forecast import Forecast, Programme, forecast, history
from readiness.judgement import Quantity
from readiness.sample import window
from readiness.standards import ALWAYS, Denominator, Standard
from readiness.usage import TESTS, monthly, used
from store import Store

HISTORY = timedelta(days=3 * 366)  # older months say little of what people do now
WANTED = ("interface_received", "interface_sent", *(name for names in TESTS.values() for name in names))


def made(config: Config, store: Store, *, years: int, now: datetime, direction: str = "down") -> Forecast | Quantity:
    """The forecast of this year and the next `years`; or, when today's use is not known, the quantity that says why."""
    site = config.site
    chosen = standards(config)
    readings = [
        Reading(survey=name, measurement=measurement) for name, measurement in store.readings(now - HISTORY, now, *WANTED)
    ]
    recent = window(site, readings, now - timedelta(days=config.survey.window_days), now)
    peak = used(site, recent, direction)
    if peak.value is None or peak.value <= 0:
        return peak
    year = now.astimezone(site.zone).year
    contracted = site.contracted_down if direction == "down" else site.contracted_up
    return forecast(
        peak=peak.value,
        users=users(config, years),
        year=year,
        growth=history(monthly(site, window(site, readings, now - HISTORY, now), direction)),
        contracted=contracted,
        standards={each.title: rate for each in chosen if (rate := each.down if direction == "down" else each.up)},
        programmes=programmes(config, year, years),
        headroom=config.forecast.headroom,
    )


def users(config: Config, years: int) -> list[int]:
    """Students and staff of this year and the next `years`: as the config lists them, and on from there as they grow."""
    plan = config.forecast
    found = list(plan.users[: years + 1]) or [config.site.users]
    while len(found) <= years:
        found.append(max(1, round(found[-1] * (1 + plan.users_growth))))
    return found


def programmes(config: Config, year: int, years: int) -> tuple[Programme, ...]:
    """The config's programmes; Unfit for one that begins before this year, as its demand is in today's readings already."""
    for index, each in enumerate(config.forecast.programmes):
        if not year <= each.year <= year + years:
            place = f"forecast.programmes[{index}].year"
            raise Unfit(str(config.file), place, f"expected a year from {year} to {year + years}; got {each.year}")
    return config.forecast.programmes


def standards(config: Config) -> tuple[Standard, ...]:
    """The roadmap's two thresholds and the chosen ones; Unfit for an id that is none, or one that is not for each user."""
    known = {each.id: each for each in shelf.standards(config).standards}
    for index, name in enumerate(config.forecast.standards):
        place = f"forecast.standards[{index}]"
        if name not in known:
            raise Unfit(str(config.file), place, f'no standard is called "{name}"; {near(name, set(known))}')
        if known[name].per is not Denominator.STUDENTS_AND_STAFF or known[name].link != "internet":
            raise Unfit(str(config.file), place, f'expected one for each user of the Internet line; "{name}" is another sort')
    wanted = dict.fromkeys((*(name for name in ALWAYS if name in known), *config.forecast.standards))
    return tuple(known[name] for name in wanted)
