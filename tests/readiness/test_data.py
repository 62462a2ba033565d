"""The shipped data: it decodes, it is complete, it only asks for what is measured, and it can be read aloud."""

import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest

import readiness
from netready.metric import CATALOGUE, Unit
from readiness.demand import BY_KIND, BY_ROLE, DAILY
from readiness.gate import Level, Policy, Rule
from readiness.roadmap import MACHINE, Criterion, EvidenceKind, Roadmap, parse
from readiness.standards import Denominator, Standards

DATA = Path(readiness.__file__).parent / "data"
POLICIES = sorted((DATA / "policies").glob("*.toml"))

KINDS = {
    "M": EvidenceKind.MEASURED,
    "I": EvidenceKind.INVENTORIED,
    "P": EvidenceKind.PROBED,
    "A": EvidenceKind.ATTESTED,
}
CONFIDENCE = {"H": "high", "M": "medium", "L": "low"}

# What must not slip, by dimension and stage: criterion, its kinds of evidence with the primary one first, how sure its
# place is, and "-" for a deficit.
EXPECTED = {
    ("uses", 1): "TU.1.1:AP:H- TU.1.2:A:H- TU.1.3:A:H-",
    ("uses", 2): "TU.2.1:A:H TU.2.2:AP:H TU.2.3:AP:H TU.2.4:AM:H",
    ("uses", 3): "TU.3.1:AM:H TU.3.2:A:H TU.3.3:A:H TU.3.4:A:H TU.3.5:A:H",
    ("uses", 4): "TU.4.1:AP:H TU.4.2:AM:H TU.4.3:A:H TU.4.4:A:H TU.4.5:A:H",
    ("choices", 1): "TC.1.1:A:H-",
    ("choices", 2): "TC.2.1:A:H TC.2.2:AP:H TC.2.3:A:H TC.2.4:M:H",
    ("choices", 3): "TC.3.1:AP:H TC.3.2:A:H TC.3.3:A:H TC.3.4:MI:H",
    ("choices", 4): "TC.4.1:A:H TC.4.2:A:H TC.4.3:A:H TC.4.4:MI:H",
    ("tools_jobs", 1): "TJ.1.1:AP:M TJ.1.2:A:M-",
    ("tools_jobs", 2): "TJ.2.1:AP:M TJ.2.2:AP:M TJ.2.3:AP:M TJ.2.4:APM:M TJ.2.5:AP:M",
    ("tools_jobs", 3): "TJ.3.0:AI:H TJ.3.1:AP:H TJ.3.2:AP:H TJ.3.3:AP:H",
    ("tools_jobs", 4): "TJ.4.0:A:H TJ.4.1:AP:H",
    ("tech_use_standards", 1): "PU.1.1:A:H PU.1.2:A:H",
    ("tech_use_standards", 2): "PU.2.1:A:H PU.2.2:A:H",
    ("tech_use_standards", 3): "PU.3.1:AP:H PU.3.2:A:H",
    ("tech_use_standards", 4): "PU.4.1:AP:H PU.4.2:A:H",
    ("oer", 1): "PO.1.1:A:H- PO.1.2:A:H- PO.1.3:AP:H-",
    ("oer", 2): "PO.2.1:A:H PO.2.2:AP:M",
    ("oer", 3): "PO.3.1:A:M PO.3.2:PA:M",
    ("oer", 4): "PO.4.1:AP:M",
    ("privacy_security", 1): "PP.1.1:A:H PP.1.2:AP:H",
    ("privacy_security", 2): "PP.2.1:A:H PP.2.2:PA:H PP.2.3:AP:M",
    ("privacy_security", 3): "PP.3.1:A:H PP.3.2:PA:H PP.3.3:A:H PP.3.4:A:H PP.3.5:A:H PP.3.6:PA:H",
    ("privacy_security", 4): "PP.4.1:A:H PP.4.2:A:H PP.4.3:A:H PP.4.4:A:H PP.4.5:PA:H PP.4.6:AP:H",
    ("broadband_access", 1): "PB.1.1:A:H PB.1.2:A:H",
    ("broadband_access", 2): "PB.2.1:AM:H PB.2.2:A:H PB.2.3:AM:M PB.2.4:A:M",
    ("broadband_access", 3): "PB.3.1:MA:H PB.3.2:A:H PB.3.3:A:H",
    ("broadband_access", 4): "PB.4.1:A:H PB.4.2:AM:H PB.4.3:IMA:H",
    ("decision_making", 1): "CD.1.1:A:H- CD.1.2:A:H- CD.1.3:A:H- CD.1.4:A:H-",
    ("decision_making", 2): "CD.2.1:A:H CD.2.2:A:H CD.2.3:A:H",
    ("decision_making", 3): "CD.3.1:A:H",
    ("decision_making", 4): "CD.4.1:A:H CD.4.2:AI:H CD.4.3:A:H",
    ("diffusion", 1): "CI.1.1:AI:H- CI.1.2:A:H- CI.1.3:A:H- CI.1.4:A:H CI.1.5:A:H-",
    ("diffusion", 2): "CI.2.1:A:H CI.2.2:A:H CI.2.3:A:H CI.2.4:A:H CI.2.5:A:H CI.2.6:AI:H CI.2.7:A:H",
    ("diffusion", 3): "CI.3.1:A:H CI.3.2:PA:H CI.3.3:A:H CI.3.4:A:H CI.3.5:A:H CI.3.6:A:H",
    ("diffusion", 4): "CI.4.1:A:H CI.4.2:A:H CI.4.3:A:H CI.4.4:A:H CI.4.5:A:H CI.4.6:A:H",
    ("professional_development", 1): "CP.1.1:A:H",
    ("professional_development", 2): "CP.2.1:A:H CP.2.2:A:H CP.2.3:A:H CP.2.4:AM:H",
    ("professional_development", 3): "CP.3.1:A:H CP.3.2:A:H CP.3.3:AP:H",
    ("professional_development", 4): "CP.4.1:A:M CP.4.2:A:H CP.4.3:A:H CP.4.4:A:H CP.4.5:A:H",
    ("it_planning", 1): "CT.1.1:AI:H-",
    ("it_planning", 2): "CT.2.1:IA:H CT.2.2:IM:H CT.2.3:MIPA:H CT.2.4:IA:H",
    ("it_planning", 3): "CT.3.1:A:M CT.3.2:MA:H",
    ("it_planning", 4): "CT.4.1:IA:M CT.4.2:A:H CT.4.3:A:H CT.4.4:PMA:H CT.4.5:AP:H",
    ("it_infrastructure", 1): "CN.1.1:A:H CN.1.2:A:H CN.1.3:I:M CN.1.4:I:M CN.1.5:A:M",
    ("it_infrastructure", 2): "CN.2.1:MI:M CN.2.2:I:H CN.2.3:A:H",
    ("it_infrastructure", 3): "CN.3.1:MI:M CN.3.2:I:M CN.3.3:AM:M",
    ("it_infrastructure", 4): "CN.4.1:AI:M CN.4.2:A:H CN.4.3:A:H CN.4.4:AI:H CN.4.5:MA:H",
    ("public_will", 1): "CW.1.1:A:H",
    ("public_will", 2): "CW.2.1:A:M CW.2.2:AP:H CW.2.3:A:H",
    ("public_will", 3): "CW.3.1:A:H CW.3.2:A:H",
    ("public_will", 4): "CW.4.1:A:M CW.4.2:A:M CW.4.3:A:M CW.4.4:A:H CW.4.5:A:H CW.4.6:A:H",
    ("budget", 1): "CB.1.1:A:H",
    ("budget", 2): "CB.2.1:A:H CB.2.2:A:H",
    ("budget", 3): "CB.3.1:A:H CB.3.2:A:H CB.3.3:A:H",
    ("budget", 4): "CB.4.1:A:H CB.4.2:A:H CB.4.3:A:H CB.4.4:AI:H CB.4.5:A:H",
}

