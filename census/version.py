"""Versions of systems, compared number by number: "10.0.19045.3693" lies between "10.0.10240" and "10.0.20000"."""

import re

_NUMBERS = re.compile(r"\d{1,9}")
_MOST = 6  # numbers of one version that are compared


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of a version, from its first one on; empty when there is none."""
    return tuple(int(number) for number in _NUMBERS.findall(text)[:_MOST])


def at_least(version: str, bound: str) -> bool | None:
    """Whether `version` is `bound` or later; None when it has no number."""
    found = numbers(version)
    return found >= numbers(bound) if found else None
