"""What the testpoint tells about a request, asked by hand."""

import json
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready import __version__
from probes.path_facts import FACTS_LIMIT, LOAD_LIMIT, Facts, parse_facts, request, request_fields, session_of
from testpoint.path import parse_query

NONCE = "0123456789abcdef" * 2
SENT = request_fields("here:1", {})


def exchange(connection, question):
    connection.sendall(question)
    found = b""
    while chunk := connection.recv(65536):
        found += chunk
    head, _, body = found.partition(b"\r\n\r\n")
    return head.decode(), body


def ask(server, question):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head, body = exchange(connection, question)
        return head, body, connection


def test_the_request_comes_back_as_it_was_seen(standing):
    with socket.create_connection(("127.0.0.1", standing.port), timeout=5) as connection:
        own = "{}:{}".format(*connection.getsockname())
        head, body = exchange(connection, request(SENT | {"via": "1.1 box", "x-odd": "z"}, NONCE))
    assert head.startswith("HTTP/1.1 200 ")
    assert "Content-Type: application/json" in head
    assert "Cache-Control: no-store" in head
    facts = parse_facts(body)
    assert (facts.nonce, facts.peer, facts.version, facts.tls) == (NONCE, own, __version__, None)
    assert sorted(facts.names) == sorted([*SENT, "via", "x-odd"])
    assert facts.fields == SENT | {"via": "1.1 box"}, "values only of fields that tell something"
    assert {"SndMSS", "RcvMSS", "AdvMSS", "PMTU", "Options", "WScale"} <= set(facts.tcp)


def test_load_is_taken_and_filling_is_given_as_asked(standing):
    _, body, _ = ask(standing, request(SENT, NONCE, load=LOAD_LIMIT, fill=LOAD_LIMIT))
    facts = parse_facts(body)
    assert len(facts.filling) == LOAD_LIMIT
    assert len(facts.names) == len(SENT) + 12
    assert len(body) < FACTS_LIMIT


def test_strangers_words_are_cut_and_cleaned(standing):
    odd = request(SENT | {"via": "a" * 5000, "x" * 300: "1"}, NONCE).replace(b"netready/", b"\xe2\x80\xae\xff")
    _, body, _ = ask(standing, odd)
    facts = parse_facts(body)
    assert len(facts.fields["via"]) == 128
    assert all(len(name) <= 64 for name in facts.names)
    assert "\u202e" not in facts.fields["user-agent"]


@pytest.mark.parametrize("query", ["", "nonce=", "nonce=xyz", f"nonce={NONCE}&nonce={NONCE}&a=1&b=2&c=3", "fill=10"])
def test_a_request_without_a_nonce_is_refused(standing, query):
    head, _, _ = ask(standing, f"GET /path?{query} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert head.startswith("HTTP/1.1 400 ")


def test_only_get_is_answered(standing):
    head, _, _ = ask(standing, request(SENT, NONCE).replace(b"GET", b"POST"))
    assert head.startswith("HTTP/1.1 405 ")


@pytest.mark.parametrize(
    ("query", "read"),
    [
        (f"nonce={NONCE}", (NONCE, 0)),
        (f"nonce={NONCE}&fill={LOAD_LIMIT}", (NONCE, LOAD_LIMIT)),
        (f"nonce={NONCE}&fill={LOAD_LIMIT + 1}", None),
        (f"nonce={NONCE}&fill=-1", None),
        (f"nonce={NONCE}&fill=99999999999999999999", None),
        (f"nonce={NONCE}0", None),
        (f"nonce={NONCE.upper()}", None),
        (f"nonce={NONCE}&other=1", None),
        (f"nonce={NONCE};fill=3", None),
    ],
)
def test_a_query_is_a_nonce_and_perhaps_a_bounded_number(query, read):
    assert parse_query(query) == read


@given(st.text(max_size=200))
def test_rubbish_is_no_query(text):
    assert parse_query(text) is None


@given(st.binary(max_size=200))
def test_rubbish_is_no_answer(body):
    assert parse_facts(body) is None


def test_absurd_answers_are_no_facts():
    good = {"nonce": NONCE, "peer": "p", "version": "1", "tls": None, "tcp": {}, "fields": {}, "names": []}
    assert isinstance(parse_facts(json.dumps(good).encode()), Facts)
    for change in ({"tcp": {"SndMSS": -1}}, {"tcp": {"SndMSS": 2**60}}, {"names": ["a"] * 1000}, {"peer": "x" * 1000}):
        assert parse_facts(json.dumps(good | change).encode()) is None
    assert parse_facts(b"[" * 30_000) is None
    assert parse_facts(b'{"x":' + b"[" * 30_000) is None


@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_ends_of_one_tls_session_have_the_same_word_for_it(far, certificate, most):
    cert, key = certificate
    server = far("--cert", cert, "--key", key)
    trust = ssl.create_default_context(cafile=cert)
    trust.maximum_version = most
    told = []
    for _ in range(2):
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain,
            trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            own = session_of(connection)
            _, body = exchange(connection, request(SENT, NONCE))
        assert parse_facts(body).tls == own
        assert own.session
        told.append(own.session)
    assert told[0] != told[1]
