"""What is counted: student devices, access points, servers and insured devices, against what is asked for. Pure.

A count of devices is a lower bound, so a gap that rests on one is an upper bound, and is called so. Where nothing of a kind was
recognised the gap is not known: what the list could not name may be just what is asked for.
"""

from collections.abc import Mapping, Sequence

import msgspec

from netready.device import Kind
from netready.metric import Unit
from netready.site import Site
from readiness.evidence import Fact
from readiness.gaps import NOTHING, Amount, Ask, Demand, Gap, Item, asks, merged, own, whole
from readiness.inventory import CLIENTS
from readiness.judgement import Judgement
from readiness.plan import Prices, Wanted
from readiness.pricing import Per, things
from readiness.weigh import Key, index
from readiness.wording import plural


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the wireless network has to serve.

    others  end devices that are not students'; None: nothing was counted
    crowd   the fact that the judgement holds against the same bound: where it misses, an average that suffices is no proof
    """

    devices: Amount
    others: float | None
    crowd: Fact | None


def counted(site: Site, judgement: Judgement, demands: Sequence[Demand], *, wanted: Wanted, prices: Prices) -> tuple[Item, ...]:
    """The items, hardware in classrooms first."""
    facts = index(judgement.facts)
    devices, points, servers = (_count(facts, site, kind) for kind in (Kind.STUDENT_DEVICE, Kind.ACCESS_POINT, Kind.SERVER))
    seen = Seen(devices=devices, others=_others(facts), crowd=facts.get(("clients_per_access_point", None, None)))
    hardware = merged([*asks(demands, lambda one: _devices(one, site)), *own(wanted.student_devices)])
    air = [*asks(demands, lambda one: _points(one, site, demands, seen)), *own(wanted.access_points)]
    blind = "How many access points are wanted is not known: no end device has been counted."
    nobody = "Neither a further stage of the roadmap nor a wave asks for a number."
    return (
        Item(
            id="student_devices",
            area="Classroom hardware",
            title="Student devices",
            unit=Unit.COUNT,
            current=devices,
            gaps=tuple(_gap(devices, ask, prices, "student_device") for ask in hardware),
            criterion="CT.2.1",
            note="" if hardware else nobody,
        ),
        Item(
            id="access_points",
            area="Wireless",
            title="Access points",
            unit=Unit.COUNT,
            current=points,
            gaps=tuple(_gap(points, ask, prices, "access_point") for ask in merged(air)),
            criterion="CT.2.2",
            note=" ".join(
                ("Routers and cabling are not counted here.", *([] if air else [blind if seen.others is None else nobody]))
            ),
        ),
        _servers(servers, wanted, prices),
        _insurance(site, devices, wanted, prices),
    )


def _servers(servers: Amount, wanted: Wanted, prices: Prices) -> Item:
    decide = "The roadmap asks for no number: decide for each server whether it stays, moves to the cloud or ends"
    return Item(
        id="servers",
        area="Servers",
        title="Servers in the school",
        unit=Unit.COUNT,
        current=servers,
        gaps=tuple(_gap(servers, ask, prices, "server") for ask in own(wanted.servers)),
        criterion="CT.2.4",
        note=f"{decide}{'.' if wanted.servers is not None else ', and give the number that is wanted (wanted.servers).'}",
    )


def _insurance(site: Site, devices: Amount, wanted: Wanted, prices: Prices) -> Item:
    absent = "the site's configuration does not give it (site.insured_devices)"
    covered = site.insured_devices
    current = Amount(value=None, how=absent) if covered is None else Amount(value=covered, how="the site's configuration")
    seen = devices.value or None
    found = [] if seen is None else [_ask("seen", "every student device that was seen", seen, devices.how, at_least=True)]
    found += [
        _ask("plan", "every student device that the school wants", one.value, one.how) for one in own(wanted.student_devices)
    ]
    return Item(
        id="insured_devices",
        area="Insurance",
        title="Student devices that are insured",
        unit=Unit.COUNT,
        current=current,
        gaps=tuple(_gap(current, ask, prices, "insured_device", per=Per.YEAR) for ask in found),
        criterion="CT.3.1",
        note="" if found else f"How many devices there are to insure is not known: {devices.how}.",
    )


def _count(facts: Mapping[Key, Fact], site: Site, kind: Kind) -> Amount:
    fact = facts.get(("devices", None, kind))
    if fact is None or fact.value is None:
        return Amount(value=None, how="no inventory has found a device yet" if fact is None else fact.note)
    when = "" if fact.last_at is None else f", on {fact.last_at.astimezone(site.zone).date()}"
    return Amount(value=fact.value, how=f"{fact.note}{when}", at_least=fact.at_least, at_most=fact.at_most)


def _others(facts: Mapping[Key, Fact]) -> float | None:
    """End devices that were seen and are not students'; None when no inventory has looked."""
    found = [facts.get(("devices", None, kind)) for kind in CLIENTS if kind is not Kind.STUDENT_DEVICE]
    values = [fact.value for fact in found if fact is not None and fact.value is not None]
    return sum(values) if values else None


