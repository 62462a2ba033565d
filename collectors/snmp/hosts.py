"""Servers and other computers (HOST-RESOURCES-MIB, RFC 2790): memory, disks and processors, and never what runs on them."""

from collections.abc import Iterator

from collectors.snmp.ber import Oid
from collectors.snmp.cells import count, text
from collectors.snmp.reading import APPLICATIONS, METHOD, MIB2, Module, Told, When, Yield
from netready.measurement import Detail, Measurement

MEMORY, STORAGE, BUSY = "device_memory", "device_storage_used", "device_processor_busy"
METRICS = (MEMORY, STORAGE, BUSY)
HOST: Oid = (*MIB2, 25)
WHEN = When(services=APPLICATIONS)
SIZE = Module(name="host-memory", root=(*HOST, 2), columns={"memory": 2}, when=WHEN, alone=True)
STORES = Module(
    name="host-storage",
    root=(*HOST, 2, 3, 1),
    columns={"type": 2, "descr": 3, "unit": 4, "size": 5, "used": 6},
    when=WHEN,
    most=4000,
)
PROCESSORS = Module(name="host-processors", root=(*HOST, 3, 3, 1), columns={"load": 2}, when=WHEN, most=4000)
# hrDeviceTable: what printers call themselves.
DEVICES = Module(
    name="devices",
    root=(*HOST, 3, 2, 1),
    columns={"type": 2, "descr": 3},
    unless=lambda told: not told.has("printer"),
    most=400,
)
MODULES = (SIZE, STORES, PROCESSORS, DEVICES)

FIXED_DISK: Oid = (*HOST, 2, 1, 4)  # hrStorageFixedDisk
KIBI = 1024
PER_CENT = 100
# File systems that only look like disks.
UNREAL = ("/dev", "/proc", "/run", "/sys", "/snap", "/var/lib/docker", "/var/lib/containers", "/etc/host", "/etc/resolv")


def measure(told: Told) -> Iterator[Yield]:
    """Memory, the share of each disk that is taken, and how busy the processors were in the last minute."""
    if memory := count(told.values("host-memory").get("memory")):
        yield Measurement.of(MEMORY, told.device, told.at, float(memory * KIBI), METHOD, source="snmp")
    taken: set[str] = set()
    for row, cell in told.rows("host-storage"):
        unit, size, used, name = count(cell["unit"]), count(cell["size"]), count(cell["used"]), text(cell["descr"])
        if cell["type"] != FIXED_DISK or not unit or not size or used is None or used > size or name.startswith(UNREAL):
            continue
        name = name if name and name not in taken else f"{name or 'disk'}#{row[-1]}"
        taken.add(name)
        details: dict[str, Detail] = {"source": "snmp", "size": size * unit, "used": used * unit}
        yield Measurement.of(STORAGE, f"{told.device} {name}", told.at, used / size, METHOD, **details)
    loads = [load for value in told.column("host-processors", "load").values() if (load := count(value)) is not None]
    if loads:
        busy = min(sum(loads) / len(loads) / PER_CENT, 1.0)
        yield Measurement.of(BUSY, told.device, told.at, busy, METHOD, source="snmp", processors=len(loads))
