import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from lab import BARE, LabFailed, Plan, Wan, open_lab
from lab.isolation import PRIVATE
from lab.plan import AGENT, ROUTER
from lab.running import environment

pytestmark = pytest.mark.namespaces

ENDS = 10.0  # s for the kernel to remove a lab

# Holds a lab open until killed; says its PID 1 and its launcher.
HOLDER = """
import time
from pathlib import Path
from lab import BARE, open_lab
with open_lab(BARE) as lab:
    status = Path(f"/proc/{lab.init}/status").read_text()
    print(lab.init, status.partition("PPid:")[2].split()[0], flush=True)
    time.sleep(60)
"""


def wait_until(true, seconds=ENDS):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "still not so"
        time.sleep(0.05)


@pytest.fixture
def holder(namespaces):
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, env=environment()) as process:
        init, launcher = (int(word) for word in process.stdout.readline().split())
        try:
            yield process, init, launcher
        finally:
            process.kill()


def test_a_second_lab_beside_the_first_collides_with_nothing(namespaces):
    with open_lab(BARE) as first, open_lab(BARE) as second:
        mark = ["sh", "-c", f"echo here > {PRIVATE}/mark"]
        assert first.run("agent", mark).returncode == 0
        assert second.run("agent", ["test", "-e", f"{PRIVATE}/mark"]).returncode == 1
        for lab in (first, second):
            shown = lab.run("agent", ["ip", "-brief", "address"], capture_output=True, text=True)
            assert AGENT in shown.stdout


def test_the_host_keeps_its_interfaces_and_routes_and_sees_none_of_ours(namespaces, host_network, of_lab):
    before, names = host_network(), Path("/run/netns").exists()
    with open_lab(BARE) as lab:
        inode = Path(f"/proc/{lab.init}/ns/pid").stat().st_ino
        assert len(of_lab(inode)) >= 3
        assert host_network() == before
        assert Path("/run/netns").exists() == names
    assert host_network() == before
    wait_until(lambda: not of_lab(inode))


@pytest.mark.parametrize("victim", ["holder", "launcher", "init"])
def test_killing_any_part_leaves_nothing(holder, victim, of_lab, host_network):
    process, init, launcher = holder
    before = host_network()
    inode = Path(f"/proc/{init}/ns/pid").stat().st_ino
    assert of_lab(inode)
    os.kill({"holder": process.pid, "launcher": launcher, "init": init}[victim], signal.SIGKILL)
    wait_until(lambda: not of_lab(inode))
    wait_until(lambda: not Path(f"/proc/{launcher}/cmdline").exists() or not Path(f"/proc/{launcher}/cmdline").read_bytes())
    assert host_network() == before


def test_a_lab_that_breaks_while_in_use_says_so(namespaces):
    def use():
        with open_lab(BARE) as lab:
            os.kill(lab.init, signal.SIGKILL)
            wait_until(lambda: lab.run("agent", ["true"], stderr=subprocess.DEVNULL).returncode == 125)

    with pytest.raises(LabFailed, match="while it was in use"):
        use()


def test_a_lab_that_loses_its_line_ends_and_says_which_part(namespaces):
    def use():
        with open_lab(BARE) as lab:
            script = """grep -l '[t]ake":"isp0' /proc/[0-9]*/cmdline"""
            found = lab.run("agent", ["sh", "-c", script], capture_output=True, text=True)
            number = found.stdout.split()[0].split("/")[2]
            lab.run("agent", ["kill", "-KILL", number])
            wait_until(lambda: lab.run("agent", ["true"], stderr=subprocess.DEVNULL).returncode == 125)

    with pytest.raises(LabFailed, match="the lab's line down ended"):
        use()


def test_programs_keep_their_exit_status_input_and_directory(namespaces, tmp_path):
    with open_lab(BARE) as lab:
        assert lab.run("agent", ["sh", "-c", "exit 7"]).returncode == 7
        assert lab.run("agent", ["sh", "-c", "kill -TERM $$"]).returncode == 128 + signal.SIGTERM
        said = lab.run("agent", ["sh", "-c", "pwd; cat"], input="hello\n", capture_output=True, text=True, cwd=tmp_path)
        assert said.stdout == f"{tmp_path}\nhello\n"
        missing = lab.run("agent", ["/no/such/program"], capture_output=True, text=True)
        assert (missing.returncode, missing.stderr) == (127, "/no/such/program: No such file or directory\n")
        nowhere = lab.run("attic", ["true"], capture_output=True, text=True)
        assert nowhere.returncode == 125
        assert "no host 'attic'" in nowhere.stderr


