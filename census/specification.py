"""Whether student devices have what a chosen specification asks for, as far as the school's lists tell."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from census.version import at_least
from netready.device import Device, Kind
from netready.finding import Finding, Trouble
from netready.refusal import decode, unique
from netready.units import count, digits, size

Text = Annotated[str, Meta(min_length=1)]
ALLOWANCE = 0.9  # of a size that still counts as the whole: makers count in other units, and some of it is set aside


class System(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operating system that is allowed, as a shell pattern without regard to case, from a version on."""

    name: Text
    at_least: str = ""


class Specification(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device must have: memory and storage in bytes, the screen's diagonal in inches, one of the systems."""

    id: Text
    who: Text
    title: Text
    published: Text
    memory: float | None = None
    storage: float | None = None
    screen: float | None = None
    systems: tuple[System, ...] = ()
    note: str = ""
    source: Text
    verified: Literal["primary", "secondary", "memory", "proposal"]


class Specifications(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shipped list, dated."""

    version: Text
    specifications: tuple[Specification, ...]


@cache
def shipped() -> Specifications:
    """The shipped list."""
    name = "specifications.toml"
    found = decode(files("census").joinpath("data", name).read_bytes(), name, Specifications)
    unique(name, "specifications", (each.id for each in found.specifications))
    return found


def named(word: str) -> Specification | None:
    """The specification with this id; None when there is none."""
    return next((each for each in shipped().specifications if each.id == word), None)


def lacks(device: Device, wanted: Specification) -> tuple[str, ...]:
    """What the device does not have, one short phrase each. What nobody tells of it is not held against it."""
    found = []
    for fact, bound in (("memory", wanted.memory), ("storage", wanted.storage)):
        value = _number(device.facts.get(fact, ""))
        if bound is not None and value is not None and value < bound * ALLOWANCE:
            found.append(f"{size(value)} of {fact}, {size(bound)} expected")
    inches = _number(device.facts.get("screen", ""))
    if wanted.screen is not None and inches is not None and inches < wanted.screen:
        found.append(f"a screen of {digits(inches)} inches, {digits(wanted.screen)} expected")
    if wanted.systems and (system := device.facts.get("os", "")) and not _allowed(device.facts, wanted.systems):
        found.append(f"{system} {device.facts.get('os_version', '')}".strip())
    return tuple(found)


def untold(device: Device, wanted: Specification) -> bool:
    """Whether nothing that the specification asks for is told of the device."""
    asked = {
        "memory": wanted.memory is not None,
        "storage": wanted.storage is not None,
        "screen": wanted.screen is not None,
        "os": bool(wanted.systems),
    }
    return not any(device.facts.get(fact) for fact, wants in asked.items() if wants)


def _allowed(facts: dict[str, str], systems: Iterable[System]) -> bool:
    """Whether the system is one of those that are allowed; an unknown version is not held against it."""
    system, version = facts.get("os", "").lower(), facts.get("os_version", "")
    return any(
        fnmatchcase(system, each.name) and (not each.at_least or not version or at_least(version, each.at_least) is not False)
        for each in systems
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def below_specification(devices: Iterable[Device], wanted: Specification) -> Iterator[Finding]:
    """Student devices that lack something: one finding for each model and what it lacks."""
    same: defaultdict[tuple[str, tuple[str, ...]], list[Device]] = defaultdict(list)
    for device in devices:
        if device.kind is Kind.STUDENT_DEVICE and (missing := lacks(device, wanted)):
            same[device.facts.get("model", "unknown model"), missing].append(device)
    for (model, missing), group in sorted(same.items()):
        number = count(len(group), "student device")
        yield Finding(
            trouble=Trouble.BELOW_SPECIFICATION,
            where=model,
            says=f"{number[0].upper()}{number[1:]} ({model}): {'; '.join(missing)} ({wanted.title}).",
            known_by=(wanted.source, *sorted({name for device in group for name in device.enrolled})),
            devices=tuple(device.key for device in group),
        )
