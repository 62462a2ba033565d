"""Run one ndt7 test from the settings in the first argument and print each measurement as a line of JSON."""

import random
import sys
from ipaddress import ip_network

import msgspec

from agent.clock import SystemClock
from netready.authority import Authority
from netready.instrument import Context
from probes.throughput.ndt7 import read
from probes.throughput.settings import Throughput

settings = msgspec.json.decode(sys.argv[1], type=Throughput)
authority = Authority(networks=(ip_network("198.51.100.0/24"),))
context = Context(clock=SystemClock(), chance=random.Random(), authority=authority, say=lambda _text: None)
for measurement in read(settings, context):
    sys.stdout.write(msgspec.json.encode(measurement).decode() + "\n")