# per, link, down, up. A rate without its denominator is the mistake this table exists for.
STANDARDS = {
    "ccsso-roadmap-scaling": ("students-and-staff", "internet", 100e3, None),
    "ccsso-roadmap-transforming": ("students-and-staff", "internet", 1e6, None),
    "setda-2012-2014-15": ("students-and-staff", "internet", 100e3, None),
    "setda-2012-2017-18": ("students-and-staff", "internet", 1e6, None),
    "setda-2012-wan-2014-15": ("students-and-staff", "wan", 1e6, None),
    "setda-2012-wan-2017-18": ("students-and-staff", "wan", 10e6, None),
    "setda-2016-small-2017-18": ("students-staff-and-guests", "internet", 1.5e6, None),
    "setda-2016-medium-2017-18": ("students-staff-and-guests", "internet", 1e6, None),
    "setda-2016-large-2017-18": ("students-staff-and-guests", "internet", 700e3, None),
    "setda-2016-small-2020-21": ("students-staff-and-guests", "internet", 4.3e6, None),
    "setda-2016-medium-2020-21": ("students-staff-and-guests", "internet", 3e6, None),
    "setda-2016-large-2020-21": ("students-staff-and-guests", "internet", 2e6, None),
    "setda-2016-wan": ("students-staff-and-guests", "wan", 10e6, None),
    "setda-2019-small-2023-24": ("students-staff-and-guests", "internet", 2.8e6, None),
    "setda-2019-medium-2023-24": ("students-staff-and-guests", "internet", 2e6, None),
    "setda-2019-large-2023-24": ("students-staff-and-guests", "internet", 1.4e6, None),
    "fcc-short-term": ("students-and-staff", "internet", 100e3, None),
    "fcc-long-term": ("students-and-staff", "internet", 1e6, None),
    "fcc-wan": ("students", "wan", 10e6, None),
    "connect-k12": ("students", "internet", 1e6, None),
    "bead-cai": ("site", "internet", 1e9, 1e9),
    "cosn-home-2021": ("students", "home", 25e6, 12e6),
    "uk-dfe-primary": ("site", "internet", 100e6, 30e6),
    "uk-dfe-secondary": ("site", "internet", 1e9, 1e9),
    "wales-2013-primary": ("site", "internet", 10e6, None),
    "wales-2013-secondary": ("site", "internet", 100e6, None),
    "qld-phase1": ("students", "internet", 1e6, None),
    "qld-phase2": ("students", "internet", 5e6, None),
    "itu-un-2030-site": ("site", "internet", 20e6, None),
    "itu-un-2030-student": ("students", "internet", 50e3, None),
    "br-enec-terrestrial": ("students-in-the-busiest-shift", "internet", 1e6, None),
    "br-enec-satellite": ("site", "internet", 20e6, None),
    "caaspp": ("concurrent-testers", "internet", 20e3, None),
    "sat-bluebook": ("concurrent-testers", "internet", 200e3, 200e3),
    "ap-bluebook": ("concurrent-testers", "internet", 1e6, 200e3),
    "parcc-2013": ("students", "internet", 100e3, None),
    "fcc-caf-performance": ("site", "internet", None, None),
}

