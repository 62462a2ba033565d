"""Collectors: they ask what is already known, and send no probe of their own. Each is one row of `COLLECTORS`."""

from netready.instrument import Instrument

COLLECTORS: tuple[Instrument, ...]


def __getattr__(name: str) -> tuple[Instrument, ...]:
    """`COLLECTORS`, made when it is first asked for, so that one collector can be imported without the others (PEP 562)."""
    if name != "COLLECTORS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from collectors import host, listen, snmp  # noqa: PLC0415

    table = (host.INSTRUMENT, snmp.INSTRUMENT, listen.INSTRUMENT)
    globals()["COLLECTORS"] = table
    return table
