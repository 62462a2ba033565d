"""Recorded walks as agents on loopback, and what the collector makes of them.

A walk is a file of snmpsim's format: a line for each value, OID|type|value. Those of real devices come with the package
snmpsim-data; those in this folder are written by hand, in the form that each MIB documents, with invented values.
"""

import bisect
import bz2
import functools
import importlib.util
import re
from pathlib import Path

import msgspec
import pytest

from collectors.snmp import ber, message
from collectors.snmp import device as snmp
from collectors.snmp.modules import MODULES
from netready.device import Sighting
from netready.measurement import Measurement
from netready.sent import Sent

HERE = Path(__file__).parent
RECORDINGS = Path(importlib.util.find_spec("snmpsim_data").origin).parent / "data"
TAGS = {"2": 0x02, "4": 0x04, "5": 0x05, "6": 0x06, "64": 0x40, "65": 0x41, "66": 0x42, "67": 0x43, "68": 0x44, "70": 0x46}
# What of a recording is kept: the tables that anybody asks for. Some recordings have millions of lines beside them.
KEPT = tuple(
    ".".join(map(str, root)) + "."
    for root in {(1, 3, 6, 1, 2, 1, 1), (1, 3, 6, 1, 2, 1, 2), (1, 3, 6, 1, 2, 1, 31)}
    | {module.root for module in MODULES if module.name != "interfaces"}
)
FRAME = 1400  # bytes that a real agent puts into one answer
WORD = "gr8-s3cret-w0rd"


def _octets(text: str, *, hexed: bool) -> bytes:
    return bytes.fromhex(text) if hexed and re.fullmatch("[0-9a-fA-F]*", text) else text.encode("utf-8", "surrogateescape")


def _value(kind: str, text: str) -> bytes | None:
    """One value as it is on the wire; None for what is no value of its type."""
    kind, _, how = kind.partition(":")
    if how:  # snmpsim changes these while it runs; they stand still here
        found = re.search(r"initial=(\d+)", text)
        kind, text = kind.rstrip("x"), found[1] if found else "1"
    number = kind.rstrip("xe")
    tag, octets = TAGS[number], _octets(text, hexed=kind.endswith("x"))
    match number:
        case "6":
            parts = tuple(int(part) for part in text.strip(".").split(".") if part)
            return ber.tlv(tag, ber.name(parts)) if len(parts) > 1 else None
        case "64":
            octets = octets if len(octets) == 4 else bytes(map(int, text.split(".")))
        case "2" | "65" | "66" | "67" | "70":
            value = int(text)
            octets = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
    return ber.tlv(tag, octets)


