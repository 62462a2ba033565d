"""The page of all criteria, for whoever leads a school: what each stage asks, what shows it, where it comes from, what to do."""

from collections.abc import Iterator

from agent import shelf
from netready.metric import metric
from netready.units import plain
from readiness.policy import Rule
from readiness.roadmap import MACHINE, Bound, Criterion, Dimension, EvidenceKind, Roadmap
from readiness.wording import platform, plural

KINDS = {
    EvidenceKind.MEASURED: "measured",
    EvidenceKind.INVENTORIED: "counted",
    EvidenceKind.PROBED: "tried out",
    EvidenceKind.ATTESTED: "vouched for",
}
SURE = {"high": "sure", "medium": "fairly sure", "low": "a guess"}
# What the criteria say and a principal need not know; the order of the page.
GLOSSARY = {
    "access point": "the box on the ceiling that connects devices by Wi-Fi",
    "CASE": "a published form for lists of competencies, so that systems mean the same by them",
    "CCSSO": "the Council of Chief State School Officers, which published the roadmap with 2Revolutions",
    "CEDS": "the Common Education Data Standards: agreed names for data in education",
    "CIPA": "the Children's Internet Protection Act: filtering and an Internet safety policy where E-rate money is used",
    "COPPA": "the Children's Online Privacy Protection Act: what online services may collect of children under 13",
    "CoSN": "the Consortium for School Networking",
    "E-rate": "the federal programme that pays part of schools' lines (Category One) and networks (Category Two)",
    "Ed-Fi": "a published form in which school systems exchange student data",
    "FCC": "the Federal Communications Commission, which runs E-rate and has set targets for school lines",
    "FERPA": "the Family Educational Rights and Privacy Act: who may see education records",
    "IT": "information technology: computers, networks and those who look after them",
    "LTI": "a published way to open one learning tool from within another, with one sign-in",
    "MB": "a megabyte: a photograph has a few, a minute of video about 100",
    "Mbps": "megabits in a second, the rate of a line; 1,000 of them are a Gbps. A video needs about 5",
    "NJTRAx": "New Jersey's check of schools' readiness for online tests",
    "OneRoster": "a published form of class lists, so that nobody types them twice",
    "SETDA": "the State Educational Technology Directors Association, which published the two targets for lines in 2012",
    "seat time": "hours spent in a class, as a measure of progress; competency-based education measures mastery instead",
    "site file": "`netready.toml`, in which the school describes itself: people, rooms, contracts, systems",
    "US": "the United States",
    "WCAG": "the Web Content Accessibility Guidelines: whether people with disabilities can use a page",
}
PART = " It covers a part of the statement: it can show that it is not met, and a person vouches for the rest."
BASIS = {"[std]": "a published standard", "[prop]": "our own proposal, which a school may change"}


def page(note: str) -> str:
    """The whole page."""
    roadmap = shelf.roadmap()
    rules = _rules(roadmap)
    parts = [f"# The roadmap's {len(roadmap.criteria)} criteria\n", note, _opening(roadmap)]
    for dimension in roadmap.dimensions:
        criteria = [one for one in roadmap.criteria if one.dimension == dimension.id]
        parts += [
            _row(dimension),
            _table(roadmap, criteria),
            *(_criterion(roadmap, one, rules.get(one.id, ())) for one in criteria),
        ]
    parts += ["## Words\n", *(f"- **{word}**: {meaning}." for word, meaning in GLOSSARY.items()), ""]
    return "\n".join(parts)


def _opening(roadmap: Roadmap) -> str:
    criteria = roadmap.criteria
    alone = sum(set(one.evidence) == {EvidenceKind.ATTESTED} for one in criteria)
    bounded = sum(bool(one.bounds) for one in criteria)
    unsure = sum(one.confidence != "high" for one in criteria)
    stages = "\n".join(f"{one.number}. **{one.name}**: {one.meaning}" for one in roadmap.stages)
    kinds = {kind: sum(kind in one.evidence for one in criteria) for kind in EvidenceKind}
    return f"""\
This page lists everything that netready asks about a school before it says which stage the school has reached. You need not be
an engineer to read it. For each criterion it says what is asked, why it matters for competency-based education, what counts as
evidence, what to do next, and where the criterion and its numbers come from.

{roadmap.source}.
The file is `{roadmap.id}`, version {roadmap.version}: {len(criteria)} criteria in {len(roadmap.dimensions)} rows.

## The four stages

{stages}

A school is at a stage in a row when every criterion of that row is met up to and including that stage. Entry asks for nothing: it
is where everybody begins, and the lacks it describes need not be true. There is no average over the rows; the lowest one shows
where to begin.

**How sure the stage is.** The original page was reconstructed, and its column heads were partly lost. Of {len(criteria) - unsure}
criteria we are sure which stage they belong to; of {unsure} we are fairly sure, and they may belong one stage earlier or later.
The tables say which.

## What counts as evidence

- **Measured** ({kinds[EvidenceKind.MEASURED]} criteria): a number taken from the line or the platform, such as a test of the rate.
- **Counted** ({kinds[EvidenceKind.INVENTORIED]}): a number from the list of devices, the contract, or the school's own site file.
- **Tried out** ({kinds[EvidenceKind.PROBED]}): netready asked for a page or a service and saw what came back.
- **Vouched for** ({kinds[EvidenceKind.ATTESTED]}): a named person answers, with role, date and document, until a day on which the
  answer ends. {alone} criteria rest on this alone, because no machine can know them.

The kind that a table names first under “decided by” decides. A shortfall that a machine found is not met, whatever anybody vouches for. What nobody knows
is *not known*: that is neither a pass nor a fail, and it opens no gate. {bounded} criteria have a number that netready checks
today; where a criterion lists a machine's kind of evidence without a number, a person vouches for it until there is one. The words
that may be new to you are explained at the end.

A number that says "on 10 school days" counts only what was measured in school hours, on days on which there is school.

**Where the numbers come from.** *Standard* means a published one, which is named. *Proposal* means that we set the number
because nobody has published one; change it in a roadmap file of your own (`[readiness] roadmap`) if yours is better.
"""


