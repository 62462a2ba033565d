"""Sweeps one network inside a network namespace and prints, as JSON, what it took.

network, packets a second. Memory is the peak above what the interpreter held when its modules were loaded.
"""

import json
import random
import sys
from ipaddress import ip_network
from pathlib import Path

from agent.clock import SystemClock
from netready.authority import Authority
from netready.device import Sighting
from netready.instrument import Context
from netready.measurement import Measurement
from probes import arp_sweep, segment


def main() -> None:
    network, rate = sys.argv[1:]
    segment.links()  # loads the module that it is read with
    context = Context(
        clock=SystemClock(),
        chance=random.Random(),
        authority=Authority(networks=(ip_network(network),)),
        say=lambda _line: None,
    )
    before = memory("VmRSS")
    settings = arp_sweep.Settings(networks=(network,), packets_per_second=int(rate))
    readings = list(arp_sweep.read(settings, context))
    above = memory("VmHWM") - before
    found = {each.address for each in readings if isinstance(each, Sighting) and "self" not in each.facts}
    details = next(each.details for each in readings if isinstance(each, Measurement))
    print(json.dumps({"found": len(found), "above": above, "details": details}))


def memory(field: str) -> float:
    """MiB of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


if __name__ == "__main__":
    main()