@functools.cache
def read_walk(path: Path) -> list[tuple[bytes, bytes]]:
    """The walk's values in the order of their OIDs, both as on the wire."""
    opener = bz2.open if path.suffix == ".bz2" else open
    found = {}
    with opener(path, "rt", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            if line.startswith(KEPT):
                oid, kind, text = line.rstrip("\n").split("|", 2)
                if (value := _value(kind, text)) is not None:
                    found[tuple(map(int, oid.split(".")))] = value
    return [(ber.name(oid), value) for oid, value in sorted(found.items())]


class Recorded:
    """An agent on loopback that answers with a walk's values, and only to who knows its word.

    contexts  other values, by what stands behind "@" in the community, as Cisco's switches have one for each VLAN
    asked     every object identifier that was asked for
    """

    def __init__(self, udp_server, path: Path, contexts: dict[str, Path]) -> None:
        self.stores = {"": read_walk(path)} | {name: read_walk(other) for name, other in contexts.items()}
        self.orders = {name: [ber.oid_of(wire) for wire, _ in store] for name, store in self.stores.items()}
        self.asked: list[ber.Oid] = []
        self.requests = 0
        self.port = udp_server(self.answer)

    def texts(self):
        """Every string of the walk, by its object identifier."""
        for oid, (_, value) in zip(self.orders[""], self.stores[""], strict=True):
            if value[0] == ber.OCTETS:
                at, end = ber.read_octets(value, 0, len(value))
                yield oid, value[at:end].decode("utf-8", "replace")

    def answer(self, data: bytes) -> list[bytes]:
        at, end = ber.open_(data, 0, len(data), ber.SEQUENCE)
        version, at = ber.read_integer(data, at, end)
        begin, at = ber.read_octets(data, at, end)
        word, _, context = data[begin:at].decode().partition("@")
        if word != WORD or context not in self.stores:
            return []
        kind = data[at]
        at, end = ber.open_(data, at, end, kind)
        number, at = ber.read_integer(data, at, end)
        _, at = ber.read_integer(data, at, end)
        repetitions, at = ber.read_integer(data, at, end)
        at, end = ber.open_(data, at, end, ber.SEQUENCE)
        names = [wire for wire, _ in ber.read_binds(data, at, end)]
        self.requests += 1
        self.asked += map(ber.oid_of, names)
        entries = list(self.entries(message.Pdu(kind), names, repetitions, context))
        pdu = ber.tlv(message.Pdu.RESPONSE, *map(ber.integer, (number, 0, 0)), ber.tlv(ber.SEQUENCE, *entries))
        return [ber.tlv(ber.SEQUENCE, ber.integer(version), ber.tlv(ber.OCTETS, data[begin : begin + len(WORD)]), pdu)]

    def entries(self, kind, names, repetitions, context):
        store, order = self.stores[context], self.orders[context]
        size = 0
        for step in range(repetitions if kind is message.Pdu.BULK else 1):
            for wire in names:
                oid = ber.oid_of(wire)
                if kind is message.Pdu.GET:
                    at = bisect.bisect_left(order, oid)
                    there = at < len(order) and order[at] == oid
                else:
                    at = bisect.bisect_right(order, oid) + step
                    there = at < len(order)
                found, value = store[at] if there else (wire, b"\x81\x00")
                entry = ber.tlv(ber.SEQUENCE, ber.tlv(ber.IDENTIFIER, found), value)
                yield entry
                size += len(entry)
            if size > FRAME:
                return


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What the collector made of one walk."""

    sightings: list[Sighting]
    measurements: list[Measurement]
    sent: Sent

    def of(self, source: str) -> list[Sighting]:
        return [each for each in self.sightings if each.source == source]

    def value(self, metric: str, target: str = "127.0.0.1") -> float:
        (found,) = [each for each in self.measurements if (each.metric, each.target) == (metric, target)]
        return found.value

    def details(self, metric: str, target: str = "127.0.0.1") -> dict:
        (found,) = [each for each in self.measurements if (each.metric, each.target) == (metric, target)]
        return found.details

    def targets(self, metric: str) -> dict[str, float]:
        return {each.target: each.value for each in self.measurements if each.metric == metric}


@pytest.fixture
def community(tmp_path):
    path = tmp_path / "community"
    path.write_text(WORD)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def collect(context, community):
    """Asks an agent, and sorts what it yields."""

    def run(agent: Recorded, **settings) -> Read:
        wanted = {"devices": ("127.0.0.1",), "requests_per_second": 0, "timeout": 2.0, "community_file": community} | settings
        readings = list(snmp.read(snmp.Settings(port=agent.port, **wanted), context))
        return Read(
            sightings=[each for each in readings if isinstance(each, Sighting)],
            measurements=[each for each in readings if isinstance(each, Measurement)],
            sent=readings[-1],
        )

    return run


@pytest.fixture
def agent_of(udp_server):
    """An agent that replays a file of this folder, or a recording of the package by its name; with VLANs' files beside it."""

    def make(name: str, *vlans: str) -> Recorded:
        return Recorded(udp_server, _file(name), {vlan: _file(f"{name}-{vlan}") for vlan in vlans})

    return make


@pytest.fixture
def replay(collect, agent_of):
    """What the collector makes of a file of this folder, or of a recording of the package by its name."""

    def run(name: str, *vlans: str, **settings) -> Read:
        return collect(agent_of(name, *vlans), **settings)

    return run


def _file(name: str) -> Path:
    plain = RECORDINGS / f"{name}.snmprec"
    return next(path for path in (HERE / f"{name}.snmprec", plain, plain.with_name(f"{plain.name}.bz2")) if path.exists())