def _ask(goal: str, title: str, value: float, how: str, *, at_least: bool = False) -> Ask:
    return Ask(goals=(goal,), titles=(title,), value=value, how=how, at_least=at_least)


def _devices(one: Demand, site: Site) -> Ask | None:
    """What a demand means in student devices, None when it is about something else."""
    asked = one.asked
    match asked.metric:
        case "student_devices_per_classroom" if asked.at_least is not None:
            how = f"{asked.at_least:g} in each of {plural(site.classrooms, 'classroom')}"
            return _ask(one.goal, one.title, whole(asked.at_least * site.classrooms), how)
        case "students_per_device" if asked.at_most:
            how = f"one for every {asked.at_most:g} of {plural(site.students, 'student')}"
            return _ask(one.goal, one.title, whole(site.students / asked.at_most), how)
        case "devices" if asked.at_least is not None and asked.kind is Kind.STUDENT_DEVICE:
            return _ask(one.goal, one.title, whole(asked.at_least), "asked for as a number")
        case _:
            return None


def _points(one: Demand, site: Site, demands: Sequence[Demand], seen: Seen) -> Ask | None:
    """The same in access points: for the end devices that were seen, and the student devices that the same goal wants."""
    asked, devices, others, crowd = one.asked, seen.devices, seen.others, seen.crowd
    match asked.metric:
        case "access_points_per_classroom" if asked.at_least is not None:
            how = f"{asked.at_least:g} in each of {plural(site.classrooms, 'classroom')}"
            return _ask(one.goal, one.title, whole(asked.at_least * site.classrooms), how)
        case "clients_per_access_point" if asked.at_most and others is not None and devices.value is not None:
            # To count only today's devices would order the wireless network twice: once now, and once for what is ordered now.
            students = max(devices.value, _by_then(one, demands, site))
            how = f"{asked.at_most:g} end devices or fewer on each, for {plural(round(others + students), 'end device')}"
            if students > devices.value:
                how += f" once there are {round(students):,} student devices"
            ask = _ask(one.goal, one.title, whole((others + students) / asked.at_most), how, at_least=True)
            if crowd is not None and crowd.value is not None and crowd.value > asked.at_most:
                despite = (
                    f"there are enough for an average, but one serves {crowd.value:,.0f}: add or move some where it is crowded"
                )
                return msgspec.structs.replace(ask, despite=despite)
            return ask
        case "devices" if asked.at_least is not None and asked.kind is Kind.ACCESS_POINT:
            return _ask(one.goal, one.title, whole(asked.at_least), "asked for as a number")
        case _:
            return None


def _by_then(one: Demand, demands: Sequence[Demand], site: Site) -> float:
    """Student devices that are wanted for the same wave, or for the same stage and those below it."""
    same = [each for each in demands if each.goal == one.goal and (each.stage or 0) <= (one.stage or 0)]
    return max((ask.value for each in same if (ask := _devices(each, site)) is not None), default=0.0)


def _gap(current: Amount, ask: Ask, prices: Prices, price: str, *, per: Per = Per.ONCE) -> Gap:
    wanted = Amount(value=ask.value, how=ask.how, at_least=ask.at_least)
    missing = _missing(current, ask)
    cost = None
    if missing.value:
        cost = msgspec.structs.replace(
            things(prices, price, missing.value, per=per),
            at_least=missing.at_least,
            at_most=missing.at_most,
            about=missing.about,
        )
    return Gap(goals=ask.goals, titles=ask.titles, wanted=wanted, gap=missing, cost=cost)


def _missing(current: Amount, ask: Ask) -> Amount:
    if current.value is None:
        return Amount(value=None, how=current.how)
    if not current.value and current.at_least:
        return Amount(value=None, how=f"none was recognised, {current.how}")
    short = ask.value - current.value
    if short <= 0 and ask.despite:
        return Amount(value=None, how=ask.despite)
    if short <= 0:
        return Amount(value=0.0, how=NOTHING if not ask.at_least else f"{NOTHING} for what was counted")
    if current.at_least and ask.at_least:
        return Amount(value=short, how="both counts can only be too low, so it may be more or less", about=True)
    how = "what there is, taken from what is wanted"
    if current.at_least:
        how = "what was not seen is not counted, so it may be less"
    elif ask.at_least:
        how = "there may be more of them than were seen"
    return Amount(value=short, how=how, at_least=ask.at_least, at_most=current.at_least)
