"""The instruments of both rooms in the order in which a survey uses them: quiet ones first, those that load the line last."""

from netready.instrument import Instrument


def instruments() -> tuple[Instrument, ...]:
    """Every row of both tables. Imported here, so that a command that measures nothing loads neither room."""
    from collectors import COLLECTORS  # noqa: PLC0415
    from probes import PROBES  # noqa: PLC0415

    return tuple(sorted((*COLLECTORS, *PROBES), key=lambda row: row.alone))


def method(name: str) -> Instrument:
    """The throughput method called `name`; KeyError when there is none."""
    from probes.throughput import METHODS  # noqa: PLC0415

    return METHODS[name]
