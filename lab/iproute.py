"""THE VIRTUAL SCHOOL's hands: `ip` and `bridge` (iproute2), told many things at once and asked in JSON."""

import subprocess
from typing import Any

import msgspec

from lab.plan import LabFailed

LONGEST = 300  # characters of its refusal that are passed on


def ip(lines: list[str], host: str | None = None) -> None:
    """Have `ip` do all of `lines`, in the namespace of `host` or in this one. LabFailed with its own words."""
    where = ["-netns", host] if host else []
    argv = ["ip", *where, "-batch", "-"]
    done = subprocess.run(argv, input="\n".join(lines) + "\n", text=True, capture_output=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[:LONGEST]
        raise LabFailed(f"`ip` could not build the lab{f' in {host}' if host else ''}: {said}")


def ask(program: str, *words: str, host: str | None = None) -> list[dict[str, Any]]:
    """What `ip` or `bridge` shows in JSON; nothing when it refuses, because the thing asked about is gone."""
    where = ["-netns", host] if host else []
    done = subprocess.run([program, *where, "-json", *words], capture_output=True, check=False)
    return msgspec.json.decode(done.stdout, type=list[dict[str, Any]]) if done.stdout.strip() else []


def strike(program: str, lines: list[str], host: str) -> None:
    """Have `ip` or `bridge` remove what may be gone already."""
    argv = [program, "-netns", host, "-force", "-batch", "-"]
    subprocess.run(argv, input="\n".join(lines) + "\n", text=True, capture_output=True, check=False)
