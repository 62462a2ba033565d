import os
import sys
import time

import pytest

from netready.failure import Failed
from probes.throughput import child


def run(script, seconds=5.0, **more):
    return child.run([sys.executable, "-c", script], seconds=seconds, now=time.monotonic, **more)


def test_it_reads_what_it_is_told_and_its_answer_comes_back():
    ended = run("import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('x'); sys.exit(3)", tell=b"hello")
    assert (ended.status, ended.output, ended.errors) == (3, b"HELLO", b"x")


def test_it_sees_no_proxy_of_ours(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    ended = run("import os; print(os.environ.get('http_proxy'), os.environ['LC_ALL'], os.environ['MORE'])", more={"MORE": "1"})
    assert ended.output == b"None C 1\n"


@pytest.mark.parametrize(
    "script",
    [
        "import time; time.sleep(60)",
        "import os, time; os.close(1); os.close(2); time.sleep(60)",
        "import signal, time; signal.signal(15, signal.SIG_IGN); signal.signal(2, signal.SIG_IGN); time.sleep(60)",
    ],
)
def test_one_that_hangs_is_stopped_in_time(script):
    began = time.monotonic()
    with pytest.raises(Failed, match="did not end in time") as failed:
        run(script, seconds=0.5)
    assert failed.value.failure == "timeout"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("number", [1, 2])
def test_one_that_floods_is_stopped(number):
    with pytest.raises(Failed, match="printed more than") as failed:
        run(f"import os\nwhile True: os.write({number}, b'x' * 65536)")
    assert failed.value.failure == "too-large"


def test_one_that_eats_memory_fails_and_not_we():
    ended = run(f"b = bytearray({child.MEMORY})")
    assert ended.status == 1
    assert b"MemoryError" in ended.errors


def test_a_signal_is_told_apart_from_an_exit_status():
    assert run("import os; os.kill(os.getpid(), 11)").status == -11
    assert child.killed(-11, "x").failure == "malformed"
    assert child.killed(-9, "x").failure == "local-resources"


def test_a_program_that_is_not_there_is_not_supported():
    with pytest.raises(Failed) as failed:
        child.run(["/nowhere/iperf3"], seconds=1, now=time.monotonic)
    assert failed.value.failure == "not-supported"


def test_nothing_is_left_behind_when_we_are_interrupted(tmp_path):
    pid = tmp_path / "pid"

    def interrupt():
        if pid.exists() and pid.read_text():
            raise KeyboardInterrupt
        return time.monotonic()

    script = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid()))\nwhile True: print(flush=True); time.sleep(.01)"
    with pytest.raises(KeyboardInterrupt):
        child.run([sys.executable, "-c", script], seconds=10, now=interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
