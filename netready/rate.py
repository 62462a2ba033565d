"""Rates, amounts and durations as people write them: "300M", "1G", "512k"; "5G", "200MB"; "90s", "15m", "6h", "2d"."""

import re

_RATE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kMGT]?)(?:bit/s|bps|b/s|bit)?\s*$")
_RATE_SCALE = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kMGT]?)B?\s*$")
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*$")
_DURATION_SCALE = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def rate(text: str) -> float:
    """Bit/s from decimal notation ("300M" is 300,000,000 bit/s); ValueError says what was expected."""
    found = _RATE.match(text)
    if found is None:
        msg = f"expected a rate such as 300M or 1G (bit/s, decimal), got {text!r}"
        raise ValueError(msg)
    return float(found[1]) * _RATE_SCALE[found[2]]


def size(text: str) -> int:
    """Bytes from decimal notation ("5G" and "5GB" are 5,000,000,000 bytes); ValueError says what was expected."""
    found = _SIZE.match(text)
    if found is None:
        msg = f"expected an amount of data such as 500M or 5G (bytes, decimal), got {text!r}"
        raise ValueError(msg)
    return round(float(found[1]) * _RATE_SCALE[found[2]])


def duration(text: str) -> float:
    """Seconds from "250ms", "90s", "15m", "6h" or "2d"; ValueError says what was expected."""
    found = _DURATION.match(text)
    if found is None:
        msg = f"expected a duration such as 90s, 15m or 6h, got {text!r}"
        raise ValueError(msg)
    return float(found[1]) * _DURATION_SCALE[found[2]]
