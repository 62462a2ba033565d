"""Probes: they send packets. Each is one row of `PROBES`, in the order of a survey: the line first, then the devices."""

from netready.instrument import Instrument

PROBES: tuple[Instrument, ...]


def __getattr__(name: str) -> tuple[Instrument, ...]:
    """`PROBES`, made when it is first asked for, so that one probe can be imported without all the others (PEP 562)."""
    if name != "PROBES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from probes import arp_sweep, dns_lookup, http_fetch, latency  # noqa: PLC0415
    from probes.throughput import METHODS  # noqa: PLC0415

    table = (
        latency.INSTRUMENT,
        dns_lookup.INSTRUMENT,
        http_fetch.INSTRUMENT,
        METHODS["ndt7"],
        arp_sweep.INSTRUMENT,
    )
    globals()["PROBES"] = table
    return table
