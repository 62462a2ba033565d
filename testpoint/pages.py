"""The two pages that a person or a monitor may look at."""

from netready import __version__
from testpoint.visit import Visit, answer


def front(visit: Visit) -> None:
    """What this is, for whoever finds it in a log."""
    answer(
        visit,
        200,
        f"netready testpoint {__version__}\n\n"
        "The far end of network tests. It sends and takes random bytes, and stores nothing.\n"
        "It speaks ndt7: /ndt/v7/download and /ndt/v7/upload. Run: netready measure throughput --server HOST:PORT",
    )


def health(visit: Visit) -> None:
    """For monitors."""
    answer(visit, 200, "ok")
