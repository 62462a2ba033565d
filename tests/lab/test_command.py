import subprocess
import sys
import tomllib
from datetime import date

import msgspec
import pytest
from click.testing import CliRunner

from lab import LabFailed, Plan, Wan, comparison
from lab import audit as examination
from lab.command import lab
from lab.plan import share
from lab.running import environment
from lab.truth import truth
from netready.site import Site


@pytest.fixture
def netready_lab(monkeypatch, tmp_path):
    """Runs `netready lab ...` in a process of its own, with its state in a folder of the test's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    def run(*argv):
        script = "import sys\nfrom lab.command import lab\nsys.exit(lab.main(standalone_mode=False))"
        return subprocess.run(
            [sys.executable, "-c", script, *argv], env=environment(), capture_output=True, text=True, check=False, timeout=60
        )

    return run


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--down", "5X"], "Invalid value for '--down': expected a rate such as 300M or 1G (bit/s, decimal), got '5X'"),
        (["--down", "5G"], "--down: expected `float` <= 1000000000.0"),
        (["--loss", "101%"], "--loss: expected `float` <= 1.0"),
        (["--loss", "some"], "Invalid value for '--loss': expected a share such as 0.01 or 1%, got 'some'"),
        (["--rtt", "5s"], "--rtt: expected `float` <= 2.0"),
        (["--policer", "100"], "the policer's burst must hold at least one packet of 1500 bytes"),
        (
            ["--down", "1G", "--buffer", "2s"],
            "this rate, delay and buffer would hold 167,083 packets; the emulator holds 32,768",
        ),
        (["--students", "0"], "--students: expected `int` >= 1"),
        (
            ["--school", "castle"],
            (
                "Invalid value for '--school': 'castle' is not one of"
                " 'campus', 'emerging', 'entry', 'scaling', 'small', 'transforming'."
            ),
        ),
        (["--name", "a/b"], "--name 'a/b': letters, digits and hyphens only"),
        (["--for", "30d"], "--for: at most 7 days"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(options, sentence):
    result = CliRunner().invoke(lab, ["up", *options])
    assert result.exit_code != 0
    assert result.output.splitlines()[-1] == f"Error: {sentence}"


def test_a_share_is_a_ratio_or_a_percentage():
    assert (share("0.01"), share("1%"), share("0")) == (0.01, 0.01, 0.0)
    for text in ("", "-1", "1e9", "nan", "%"):
        with pytest.raises(ValueError, match="expected a share"):
            share(text)


@pytest.mark.namespaces
def test_a_school_stands_until_it_is_taken_down(namespaces, netready_lab):
    try:
        built = netready_lab("up", "--down", "50M", "--for", "5m")
        assert built.returncode == 0, built.stderr
        assert built.stdout.startswith("The school stands: 49 hosts, 50 Mbps down, 20 Mbps up.\n")
        assert "(it ends by itself in 5 minutes)" in built.stdout
        astray = netready_lab("exec", "agnt", "--", "true")
        assert (astray.returncode, astray.stderr) == (125, "the lab has no host 'agnt'; did you mean agent?\n")
        assert netready_lab("exec", "agent", "--", "sh", "-c", "cat /sys/class/net/eth0/address; exit 3").returncode == 3
        assert "is up already" in netready_lab("up").stderr
        assert "is up as it is" in netready_lab("audit", "--down", "10M").stderr
    finally:
        ended = netready_lab("down")
    assert ended.stdout == "The school is gone.\n"
    assert netready_lab("down").stdout == "No lab called 'school' is up.\n"
    assert "no lab called 'school' is up" in netready_lab("exec", "agent", "--", "true").stderr


@pytest.mark.namespaces
def test_a_school_ends_by_itself_when_its_time_is_over(namespaces, netready_lab):
    assert netready_lab("up", "--for", "1s", "--name", "short").returncode == 0
    for _ in range(50):
        if netready_lab("exec", "--name", "short", "agent", "--", "sleep", "0.2").returncode:
            return
    pytest.fail("it still stands")


def test_a_state_folder_that_others_may_write_is_not_used(netready_lab, tmp_path):
    (tmp_path / "netready-lab").mkdir(mode=0o777)
    (tmp_path / "netready-lab").chmod(0o777)
    assert "is not a folder of yours alone" in netready_lab("down").stderr


def test_the_config_describes_the_school_as_the_nouns_want_it():
    raw = tomllib.loads(examination.config(Plan(wan=Wan(down=3e8, up=5e7), students=700, staff=60, classrooms=33)))
    site = msgspec.convert(raw["site"], Site)
    assert (site.users, site.classrooms, site.contracted_down, site.contracted_up) == (760, 33, 3e8, 5e7)
    assert all(site.calendar.is_school_day(day) for day in [date(2026, 3, number) for number in range(1, 8)])


EVERYBODY = [(host.mac, host.address) for host in truth(Plan()).hosts]


def found(**changes):
    """A report and an inventory of the default school that are right in every figure, with `changes`."""
    down, up = 100e6 * 1448 / 1500, 20e6 * 1448 / 1500
    figures = {
        "down": down,
        "up": up,
        "per_1000": down / 520 * 1000,
        "devices": EVERYBODY,
    } | changes
    details = {"layer": "TCP payload"}
    report = {
        "survey": {
            "measurements": [
                {"metric": "throughput_down", "value": figures["down"], "failure": None, "details": details},
                {"metric": "throughput_up", "value": figures["up"], "failure": None, "details": details},
            ],
            "devices": [{"addresses": []}] * len(figures["devices"]),
        },
        "judgement": {
            "down": {"available": {"value": down}, "per_1000": {"value": figures["per_1000"]}},
            "up": {"available": {"value": up}, "per_1000": {"value": up / 520 * 1000}},
        },
    }
    return report, [{"mac": mac, "addresses": [address]} for mac, address in figures["devices"]]


def wrong(report, devices):
    return [check.what for check in comparison.compare(truth(Plan()), report, devices) if not check.right]


def test_a_report_that_is_right_passes():
    checks = comparison.compare(truth(Plan()), *found())
    assert [check.what for check in checks if not check.right] == []
    assert len(comparison.table(checks).splitlines()) == len(checks) + 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"down": 100e6 * 1448 / 1500 * 1.031}, "throughput down, TCP payload"),
        ({"up": 20e6 * 1448 / 1500 * 0.969}, "throughput up, TCP payload"),
        ({"per_1000": 187e6}, "Mbps per 1,000 users, down (520 users)"),
        ({"devices": EVERYBODY[:-1]}, "hosts in the inventory, MAC and address; devices counted in the report"),
        ({"devices": [*EVERYBODY, EVERYBODY[0]]}, "hosts in the inventory, MAC and address; devices counted in the report"),
        ({"devices": [*EVERYBODY[:-1], ("02:00:00:00:00:01", EVERYBODY[-1][1])]}, "hosts in the inventory, MAC and address"),
    ],
)
def test_each_wrong_figure_is_found(change, what):
    assert "; ".join(wrong(*found(**change))) == what


def test_a_folder_with_somebody_elses_config_is_left_alone(tmp_path):
    (tmp_path / "netready.toml").write_text("[site]\n")
    with pytest.raises(LabFailed, match=r"netready\.toml is not the virtual school's"):
        examination.prepare(Plan(), tmp_path)
    assert (tmp_path / "netready.toml").read_text() == "[site]\n"


def test_another_school_in_the_same_folder_begins_with_an_empty_store(tmp_path):
    examination.prepare(Plan(), tmp_path)
    (tmp_path / "netready.sqlite").write_bytes(b"records")
    examination.prepare(Plan(), tmp_path)
    assert (tmp_path / "netready.sqlite").exists()
    examination.prepare(Plan(students=481), tmp_path)
    assert not (tmp_path / "netready.sqlite").exists()


def test_a_report_without_figures_is_wrong_in_all_of_them():
    assert len(wrong({}, [])) == 6


@pytest.mark.sweep
@pytest.mark.namespaces
def test_a_whole_audit_finds_what_is_really_there(namespaces, netready_lab, tmp_path):
    done = netready_lab("audit", "--down", "50M", "--up", "10M", "--out", str(tmp_path / "report"))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "WRONG" not in done.stdout
