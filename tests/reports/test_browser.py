"""The page in a browser and on paper."""

import shutil
import subprocess

import msgspec
import pytest

from reports import RENDERERS

pytestmark = pytest.mark.tool("chromium")

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LONG = "The quick network of the school was found wanting in a great many respects that take long to tell and longer to mend. "


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; pip install -e '.[dev]'")
    with api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(SWITCHES))
        yield found
        found.close()


@pytest.fixture(scope="module")
def file(school, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(RENDERERS["html"].render(school), encoding="utf-8")
    return path


@pytest.fixture
def crowded(make, school, tmp_path):
    """The longest first page there can be: every text on it at its limit."""
    rule = school.decisions[1].rules[0]
    rules = tuple(
        msgspec.structs.replace(rule, rule=f"r{n}", title=LONG, reason=f"{n} {LONG}", remedy=f"{n} {LONG}", missing=LONG)
        for n in range(8)
    )
    decisions = tuple(
        msgspec.structs.replace(
            each, platform=LONG, wave_title=f"{each.wave} {LONG}", rules=rules if each.wave == "school" else each.rules
        )
        for each in school.decisions
    )
    judgement = msgspec.structs.replace(school.judgement, provisional=(LONG, f"a {LONG}", f"b {LONG}"))
    site = msgspec.structs.replace(school.site, name=LONG[:120])
    path = tmp_path / "crowded.html"
    path.write_text(RENDERERS["html"].render(make(decisions=decisions, judgement=judgement, site=site)), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_is_quiet_asks_for_nothing_and_does_not_scroll_sideways(browser, file, width, scheme):
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    assert said == []
    assert asked == [file.as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_wcag_asks_for(browser, file, scheme):
    tab = browser.new_page(color_scheme=scheme)
    tab.goto(file.as_uri())
    assert tab.evaluate(CONTRAST) >= 4.5
    tab.close()


# The lowest contrast ratio (WCAG 2.2, 1.4.3) between a text's colour and the page's; nothing else paints a background.
CONTRAST = """() => {
  const light = text => {
    const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map(Number)
      .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const ratio = ink => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  return Math.min(...[...document.querySelectorAll('body *')].map(each => {
    const style = getComputedStyle(each);
    return ratio(light(each.tagName === 'text' ? style.fill : style.color));
  }));
}"""


def test_labels_in_the_charts_do_not_cover_each_other(browser, file):
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    for width in (1280, 360):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto(file.as_uri())
        assert tab.evaluate(OVERLAPS) == []
    tab.close()


OVERLAPS = """() => [...document.querySelectorAll('svg.chart')].flatMap(chart => {
  const all = [...chart.querySelectorAll('text')]
    .map(t => [t.textContent, t.getBoundingClientRect()]).filter(([, r]) => r.width);
  return all.flatMap(([a, r], i) => all.slice(i + 1)
    .filter(([, s]) => r.left < s.right && s.left < r.right && r.top + 3 < s.bottom && s.top + 3 < r.bottom)
    .map(([b]) => a + ' / ' + b));
})"""


def _printed(browser, file, paper, out):
    tab = browser.new_page()
    tab.goto(file.as_uri())
    tab.pdf(path=out, format=paper)
    tab.close()
    said = subprocess.run(["pdftotext", "-layout", str(out), "-"], capture_output=True, text=True, check=True)
    return said.stdout.split("\f")


@pytest.mark.tool("pdftotext")
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_first_page_is_one_sheet_and_everything_is_printed(browser, file, paper, tmp_path):
    sheets = _printed(browser, file, paper, tmp_path / "page.pdf")
    assert "Not yet" in sheets[0]
    assert "Approved by, date" in sheets[0]
    assert sheets[1].lstrip().startswith("1. The line in detail")
    text = "".join(sheets)
    for closed in ("BUDGET.4.2", "Measurements that failed", "Words used here", "Ask for IPv6."):
        assert closed in text


@pytest.mark.tool("pdftotext")
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_longest_first_page_is_one_sheet_too(browser, crowded, paper, tmp_path):
    sheets = _printed(browser, crowded, paper, tmp_path / "page.pdf")
    assert "Approved by, date" in sheets[0]
    assert sheets[1].lstrip().startswith("1. The line in detail")


def test_paper_is_white_and_ink_is_grey_whatever_the_screen_prefers(browser, file):
    tab = browser.new_page(color_scheme="dark")
    tab.goto(file.as_uri())
    tab.emulate_media(media="print", color_scheme="dark")
    used = tab.evaluate(COLOURS)
    tab.close()
    assert used["paper"] == "rgb(255, 255, 255)"
    assert [colour for colour in used["inks"] if len(set(colour)) > 1] == []


# Every colour that ink would be used for, as [red, green, blue].
COLOURS = """() => ({
  paper: getComputedStyle(document.body).backgroundColor,
  inks: [...new Set([...document.querySelectorAll('body *')].flatMap(each => {
    const style = getComputedStyle(each);
    return [style.color, style.fill, style.stroke, style.borderTopColor];
  }).filter(text => text.startsWith('rgb')))].map(text => text.match(/[0-9]+/g).slice(0, 3).map(Number)),
})"""
