"""The roadmap's file is read strictly, and the exact sentence of a refusal is part of the product."""

import hashlib

import pytest

from netready.metric import CATALOGUE
from netready.refusal import Unfit
from readiness import roadmap as roadmaps
from readiness.roadmap import EvidenceKind


def refusal(text: bytes) -> str:
    with pytest.raises(Unfit) as caught:
        roadmaps.parse(text, "roadmap.toml", CATALOGUE)
    return str(caught.value)


def changed(text: bytes, old: str, new: str) -> bytes:
    assert old.encode() in text
    return text.replace(old.encode(), new.encode(), 1)


def test_a_sound_file_is_read_and_carries_its_digest(roadmap_text):
    found = roadmaps.parse(roadmap_text, "roadmap.toml", CATALOGUE)
    assert found.digest == hashlib.sha256(roadmap_text).hexdigest()
    assert found.stage_name(3) == "Scaling"
    assert found.criteria[1].primary is EvidenceKind.MEASURED


BOUND = 'metric = "internet_down_per_1000", at_least = 100e6, min_days = 5,'
CASES = {
    "an unknown field lists the known ones": (
        'name = "Entry"',
        'nome = "Entry"',
        "roadmap.toml: stages[0] (1).nome: unknown field; did you mean name?",
    ),
    "a field of the wrong type": (
        "stage = 3",
        'stage = "3"',
        "roadmap.toml: criteria[2] (L.3).stage: expected a whole number; got text",
    ),
    "a number out of range": ("stage = 3", "stage = 7", "roadmap.toml: criteria[2] (L.3).stage: expected a whole number <= 4"),
    "a missing field": (
        'remedy = "buy more"\n',
        "",
        "roadmap.toml: criteria[1] (L.2).remedy: expected a value; the field is missing",
    ),
    "an empty text": ('id = "small"', 'id = ""', "roadmap.toml: id: expected text that is not empty"),
    "a word that is none of the choices": (
        'confidence = "low"',
        'confidence = "lowish"',
        'roadmap.toml: criteria[3] (P.2).confidence: expected one of high, low, medium; got "lowish"',
    ),
    "a kind of evidence nobody knows": (
        'evidence = ["attested", "probed"]',
        'evidence = ["attested", "guessed"]',
        'roadmap.toml: criteria[2] (L.3).evidence[1]: expected one of attested, inventoried, measured, probed; got "guessed"',
    ),
    "a metric nobody measures": (
        "internet_down_per_1000",
        "internet_speed",
        (
            'roadmap.toml: criteria[1] (L.2).bounds[0].metric: "internet_speed" is measured by nobody; '
            "known metrics are listed by `netready metrics`"
        ),
    ),
    "an id used twice": (
        'id = "P.4"',
        'id = "P.2"',
        "roadmap.toml: criteria[4] (P.2).id: expected an id that is used once; criteria[3] has it too",
    ),
    "a dimension nobody described": (
        'dimension = "people"',
        'dimension = "folk"',
        'roadmap.toml: criteria[3] (P.2).dimension: expected one of line, people; got "folk"',
    ),
    "a stage described twice": (
        "number = 4",
        "number = 3",
        "roadmap.toml: stages[3].number: expected each stage once; 3 stands here again",
    ),
    "a deficit that is required": (
        "required = false\n",
        "",
        "roadmap.toml: criteria[0] (L.1).required: expected false; a deficit is never required to be true",
    ),
    "a bound of evidence the criterion does not list": (
        'evidence = ["attested", "probed"]',
        'evidence = ["attested", "measured"]',
        (
            "roadmap.toml: criteria[2] (L.3).bounds[0].evidence: expected a kind that the criterion's evidence lists; "
            'got "probed"'
        ),
    ),
    "a bound on a person's word": (
        '{ evidence = "probed"',
        '{ evidence = "attested"',
        (
            "roadmap.toml: criteria[2] (L.3).bounds[0].evidence: expected one of inventoried, measured, probed; "
            "a person's word has no bound"
        ),
    ),
    "two bounds of one kind": (
        '{ evidence = "inventoried", metric = "contracted',
        '{ evidence = "measured", metric = "contracted',
        'roadmap.toml: criteria[1] (L.2).bounds[1].evidence: expected at most one bound for each kind; "measured" has two',
    ),
    "a part where nobody may vouch for the rest": (
        'evidence = ["attested", "probed"]\nconfidence = "high"\nwanted = "checks"\nbounds = [{ evidence = "probed",',
        'evidence = ["probed"]\nconfidence = "high"\nwanted = "checks"\nbounds = [{ evidence = "probed", partial = true,',
        (
            'roadmap.toml: criteria[2] (L.3).bounds[0].partial: expected "attested" among the evidence; '
            "nobody could vouch for the rest"
        ),
    ),
    "a bound without a limit": (
        BOUND,
        'metric = "internet_down_per_1000",',
        "roadmap.toml: criteria[1] (L.2).bounds[0]: expected at_least or at_most, or both",
    ),
    "a limit that is no number": (
        BOUND,
        'metric = "internet_down_per_1000", at_least = inf,',
        "roadmap.toml: criteria[1] (L.2).bounds[0].at_least: expected a finite number",
    ),
    "limits the wrong way round": (
        BOUND,
        'metric = "internet_down_per_1000", at_least = 3, at_most = 2,',
        "roadmap.toml: criteria[1] (L.2).bounds[0].at_least: expected at most 2, which is at_most; got 3",
    ),
    "a role where none is counted": (
        BOUND,
        'metric = "internet_down_per_1000", role = "lms", at_least = 1,',
        "roadmap.toml: criteria[1] (L.2).bounds[0].role: expected no role; internet_down_per_1000 is not counted by role",
    ),
    "no role where one is needed": (
        'metric = "platform_success", role = "lms",',
        'metric = "platform_success",',
        (
            "roadmap.toml: criteria[2] (L.3).bounds[0].role: expected a role; "
            "platform_success is counted for each role of endpoint"
        ),
    ),
    "no kind where one is needed": (
        BOUND,
        'metric = "devices", at_least = 1,',
        "roadmap.toml: criteria[1] (L.2).bounds[0].kind: expected a kind; devices is counted for each kind of device",
    ),
    "a kind where none is counted": (
        BOUND,
        'metric = "test_days", kind = "switch", at_least = 1,',
        "roadmap.toml: criteria[1] (L.2).bounds[0].kind: expected no kind; test_days is not counted by kind of device",
    ),
    "days of something counted once": (
        BOUND,
        'metric = "labs_and_carts", at_least = 1, min_days = 5,',
        "roadmap.toml: criteria[1] (L.2).bounds[0].min_days: expected 1; labs_and_carts is counted once, not day by day",
    ),
    "a digest that the file claims": (
        'version = "1"',
        'version = "1"\ndigest = "00"',
        "roadmap.toml: digest: expected no such field; the digest is computed from the file",
    ),
    "TOML that does not parse": (
        'version = "1"',
        "version = = 1",
        "roadmap.toml: line 3, column 11: expected valid TOML; invalid value",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refuses_in_one_sentence(roadmap_text, name):
    old, new, sentence = CASES[name]
    assert refusal(changed(roadmap_text, old, new)) == sentence


def test_refuses_a_file_that_describes_too_few_stages(roadmap_text):
    start, end = roadmap_text.index(b"[[stages]]\nnumber = 4"), roadmap_text.index(b"[[dimensions]]")
    text = roadmap_text[:start] + roadmap_text[end:]
    assert refusal(text) == "roadmap.toml: stages: expected the stages 1 to 4; 4 is not described"


def test_refuses_bytes_that_are_no_text():
    assert refusal(b'id = "\xff"') == "roadmap.toml: byte 6: expected UTF-8 text"


def test_refuses_a_file_that_is_nested_without_end():
    assert refusal(b"a = " + b"[" * 5000) == "roadmap.toml: expected a file that is not nested this deeply"


def test_a_hostile_word_is_printed_on_one_line(roadmap_text):
    text = changed(roadmap_text, '"internet_down_per_1000"', '"a\\nb\\u001b[31m"')
    assert '"a b [31m" is measured by nobody' in refusal(text)
