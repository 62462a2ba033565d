"""Run one throughput method (first argument) with settings (second, JSON) and print each measurement as a line of JSON."""

import importlib
import random
import sys
from ipaddress import ip_network

import msgspec

from agent.clock import SystemClock
from netready.authority import Authority
from netready.instrument import Context
from probes.throughput.settings import Throughput

row = importlib.import_module(f"probes.throughput.{sys.argv[1]}").INSTRUMENT
settings = msgspec.json.decode(sys.argv[2], type=Throughput)
authority = Authority(networks=(ip_network("192.0.2.0/24"),))
context = Context(clock=SystemClock(), chance=random.Random(), authority=authority, say=lambda _text: None)
for measurement in row.read(settings, context):
    sys.stdout.write(msgspec.json.encode(measurement).decode() + "\n")
