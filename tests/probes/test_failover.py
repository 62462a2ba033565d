import pytest

from netready.authority import Refused
from netready.failure import Failure
from netready.site import Circuit, Endpoint, Site
from probes import failover

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def circuit(name, **how):
    return Circuit(name=name, contracted_down=1e8, contracted_up=1e8, **how)


FIBRE, RADIO = circuit("Fibre", source="127.0.0.2"), circuit("Radio", source="127.0.0.3")


def carried(context, *urls, circuits=(FIBRE, RADIO)):
    endpoints = tuple(Endpoint(name=url[:50], url=url) for url in urls)
    settings = failover.Settings(circuits=circuits, endpoints=endpoints, timeout=0.5)
    return {each.target: each for each in failover.read(settings, context)}


def test_each_circuit_is_tried_by_itself(context, web):
    found = carried(context, web(lambda _path, peer: OK if peer == "127.0.0.2" else None))
    assert found["Fibre"].value > 0
    assert found["Radio"].failure is Failure.RESET
    assert found["Fibre"].details["source"] == "127.0.0.2"


def test_one_platform_that_is_down_does_not_condemn_a_circuit(context, web):
    found = carried(context, web(lambda _path, _peer: None), web(lambda _path, _peer: OK))
    assert {each.failure for each in found.values()} == {None}
    assert found["Radio"].details["page"].startswith("http://127.0.0.1:")


def test_an_interface_that_is_not_there_is_this_machines_own_trouble(context, web):
    found = carried(context, web(lambda _path, _peer: OK), circuits=(circuit("Fibre", interface="nosuch0"),))
    assert found["Fibre"].failure is Failure.LOCAL_RESOURCES


def test_an_endpoint_that_nobody_named_is_refused_before_the_first_packet(context):
    with pytest.raises(Refused):
        carried(context, "http://203.0.113.9/")


def test_only_circuits_that_say_how_they_are_reached_are_tried():
    site = Site(name="S", students=1, staff=1, classrooms=1, circuits=(FIBRE, circuit("Bill only")))
    fitted = failover.fit(failover.Settings(), site)
    assert fitted.circuits == (FIBRE,)
    assert failover.INSTRUMENT.missing(fitted) == "no endpoint is named in [[site.endpoints]]"
    assert not failover.INSTRUMENT.wanted(failover.fit(failover.Settings(), Site(name="S", students=1, staff=1, classrooms=1)))
