"""A risk that somebody accepted is on the page, in the terminal's list and beside the wave it belongs to, escaped."""

from datetime import date

import msgspec

from readiness.gate import Acceptance, Waiver
from reports import RENDERERS, lines

WAIVER = Waiver(
    rule="line-down",
    until=date(2026, 5, 1),
    owner="B. Board <b@x>",
    reason="a cache comes in April",
    on=date(2026, 3, 2),
    approver="C. Chair",
)
NOT_KNOWN = Acceptance(waiver=WAIVER, counts=False, why="the rule is not known, and nobody can accept an unknown risk")


def accepting(decisions):
    first, *others = decisions
    return (msgspec.structs.replace(first, waivers=(NOT_KNOWN,)), *others)


def test_on_the_page_with_its_people_and_what_becomes_of_it(make, school):
    page = RENDERERS["html"].render(make(decisions=accepting(school.decisions)))
    assert "Accepted risks:" in page
    assert (
        "B. Board &lt;b@x&gt; accepts the risk of line-down until 2026-05-01, C. Chair agreed (a cache comes in April);" in page
    )
    assert "Accepted risks:" not in RENDERERS["html"].render(school)


def test_in_the_terminals_list(school):
    (first, *_) = accepting(school.decisions)
    said = lines.decision(first)
    place = said.index("Accepted risks")
    assert said[place + 1].startswith("  - B. Board <b@x> accepts the risk of line-down until 2026-05-01, C. Chair")
    assert max(map(len, said)) <= 80


def test_a_wave_over_many_schools_says_whose_records_it_was_judged_from(make, school):
    wide = tuple(msgspec.structs.replace(one, scope="lea", judged_from="the records of X alone") for one in school.decisions)
    page = RENDERERS["html"].render(make(decisions=wide))
    assert page.count("Judged from <bdi>the records of X alone</bdi>.") == len(wide)
