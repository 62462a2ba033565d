"""Collectors: they ask what is already known, and send no probe of their own. Each is one row of `COLLECTORS`."""

from netready.instrument import Instrument

COLLECTORS: tuple[Instrument, ...]


def __getattr__(name: str) -> tuple[Instrument, ...]:
    """`COLLECTORS`, made when it is first asked for, so that one collector can be imported without the others (PEP 562)."""
    if name != "COLLECTORS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from collectors.capture import INSTRUMENT as CAPTURE  # noqa: PLC0415
    from collectors.host import INSTRUMENT as HOST  # noqa: PLC0415
    from collectors.listen import INSTRUMENT as LISTEN  # noqa: PLC0415
    from collectors.snmp.device import INSTRUMENT as SNMP  # noqa: PLC0415

    table = (HOST, SNMP, LISTEN, CAPTURE)
    globals()["COLLECTORS"] = table
    return table