def test_a_program_ends_with_the_process_that_stands_in_for_it(namespaces, of_lab):
    with open_lab(BARE) as lab:
        inode = Path(f"/proc/{lab.init}/ns/pid").stat().st_ino
        before = set(of_lab(inode))
        with lab.popen("agent", ["sleep", "60"]) as stand_in:
            wait_until(lambda: len(set(of_lab(inode)) - before) == 1)
            stand_in.terminate()
            assert stand_in.wait(ENDS) == 128 + signal.SIGTERM
        with lab.popen("agent", ["sleep", "60"]) as stand_in:
            wait_until(lambda: len(set(of_lab(inode)) - before) == 1)
            stand_in.kill()
        wait_until(lambda: set(of_lab(inode)) == before)


def test_the_lab_has_its_own_resolver_and_the_project_can_be_imported(namespaces):
    with open_lab(BARE) as lab:
        said = lab.run("agent", ["cat", "/etc/resolv.conf"], capture_output=True, text=True).stdout
        assert said.startswith("nameserver 192.0.2.53\n")
        assert (
            lab.run("agent", ["cat", "/etc/passwd"], capture_output=True, text=True).stdout == Path("/etc/passwd").read_text()
        )
        assert lab.run("agent", ["ls", "/sys/class/net"], capture_output=True, text=True).stdout.split() == ["eth0", "lo"]
        assert lab.run("agent", ["python", "-c", "import netready, lab"], cwd="/").returncode == 0


UNPRIVILEGED = f"""
import os, sys
from lab import BARE, LabFailed, open_lab
try:
    with open_lab(BARE) as lab:
        assert os.stat("/proc/self/ns/user").st_ino != os.stat(f"/proc/{{lab.init}}/ns/user").st_ino
        lab.run("agent", ["sh", "-c", "ip route get {ROUTER} && id -u"], check=True)
        print(lab.line()["down"]["ring_drops"])
except LabFailed as error:
    print("not here:", error)
"""


def test_an_ordinary_user_can_have_one(namespaces):
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become somebody else (setpriv, of util-linux); an ordinary user's run shows the same anyway")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    here = environment()
    here["PYTHONPATH"] += os.pathsep + str(Path(msgspec.__file__).parent.parent)
    twice = "import sys, subprocess, msgspec; sys.exit(subprocess.call([sys.executable, '-c', 'import msgspec']))"
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        argv = [*nobody, python, "-c"]
        if not subprocess.run([*argv, twice], env=here, capture_output=True, check=False, cwd="/").returncode:
            break
    else:
        pytest.skip(f"nobody can run {sys.executable}: it lives below a folder of root's")
    done = subprocess.run([*argv, UNPRIVILEGED], env=here, capture_output=True, text=True, check=False, cwd="/")
    if done.stdout.startswith("not here:"):
        pytest.skip(done.stdout.strip())
    assert done.stdout.splitlines()[-2:] == ["0", "0"], done.stderr


def test_without_ip_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    script = """
import lab.building, sys
from lab.plan import BARE, LabFailed
lab.building.SBIN = ""
try:
    lab.building.build(BARE)
except LabFailed as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "the program `ip` is missing: apt install iproute2\n"


def test_a_machine_without_namespaces_gets_one_sentence(namespaces):
    script = """
from lab import kernel, isolation
from lab.plan import LabFailed
from pathlib import Path
kernel.unshare(kernel.CLONE_NEWUSER)
kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text("0 0 1")
Path("/proc/self/gid_map").write_text("0 0 1")
Path("/proc/sys/user/max_net_namespaces").write_text("0")
try:
    isolation.isolate()
except LabFailed as error:
    print(error)
"""
    if os.geteuid() != 0:
        pytest.skip("the limit is set for root's own small user namespace")
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == (
        "this machine does not allow network namespaces here (unshare: No space left on device): "
        "as root, run `sysctl user.max_net_namespaces=10000`, or run the lab as root\n"
    )


def test_a_plan_survives_the_way_to_the_lab():
    plan = Plan(wan=Wan(down=3e8, loss=0.01), students=7)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