# Words that fill a sentence and tell a principal nothing, and abbreviations that they should not have to know.
VAGUE = re.compile(
    r"\b(?:appropriate(?:ly)?|best-in-class|crucial|cutting-edge|ecosystems?|empower|etc|facilitate|foster|holistic|impactful|"
    r"leverage|optimal|optimise|paradigm|robust|seamless(?:ly)?|stakeholders?|state-of-the-art|streamline|synergy|utili[sz]e|"
    r"various|vital|world-class|e\.g|i\.e|aps?|lms|sis|cbe|vlan|ssid|aup|pd)\b",
    re.IGNORECASE,
)
AMERICAN = re.compile(r"\b(?:learned|\w{3,}iz(?:e|ed|es|ing|ation)|center|behavior|color|license[ds]?)\b", re.IGNORECASE)
LONGEST = 240


@pytest.fixture(scope="module")
def roadmap() -> Roadmap:
    return msgspec.toml.decode((DATA / "roadmap.toml").read_bytes(), type=Roadmap, strict=True)


@pytest.fixture(scope="module")
def standards() -> Standards:
    return msgspec.toml.decode((DATA / "standards.toml").read_bytes(), type=Standards, strict=True)


@pytest.fixture(scope="module")
def policies() -> list[Policy]:
    return [msgspec.toml.decode(path.read_bytes(), type=Policy, strict=True) for path in POLICIES]


def _rules(policies: list[Policy]) -> list[Rule]:
    return [rule for policy in policies for wave in policy.waves for rule in wave.rules]


