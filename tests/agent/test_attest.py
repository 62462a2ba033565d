"""netready attest, as a principal's secretary uses it."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from agent.cli import netready
from store import StoreError, open_store

TODAY = datetime.now(UTC).date()
NEXT = (TODAY + timedelta(days=300)).isoformat()
SITE = '[site]\nname = "Lincoln"\nstudents = 480\nstaff = 40\nclassrooms = 24\n'


@pytest.fixture
def school(tmp_path, monkeypatch):
    (tmp_path / "netready.toml").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args, say=None):
    done = CliRunner().invoke(netready, args, input=say)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def questions(*args):
    return json.loads(run("attest", "list", "--json", *args).output)


def first():
    return questions()[0]["criterion"]["id"]


def test_every_question_has_no_answer_at_first(school):
    found = questions()
    assert len(found) >= 119
    assert {each["answer"] for each in found} == {None}
    assert run("attest", "list").output.startswith(f"{len(found)} questions, 0 with an answer that counts today")


def test_an_answer_by_prompt_is_on_the_record_and_a_later_one_stands_after_it(school):
    name = first()
    done = run("attest", "answer", name, say=f"yes\nA. Head\nprincipal\n{NEXT}\n")
    assert f"{name}: yes, by A. Head (principal)" in done.output
    run("attest", "answer", name, "--answer", "no", "--name", "B. Deputy", "--role", "deputy", "--until", NEXT)
    one = next(each for each in questions() if each["criterion"]["id"] == name)
    assert one["answer"]["attestation"]["name"] == "B. Deputy"
    assert one["history"] == 2
    judged = json.loads(run("assess", "--json").output)["judgement"]["verdicts"]
    assert next(each for each in judged if each["criterion"] == name)["attestation"]["name"] == "B. Deputy"


def test_the_form_goes_out_and_comes_back_and_says_nothing_new_the_second_time(school):
    name = first()
    run("attest", "answer", name, "--answer", "yes", "--name", "A. Head", "--role", "principal", "--until", NEXT)
    assert run("attest", "export").exit_code == 0
    text = (school / "attestations.csv").read_text("utf-8-sig")
    (school / "attestations.csv").write_text(text.replace("A. Head", "C. Clerk"))
    assert "1 answers read, 1 of them new" in run("attest", "import", "attestations.csv").output
    assert "1 answers read, 0 of them new" in run("attest", "import", "attestations.csv").output
    one = next(each for each in questions() if each["criterion"]["id"] == name)
    assert one["answer"]["attestation"]["name"] == "C. Clerk"
    assert "SHA-256" in one["answer"]["source"]


def test_the_digest_of_the_document_is_taken_from_the_file(school):
    (school / "minutes.pdf").write_bytes(b"minutes")
    name = first()
    args = ("--answer", "yes", "--name", "A", "--role", "b", "--until", NEXT, "--file", "minutes.pdf", "--document", "Minutes")
    run("attest", "answer", name, *args)
    one = next(each for each in questions() if each["criterion"]["id"] == name)["answer"]["attestation"]
    assert one["sha256"] == hashlib.sha256(b"minutes").hexdigest()
    assert one["kept"].endswith("minutes.pdf")


def test_a_form_with_one_bad_row_changes_nothing(school):
    name = first()
    head = "criterion,answer,name,role,on,until\n"
    (school / "form.csv").write_text(f"{head}{name},yes,A,b,{TODAY},{NEXT}\nX.9,yes,A,b,{TODAY},{NEXT}\n")
    with pytest.raises(Exception, match=r'form.csv: line 3, column criterion: "X.9" is no criterion'):
        run("attest", "import", "form.csv")
    assert {each["answer"] for each in questions()} == {None}


def test_an_answer_to_what_only_machines_answer_is_refused(school):
    asked = {each["criterion"]["id"] for each in questions()}
    every = json.loads(run("roadmap", "--json").output)["criteria"]
    machine = next(each["id"] for each in every if each["id"] not in asked)
    with pytest.raises(Exception, match="is answered by machines alone"):
        run("attest", "answer", machine, "--answer", "yes", "--name", "A", "--role", "b", "--until", NEXT)


def test_nothing_on_the_record_can_be_changed_or_removed(school):
    name = first()
    run("attest", "answer", name, "--answer", "yes", "--name", "A. Head", "--role", "principal", "--until", NEXT)
    with open_store(school / "netready.sqlite") as store:
        for sql in ("UPDATE attestation SET body = '{}'", "DELETE FROM attestation"):
            with pytest.raises(Exception, match="an attestation is never"):
                store._db.execute(sql)
        with pytest.raises(StoreError):
            store.vouch(datetime.now(UTC), "x", [("a", b"{}"), (None, b"{}")])
        assert len(store.vouched()) == 1
