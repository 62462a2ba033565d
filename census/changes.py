"""What changed between two surveys, in plain words: what came, what was not seen any more, what moved or was renewed.

Infrastructure is compared one by one. Clients are compared one by one only while the key behind their pseudonyms is the same;
made-up hardware addresses only ever by number.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import tzinfo

import msgspec

from netready.device import INFRASTRUCTURE, Device, Kind
from netready.survey import Survey
from netready.units import count

_MOST = 6  # devices named in one sentence
# What may change on one device, how a reader calls it, and whether it stands in the facts.
_FACTS = {"model": "model", "firmware": "firmware", "software": "software", "os_version": "system"}
_MANY = {Kind.UNKNOWN: "unknown devices", Kind.UPS: "UPSs", Kind.IOT: "IoT devices", Kind.SWITCH: "switches"}


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One device in which something is different. `what` is "room", "port", "kind", "address", "firmware" ..."""

    key: str
    name: str
    what: str
    before: str
    after: str


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The difference between two surveys.

    since       when the earlier one was made, in the site's words: "3 October"
    numbers     devices by kind: before and after
    made_up     made-up hardware addresses: before and after
    come, gone  devices that only one of the surveys has, by key
    one_by_one  whether clients could be compared one by one
    sentences   the same for people
    """

    before: str
    after: str
    since: str
    numbers: dict[Kind, tuple[int, int]]
    made_up: tuple[int, int]
    come: tuple[Device, ...]
    gone: tuple[Device, ...]
    changed: tuple[Changed, ...]
    one_by_one: bool
    sentences: tuple[str, ...]


def changes(before: Survey, after: Survey, zone: tzinfo) -> Changes:
    """What `after` has that `before` has not, and the other way round."""
    same_key = before.period == after.period
    old, new = ([one for one in survey.devices if _compared(one, same_key=same_key)] for survey in (before, after))
    pairs, gone, come = _match(old, new)
    changed = tuple(each for one, other in pairs for each in _differences(one, other))
    earlier, later = (Counter(one.kind for one in survey.devices) for survey in (before, after))
    for kind, number in before.forgotten.items():
        earlier[Kind(kind)] += number
    numbers = {kind: (earlier[kind], later[kind]) for kind in Kind if earlier[kind] or later[kind]}
    made_up = _made_up(before), _made_up(after)
    at = before.started_at.astimezone(zone)
    since = f"{at.day} {at:%B}" + ("" if at.year == after.started_at.astimezone(zone).year else f" {at.year}")
    found = Changes(
        before=before.id,
        after=after.id,
        since=since,
        numbers=numbers,
        made_up=made_up,
        come=tuple(come),
        gone=tuple(gone),
        changed=changed,
        one_by_one=same_key,
        sentences=(),
    )
    return msgspec.structs.replace(found, sentences=tuple(_sentences(found)))


def _compared(device: Device, *, same_key: bool) -> bool:
    """Whether a device can be found again: infrastructure always, a client by its pseudonym, a made-up address never."""
    return device.kind in INFRASTRUCTURE or (same_key and not device.random)


def _made_up(survey: Survey) -> int:
    return sum(device.random for device in survey.devices)


def _match(old: Sequence[Device], new: Sequence[Device]) -> tuple[list[tuple[Device, Device]], list[Device], list[Device]]:
    """Devices of both surveys in pairs, and what is left of each: by key first, then by any other thing that names one."""
    pairs: list[tuple[Device, Device]] = []
    for names in (_key, _others):
        known: defaultdict[str, list[Device]] = defaultdict(list)
        for device in new:
            for name in names(device):
                known[name].append(device)
        used: set[str] = set()
        left = []
        for device in old:
            found = next((one for name in names(device) for one in known[name] if one.key not in used), None)
            if found is None:
                left.append(device)
            else:
                used.add(found.key)
                pairs.append((device, found))
        old, new = left, [device for device in new if device.key not in used]
    return pairs, list(old), list(new)


def _key(device: Device) -> Iterable[str]:
    return (device.key,)


def _others(device: Device) -> Iterable[str]:
    """What names a device of the infrastructure, should it be called by another of its cards, or by its address."""
    if device.kind not in INFRASTRUCTURE:
        return ()
    serial = device.facts.get("serial", "")
    return (*device.facts.get("macs", "").split(), *((device.mac,) if device.mac else ()), *((serial,) if serial else ()))


def _differences(old: Device, new: Device) -> Iterable[Changed]:
    """What changed on one device of the infrastructure. Where a person went with a laptop is nobody's business."""
    if INFRASTRUCTURE.isdisjoint({old.kind, new.kind}):
        return

    def one(what: str, before: str | None, after: str | None) -> Iterable[Changed]:
        if before and after and before != after:
            yield Changed(key=new.key, name=_named(new), what=what, before=before, after=after)

    yield from one("kind", old.kind.value, new.kind.value)
    yield from one("room", old.room, new.room)
    yield from one("port", _place(old), _place(new))
    if not set(old.addresses) & set(new.addresses):
        yield from one("address", ", ".join(old.addresses), ", ".join(new.addresses))
    for fact, what in _FACTS.items():
        yield from one(what, old.facts.get(fact), new.facts.get(fact))


