"""A listener of the `listen` part, a program: netready's or scapy's, in a process of its own that imports nothing else.

`python -m bench.listening_worker netready|scapy INTERFACE SECONDS` says "ready", listens, and prints as JSON: frames, drops,
sightings, processor seconds, and the process's peak memory in MiB.
"""

import importlib
import resource
import sys


def hear_as_netready(seconds: float) -> dict[str, float]:
    """Our collector, with the sightings taken one by one as it yields them."""
    import random  # noqa: PLC0415 - only what this listener needs
    from ipaddress import ip_network  # noqa: PLC0415

    from agent.clock import SystemClock  # noqa: PLC0415
    from collectors import listen  # noqa: PLC0415
    from netready.authority import Authority  # noqa: PLC0415
    from netready.instrument import Context  # noqa: PLC0415
    from netready.measurement import Measurement  # noqa: PLC0415

    authority = Authority(networks=(ip_network("10.9.0.0/20"),))
    context = Context(clock=SystemClock(), chance=random.Random(1), authority=authority, say=_ready)
    found = {"frames": 0.0, "dropped": 0.0, "sightings": 0.0}
    for reading in listen.read(listen.Settings(seconds=seconds), context):
        if isinstance(reading, Measurement):
            found[reading.metric.removeprefix("listen_")] = reading.value or 0.0
        else:
            found["sightings"] += 1
    return found


def hear_as_scapy(interface: str, seconds: float) -> dict[str, float]:
    """Sniff as scapy does it, which is handed each packet dissected; it notes the sender as little as can be."""
    from scapy.all import sniff  # noqa: PLC0415

    macs: set[str] = set()
    frames = 0

    def note(packet: object) -> None:
        nonlocal frames
        frames += 1
        macs.add(packet.src)  # type: ignore[attr-defined]

    sniff(iface=interface, filter=FILTER, prn=note, store=False, timeout=seconds, started_callback=lambda: _ready("ready"))
    return {"frames": float(frames), "devices": float(len(macs))}


# What netready's own filter keeps of the storm, in pcap-filter(7).
FILTER = "arp or ether proto 0x88cc or (udp and (dst port 5353 or dst port 1900 or dst port 67 or dst port 68))"


def _ready(_text: str) -> None:
    print("ready", flush=True)


def _used() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def main() -> None:
    """Listen as the command line says."""
    import json  # noqa: PLC0415

    who, interface, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    for name in ("scapy.all",) if who == "scapy" else ("agent.clock", "collectors.listen"):
        importlib.import_module(name)  # loading it is not listening
    before = _used()
    found = hear_as_scapy(interface, seconds) if who == "scapy" else hear_as_netready(seconds)
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib is not loaded for this
        peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    print(json.dumps(found | {"cpu": _used() - before, "peak": peak}))


if __name__ == "__main__":
    main()
