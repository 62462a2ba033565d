"""The last visit's interfaces, one row each."""

from datetime import UTC, datetime

from netready.measurement import Measurement
from reports import visit

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def of(metric, target, value):
    return Measurement.of(metric, target, AT, value, "snmp/2")


def test_all_that_is_known_of_an_interface_stands_in_one_row():
    found = [
        of("interface_speed", "10.20.0.2 3", 1e8),
        of("interface_received", "10.20.0.2 3", 5e9),
        of("interface_errors_received", "10.20.0.2 3", 5123),
        of("interface_errors_sent", "10.20.0.2 3", 0),
        of("interface_half_duplex", "10.20.0.2 3", 1),
        of("interface_half_duplex", "10.20.0.2 4", 0),
        of("poe_port_power", "10.20.0.2 4", 14.8),
        of("ups_charge", "10.20.0.9", 0.46),
    ]
    one, other = visit.interfaces(found)
    assert one == visit.Interface(
        target="10.20.0.2 3", speed="100 Mbps", duplex="half", received="5 GB", broken_in="5,123", broken_out="0"
    )
    assert other == visit.Interface(target="10.20.0.2 4", duplex="full", power="14.8 W")
    assert [each.metric for each in visit.apart_from_interfaces(found)] == ["ups_charge"]
