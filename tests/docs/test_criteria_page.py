"""The reference page of the criteria, as a principal meets it. That it is fresh is another test's business."""

import re
from pathlib import Path

import pytest

import readiness
from netready.metric import CATALOGUE
from readiness.roadmap import EvidenceKind, parse

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "criteria.md").read_text()
ROADMAP = parse((Path(readiness.__file__).parent / "data" / "roadmap.toml").read_bytes(), "roadmap.toml", CATALOGUE)
SECTIONS = dict(
    zip(re.findall(r"^### (\S+)$", PAGE, re.MULTILINE), re.split(r"^### \S+$", PAGE, flags=re.MULTILINE)[1:], strict=True)
)
ROWS = {found[1]: line for line in PAGE.splitlines() if (found := re.match(r"\| \[([\w.]+)\]\(#(\w+)\) ", line))}


def test_every_criterion_has_its_row_and_its_section():
    ids = [one.id for one in ROADMAP.criteria]
    assert list(SECTIONS) == ids
    assert list(ROWS) == ids
    assert len(ids) == 187


@pytest.mark.parametrize("one", ROADMAP.criteria, ids=lambda one: one.id)
def test_a_section_says_what_why_what_counts_and_what_to_do(one):
    section = SECTIONS[one.id]
    for text in (one.what, one.why, one.wanted, one.remedy):
        assert text in section
    assert section.strip().splitlines()[2].startswith(ROADMAP.stage_name(one.stage))
    assert ("the whole district" in section) == (one.scope == "lea")
    assert ("may belong one stage earlier or later" in section) == (one.confidence != "high")
    for bound in one.bounds:
        assert bound.source.partition(" ")[2] in section
        assert "_" not in bound.metric or bound.metric not in section, "a metric's name is no word for a principal"
    if EvidenceKind.ATTESTED in one.evidence:
        assert "**Vouched for by a person.**" in section


@pytest.mark.parametrize("one", ROADMAP.criteria, ids=lambda one: one.id)
def test_a_row_says_the_stage_how_sure_it_is_who_decides_and_the_source(one):
    _, _, stage, sure, decided, source, _ = (cell.strip() for cell in ROWS[one.id].split("|"))
    assert stage.startswith(ROADMAP.stage_name(one.stage))
    assert sure == {"high": "sure", "medium": "fairly sure"}[one.confidence]
    assert decided.startswith(("measured", "counted", "tried out", "vouched for"))
    assert source.startswith("roadmap of 2014")
    for tag, word in (("[std]", "standard"), ("[prop]", "proposal")):
        assert (word in source) == any(bound.source.startswith(tag) for bound in one.bounds)


def test_links_lead_to_headings():
    """As GitHub makes anchors: lower case, without full stops."""
    headings = {text.lower().replace(".", "") for text in SECTIONS}
    assert {found[1] for found in re.finditer(r"\]\(#(\w+)\)", PAGE)} == headings


def test_no_abbreviation_is_left_unexplained():
    body, _, words = PAGE.partition("## Words\n")
    explained = set(re.findall(r"^- \*\*(.+?)\*\*", words, re.MULTILINE))
    plain = re.sub(r"`[^`]*`|\]\(#\w+\)|^### \S+$|\[[\w.]+\]|https?://\S+", " ", body, flags=re.MULTILINE)
    used = set(re.findall(r"\b(?:[A-Z]{2,}|[A-Z]\w*-?[A-Z]\w*)\b", plain))
    assert used <= explained
    assert {word for word in explained if word not in body} == set()


def test_the_counts_in_the_introduction_are_those_of_the_data():
    opening = PAGE.partition("## What counts as evidence")[2].partition("\n## ")[0]
    found = dict(re.findall(r"- \*\*([\w ]+)\*\* \((\d+)", opening))
    persons = sum(EvidenceKind.ATTESTED in one.evidence for one in ROADMAP.criteria)
    assert found == {"Measured": "21", "Counted": "22", "Tried out": "35", "Vouched for": f"{persons}"}
    assert "119 criteria rest on this alone" in opening
