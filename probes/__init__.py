"""Probes: they send packets. Each is one row of `PROBES`, in the order of a survey: the line first, then the devices."""

from netready.instrument import Instrument

PROBES: tuple[Instrument, ...]


def __getattr__(name: str) -> tuple[Instrument, ...]:
    """`PROBES`, made when it is first asked for, so that one probe can be imported without all the others (PEP 562)."""
    if name != "PROBES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from probes.arp_sweep import INSTRUMENT as ARP_SWEEP  # noqa: PLC0415
    from probes.content_filter import INSTRUMENT as CONTENT_FILTER  # noqa: PLC0415
    from probes.dns_lookup import INSTRUMENT as DNS_LOOKUP  # noqa: PLC0415
    from probes.failover import INSTRUMENT as FAILOVER  # noqa: PLC0415
    from probes.http_fetch import INSTRUMENT as HTTP_FETCH  # noqa: PLC0415
    from probes.icmp_sweep import INSTRUMENT as ICMP_SWEEP  # noqa: PLC0415
    from probes.latency import INSTRUMENT as LATENCY  # noqa: PLC0415
    from probes.nd_sweep import INSTRUMENT as ND_SWEEP  # noqa: PLC0415
    from probes.offline import INSTRUMENT as OFFLINE  # noqa: PLC0415
    from probes.path import INSTRUMENT as PATH  # noqa: PLC0415
    from probes.segmentation import INSTRUMENT as SEGMENTATION  # noqa: PLC0415
    from probes.sso import INSTRUMENT as SSO  # noqa: PLC0415
    from probes.throughput import METHODS  # noqa: PLC0415

    pages = (HTTP_FETCH, SSO, CONTENT_FILTER, SEGMENTATION, OFFLINE, FAILOVER)
    table = (LATENCY, DNS_LOOKUP, *pages, PATH, *METHODS.values(), ARP_SWEEP, ICMP_SWEEP, ND_SWEEP)
    globals()["PROBES"] = table
    return table