def _row(criterion: Criterion) -> str:
    letters = {kind: letter for letter, kind in KINDS.items()}
    sure = {word: letter for letter, word in CONFIDENCE.items()}
    kinds = "".join(letters[kind] for kind in criterion.evidence)
    return f"{criterion.id}:{kinds}:{sure[criterion.confidence]}{'-' if criterion.deficit else ''}"


def _faults(text: str, sentences: range) -> list[str]:
    """What is wrong with a text that leadership reads; `sentences` says how many it may have."""
    faults = []
    if not text.endswith("."):
        faults.append("no full stop")
    if len(text) > LONGEST:
        faults.append(f"{len(text)} characters")
    if not (text[0].isupper() or text[0].isdigit()):
        faults.append("no capital")
    if re.search(r"[\u2012-\u2015\n\t!;]{2}|[\u2012-\u2015!]|  | -- |\.\.", text):
        faults.append("dash, shout or gap")
    if text.count(";") > 1:
        faults.append("a chain of semicolons")
    found = len(re.findall(r"[.?](?= [A-Z0-9]|$)", text))
    if found not in sentences:
        faults.append(f"{found} sentences")
    faults += [f"vague or jargon: {word}" for word in VAGUE.findall(text)]
    faults += [f"not our spelling: {word}" for word in AMERICAN.findall(text)]
    return faults


def test_the_roadmap_passes_its_own_reader():
    data = (DATA / "roadmap.toml").read_bytes()
    assert len(parse(data, "roadmap.toml", CATALOGUE).digest) == 64


def test_the_roadmap_has_four_stages_14_dimensions_and_187_criteria(roadmap: Roadmap):
    assert [(stage.number, stage.name) for stage in roadmap.stages] == [
        (1, "Entry"),
        (2, "Emerging"),
        (3, "Scaling"),
        (4, "Transforming"),
    ]
    assert "inferred" in roadmap.stages[2].meaning
    assert [dimension.id for dimension in roadmap.dimensions] == list(dict.fromkeys(dimension for dimension, _ in EXPECTED))
    assert len(roadmap.criteria) == 187


def test_every_criterion_stands_in_its_place_with_its_evidence_and_confidence(roadmap: Roadmap):
    found: dict[tuple[str, int], list[str]] = {}
    for criterion in roadmap.criteria:
        found.setdefault((criterion.dimension, criterion.stage), []).append(_row(criterion))
    assert {place: " ".join(rows) for place, rows in found.items()} == EXPECTED
    assert list(found) == list(EXPECTED)


def test_an_id_says_its_stage_and_is_used_once(roadmap: Roadmap):
    ids = [criterion.id for criterion in roadmap.criteria]
    assert len(set(ids)) == len(ids)
    assert [one for one in roadmap.criteria if int(one.id.split(".")[1]) != one.stage] == []


def test_the_counts_that_the_reports_quote(roadmap: Roadmap):
    kinds = Counter(kind for criterion in roadmap.criteria for kind in criterion.evidence)
    assert sum(set(one.evidence) == {EvidenceKind.ATTESTED} for one in roadmap.criteria) == 119
    assert (kinds[EvidenceKind.MEASURED], kinds[EvidenceKind.INVENTORIED], kinds[EvidenceKind.PROBED]) == (21, 22, 35)
    assert sum(criterion.deficit for criterion in roadmap.criteria) == 17
    assert Counter(criterion.confidence for criterion in roadmap.criteria) == {"high": 158, "medium": 29}


def test_entry_deficits_and_what_only_a_state_can_do_are_never_required(roadmap: Roadmap):
    optional = {one.id for one in roadmap.criteria if not one.required}
    entry = {one.id for one in roadmap.criteria if one.stage == 1}
    assert optional == entry | {"TC.4.3", "TJ.4.0", "CB.4.3"}
    assert {one.id for one in roadmap.criteria if one.deficit} <= entry


def test_the_dimensions_that_a_network_gate_looks_at(roadmap: Roadmap):
    assert {dimension.id for dimension in roadmap.dimensions if dimension.gates} == {
        "choices",
        "tools_jobs",
        "privacy_security",
        "broadband_access",
        "it_planning",
        "it_infrastructure",
    }


