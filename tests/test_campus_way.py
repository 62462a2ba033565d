"""The inventory in the virtual campus: three VLANs, two switches, one seat; everybody once, and at the right port."""

import json
from itertools import product

import pytest

from lab import CAMPUS, open_lab
from lab.audit import examine
from lab.comparison import compare
from lab.population import LEAVERS, NEWCOMERS
from netready.device import INFRASTRUCTURE
from netready.finding import Trouble

pytestmark = [pytest.mark.namespaces, pytest.mark.slow]

QUICK = 'skip = ["netready", "latency", "dns_lookup", "http_fetch", "path"]'


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """Two audits, before and after three hosts came and two went; what the commands said; and the lab's truth of each."""
    folder = tmp_path_factory.mktemp("campus")
    with open_lab(CAMPUS) as lab:
        first = examine(lab, folder, capture_output=True)
        before = lab.truth
        config = folder / "netready.toml"
        config.write_text(f"{config.read_text()}\n[survey]\n{QUICK}\n")
        lab.add(*NEWCOMERS)
        lab.remove(*LEAVERS)

        def netready(*args):
            argv = ["python", "-m", "agent", "--config", str(config), *args]
            return lab.run("agent", argv, capture_output=True, text=True, timeout=120)

        again = netready("audit", "--out", str(folder), "--json")
        assert again.returncode == 0, again.stderr
        said = {
            "diff": netready("inventory", "diff"),
            "page": netready("inventory", "list", "--out", str(folder / "devices.html")),
            "list": netready("inventory", "list", "--json"),
            "half-duplex": netready("inventory", "list", "--problem", "half-duplex"),
            "exam": netready("audit", "--exam", "--out", str(folder), "--json"),
        }
        for name, done in said.items():
            assert done.returncode == 0, (name, done.stderr)
        yield folder, first, before, said


def test_every_host_is_found_from_one_seat_once_and_in_its_place(visits):
    _, first, before, _ = visits
    checks = compare(before, first.report, first.devices)
    inventory = [check for check in checks if "throughput" not in check.what and "Mbps" not in check.what]
    assert len(inventory) == 5
    assert [check for check in inventory if not check.right] == []


def test_three_came_and_two_went_in_plain_words(visits):
    lines = visits[3]["diff"].stdout.splitlines()
    assert (len(NEWCOMERS), len(LEAVERS)) == (3, 2)
    assert "One new printer: printer-103 (room 103)." in lines
    # Of clients the number is told and not the name; whose the new Chromebook is, no list says yet.
    assert "One computer, one staff device were not seen in the earlier survey." in lines
    assert "One staff device, one student device were seen then and not now." in lines


def test_what_is_wrong_on_the_campus_is_found(visits):
    listed = json.loads(visits[3]["list"].stdout)
    troubles = {finding["trouble"] for finding in listed["findings"]}
    assert {
        Trouble.HALF_DUPLEX,
        Trouble.UNMANAGED_SWITCH,
        Trouble.ROGUE_DHCP,
        Trouble.POE_SHORT,
        Trouble.ENROLLED_NOT_SEEN,
        Trouble.PAST_SUPPORT,
    } <= troubles
    # Errors that do not grow any more are no news to the second survey.
    earlier = {finding["trouble"] for finding in visits[1].report["survey"]["findings"]}
    assert earlier - troubles == {Trouble.PORT_ERRORS}
    assert "port 5 is half duplex" in " ".join(visits[3]["half-duplex"].stdout.split())
    assert listed["unseen"]
    answers = {each["question"]: each["answer"] for each in listed["answers"]}
    assert "on 6 access points" in answers["Clients of access points"]


def test_the_page_lists_every_device(visits):
    folder, _, _, said = visits
    page = (folder / "devices.html").read_text()
    devices = json.loads(said["list"].stdout)["devices"]
    assert page.count('class="device ') == len(devices) > 70


def test_the_store_holds_no_client_that_a_dictionary_over_the_makers_prefixes_turns_back(visits):
    folder, _, before, _ = visits
    dump = b"".join(path.read_bytes() for path in folder.glob("netready.sqlite*")).lower()
    clients = [host for host in before.hosts if host.kind not in {kind.value for kind in INFRASTRUCTURE}]
    assert len(clients) > 50
    told = {device["key"] for device in json.loads(visits[3]["list"].stdout)["devices"]}
    assert any(key.startswith("mac-") for key in told)
    for host in clients:
        plain = host.mac.replace(":", "")
        for form in (host.mac, plain, host.mac.replace(":", "-"), f"{plain[:4]}.{plain[4:8]}.{plain[8:]}"):
            assert form.encode() not in dump, host.name
        for address in (host.address, *host.others):
            assert f'"{address}"'.encode() not in dump, (host.name, address)
        assert f'"{host.name}"'.encode() not in dump, host.name
    # The prefixes are known and the rest of a card is three octets: whoever has the dump but not the key tries them all.
    import hashlib
    import hmac

    prefixes = {host.mac[:8] for host in clients}
    for prefix, last in product(sorted(prefixes), range(256)):
        for middle in ("10:00", "20:00", "30:00"):
            mac = f"{prefix}:{middle}:{last:02x}"
            plain = mac.replace(":", "")
            guesses = [
                hashlib.sha256(mac.encode()).hexdigest()[:16],
                hashlib.sha256(plain.encode()).hexdigest()[:16],
                hmac.new(b"", f"mac {plain}".encode(), "sha256").hexdigest()[:16],
            ]
            assert not {f"mac-{guess}" for guess in guesses} & told


def test_in_exam_mode_nothing_is_sent(visits):
    report = json.loads(visits[3]["exam"].stdout)
    runs = report["survey"]["runs"]
    assert all(run["skipped"] or not run["sent"] for run in runs)
    ran = {run["instrument"] for run in runs if not run["skipped"]}
    assert "listen" in ran
    assert ran <= {"listen", "host", "capture"}