def _place(device: Device) -> str | None:
    return None if device.place is None else f"{device.place.switch} port {device.place.port}"


def _named(device: Device) -> str:
    return next(iter((*device.names, *device.addresses, device.key)))


# --- words ----------------------------------------------------------------------------------------------------------------


def _sentences(found: Changes) -> Iterable[str]:
    clients = [(kind, numbers) for kind, numbers in found.numbers.items() if kind not in INFRASTRUCTURE]
    words = [text for kind, (old, new) in clients if (text := _more(kind, old, new))]
    if words:
        yield f"Since {found.since}: {', '.join(words)}."
    for devices, say in ((found.come, _came), (found.gone, _went)):
        for kind in Kind:
            if kind in INFRASTRUCTURE and (group := [device for device in devices if device.kind is kind]):
                yield say(kind, group)
    yield from _clients(found)
    yield from _moved(found.changed)
    old, new = found.made_up
    if old != new:
        yield f"Made-up hardware addresses: {new:,}, before {old:,}; how many devices that is, the estimate says."
    if not found.one_by_one:
        yield "The key behind clients' pseudonyms changed between the surveys: clients are compared by number only."
    if not (words or found.come or found.gone or found.changed or old != new):
        yield f"Since {found.since} nothing has changed that a survey can see."


def _more(kind: Kind, old: int, new: int) -> str:
    """How many more or fewer: "46 more student devices (210)"; nothing when there are as many as before."""
    if old == new:
        return ""
    difference = abs(new - old)
    one, many = _word(kind), _plural(kind)
    return f"{difference:,} {'more' if new > old else 'fewer'} {one if difference == 1 else many} ({new:,})"


def _came(kind: Kind, group: Sequence[Device]) -> str:
    number = count(len(group), f"new {_word(kind)}", f"new {_plural(kind)}")
    return f"{number[0].upper()}{number[1:]}: {_list([_where(one) for one in group])}."


def _went(kind: Kind, group: Sequence[Device]) -> str:
    number = count(len(group), _word(kind), _plural(kind))
    return f"{number[0].upper()}{number[1:]} not seen any more: {_list([_where(one) for one in group])}."


def _clients(found: Changes) -> Iterable[str]:
    """Clients by number: nobody is named, but a stolen cart of laptops shows."""
    for devices, when in ((found.come, "not seen in the earlier survey"), (found.gone, "seen then and not now")):
        kinds = Counter(device.kind for device in devices if device.kind not in INFRASTRUCTURE)
        if kinds:
            words = [count(number, _word(kind), _plural(kind)) for kind, number in sorted(kinds.items())]
            line = ", ".join(words)
            yield f"{line[0].upper()}{line[1:]} {'was' if sum(kinds.values()) == 1 else 'were'} {when}."


def _moved(changed: Sequence[Changed]) -> Iterable[str]:
    what: defaultdict[str, list[Changed]] = defaultdict(list)
    for each in changed:
        what[each.what].append(each)
    for name, group in sorted(what.items()):
        if name == "port" and {one.key for one in group} <= {one.key for one in what.get("room", ())}:
            continue  # the room says it
        yield f"Changed {name}: {_list([_step(one) for one in group])}."


def _step(one: Changed) -> str:
    return f"{one.name} ({one.before}, now {one.after})"


def _where(device: Device) -> str:
    place = f"room {device.room}" if device.room else _place(device)
    return f"{_named(device)} ({place})" if place else _named(device)


def _list(shown: Sequence[str]) -> str:
    return ", ".join(shown[:_MOST]) + (f" and {len(shown) - _MOST:,} more" if len(shown) > _MOST else "")


def _word(kind: Kind) -> str:
    return {Kind.UNKNOWN: "unknown device", Kind.UPS: "UPS", Kind.IOT: "IoT device"}.get(kind, kind.value.replace("-", " "))


def _plural(kind: Kind) -> str:
    return _MANY.get(kind, f"{_word(kind)}s")
