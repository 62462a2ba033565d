"""Throughput methods, one file each. All fill a line towards a named test server; they differ in how, and are never mixed."""

from netready.instrument import Instrument
from probes.throughput import ndt7

METHODS: dict[str, Instrument] = {row.name: row for row in (ndt7.INSTRUMENT,)}
