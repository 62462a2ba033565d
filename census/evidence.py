"""Rows of evidence: if a source says this, the device is more likely that. The rows themselves are in the modules beside this.

A pattern is a shell pattern without regard to case, laid over the words of a text: brackets, commas, colons and slashes only
part words. "uap-*" fits a text that begins so, "* switch *" one that has the word, "*laserjet*" one that has it inside a word.
"""

import re
from collections.abc import Iterable
from fnmatch import translate

import msgspec

from netready.device import Kind

_BETWEEN = re.compile(r"[\s,;:()\[\]{}/|'\"=<>]+")


class Rule(msgspec.Struct, frozen=True):
    """If `source` says something under `fact` that fits `pattern`, the device is more likely a `kind`, by `weight`.

    source  as in `Sighting.source`; "any" for what several sources say
    fact    as in `Sighting.facts`, or seen: that the source has it at all; of "any": name, vendor (of the network card), maker,
            random, os, and says: the words in which a device or a list describes the product, wherever they stand
    weight  less than nothing where it speaks against the kind
    means   said behind the evidence, where the pattern alone explains nothing
    """

    kind: Kind
    weight: int
    source: str
    fact: str
    pattern: str
    means: str = ""


def rows(kind: Kind, weight: int, source: str, fact: str, *patterns: str, means: str = "") -> tuple[Rule, ...]:
    """One rule for each pattern."""
    return tuple(Rule(kind, weight, source, fact, pattern, means) for pattern in patterns)


def words(text: str) -> str:
    """`text` as patterns see it: lower case, one space between words and at both ends."""
    return f" {_BETWEEN.sub(' ', text.lower()).strip()} "


class Matcher:
    """The rules for one fact of one source, ready to be laid over many texts."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._equal: dict[str, list[Rule]] = {}
        self._inside: list[tuple[str, Rule]] = []
        self._shaped: list[tuple[re.Pattern[str], Rule]] = []
        for rule in rules:
            pattern = rule.pattern
            pattern = ("" if pattern.startswith("*") else " ") + pattern + ("" if pattern.endswith("*") else " ")
            middle = pattern.strip("*")
            if any(mark in middle for mark in "*?["):
                self._shaped.append((re.compile(translate(pattern)), rule))
            elif pattern == middle:
                self._equal.setdefault(pattern, []).append(rule)
            elif pattern == f"*{middle}*":
                self._inside.append((middle, rule))
            else:
                self._shaped.append((re.compile(translate(pattern)), rule))

    def fits(self, text: str) -> list[Rule]:
        """The rules that fit a text that came from `words`."""
        found = list(self._equal.get(text, ()))
        found += [rule for part, rule in self._inside if part in text]
        found += [rule for shape, rule in self._shaped if shape.match(text)]
        return found
