import json
import os
import subprocess
import sys

import click
import pytest

from agent.cli import COMMANDS, netready
from agent.commands import measure
from probes.throughput import METHODS
from probes.throughput.settings import Method

SITE = """
[site]
name = "Lincoln High School"
students = 480
staff = 40
classrooms = 24
networks = ["10.20.0.0/24"]
"""


def run(*args, cwd, **env):
    return subprocess.run(
        [sys.executable, "-m", "agent", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **env},
    )


def modules_after(*args, cwd):
    code = (
        f"import sys; sys.argv = {['netready', *args]!r}\nfrom agent.cli import main\ntry:\n main()\nexcept SystemExit: pass\n"
    )
    code += "print('MODULES', *sys.modules)"
    path = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
    )
    return set(done.stdout.rsplit("MODULES", 1)[1].split())


def every_command():
    def walk(command, path):
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                yield from walk(command.get_command(context, name), (*path, name))

    return list(walk(netready, ()))


def test_every_row_of_the_table_is_a_command_with_help():
    assert {path[0] for path, _ in every_command() if path} == set(COMMANDS)
    for path, command in every_command():
        assert command.help, path


def test_every_command_takes_config_and_json():
    for path, command in every_command():
        if isinstance(command, click.Group) and path:
            continue
        names = {name for parameter in command.params for name in parameter.opts}
        if path != ("lab", "exec"):  # it hands on what another program prints
            assert "--json" in names, path
        if path[:1] not in {("testpoint",), ("lab",)}:  # they have no use for a school's config
            assert "--config" in names, path


HEAVY = {"scapy", "jinja2", "pysnmp", "psutil", "prometheus_client", "sqlite3", "asyncio", "ssl"}


@pytest.mark.parametrize("args", [("--help",), ("audit", "--help"), ("run", "--help"), ("gate", "--help")])
def test_help_loads_nothing_heavy(args, tmp_path):
    assert not HEAVY & modules_after(*args, cwd=tmp_path)


def test_every_throughput_method_can_be_asked_for():
    assert set(measure.METHODS) == set(Method) == set(METHODS)


