"""Uninterruptible power supplies (UPS-MIB, RFC 1628): how long the devices behind one still run when the mains fails."""

from collections.abc import Iterator

from collectors.snmp.cells import count
from collectors.snmp.reading import ENTERPRISES, METHOD, MIB2, Module, Told, When, Yield
from netready.measurement import Detail, Measurement

CHARGE, LEFT, LOAD = "ups_charge", "ups_time_left", "ups_load"
METRICS = (CHARGE, LEFT, LOAD)
UPS = (*MIB2, 33, 1)
IDENTITY = Module(
    name="ups-identity", root=(*UPS, 1), columns={"maker": 1, "model": 2, "software": 3, "firmware": 4}, alone=True
)
BATTERY = Module(
    name="ups-battery", root=(*UPS, 2), columns={"status": 1, "on_battery": 2, "minutes": 3, "charge": 4}, alone=True
)
SOURCE = Module(name="ups-source", root=(*UPS, 4), columns={"source": 1}, alone=True)
OUTPUT = Module(name="ups", root=(*UPS, 4, 4, 1), columns={"load": 5})
# PowerNet-MIB, for APC's older cards that do not know the UPS-MIB: run time in hundredths of a second.
APC = Module(
    name="apc-battery",
    root=(*ENTERPRISES, 318, 1, 1, 1, 2),
    columns={"status": (1, 1), "charge": (2, 1), "ticks": (2, 3)},
    when=When(makers=((318,),)),
    alone=True,
)
MODULES = (IDENTITY, BATTERY, SOURCE, OUTPUT, APC)

STATUS = {1: "unknown", 2: "normal", 3: "low", 4: "depleted"}  # upsBatteryStatus; APC's has the same first three
SOURCES = {1: "other", 2: "none", 3: "mains", 4: "bypass", 5: "battery", 6: "booster", 7: "reducer"}  # upsOutputSource
PER_CENT = 100


def is_ups(told: Told) -> bool:
    """Whether the device tells of a battery, by the UPS-MIB or by APC's."""
    return any(count(value) is not None for module in ("ups-battery", "apc-battery") for value in told.values(module).values())


def measure(told: Told) -> Iterator[Yield]:
    """Charge, time left and load of a UPS."""
    battery, apc = told.values("ups-battery"), told.values("apc-battery")
    status = next((value for value in (battery.get("status"), apc.get("status")) if isinstance(value, int)), 1)
    source = told.values("ups-source").get("source")
    details: dict[str, Detail] = {"source": "snmp", "battery": STATUS.get(status, "unknown")}
    if isinstance(source, int):
        details["output"] = SOURCES.get(source, "unknown")
    if (seconds := count(battery.get("on_battery"))) is not None:
        details["on_battery"] = seconds
    charge = next((found for cell in (battery.get("charge"), apc.get("charge")) if (found := count(cell)) is not None), None)
    minutes, ticks = count(battery.get("minutes")), count(apc.get("ticks"))
    left = 60.0 * minutes if minutes is not None else None if ticks is None else ticks / 100
    loads = [load for value in told.column("ups", "load").values() if (load := count(value)) is not None]
    measured: tuple[tuple[str, float | None], ...] = (
        (CHARGE, None if charge is None else charge / PER_CENT),
        (LEFT, left),
        (LOAD, max(loads) / PER_CENT if loads else None),
    )
    for metric, value in measured:
        if value is not None:
            yield Measurement.of(metric, told.device, told.at, value, METHOD, **details)
