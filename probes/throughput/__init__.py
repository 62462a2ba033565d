"""Throughput methods, one file each. All fill a line towards a named test server; they differ in how, and are never mixed."""

from netready.instrument import Instrument

METHODS: dict[str, Instrument]


def __getattr__(name: str) -> dict[str, Instrument]:
    """`METHODS`, made when it is first asked for, so that one method can be imported without all the others (PEP 562)."""
    if name != "METHODS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from probes.throughput.iperf3 import INSTRUMENT as IPERF3  # noqa: PLC0415
    from probes.throughput.librespeed import INSTRUMENT as LIBRESPEED  # noqa: PLC0415
    from probes.throughput.ndt7 import INSTRUMENT as NDT7  # noqa: PLC0415
    from probes.throughput.netready import INSTRUMENT as NETREADY  # noqa: PLC0415
    from probes.throughput.speedtest import INSTRUMENT as SPEEDTEST  # noqa: PLC0415

    table = {row.name: row for row in (NETREADY, NDT7, IPERF3, LIBRESPEED, SPEEDTEST)}
    globals()["METHODS"] = table
    return table
