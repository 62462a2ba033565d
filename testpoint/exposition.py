"""What Prometheus reads from a testpoint. prometheus_client is imported when somebody asks for the first time."""

from collections.abc import Iterable

from netready import __version__
from testpoint.tally import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "netready_testpoint_"


def render(tally: Tally, *, running: int, connected: int, clients: int) -> bytes:
    """The exposition: counts since the start, and how many tests, connections and known clients there are now."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric  # noqa: PLC0415
    from prometheus_client.registry import Collector  # noqa: PLC0415

    counts = tally.copy()

    class _Counts(Collector):
        def collect(self) -> Iterable[Metric]:
            info = GaugeMetricFamily(f"{PREFIX}build_info", "Version of the testpoint; always 1", labels=["version"])
            info.add_metric([__version__], 1)
            yield info
            tests = CounterMetricFamily(f"{PREFIX}tests", "Tests that ended", labels=["protocol", "result"])
            for (protocol, result), count in sorted(counts.tests.items()):
                tests.add_metric([protocol, result], count)
            yield tests
            for name, text, label, found in (
                ("transferred_bytes", "Bytes moved for requests that have been served", "direction", counts.moved),
                ("connections", "Connections by what they spoke", "transport", counts.connections),
                ("refusals", "Requests and connections that were turned away", "reason", counts.refusals),
            ):
                counter = CounterMetricFamily(PREFIX + name, text, labels=[label])
                for value, count in sorted(found.items()):
                    counter.add_metric([value], count)
                yield counter
            for name, text, number in (
                ("tests_running", "Places for tests that are taken", running),
                ("connections_open", "Connections that are open", connected),
                ("clients", "Clients whose use is remembered", clients),
            ):
                yield GaugeMetricFamily(PREFIX + name, text, value=number)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counts())
    return generate_latest(registry)
