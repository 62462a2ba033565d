import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest

from netready.device import INFRASTRUCTURE
from readiness.gate import Answer
from reports import RENDERERS
from reports.report import Report, digest


def test_the_headline_is_the_first_wave_that_is_not_open(school):
    assert school.wave == "school"
    assert school.decision.answer is Answer.NO_GO


def test_when_every_wave_is_open_the_headline_is_the_last(make, school):
    opened = tuple(msgspec.structs.replace(each, answer=Answer.GO) for each in school.decisions)
    assert make(decisions=opened).wave == "district"


def test_a_wave_that_was_asked_for_is_the_headline(make):
    assert make(wave="pilot").decision.answer is Answer.GO


def test_a_wave_that_is_not_in_the_policy_is_refused(make):
    with pytest.raises(ValueError, match=r"^wave 'moon' is not in the policy; it has pilot, school, district$"):
        make(wave="moon")


def test_a_judgement_of_another_roadmap_is_refused(make, school):
    with pytest.raises(ValueError, match="the judgement was made with roadmap 5d"):
        make(roadmap=msgspec.structs.replace(school.roadmap, digest="0" * 64))


def test_a_judgement_that_leaves_a_criterion_out_is_refused(make, school):
    fewer = msgspec.structs.replace(school.judgement, verdicts=school.judgement.verdicts[1:])
    with pytest.raises(ValueError, match=r"do not list the same criteria: USES\.1\.1$"):
        make(judgement=fewer)


def test_a_report_without_a_decision_is_refused(make):
    with pytest.raises(ValueError, match="at least one decision"):
        make(decisions=())


def test_the_id_is_the_same_for_the_same_content_and_another_for_another(make, school):
    assert make().report_id == school.report_id == digest(school)
    assert make(generated_at=datetime(2026, 3, 14, 15, 1, tzinfo=UTC)).report_id != school.report_id


def test_the_id_can_be_checked_from_the_json_alone(school):
    data = RENDERERS["json"].render(school)
    assert isinstance(data, bytes)
    inner = data.removeprefix(b'{"report":').removesuffix(b"}\n")
    emptied = inner.replace(school.report_id.encode(), b"", 1)
    assert hashlib.sha256(emptied).hexdigest() == school.report_id


def test_the_json_holds_everything_and_reads_back(school):
    data = RENDERERS["json"].render(school)
    assert msgspec.json.decode(data, type=dict[str, Report])["report"] == school
    inner = json.loads(data)["report"]
    assert list(inner) == sorted(inner)
    assert {"judgement", "decisions", "survey", "roadmap", "site"} <= set(inner)


def test_a_device_that_may_be_a_persons_is_only_counted_in_every_format(school):
    assert school.survey is not None
    people = [each for each in school.survey.devices if each.kind not in INFRASTRUCTURE]
    assert len(people) == 72
    assert {(each.mac, each.addresses, each.names, each.room, each.place, each.why) for each in people} == {
        (None, (), (), None, None, ())
    }
    for renderer in RENDERERS.values():
        page = renderer.render(school)
        text = page.decode() if isinstance(page, bytes) else page
        assert "annas" not in text
        assert "mr-smith" not in text
        assert "02:00:00:00:01:01" not in text


def test_the_networks_own_devices_stay_in_clear(school):
    html = RENDERERS["html"].render(school)
    assert "ap-9" in html
    assert "192.0.2.58" in html


def test_importing_the_table_loads_no_template_engine():
    code = "import sys, reports, reports.report, reports.terminal; print('jinja2' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
