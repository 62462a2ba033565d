import socket

import pytest

from netready.access import Nominated, People
from netready.failure import Failed, Failure
from netready.site import Circuit
from probes.leg import HERE, Leg, joined


def test_a_connection_comes_from_the_address_of_its_network(tcp_server):
    seen = []
    port = tcp_server(lambda connection: seen.append(connection.getpeername()[0]))
    for source in ("127.0.0.2", "127.0.0.3"):
        leg = Leg.of(Nominated(name="students", people=People.STUDENT, source=source))
        sock, address = joined([(socket.AF_INET, "127.0.0.1")], port, leg, lambda: 2.0)
        assert sock.recv(1) == b""
        sock.close()
        assert address == "127.0.0.1"
    assert seen == ["127.0.0.2", "127.0.0.3"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"interface": "nosuch0"}, "this machine cannot send from students by nosuch0 (No such device)"),
        ({"source": "203.0.113.9"}, "this machine cannot send from students by 203.0.113.9 (Cannot assign requested address)"),
    ],
)
def test_a_network_that_this_machine_is_not_in_is_its_own_trouble_and_not_the_platforms(how, reason):
    leg = Leg.of(Nominated(name="students", people=People.STUDENT, **how))
    with pytest.raises(Failed) as failed:
        joined([(socket.AF_INET, "127.0.0.1")], 9, leg, lambda: 2.0)
    assert (failed.value.failure, str(failed.value)) == (Failure.LOCAL_RESOURCES, reason)


def test_addresses_of_another_family_than_the_legs_are_not_tried(context):
    leg = Leg.of(Circuit(name="Fibre", contracted_down=1e8, contracted_up=1e8, source="::1"))
    with pytest.raises(Failed) as failed:
        leg.places("127.0.0.1", 1.0, context)
    assert failed.value.failure is Failure.DNS_NO_ADDRESS
    assert HERE.places("127.0.0.1", 1.0, context) == [(socket.AF_INET, "127.0.0.1")]


def test_the_first_address_that_takes_a_connection_is_used(tcp_server):
    port = tcp_server(lambda _connection: None)
    with socket.socket() as closed:
        closed.bind(("127.0.0.9", port))
        sock, address = joined([(socket.AF_INET, host) for host in ("127.0.0.9", "127.0.0.1")], port, HERE, lambda: 2.0)
        sock.close()
    assert address == "127.0.0.1"
