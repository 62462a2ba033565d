"""What kind of thing a device is: rows of evidence with weights, added up, and an honest "unknown".

The rows are data in the rules_ modules. Order of trust: what LLDP, a controller and an asset list say it is, what a managed
device answers over SNMP, its DHCP vendor class, what it announces by mDNS and SSDP, then the order of DHCP options, its name,
and the maker of its network card. Evidence of one sort counts once, however often it is repeated. That a thing bridges, routes
or gives out addresses is a deed: it says what the thing is only where nothing better does, for firewalls, access points and
telephones do the same. No packet tells whose laptop it is: a student's device is one only by the site's own naming or a list.
"""

import functools
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import msgspec

from census.evidence import Matcher, Rule, words
from census.rules_announced import ANNOUNCED
from census.rules_managed import DEED_ROLES, DEEDS, MANAGED
from census.rules_says import SAYS
from census.told import LISTS
from census.vendors import is_local, vendor
from netready.device import Kind, Sighting

RULES: tuple[Rule, ...] = (*MANAGED, *ANNOUNCED, *SAYS)
ENOUGH = 3  # below this the evidence is a hint and the device stays unknown
PLAIN = 5  # from here what a device is said to be settles what its deeds mean
CLEAR = 1  # by how much the best must lead, or the evidence contradicts itself
SITE_NAMING = 6  # the site's own words; only a device's own plain description outweighs them
LISTED = 8  # an asset list's word on whose it is

OWNERS = {"student": Kind.STUDENT_DEVICE, "staff": Kind.STAFF_DEVICE}
_PERSONAL = (Kind.COMPUTER, Kind.PHONE)  # what a person uses
# Facts that hold the words of a product, by source; of the lists the model.
_PRODUCT = {
    "snmp": ("sysdescr", "model"),
    "lldp": ("description", "model"),
    "cdp": ("description", "platform", "model"),
    "controller": ("model",),
    "dhcp": ("vendor_class",),
    "lease": ("vendor_class",),
    "mdns": ("model",),
    "ssdp": ("server",),
    **dict.fromkeys(LISTS, ("model",)),
}
# A bridge, router or host from sysServices (RFC 3418): 2 is the data link layer, 4 the Internet layer, 8 and 64 above them.
LINK, INTERNET, TRANSPORT, APPLICATIONS = 2, 4, 8, 64
REPEATER = 1

_ROLES = (
    ("telephone", "telephone"),
    ("wlan-ap", "access point"),
    ("docsis", "cable modem"),
    ("bridge", "bridge"),
    ("router", "router"),
    ("station", "station"),
    ("host", "station"),
)

Group = tuple[Kind, str, str]


