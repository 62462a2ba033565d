"""THE VIRTUAL SCHOOL's walls: a process that makes new namespaces, and the private file tree of the PID 1 inside them.

Run as `python -m lab.isolation LIFELINE REPORT` with the plan as JSON on stdin. LIFELINE is the read end of a pipe: when
its last writer is gone, however it went, this process kills PID 1, and with it the kernel ends and removes everything.
If this process is killed itself, PID 1 dies with it (PR_SET_PDEATHSIG). REPORT takes one JSON object on each line.
"""

import contextlib
import os
import select
import signal
import sys
import traceback
from pathlib import Path

import msgspec

from lab import kernel
from lab.plan import PRIVATE, RESOLVER, LabFailed, Plan

ALL = kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWPID | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
HOST_ETC = PRIVATE / "etc"

_ADVICE = {
    Path("/proc/sys/kernel/unprivileged_userns_clone"): ("0", "sysctl kernel.unprivileged_userns_clone=1"),
    Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"): (
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    Path("/proc/sys/user/max_user_namespaces"): ("0", "sysctl user.max_user_namespaces=10000"),
    Path("/proc/sys/user/max_net_namespaces"): ("0", "sysctl user.max_net_namespaces=10000"),
}


def advice() -> str:
    """What would allow namespaces on this machine, in half a sentence."""
    for path, (forbids, remedy) in _ADVICE.items():
        with contextlib.suppress(OSError):
            if path.read_text().strip() == forbids:
                return f"as root, run `{remedy}`, or run the lab as root"
    return "run the lab as root, or in a container that may make namespaces (CAP_SYS_ADMIN)"


def isolate() -> None:
    """Leave the host's namespaces. LabFailed says what the machine does not allow."""
    user, group = os.geteuid(), os.getegid()
    try:
        if user == 0:
            with contextlib.suppress(PermissionError):
                kernel.unshare(ALL)
                return
        kernel.unshare(ALL | kernel.CLONE_NEWUSER)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to somebody else since the credentials changed
        Path("/proc/self/setgroups").write_text("deny")  # user_namespaces(7): first this, then the map of groups
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        msg = f"this machine does not allow network namespaces here ({error.strerror}): {advice()}"
        raise LabFailed(msg) from error


def furnish() -> None:
    """PID 1's own file tree: what it mounts, nobody outside sees, and it vanishes with it."""
    try:
        kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("tmpfs", "/run", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
    except OSError as error:
        msg = f"this machine allows namespaces but no mounts inside them ({error}): {advice()}"
        raise LabFailed(msg) from error
    kernel.NAMESPACES.mkdir()
    PRIVATE.mkdir()
    # A container may forbid a fresh /proc (its own is partly covered); its old one then shows more than our processes,
    # and everything still works.
    with contextlib.suppress(OSError):
        kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV)
    _replace_etc({"resolv.conf": f"nameserver {RESOLVER}\noptions timeout:2 attempts:2\n", "hosts": "127.0.0.1 localhost\n"})


def _replace_etc(files: dict[str, str]) -> None:
    """An /etc that links to the host's for all but `files`.

    A bind mount over /etc/resolv.conf alone would need the file to exist, and often it is a link into /run, or nothing.
    """
    HOST_ETC.mkdir()
    kernel.mount("/etc", str(HOST_ETC), "", kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("tmpfs", "/etc", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
    for entry in HOST_ETC.iterdir():
        if entry.name not in files:
            # A link is copied, not linked to: its text may be relative to /etc.
            Path("/etc", entry.name).symlink_to(entry.readlink() if entry.is_symlink() else entry)
    for name, text in files.items():
        Path("/etc", name).write_text(text)


class Report:
    """The pipe back to whoever asked for a lab."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def send(self, **said: object) -> None:
        """One JSON object, one line. Nobody listening is no reason to fail."""
        with contextlib.suppress(OSError):
            os.write(self._handle, msgspec.json.encode(said) + b"\n")


def _first(plan: Plan, report: Report, leash: int) -> None:
    """The life of PID 1. `leash` reads as closed when the launcher was gone before the kernel was asked to tell us."""
    from lab.building import build, watch  # noqa: PLC0415 - only PID 1 needs them

    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if select.select([leash], [], [], 0)[0]:
        return
    furnish()
    services = build(plan)
    report.send(ready=True)
    report.send(ended=watch(services))


def main() -> None:
    """Make the walls, start PID 1 behind them, and keep it exactly as long as somebody holds the lifeline."""
    lifeline, report = int(sys.argv[1]), Report(int(sys.argv[2]))
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    try:
        isolate()
    except LabFailed as error:
        report.send(error=str(error))
        return
    leash, held = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        os.close(held)
        os.close(lifeline)
        try:
            _first(plan, report, leash)
            status = 0
        except LabFailed as error:
            report.send(error=str(error))
        except BaseException:  # noqa: BLE001 - a fork must not climb back into its parent's code; it ends here, aloud
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    report.send(init=child)
    keep(lifeline, child)


def keep(lifeline: int, child: int) -> None:
    """Wait until the lifeline is let go or PID 1 has ended; then PID 1 is ended and reaped."""
    handle = os.pidfd_open(child)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(handle, select.POLLIN)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGKILL))
    poll.poll()
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main()
