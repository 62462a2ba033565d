"""A program that measures for us, in a process of its own: bounded in time, in memory and in what it may print.

Where a method's own program or package is the method, its faults must not become ours: it may hang, crash or flood.
"""

import contextlib
import os
import resource
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

import msgspec

from netready.failure import Failed, Failure
from netready.text import clean

OUTPUT_LIMIT = 4 << 20  # bytes; 16 streams for a minute are half a megabyte of iperf3's JSON
ERRORS_LIMIT = 1 << 16  # bytes
MEMORY = 2 << 30  # bytes of address space; a hostile peer makes the child fail, and not this machine
KEPT = ("PATH", "TMPDIR", "LD_LIBRARY_PATH")  # of our environment; proxies, above all, stay outside
# glibc reserves 64 MiB of address space for each thread's own arena (mallopt(3)), which would count against MEMORY.
FIXED = {"LC_ALL": "C", "MALLOC_ARENA_MAX": "2"}
_READ = 1 << 16  # bytes read at once


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a child ended. `status` is its exit status, or minus the signal that ended it."""

    status: int
    output: bytes
    errors: bytes


def run(
    argv: Sequence[str], *, seconds: float, now: Callable[[], float], tell: bytes = b"", more: Mapping[str, str] | None = None
) -> Ended:
    """Run `argv` and give what it printed; it is gone when this returns, however this returns.

    tell   what it reads from its standard input, at most a pipe's room (64 KiB)
    more   environment variables beside those of `KEPT`
    Raises Failed: NOT_SUPPORTED when it cannot be started, TIMEOUT after `seconds`, TOO_LARGE when it prints too much.
    """
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | FIXED | dict(more or {})
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            process_group=0,  # a terminal's Ctrl-C is for us; we end the child
        )
    except (FileNotFoundError, PermissionError) as error:
        raise Failed(Failure.NOT_SUPPORTED, f"{argv[0]} cannot be run ({error.strerror})") from error
    with process:
        try:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            output, errors = _listen(process, tell, now() + seconds, now)
        except BaseException:
            process.kill()
            raise
        return Ended(status=process.wait(), output=output, errors=errors)


def _listen(process: subprocess.Popen[bytes], tell: bytes, deadline: float, now: Callable[[], float]) -> tuple[bytes, bytes]:
    """What the child printed, once it has closed both of its outputs and ended."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("all three pipes were asked for")
    with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
        stdin.write(tell)
    kept = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    limits = dict(zip(kept, (OUTPUT_LIMIT, ERRORS_LIMIT), strict=True))
    with selectors.DefaultSelector() as selector:
        for handle in kept:
            selector.register(handle, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(max(0.0, deadline - now())):
                data = os.read(key.fd, _READ)
                if not data:
                    selector.unregister(key.fd)
                kept[key.fd] += data
                if len(kept[key.fd]) > limits[key.fd]:
                    raise Failed(Failure.TOO_LARGE, f"{_name(process)} printed more than {limits[key.fd]} bytes")
            if selector.get_map() and now() >= deadline:
                raise Failed(Failure.TIMEOUT, f"{_name(process)} did not end in time and was stopped")
    try:
        process.wait(max(0.1, deadline - now()))
    except subprocess.TimeoutExpired as error:
        raise Failed(Failure.TIMEOUT, f"{_name(process)} did not end in time and was stopped") from error
    output, errors = kept.values()
    return bytes(output), bytes(errors)


def _name(process: subprocess.Popen[bytes]) -> str:
    argv = process.args
    return clean(os.path.basename(str(argv[0])) if isinstance(argv, Sequence) else str(argv))  # noqa: PTH119 - text, not a file


def killed(status: int, name: str) -> Failed:
    """The failure of a child that a signal ended; the kernel's SIGKILL means that memory ran out."""
    number = -status
    word = Failure.LOCAL_RESOURCES if number == signal.SIGKILL else Failure.MALFORMED
    return Failed(word, f"{name} was ended by signal {number}, and gave no answer")