def _row(dimension: Dimension) -> str:
    gates = " The gate for a rollout looks at this row." if dimension.gates else ""
    return f"## {dimension.title}\n\n*{dimension.domain}.* {dimension.question}{gates}\n"


def _table(roadmap: Roadmap, criteria: list[Criterion]) -> str:
    rows = ["| criterion | stage | how sure | decided by | source |", "| --- | --- | --- | --- | --- |"]
    for one in criteria:
        decider = KINDS[one.voices[0]] if one.voices else "nothing yet"
        others = [KINDS[kind] for kind in one.voices[1:]]
        decided = decider + (f", beside what is {' and '.join(others)}" if others else "")
        rows.append(
            f"| [{one.id}](#{_anchor(one)}) {_short(one.what)} | {roadmap.stage_name(one.stage)}{' (a lack)' if one.deficit else ''} "
            f"| {SURE[one.confidence]} | {decided} | {_sources(one)} |"
        )
    return "\n".join(rows) + "\n"


def _short(text: str) -> str:
    return text.removesuffix(".")


def _anchor(criterion: Criterion) -> str:
    """As GitHub and most others make it of the heading."""
    return criterion.id.lower().replace(".", "")


def _sources(criterion: Criterion) -> str:
    kinds = dict.fromkeys("standard" if bound.source.startswith("[std]") else "proposal" for bound in criterion.bounds)
    return "roadmap of 2014" + (f"; number: {' and '.join(kinds)}" if kinds else "")


def _criterion(roadmap: Roadmap, one: Criterion, rules: tuple[Rule, ...]) -> str:
    whole = "the whole district" if one.scope == "lea" else "each school"
    sure = "" if one.confidence == "high" else f" ({SURE[one.confidence]}; it may belong one stage earlier or later)"
    needed = "needed for this stage" if one.required else "not needed for any stage"
    if one.deficit:
        needed = "describes a lack, which nobody has to have"
    lines = [
        f"### {one.id}\n",
        f"**{one.what}**\n",
        f"{roadmap.stage_name(one.stage)}{sure}; {needed}; asked of {whole}.\n",
        f"- **Why it matters.** {one.why}",
        f"- **What counts as evidence.** {one.wanted}",
        *_checks(one),
        f"- **What to do next.** {one.remedy}",
        *(f"- **Gate.** The rule “{rule.title}” ({rule.level}) asks for it." for rule in rules),
    ]
    return "\n".join(lines) + "\n"


def _checks(one: Criterion) -> Iterator[str]:
    for bound in one.bounds:
        tag, _, source = bound.source.partition(" ")
        part = PART if bound.partial else ""
        yield f"- **{KINDS[bound.evidence].capitalize()} by netready.** {demand(bound)}.{part} The number is {BASIS[tag]}: {source}."
    silent = [KINDS[kind] for kind in one.evidence if kind in MACHINE and kind not in {bound.evidence for bound in one.bounds}]
    if silent and EvidenceKind.ATTESTED in one.evidence:
        yield f"- **Vouched for by a person.** What could be {' or '.join(silent)} is not checked by netready; a person says so."
    elif EvidenceKind.ATTESTED in one.evidence:
        yield "- **Vouched for by a person.** `netready attest` asks for name, role, document and how long the answer holds."


def demand(bound: Bound) -> str:
    """What a bound asks for, in words: "Student devices seen for each classroom, on average: at least 6"."""
    text = metric(bound.metric).help
    if bound.role is not None:
        text = text.replace("Endpoints of a given role", f"Pages of {platform(bound.role)}")
        for general in ("an endpoint of a given role", "the endpoints of a given role"):
            text = text.replace(general, platform(bound.role))
    if bound.kind is not None:
        text = text.replace("of a given kind", f"of the kind {bound.kind}")
    limits = [
        f"{word} {plain(bound.metric, limit)}"
        for word, limit in (("at least", bound.at_least), ("at most", bound.at_most))
        if limit is not None
    ]
    days = f", on {plural(bound.min_days, 'school day')}" if bound.min_days > 1 else ""
    asked = " and ".join(limits).replace("at least 100 %", "100 %")  # of a share there is no more
    return f"{text[0].upper()}{text[1:]}: {asked}{days}"


def _rules(roadmap: Roadmap) -> dict[str, tuple[Rule, ...]]:
    """The shipped policy's rules, by the criterion that they ask for."""
    found: dict[str, tuple[Rule, ...]] = {}
    for wave in shelf.policy(None, roadmap).waves:
        for rule in wave.rules:
            if rule.criterion is not None:
                found[rule.criterion] = (*found.get(rule.criterion, ()), rule)
    return found