def test_a_bound_asks_for_a_derived_metric_and_says_where_its_number_comes_from(roadmap: Roadmap):
    for criterion in roadmap.criteria:
        for bound in criterion.bounds:
            assert CATALOGUE[bound.metric].derived, (criterion.id, bound.metric)
            assert bound.source.startswith(("[std] ", "[prop] ")), criterion.id
            assert (bound.at_least is None) != (bound.at_most is None), criterion.id
            assert (bound.role is not None) == (bound.metric in BY_ROLE), criterion.id
            assert (bound.kind is not None) == (bound.metric in BY_KIND), criterion.id
            assert bound.min_days == 1 or bound.metric in DAILY, criterion.id


# What netready does not measure or count, though it is listed as evidence: no instrument of one school can.
UNSEEN = {
    "TJ.3.0": "I",  # the other schools of the district
    "PB.2.3": "M",  # places in the community
    "PB.4.2": "M",  # students' homes
    "PB.4.3": "IM",  # hubs in the community
    "CD.4.2": "I",  # what minutes cite
    "CI.1.1": "I",  # technicians; and it is a lack
    "CT.1.1": "I",  # what serves as a plan; and it is a lack
    "CT.2.3": "I",  # the contract is a part of what is measured there
    "CT.4.4": "M",  # hubs in the community
    "CN.2.1": "M",  # a test in every classroom, one after the other
    "CN.3.1": "M",  # a test in every classroom, at the same time
    "CN.4.1": "I",  # whether a device is the student's own
    "CB.4.4": "I",  # what others pay
}


def test_what_can_be_measured_and_counted_is_and_what_cannot_is_known_by_name(roadmap: Roadmap):
    letters = {kind: letter for letter, kind in KINDS.items()}
    found = {
        one.id: "".join(sorted(letters[kind] for kind in set(one.evidence) - {bound.evidence for bound in one.bounds}))
        for one in roadmap.criteria
    }
    bare = {name: kinds.translate(str.maketrans("", "", "AP")) for name, kinds in found.items()}
    assert {name: kinds for name, kinds in bare.items() if kinds} == UNSEEN


def test_every_criterion_is_complete(roadmap: Roadmap):
    """What a reader needs of each: the statement, why, what shows it, what to do, for whom, how sure, and whether it counts."""
    gates = {dimension.id: dimension.gates for dimension in roadmap.dimensions}
    for one in roadmap.criteria:
        assert all((one.what, one.why, one.wanted, one.remedy, one.evidence)), one.id
        assert one.dimension in gates, one.id
        assert one.scope in {"site", "lea"}, one.id
        assert one.voices, f"{one.id} can never be judged"
        assert not one.deficit or not one.required, one.id
        for bound in one.bounds:
            assert bound.metric in CATALOGUE, one.id


def test_a_part_is_vouched_for_by_a_person_and_decides_nothing_alone(roadmap: Roadmap):
    parts = [one for one in roadmap.criteria if any(bound.partial for bound in one.bounds)]
    assert {one.id for one in parts} >= {"PB.3.1", "CT.2.3", "CT.4.1"}
    assert {one.voices[0] for one in parts} == {EvidenceKind.ATTESTED}


def test_a_criterion_has_at_most_one_bound_for_each_machine_kind_it_lists(roadmap: Roadmap):
    for criterion in roadmap.criteria:
        kinds = [bound.evidence for bound in criterion.bounds]
        assert len(set(kinds)) == len(kinds), criterion.id
        assert set(kinds) <= MACHINE & set(criterion.evidence), criterion.id


def test_bounds_are_in_the_base_unit_of_their_metric(roadmap: Roadmap, policies: list[Policy]):
    """A megabit where bit/s belong, or 99 where a ratio belongs, would pass every schema."""
    bounds = [(one.id, bound) for one in roadmap.criteria for bound in one.bounds]
    rules = [(rule.id, rule) for rule in _rules(policies) if rule.metric is not None]
    for name, demand in [*bounds, *rules]:
        limit = demand.at_least if demand.at_least is not None else demand.at_most
        assert limit is not None, name
        match CATALOGUE[demand.metric].unit:
            case Unit.BITS_PER_SECOND:
                assert limit in (10e6, 30e6, 100e6, 1000e6), name
            case Unit.RATIO:
                assert 0.9 <= limit <= 1, name
            case Unit.SECONDS if demand.metric == "platform_certificate_left":
                assert limit % 86_400 == 0, name
            case Unit.SECONDS:
                assert 0 < limit <= 10, name
            case _:
                assert 0 < limit <= 366, name