class Naming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a site names devices, as shell patterns without regard to case: ("chromebook-*", "cart??-*")."""

    student: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """The heaviest row of one sort that fits, and what it rests on, in one line."""

    weight: int
    line: str


def classify(sightings: Iterable[Sighting], naming: Naming | None = None) -> tuple[Kind, tuple[str, ...]]:
    """The kind with the most evidence for it, and that evidence, heaviest first; UNKNOWN when it is weak or divided.

    `sightings` are all of one device.
    """
    seen = tuple(sightings)
    found = _evidence(seen)
    owner = _owner(seen, naming)
    if owner is not None:
        kind, evidence = owner
        # What a person uses is a computer or a telephone: what speaks for either speaks for the person's device too.
        found = {(kind if group[0] in _PERSONAL else group[0], *group[1:]): value for group, value in found.items()}
        found[kind, "", "owner"] = evidence
    own = _totals(found, deeds=False)
    totals = _totals(found, deeds=True)
    best, lead = _best(own)
    if best is not None and own[best] >= PLAIN and lead >= CLEAR:
        return best, _because(found, best)
    best, lead = _best(totals)
    if best is None:
        return Kind.UNKNOWN, (_silence(seen),)
    if totals[best] < ENOUGH:
        return Kind.UNKNOWN, (f"only a hint of {best.value}", *_lines(found, best))
    if lead < CLEAR:
        other = next(kind for kind, total in totals.items() if kind is not best and total == totals[best])
        return Kind.UNKNOWN, (f"divided between {best.value} and {other.value}", *_lines(found, best), *_lines(found, other))
    return best, _because(found, best)


def _evidence(seen: Iterable[Sighting]) -> dict[Group, Evidence]:
    found: dict[Group, Evidence] = {}
    for source, fact, text, said in sorted({row for sighting in seen for row in _texts(sighting)}):
        for rule in _fits(source, fact, text):
            group = (rule.kind, source, fact)
            known = found.get(group)
            if known is None or abs(rule.weight) > abs(known.weight):
                found[group] = Evidence(rule.weight, f"{said} is {text}" + (f" ({rule.means})" if rule.means else ""))
    return found


def _texts(sighting: Sighting) -> Iterator[tuple[str, str, str, str]]:
    """Source, fact and text of everything in a sighting that a rule may look at, and how it is spoken of."""
    source, facts = sighting.source, sighting.facts
    if (source, "seen") in _MATCHERS:
        yield source, "seen", "yes", f"that {source} has it"
    if sighting.name and source not in LISTS:
        yield "any", "name", sighting.name, "its name"
    if sighting.mac and is_local(sighting.mac):
        yield "any", "random", "yes", "that its address is made up"
    elif sighting.mac and (maker := vendor(sighting.mac)):
        yield "any", "vendor", maker, "its network card's maker"
    for fact in _PRODUCT.get(source, ()):
        if text := facts.get(fact):
            yield "any", "says", text, f"{source} {fact}"
    for fact, text in facts.items():
        yield from _fact(source, fact, text)


def _fact(source: str, fact: str, text: str) -> Iterator[tuple[str, str, str, str]]:
    match fact:
        case "maker" | "os":
            yield "any", fact, text, f"{source} {fact}"
        case "types" | "kinds":  # several things, each looked at on its own
            yield from ((source, fact, word, f"{source} {fact}") for word in text.split())
        case "services":
            yield source, "layers", layers(text), "what sysServices amounts to"
        case "capabilities":
            yield source, "role", role(text), f"its role in {source.upper()}"
        case _ if (source, fact) in _MATCHERS:
            yield source, fact, text, f"{source} {fact}"
        case _:
            return


def layers(services: str) -> str:
    """What sysServices amounts to, in words; "" when it says nothing of use."""
    number = int(services) if services.isascii() and services.isdigit() and len(services) < 4 else 0
    bridges, routes = bool(number & LINK), bool(number & INTERNET)
    above, all_of_it = bool(number & APPLICATIONS), bool(number & REPEATER)
    if bridges and routes and above:
        return "" if all_of_it else "bridge router host"  # some agents claim every layer there is
    if bridges and routes:
        return "bridge and router"
    if bridges and not number & TRANSPORT:
        return "bridge"
    return "router" if routes and not above else ""


def role(capabilities: str) -> str:
    """The capability that tells a thing from its neighbours, of those it is set to (IEEE 802.1AB, table 8-4)."""
    said = set(capabilities.split())
    return next((meant for word, meant in _ROLES if word in said), "")


def _owner(seen: Iterable[Sighting], naming: Naming | None) -> tuple[Kind, Evidence] | None:
    """Whose it is, by the lists if they agree, else by the site's own naming if that is plain."""
    seen = tuple(seen)
    listed = {each.facts["owner"]: each.source for each in seen if each.source in LISTS and each.facts.get("owner") in OWNERS}
    if len(listed) == 1:
        ((owner, source),) = listed.items()
        return OWNERS[owner], Evidence(LISTED, f"{source} lists it as a {owner} device")
    if listed or naming is None:
        return None
    named: dict[Kind, str] = {}
    for name in sorted({each.name for each in seen if each.name}):
        for kind, patterns in ((Kind.STUDENT_DEVICE, naming.student), (Kind.STAFF_DEVICE, naming.staff)):
            for pattern in patterns:
                if fnmatchcase(name.lower(), pattern.lower()):
                    named.setdefault(kind, f"its name {name} fits the site's own {pattern}")
    if len(named) != 1:
        return None
    ((kind, line),) = named.items()
    return kind, Evidence(SITE_NAMING, line)


def _is_deed(group: Group) -> bool:
    kind, *sort = group
    return tuple(sort) in DEEDS or (sort[1] == "role" and kind in DEED_ROLES)


def _totals(found: dict[Group, Evidence], *, deeds: bool) -> dict[Kind, int]:
    totals: dict[Kind, int] = {}
    for group, evidence in found.items():
        if deeds or not _is_deed(group):
            totals[group[0]] = totals.get(group[0], 0) + evidence.weight
    return totals


def _best(totals: dict[Kind, int]) -> tuple[Kind | None, int]:
    """The kind with most, None when none has any, and how far it leads."""
    ranked = sorted(((total, kind) for kind, total in totals.items() if total > 0), key=lambda pair: (-pair[0], pair[1]))
    if not ranked:
        return None, 0
    total, kind = ranked[0]
    return kind, total - (ranked[1][0] if len(ranked) > 1 else 0)


def _lines(found: dict[Group, Evidence], kind: Kind) -> tuple[str, ...]:
    kept = sorted((-each.weight, each.line) for (which, _, _), each in found.items() if which is kind and each.weight > 0)
    return tuple(line for _, line in kept)


def _because(found: dict[Group, Evidence], kind: Kind) -> tuple[str, ...]:
    if kind is not Kind.COMPUTER:
        return _lines(found, kind)
    note = "whose it is cannot be seen in packets; inventory.student_names and staff_names or an asset list can say"
    return (*_lines(found, kind), note)


def _silence(seen: Iterable[Sighting]) -> str:
    """Why nothing at all speaks for any kind."""
    sources = sorted({each.source for each in seen})
    if not sources:
        return "nothing was seen of it"
    return f"nothing it said tells what it is; only {', '.join(sources)} saw it"


def _matchers() -> dict[tuple[str, str], Matcher]:
    sorted_rules: dict[tuple[str, str], list[Rule]] = {}
    for rule in RULES:
        sorted_rules.setdefault((rule.source, rule.fact), []).append(rule)
    return {sort: Matcher(rules) for sort, rules in sorted_rules.items()}


_MATCHERS = _matchers()


@functools.lru_cache(maxsize=4096)
def _fits(source: str, fact: str, text: str) -> tuple[Rule, ...]:
    matcher = _MATCHERS.get((source, fact))
    return () if matcher is None else tuple(matcher.fits(words(text)))