@pytest.mark.parametrize("command", ["throughput", "path"])
def test_a_pin_that_is_no_hash_is_one_sentence(command, tmp_path):
    done = run("measure", command, "--server", "127.0.0.1:1", "--tls", "--pin", "abc", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("'abc' is not 64 hexadecimal digits, the SHA-256 of the server's public key")


def test_no_command_line_is_help_on_usage(tmp_path):
    done = run(cwd=tmp_path)
    assert done.returncode == 2
    assert "audit" in done.stdout + done.stderr


def test_a_missing_config_is_one_sentence_and_exit_2(tmp_path):
    for command in (["audit"], ["assess"], ["gate"], ["report"], ["inventory", "list"], ["run"]):
        done = run(*command, cwd=tmp_path)
        assert done.returncode == 2, command
        assert done.stderr == (
            "netready: netready.toml: no such file; `netready init` asks what it must know and writes one\n"
        ), command
        assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_field_writes_nothing(tmp_path):
    (tmp_path / "netready.toml").write_text(SITE.replace("students = 480", "students = 0"))
    done = run("audit", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "netready: netready.toml: site.students: expected a whole number >= 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["netready.toml"]


def test_a_foreign_database_is_refused_before_anything_is_sent(tmp_path):
    (tmp_path / "netready.toml").write_text(SITE)
    (tmp_path / "netready.sqlite").write_text("not a database at all, just a text of some length " * 20)
    before = (tmp_path / "netready.sqlite").read_bytes()
    for command in ("audit", "gate", "run"):
        done = run(command, cwd=tmp_path)
        assert done.returncode == 2
        assert (
            done.stderr == f"netready: {tmp_path / 'netready.sqlite'}: the database cannot be used (file is not a database)\n"
        )
    assert (tmp_path / "netready.sqlite").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["netready.sqlite", "netready.toml"]


def test_a_roadmap_with_a_metric_nobody_measures_is_refused(tmp_path):
    from importlib.resources import files

    shipped = (files("readiness") / "data" / "roadmap.toml").read_text()
    (tmp_path / "mine.toml").write_text(shipped.replace("internet_down_per_1000", "internet_speed", 1))
    (tmp_path / "netready.toml").write_text(SITE + '[readiness]\nroadmap = "mine.toml"\n')
    done = run("audit", cwd=tmp_path)
    assert done.returncode == 2
    assert "mine.toml: criteria[" in done.stderr
    assert '"internet_speed"' in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml", "netready.toml"]


@pytest.mark.parametrize(
    "args",
    [
        ("measure", "throughput", "--server", "203.0.113.9:4433"),
        ("measure", "throughput", "--server", "10.99.0.1:4433"),
        ("measure", "latency", "10.99.0.1"),
        ("measure", "dns", "lms.school.test", "--resolver", "10.99.0.53"),
        ("measure", "http", "http://10.99.0.1/"),
        ("inventory", "scan", "--network", "10.99.0.0/24"),
        ("inventory", "scan", "--network", "10.0.0.0/8"),
    ],
)
def test_a_target_that_the_config_does_not_name_is_refused(args, tmp_path):
    (tmp_path / "netready.toml").write_text(SITE)
    done = run(*args, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.endswith("nothing was sent\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        ("measure", "throughput", "--server", "8.8.8.8:443"),
        ("measure", "throughput", "--server", "speed.example.com:443"),
        ("measure", "latency", "2001:4860:4860::8888"),
        ("inventory", "scan", "--network", "8.8.8.0/24"),
        ("inventory", "scan"),
    ],
)
def test_without_a_config_nothing_public_is_ever_touched(args, tmp_path):
    done = run(*args, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("netready: ")


def test_a_refused_port_is_exit_3_and_a_failure_word(tmp_path):
    done = run("measure", "throughput", "--server", "127.0.0.1:9", "--json", cwd=tmp_path)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert [(m["metric"], m["value"], m["failure"]) for m in found] == [
        ("throughput_down", None, "refused"),
        ("throughput_up", None, "refused"),
    ]


def test_init_writes_a_config_that_audit_accepts(tmp_path):
    (tmp_path / "answers.toml").write_text(
        'name = "Lincoln \\"High\\" School"\nstudents = 480\nstaff = 40\nclassrooms = 24\nnetworks = ["10.20.0.0/24"]\n'
        'contracted_down = "300M"\ncontracted_up = "300M"\nlms = "https://lms.school.test/"\nserver = "192.0.2.10:4433"\n'
        'resolver = "192.0.2.53"\n'
    )
    done = run("init", "--answers", "answers.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run("doctor", "--json", cwd=tmp_path)
    (config,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "config"]
    assert config["ok"], config
    assert 'Lincoln "High" School' in config["found"]
    again = run("init", "--answers", "answers.toml", cwd=tmp_path)
    assert again.returncode == 2
    assert "there is a config already" in again.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("students = 0", "answers.toml: site.students: expected a whole number >= 1"),
        ('networks = ["10.20.0.0/33"]', "answers.toml: networks: '10.20.0.0/33' does not appear to be an IPv4 or IPv6 network"),
        ('contracted_down = "fast"', "answers.toml: contracted_down: expected a rate such as 300M"),
        ("pupils = 3", "answers.toml: pupils: no question has this key"),
    ],
)
def test_answers_that_make_no_sense_are_refused_and_nothing_is_written(line, message, tmp_path):
    base = {"name": '"L"', "students": "480", "staff": "40", "classrooms": "24"}
    key, _, value = line.partition(" = ")
    (tmp_path / "answers.toml").write_text("".join(f"{k} = {v}\n" for k, v in (base | {key: value}).items()))
    done = run("init", "--answers", "answers.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["answers.toml"]


def test_metrics_and_roadmap_are_shown_as_data(tmp_path):
    found = json.loads(run("metrics", "--json", cwd=tmp_path).stdout)
    assert {"name": "throughput_down", "unit": "bit/s"}.items() <= found[0].items()
    roadmap = json.loads(run("roadmap", "--json", cwd=tmp_path).stdout)
    assert len(roadmap["criteria"]) == 187
    assert len(json.loads(run("standards", "--json", cwd=tmp_path).stdout)["standards"]) >= 35
