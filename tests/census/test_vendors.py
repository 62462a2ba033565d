import pytest

from census.vendors import is_local, vendor


@pytest.mark.parametrize(
    ("mac", "expected"), [("b8:27:eb:00:00:01", "Raspberry Pi Foundation"), ("00:1b:21:aa:bb:cc", "Intel Corporate")]
)
def test_the_maker_of_a_card_is_known(mac, expected):
    assert vendor(mac) == expected


def test_a_made_up_address_has_no_maker():
    assert is_local("02:1b:21:aa:bb:cc")
    assert vendor("02:1b:21:aa:bb:cc") is None


def test_blocks_that_the_registry_divides_name_no_maker():
    assert vendor("70:b3:d5:00:00:01") is None
