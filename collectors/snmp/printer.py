"""Printers (Printer-MIB, RFC 3805): pages, what is left of toner and paper path, and what they complain of."""

from collections.abc import Iterator

from collectors.snmp.cells import bits, count, said
from collectors.snmp.reading import METHOD, MIB2, Module, Told, Yield
from netready.measurement import Detail, Measurement

PAGES, SUPPLY = "printer_pages", "printer_supply_left"
METRICS = (PAGES, SUPPLY)
PRINTER = (*MIB2, 43)
GENERAL = Module(name="printer", root=(*PRINTER, 5, 1, 1), columns={"name": 16, "serial": 17})
MARKER = Module(name="printer-markers", root=(*PRINTER, 10, 2, 1), columns={"unit": 3, "pages": 4})
SUPPLIES = Module(name="printer-supplies", root=(*PRINTER, 11, 1, 1), columns={"class": 4, "descr": 6, "most": 8, "level": 9})
STATE = Module(name="printer-state", root=(*MIB2, 25, 3, 5, 1), columns={"status": 1, "errors": 2})  # hrPrinterTable
MODULES = (GENERAL, MARKER, SUPPLIES, STATE)

STATUS = {1: "other", 2: "unknown", 3: "idle", 4: "printing", 5: "warmup"}  # hrPrinterStatus
ERRORS = (  # hrPrinterDetectedErrorState, a BITS
    "low-paper", "no-paper", "low-toner", "no-toner", "door-open", "jammed", "offline", "service-requested",
    "input-tray-missing", "output-tray-missing", "marker-supply-missing", "output-near-full", "output-full",
    "input-tray-empty", "overdue-maintenance",
)  # fmt: skip
# Units of prtMarkerCounterUnit in which pages are counted: impressions and sheets.
PAGE_UNITS = frozenset({7, 8, None})


def measure(told: Told) -> Iterator[Yield]:
    """Pages and supplies. Of a supply whose level is told as "some" (-3) or not at all (-2), nothing is known."""
    details: dict[str, Detail] = {"source": "snmp", **_state(told)}
    for _, cell in told.rows("printer-markers"):
        pages = count(cell["pages"])
        if pages is not None and cell["unit"] in PAGE_UNITS:
            yield Measurement.of(PAGES, told.device, told.at, float(pages), METHOD, **details)
            break
    taken: set[str] = set()
    for row, cell in told.rows("printer-supplies"):
        most, level = count(cell["most"]), count(cell["level"])
        if len(row) != 2:
            told.malformed["printer-supplies"] += 1
        elif most and level is not None and level <= most:
            name = said(cell["descr"]) or f"supply {row[1]}"
            target = f"{told.device} {name}" if name not in taken else f"{told.device} {name}#{row[1]}"
            taken.add(name)
            yield Measurement.of(SUPPLY, target, told.at, level / most, METHOD, **details)


def _state(told: Told) -> dict[str, Detail]:
    found: dict[str, Detail] = {}
    for _, cell in told.rows("printer-state"):
        if isinstance(status := cell["status"], int):
            found["status"] = STATUS.get(status, "unknown")
        errors = bits(cell["errors"])
        found["errors"] = [word for number, word in enumerate(ERRORS) if number in errors]
        break
    return found
