import pytest

from netready.rate import duration, rate, size


@pytest.mark.parametrize(("text", "value"), [("300M", 3e8), ("1G", 1e9), ("512k", 512e3), ("1.5 Gbps", 1.5e9), ("42", 42.0)])
def test_rates(text, value):
    assert rate(text) == value


@pytest.mark.parametrize("text", ["", "fast", "-1M", "1X", "1e9", "10 MB/s", "nan"])
def test_what_is_not_a_rate_is_refused(text):
    with pytest.raises(ValueError, match="expected a rate such as 300M"):
        rate(text)


@pytest.mark.parametrize(("text", "value"), [("5G", 5_000_000_000), ("200MB", 200_000_000), ("1.5k", 1500), ("42", 42)])
def test_amounts_of_data(text, value):
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "-1G", "5 GiB", "5Gbit", "much", "1e9", "nan"])
def test_what_is_not_an_amount_is_refused(text):
    with pytest.raises(ValueError, match="expected an amount of data such as 500M"):
        size(text)


@pytest.mark.parametrize(("text", "value"), [("250ms", 0.25), ("90s", 90), ("15m", 900), ("6h", 21600), ("2d", 172800)])
def test_durations(text, value):
    assert duration(text) == value


@pytest.mark.parametrize("text", ["", "6", "h6", "-1s", "6 hours"])
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(ValueError, match="expected a duration"):
        duration(text)
