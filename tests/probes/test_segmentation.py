import socket
import time

import pytest

from netready.access import Barrier, Nominated, People
from netready.authority import Refused
from netready.failure import Failure
from netready.site import Site
from probes import segmentation

STUDENTS = Nominated(name="students", people=People.STUDENT, source="127.0.0.2")
TEACHERS = Nominated(name="teachers", people=People.STAFF, source="127.0.0.3")


def tried(context, port, address="127.0.0.1", nominated=(STUDENTS, TEACHERS)):
    barrier = Barrier(name="Records", address=address, port=port, networks=("students",))
    return list(segmentation.read(segmentation.Settings(barriers=(barrier,), nominated=nominated, timeout=0.5), context))


def test_a_service_that_answers_the_network_it_must_not_is_reached_and_nothing_is_sent_to_it(context, tcp_server):
    seen = []

    def answer(connection):
        seen.append((connection.getpeername()[0], connection.recv(10)))

    port = tcp_server(answer)
    (found,) = tried(context, port)
    assert (found.metric, found.value) == ("barrier_crossed", 1)
    assert found.target == f"127.0.0.1:{port} from students"
    assert (found.details["name"], found.details["people"]) == ("Records", "student")
    for _ in range(200):
        if seen:
            break
        time.sleep(0.01)
    assert seen == [("127.0.0.2", b"")]


def test_a_service_that_answers_nobody_may_only_be_switched_off(context):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        (found,) = tried(context, closed.getsockname()[1])
    assert found.failure is Failure.INCONCLUSIVE
    assert found.details["reason"] == "refused; nothing that may reach it did either, so it may only be switched off"


def test_a_network_that_this_machine_is_not_in_is_its_own_trouble(context, tcp_server):
    away = Nominated(name="students", people=People.STUDENT, interface="nosuch0")
    (found,) = tried(context, tcp_server(lambda _connection: None), nominated=(away,))
    assert found.failure is Failure.LOCAL_RESOURCES


@pytest.mark.parametrize("address", ["192.0.2.1", "203.0.113.9"])
def test_an_address_outside_the_authorised_networks_is_refused_before_the_first_packet(context, address):
    with pytest.raises(Refused):
        tried(context, 443, address)


def test_its_targets_are_checked_before_the_survey_begins():
    barrier = Barrier(name="Records", address="10.20.5.10", port=443, networks=("students",))
    site = Site(name="S", students=1, staff=1, classrooms=1, nominated=(STUDENTS,), barriers=(barrier,))
    fitted = segmentation.fit(segmentation.Settings(), site)
    assert segmentation.INSTRUMENT.targets(fitted) == ("10.20.5.10",)
    assert segmentation.INSTRUMENT.hosts(fitted) == ()
