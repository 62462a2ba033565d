"""A scan by itself: it runs instruments as a survey does."""

import msgspec

from agent import scan
from netready.device import Sighting
from netready.instrument import Instrument

SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
networks = ["10.20.0.0/24"]
"""


class Nothing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No settings."""


def row(name, read, **more):
    return Instrument(name=name, version=1, read=read, settings=Nothing, does=f"does {name}", metrics=(), **more)


def hears(_settings, context):
    yield Sighting(source="mdns", at=context.clock.now(), mac="30:05:5c:10:00:32", address="10.20.0.31", name="printer")


def breaks(_settings, context):
    yield Sighting(source="arp", at=context.clock.now(), mac="00:00:5e:00:53:01", address="10.20.0.7")
    raise ZeroDivisionError("a bug of ours")


def test_an_instrument_that_breaks_costs_a_scan_its_own_line_only(tmp_path, monkeypatch, capsys):
    path = tmp_path / "netready.toml"
    path.write_text(SITE)
    monkeypatch.setattr(scan, "instruments", lambda: (row("snmp", breaks), row("listen", hears)))
    found = scan.scan_now((), str(path), exam=False)
    assert [(run.instrument, run.ok, run.error, run.sightings) for run in found.runs] == [
        ("snmp", False, "ZeroDivisionError: a bug of ours", 1),
        ("listen", True, None, 1),
    ]
    assert sorted(device.addresses for device in found.devices) == [("10.20.0.31",), ("10.20.0.7",)]
    assert "snmp: ZeroDivisionError: a bug of ours" in found.unseen
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_what_does_not_run_in_a_scan_says_why_as_it_does_in_a_survey(tmp_path, monkeypatch):
    path = tmp_path / "netready.toml"
    path.write_text(SITE)
    quiet = row("listen", hears, silent=True, missing=lambda _settings: "nothing to listen to")
    monkeypatch.setattr(scan, "instruments", lambda: (row("snmp", breaks), quiet))
    found = scan.scan_now((), str(path), exam=True)
    assert found.devices == ()
    assert found.unseen[:2] == ("snmp: exam mode: only what sends nothing runs", "listen: nothing to listen to")