@pytest.mark.parametrize(
    ("criterion", "standard"), [("TC.3.4", "ccsso-roadmap-scaling"), ("TC.4.4", "ccsso-roadmap-transforming")]
)
def test_the_roadmaps_two_thresholds_are_the_standards_own(
    roadmap: Roadmap, standards: Standards, criterion: str, standard: str
):
    per_user = next(one.down for one in standards.standards if one.id == standard)
    bounds = next(one.bounds for one in roadmap.criteria if one.id == criterion)
    assert per_user is not None
    assert [(bound.metric, bound.at_least) for bound in bounds] == [
        ("internet_down_per_1000", per_user * 1000),
        ("contracted_down_per_1000", per_user * 1000),
    ]


def test_the_roadmaps_sentences_can_be_read_aloud(roadmap: Roadmap):
    faults = {
        f"{criterion.id}.{field}": found
        for criterion in roadmap.criteria
        for field, sentences in (("what", range(1, 2)), ("why", range(1, 3)), ("remedy", range(1, 3)), ("wanted", range(1, 2)))
        if (found := _faults(getattr(criterion, field), sentences))
    }
    assert faults == {}


@pytest.mark.parametrize("field", ["what", "why", "remedy"])
def test_no_two_criteria_share_a_sentence(roadmap: Roadmap, field: str):
    """Whole texts are unique, and so are long openings: a phrase with one word changed is a template."""
    texts = Counter(getattr(criterion, field) for criterion in roadmap.criteria)
    openings = Counter(" ".join(text.lower().split()[:7]) for text in texts)
    assert [text for text, count in texts.items() if count > 1] == []
    assert [text for text, count in openings.items() if count > 1] == []


def test_questions_are_questions_and_titles_are_short(roadmap: Roadmap):
    for dimension in roadmap.dimensions:
        assert dimension.question.endswith("?"), dimension.id
        assert len(dimension.title) <= 30, dimension.id


def test_the_sentence_check_finds_what_it_looks_for():
    assert _faults("Schools read this.", range(1, 2)) == []
    assert _faults("leverage robust ecosystems", range(1, 2)) != []
    assert _faults("One thing \u2014 another \u2014 a third.", range(1, 2)) == ["dash, shout or gap"]
    assert _faults("They organize the AP.", range(1, 2)) == ["vague or jargon: AP", "not our spelling: organize"]
    assert _faults("One. Two. Three.", range(1, 3)) == ["3 sentences"]


def test_every_standard_has_its_rate_link_and_denominator(standards: Standards):
    found = {one.id: (one.per, one.link, one.down, one.up) for one in standards.standards}
    assert found == STANDARDS
    assert len(standards.standards) == len(STANDARDS)


def test_no_standard_is_shipped_from_memory(standards: Standards):
    assert {one.verified for one in standards.standards} == {"primary", "secondary"}


def test_a_standard_without_a_rate_says_why(standards: Standards):
    silent = [one for one in standards.standards if one.down is None and one.up is None]
    assert [one.id for one in silent] == ["fcc-caf-performance"]
    assert all(one.note for one in silent)


@pytest.mark.parametrize("prefix", ["setda-2016-{}-2017-18", "setda-2016-{}-2020-21", "setda-2019-{}-2023-24"])
def test_size_bands_leave_no_gap_and_say_that_they_are_a_reading(standards: Standards, prefix: str):
    small, medium, large = (
        next(one for one in standards.standards if one.id == prefix.format(size)) for size in ("small", "medium", "large")
    )
    assert (small.min_students, small.max_students) == (None, 999)
    assert (medium.min_students, medium.max_students) == (1000, 10_000)
    assert (large.min_students, large.max_students) == (10_001, None)
    assert small.down > medium.down > large.down
    assert small.floor_down is not None
    assert "our reading" in medium.note


