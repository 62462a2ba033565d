"""The formats as text: golden pages, hostile words, charts."""

import csv
import io
import re
import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest

from netready.device import Device, Kind
from readiness.judgement import Outcome
from reports import RENDERERS, charts, outlook_lines
from reports.as_csv import BYTE_ORDER_MARK, COLUMNS
from reports.labels import Label, place
from reports.terminal import summary

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "']]><!--</style></svg></title>",
    "{{ 7 * 7 }}{% include 'x' %}",
    '=HYPERLINK("http://x.example")',
    "\x1b[31mred\x07\x00",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe\N{ZERO WIDTH SPACE}",
    "בית ספר",
    "🏫👩‍🏫" * 16,
    "W" * 128,
)

TAGS = frozenset(
    {"html", "head", "meta", "title", "style", "body", "a", "main", "article", "header", "footer", "nav", "section", "div"}
    | {"p", "b", "bdi", "em", "br", "span", "h1", "h2", "h3", "ol", "ul", "li", "dl", "dt", "dd", "figure", "figcaption"}
    | {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    | {"svg", "desc", "line", "text", "circle", "path", "rect"}
)


class Tags(HTMLParser):
    """What a browser would take for markup, and whether it is well nested."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _tags(page):
    found = Tags()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


@pytest.fixture(scope="session")
def page(school):
    return RENDERERS["html"].render(school)


@pytest.fixture
def hostile(make, school):
    """A report in which every word that can come from outside is meant badly."""
    device = Device(
        key="k",
        mac=None,
        addresses=HOSTILE[:3],
        names=HOSTILE,
        kind=Kind.SWITCH,
        vendor=HOSTILE[0],
        room=HOSTILE[1],
        why=HOSTILE,
    )
    nasty = " ".join(HOSTILE[:7])
    survey = msgspec.structs.replace(
        school.survey,
        devices=(device,),
        measurements=tuple(msgspec.structs.replace(each, target=nasty) for each in school.survey.measurements),
        runs=tuple(msgspec.structs.replace(each, error=nasty) for each in school.survey.runs),
    )
    verdicts = tuple(
        msgspec.structs.replace(each, reason=HOSTILE[n % len(HOSTILE)]) for n, each in enumerate(school.judgement.verdicts)
    )
    judgement = msgspec.structs.replace(school.judgement, verdicts=verdicts, provisional=HOSTILE)
    decisions = tuple(
        msgspec.structs.replace(
            each,
            platform=HOSTILE[0],
            wave_title=HOSTILE[2],
            rules=tuple(msgspec.structs.replace(rule, reason=nasty, remedy=nasty) for rule in each.rules),
        )
        for each in school.decisions
    )
    site = msgspec.structs.replace(school.site, name=nasty[:120], lea=HOSTILE[1])
    return make(survey=survey, judgement=judgement, decisions=decisions, site=site)


def test_the_page_is_the_golden_page(page, golden):
    golden("report.html", page)


def test_the_criteria_table_is_the_golden_table(school, golden):
    golden("criteria.csv", RENDERERS["csv"].render(school))


def test_the_table_of_gaps_is_the_golden_table(school, golden):
    golden("fit-gap.csv", RENDERERS["fit-gap"].render(school))


def test_what_comes_after_the_summary_is_the_golden_text(school, golden):
    golden("outlook.txt", outlook_lines.render(school))


@pytest.mark.parametrize("width", [50, 80, 120])
def test_what_comes_after_the_summary_fits_any_width(school, width):
    standards = msgspec.structs.replace(school.outlook, standards=())
    text = outlook_lines.render(msgspec.structs.replace(school, outlook=standards), width)
    assert max(len(line) for line in text.splitlines()) <= width


def test_no_cell_of_the_gaps_is_a_formula_whatever_somebody_called_a_wave(make, school):
    nasty = tuple(
        msgspec.structs.replace(
            item, gaps=tuple(msgspec.structs.replace(gap, titles=HOSTILE) for gap in item.gaps), note=HOSTILE[4]
        )
        for item in school.outlook.fit_gap
    )
    report = make(outlook=msgspec.structs.replace(school.outlook, fit_gap=nasty))
    text = RENDERERS["fit-gap"].render(report)
    for row in csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")):
        assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in row)
    assert _tags(RENDERERS["html"].render(report)).names <= TAGS


def test_the_terminal_summary_is_the_golden_summary(school, golden):
    golden("summary.txt", summary(school))


def test_the_page_is_well_formed_and_its_links_lead_somewhere(page):
    found = _tags(page)
    assert found.names == TAGS & found.names
    assert len(found.ids) == len(set(found.ids))
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    assert '<html lang="en">' in page
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page


def test_the_page_asks_nobody_for_anything(page):
    assert not re.search(r"https?://(?!lms\.example)", page)
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_hostile_words_break_out_of_no_element(hostile, page):
    found = _tags(RENDERERS["html"].render(hostile))
    assert found.names <= TAGS
    assert found.attributes <= _tags(page).attributes


def test_hostile_words_are_shown_as_text(hostile):
    text = RENDERERS["html"].render(hostile)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert "<bdi>" in text


def test_no_control_character_or_direction_override_reaches_the_page(hostile):
    text = RENDERERS["html"].render(hostile)
    assert {unicodedata.category(char) for char in text.replace("\n", "")} & {"Cc", "Cf", "Cs"} == set()


def test_the_terminal_gets_no_control_characters_and_keeps_its_width(hostile):
    text = summary(hostile)
    assert {unicodedata.category(char) for char in text.replace("\n", "")} & {"Cc", "Cf", "Cs"} == set()
    assert max(len(line) for line in text.splitlines()) <= 80


def test_colour_only_repeats_what_the_words_say(school):
    coloured = summary(school, colour=True)
    assert "\x1b[31mNOT YET" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == summary(school)


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_the_terminal_summary_fits_any_width(school, width):
    assert max(len(line) for line in summary(school, width).splitlines()) <= width


def _lines(report):
    text = RENDERERS["csv"].render(report)
    assert isinstance(text, str)
    assert text.startswith(BYTE_ORDER_MARK)
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))


def test_the_table_has_every_criterion_and_its_numbers_are_numbers(school):
    rows = _lines(school)
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == [each.id for each in school.roadmap.criteria]
    row = next(row for row in rows if row["id"] == "CHOICES.3.1")
    assert float(row["value"]) == 184.2e6
    assert (row["unit"], row["at least"], row["low"], row["high"]) == ("bit/s", "yes", "179400000.0", "188600000.0")


def test_what_is_not_known_is_an_empty_cell_and_never_a_zero(school):
    row = next(row for row in _lines(school) if row["id"] == "PLANNING.2.1")
    assert (row["metric"], row["value"], row["at least"], row["samples"]) == ("students_per_device", "", "", "0")


def test_no_cell_is_a_formula(hostile):
    formulas = ("=", "+", "-", "@", "\t", "\r")
    for row in _lines(hostile):
        assert not any(cell.startswith(formulas) for cell in row.values())


def test_a_page_that_would_print_none_fails_instead(make, school):
    line = school.judgement.down
    nothing = msgspec.structs.replace(line.targets[0], title=None)
    judgement = msgspec.structs.replace(school.judgement, down=msgspec.structs.replace(line, targets=(nothing, nothing)))
    with pytest.raises(TypeError, match="must be said in words"):
        RENDERERS["html"].render(make(judgement=judgement))


def test_unknown_quantities_are_drawn_as_unknown_and_not_at_zero():
    track = charts.Track(
        title="Towards", value=None, interval=None, at_least=False, told="measured: not known yet",
        contract=None, contract_told="contract: not known yet", used=None, used_told="use: not known yet",
    )  # fmt: skip
    drawn = charts.ranges(
        (track,), (charts.Target(value=100, label="target"),), name="x", title="t", description="d", width=700
    )
    assert "not known yet" in drawn
    assert 'class="unknown"' in drawn
    assert "<circle" not in drawn


@pytest.mark.parametrize("beside", [0, 150])
def test_a_chart_is_xml_with_title_and_description_and_stays_inside_itself(beside):
    track = charts.Track(
        title="a<b", value=1999.0, interval=(3.0, 2100.0), at_least=True, told="1,999, at least (3 to 2,100)",
        contract=2000.0, contract_told="contract 2,000", used=1990.0, used_told="busy-time use 1,990",
    )  # fmt: skip
    targets = tuple(charts.Target(value=value, label=f"target {value}") for value in (100, 1000, 1100))
    root = ET.fromstring(  # noqa: S314 - our own
        charts.ranges((track, track), targets, name="x", title="a & b", description="<d>", width=328, beside=beside)
    )
    assert root.get("role") == "img"
    assert (root[0].tag, root[0].text, root[1].tag, root[1].text) == ("title", "a & b", "desc", "<d>")
    height = float(root.get("height"))
    for node in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(node.get(name, 0)) <= 328
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(node.get(name, 0)) <= height


def test_labels_do_not_touch_each_other():
    placed = place([Label(x=50.0 + n, text="busy-time use 141") for n in range(6)], left=0, right=300)
    for one in placed:
        for other in placed:
            assert one is other or one.row != other.row or one.right <= other.left or other.right <= one.left


def test_a_label_avoids_a_target_line_where_it_can():
    (placed,) = place([Label(x=100, text="184, at least")], left=0, right=300, lines=(120,))
    assert not placed.left < 120 < placed.right


def test_bars_are_in_the_given_order_and_what_we_cannot_tell_is_an_outline():
    drawn = charts.bars(
        (charts.Bar(label="a", value=3), charts.Bar(label="unknown", value=9, open=True)),
        name="b",
        title="t",
        description="d",
        width=328,
    )
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    bars = [(node.get("class"), float(node.get("width"))) for node in root.iter("rect")]
    assert [css for css, _ in bars] == ["bar", "bar open"]
    assert bars[0][1] == pytest.approx(bars[1][1] / 3, rel=0.01)


def test_a_report_before_the_first_survey_says_so(make, school):
    text = RENDERERS["html"].render(make(survey=None))
    assert "There has been no survey yet." in text
    assert "No devices are known" in text


def test_outcomes_are_told_by_words_and_not_by_colour(page):
    for word in (Outcome.MET, Outcome.NOT_MET):
        assert f"</svg> {word}</span>" in page
    assert "</svg> not known</span>" in page
