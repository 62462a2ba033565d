"""THE VIRTUAL SCHOOL's side door: `python -m lab.enter PID HOST COMMAND ...` runs a program on one of its hosts.

PID is the lab's PID 1 as seen from here. Input, output, working directory and environment are the caller's; the exit
status is the program's, or 128 and the signal's number. When this process is killed, so is the program.
"""

import contextlib
import os
import signal
import sys

from lab import kernel

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
GONE = 125  # exit status of docker(1) and podman(1) for "the container itself failed"


def step_in(pid: int, host: str) -> None:
    """Leave for the lab's namespaces. OSError when it is gone, LookupError when it has no such host."""
    spaces = [(f"/proc/{pid}/ns/{name}", kind) for name, kind in _SPACES if not _same(pid, name)]
    handles = [(os.open(path, os.O_RDONLY | os.O_CLOEXEC), kind) for path, kind in spaces]  # all, before / is another
    here = os.getcwd()  # noqa: PTH109 - Path.cwd() would be the same
    for handle, kind in handles:
        kernel.enter(f"/proc/self/fd/{handle}", kind)
    there = {each.name for each in kernel.NAMESPACES.iterdir()}
    if host not in there:
        from netready.refusal import near  # noqa: PLC0415 - every command on a host would wait for it

        raise LookupError(f"the lab has no host {host!r}; {near(host, there)}")
    kernel.enter(kernel.NAMESPACES / host, kernel.CLONE_NEWNET)
    kernel.unshare(kernel.CLONE_NEWNS)
    with contextlib.suppress(OSError):  # /sys/class/net shows the namespace that mounted it; not vital
        kernel.mount("sysfs", "/sys", "sysfs", kernel.MS_NOSUID | kernel.MS_NODEV)
    with contextlib.suppress(OSError):  # a directory below /run exists outside only
        os.chdir(here)


# The user namespace first: its capabilities open the others.
_SPACES = (
    ("user", kernel.CLONE_NEWUSER),
    ("ipc", kernel.CLONE_NEWIPC),
    ("uts", kernel.CLONE_NEWUTS),
    ("pid", kernel.CLONE_NEWPID),
    ("mnt", kernel.CLONE_NEWNS),
)


def _same(pid: int, name: str) -> bool:
    return os.stat(f"/proc/{pid}/ns/{name}").st_ino == os.stat(f"/proc/self/ns/{name}").st_ino  # noqa: PTH116


def main() -> int:
    """Run the program and stand in for it."""
    pid, host, argv = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    try:
        step_in(pid, host)
    except LookupError as error:
        sys.stderr.write(f"{error}\n")
        return GONE
    except OSError as error:
        sys.stderr.write(f"the lab has ended ({error.strerror})\n")
        return GONE
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*FORWARDED, signal.SIGCHLD})
    child = os.fork()
    if child == 0:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        try:
            os.execvp(argv[0], argv)  # noqa: S606 - no shell is the point
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(127)
    while True:
        told = signal.sigwaitinfo({*FORWARDED, signal.SIGCHLD})
        if told.si_signo != signal.SIGCHLD:
            # What a terminal sends (si_code > 0) has reached the program already: twice would be a second Ctrl-C.
            if told.si_code <= 0:
                os.kill(child, told.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