def test_floors_and_caps(standards: Standards):
    assert {one.id: (one.floor_down, one.cap_down) for one in standards.standards if one.floor_down or one.cap_down} == {
        "setda-2016-small-2017-18": (100e6, None),
        "setda-2016-small-2020-21": (300e6, None),
        "setda-2019-small-2023-24": (300e6, None),
        "br-enec-terrestrial": (50e6, 1e9),
    }


def test_a_standards_title_names_what_it_divides_by(standards: Standards):
    words = {
        Denominator.STUDENTS_AND_STAFF: ("students and staff", "students and faculty", "for 1,000"),
        Denominator.STUDENTS_STAFF_GUESTS: ("user",),
        Denominator.STUDENTS: ("student",),
        Denominator.BUSIEST_SHIFT: ("busiest shift",),
        Denominator.CONCURRENT_TESTERS: ("concurrent tester",),
        Denominator.SITE: ("each site", "share of tests"),
    }
    assert [one.id for one in standards.standards if not any(word in one.title for word in words[one.per])] == []


def test_every_rule_demands_exactly_one_thing_that_exists(roadmap: Roadmap, policies: list[Policy]):
    criteria = {criterion.id for criterion in roadmap.criteria}
    dimensions = {dimension.id for dimension in roadmap.dimensions}
    for rule in _rules(policies):
        assert sum(thing is not None for thing in (rule.criterion, rule.dimension, rule.metric)) == 1, rule.id
        assert rule.criterion is None or rule.criterion in criteria, rule.id
        assert rule.dimension is None or rule.dimension in dimensions, rule.id
        assert (rule.stage is None) == (rule.dimension is None), rule.id
        assert (rule.at_least is not None) + (rule.at_most is not None) == (rule.metric is not None), rule.id
        if rule.metric is not None:
            assert CATALOGUE[rule.metric].derived, rule.id
            assert (rule.role is not None) == (rule.metric in BY_ROLE), rule.id
            assert (rule.kind is not None) == (rule.metric in BY_KIND), rule.id
            assert rule.min_days == 1 or rule.metric in DAILY, rule.id
            assert rule.min_samples >= rule.min_days, rule.id


def test_rule_ids_are_used_once_so_that_a_waiver_is_never_ambiguous(policies: list[Policy]):
    ids = Counter(rule.id for rule in _rules(policies))
    assert [one for one, count in ids.items() if count > 1] == []


def test_the_policys_sentences_can_be_read_aloud(policies: list[Policy]):
    faults = {
        f"{rule.id}.{field}": found
        for rule in _rules(policies)
        for field in ("why", "remedy")
        if (found := _faults(getattr(rule, field), range(1, 3)))
    }
    assert faults == {}
    for field in ("title", "why", "remedy"):
        texts = Counter(getattr(rule, field) for rule in _rules(policies))
        assert [text for text, count in texts.items() if count > 1] == []


def test_one_audit_can_open_the_pilot_room_and_a_slow_line_can_close_it(policies: list[Policy]):
    """Nothing that binds there wants a second day or a person's word."""
    wave = next(wave for policy in policies if policy.id == "cbe-platform" for wave in policy.waves if wave.id == "pilot-room")
    binding = [rule for rule in wave.rules if rule.level is not Level.ADVISORY]
    assert [rule.id for rule in binding if rule.metric is None] == []
    assert {(rule.min_days, rule.min_samples) for rule in binding} == {(1, 1)}
    assert any(
        rule.level is Level.HARD and rule.metric == "internet_down_per_1000" and rule.at_least == 100e6 for rule in binding
    )


@pytest.mark.parametrize("wave_id", ["whole-school", "lea-wide"])
def test_the_law_cannot_be_waived_where_a_whole_school_goes_live(policies: list[Policy], wave_id: str):
    wave = next(wave for policy in policies if policy.id == "cbe-platform" for wave in policy.waves if wave.id == wave_id)
    law = [rule for rule in wave.rules if rule.criterion == "PP.2.3"]
    assert [(rule.level, rule.waivable) for rule in law] == [(Level.HARD, False)]
    lines = [rule for rule in wave.rules if rule.metric == "internet_down_per_1000"]
    assert [(rule.level, rule.at_least, rule.min_days) for rule in lines] == [
        (Level.HARD, 100e6, 10),
        (Level.SOFT, 1000e6, 10),
    ]
