"""What a cell says: hardware addresses, sizes, days, and whether it names somebody. What cannot be read is not guessed."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache

import msgspec

from netready.text import LIMIT, clean

# What stands in a cell of which nothing is known.
_BLANK = frozenset(
    {"", "-", "--", "n/a", "na", "none", "null", "unknown", "not available", "not specified", "undefined", "(null)"}
)
_KEPT_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)  # how spreadsheets are told not to take a number for one
_MADE_A_NUMBER = re.compile(r"\d(?:[.,]\d+)?E\+\d{1,3}")  # what they make of it when they are not told
_TAG = re.compile(r"<[^<>]{0,2000}>")

_MAC = re.compile(
    r"(?<![0-9a-z:.-])(?:[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}|[0-9a-f]{12})(?![0-9a-z]|[:.-][0-9a-f])",
    re.IGNORECASE,
)
_NO_CARD = frozenset({"00:00:00:00:00:00", "02:00:00:00:00:00"})  # the second is what Android tells instead of its own

_REMEMBERED = 4_096  # days and sizes: a column has few different ones

_MAIL = re.compile(r"[^\s@]@[^\s@]")
_TELEPHONE = re.compile(r"\+\d(?:[\s().-]?\d){7,}|(?<!\w)\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?!\w)")
# With their capitals: "Ms Hopper" is somebody, "MS lab" is a middle school's.
_TITLE = re.compile(r"\b(?:[Mm]rs?|Ms|Miss|Mx|Herr|Frau|Mme|Mlle|Monsieur|Madame|Señora?|(?:Sra?|Dr)(?=\.))\b\.?\s+[^\W\d]")
_GADGET = r"(?:ipad|iphone|ipod|mac|imac|macbook|laptop|notebook|chromebook|computer|pc|phone|tablet|surface|galaxy|pixel)"
# How telephones and computers name themselves after their owners: "Ada's iPad", "iPad de Ada", "iPad von Ada".
_OWNED = re.compile(
    rf"\w['\u2019\u00b4`]s?\s.*\b{_GADGET}s?\b|^{_GADGET}\b[\w ]* (?:de|di|von|van|af|av)\s[^\d]+$", re.IGNORECASE
)

_BYTES = frozenset({"b", "byte", "bytes", "octets"})
_UNIT = re.compile(r"([kmgt])(i?)[bo]?")
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-z]*)", re.IGNORECASE)
_INCHES = re.compile(r'(\d{1,2}(?:[.,]\d{1,2})?)\s*(?:"|in|inch|inches|″|zoll|pouces)?', re.IGNORECASE)

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_EPOCH = re.compile(r"\d{10}|\d{13}")
_NUMBERS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,?[ T]+(.+))?")
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})(?:,?[ T]+(.+))?")
_YEAR_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_NAMED = re.compile(
    r"(?:(\d{1,2})\.? )?([a-z]{3})[a-z]*\.?,? (?:(\d{1,2})(?:st|nd|rd|th)?,? )?(\d{4})(?:,? (?:at )?(.+))?", re.IGNORECASE
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap]\.?m\.?)?(?:\s*(?:utc|gmt|z))?", re.IGNORECASE)


class When(msgspec.Struct, frozen=True, kw_only=True):
    """A moment as it stands in a cell. Where day and month could be either, both readings are given; else one is None."""

    day_first: datetime | None
    month_first: datetime | None

    @property
    def settled(self) -> datetime | None:
        """The moment, when there is only one way to read it."""
        if self.day_first is None or self.month_first is None or self.day_first == self.month_first:
            return self.day_first or self.month_first
        return None


def bare(text: str) -> str:
    """A cell's text without the wrapping that keeps a spreadsheet from changing it; "" when it says that nothing is known."""
    text = text.strip()
    if found := _KEPT_AS_TEXT.fullmatch(text):
        text = found[1].strip()
    return "" if text.lower() in _BLANK else text


def words(text: str) -> str:
    """A cell's text made safe to keep (see `netready.text`); "" when it says that nothing is known."""
    text = bare(text)
    # Nearly every cell is of this kind, and `clean` would give it back as it is: printable ASCII with single spaces.
    if len(text) <= LIMIT and text.isascii() and text.isprintable() and "  " not in text:
        return text
    return clean(text)


def untagged(text: str) -> str:
    """A cell without the markup that some lists are exported with."""
    return _TAG.sub(" ", text) if "<" in text else text


def has_mail(text: str) -> bool:
    """Whether an e-mail address stands in a text."""
    return _MAIL.search(text) is not None


def names_somebody(text: str) -> bool:
    """Whether a person or a way to reach one stands in a text: an e-mail address, a telephone number, a title with a name."""
    return has_mail(text) or _TELEPHONE.search(text) is not None or _TITLE.search(text) is not None


def names_owner(text: str) -> bool:
    """Whether a device's name is also its owner's: "Ada's iPad", "iPad de Ada", or one of the forms of `names_somebody`.

    A device that is called like a person and nothing else cannot be told from one that is called like a planet.
    """
    return _OWNED.search(text) is not None or names_somebody(text)


def was_made_a_number(text: str) -> bool:
    """Whether a spreadsheet turned a serial number or an address into a number such as 3.43E+11, so that it is lost."""
    return any(_MADE_A_NUMBER.fullmatch(line.strip()) for line in text.split("\n"))


def macs(text: str) -> tuple[str, ...]:
    """The hardware addresses in a cell, lower case with colons, in the order they stand; without those of no single card."""
    found = dict.fromkeys(_colons(each) for each in _MAC.findall(text))
    return tuple(mac for mac in found if mac not in _NO_CARD and not int(mac[:2], 16) & 1)


def has_mac(text: str) -> bool:
    """Whether a cell holds anything that has a hardware address's form, were it all zeros."""
    return _MAC.search(text) is not None


def _colons(text: str) -> str:
    plain = re.sub(r"[:.-]", "", text.lower())
    return ":".join(plain[index : index + 2] for index in range(0, 12, 2))


def size(text: str, guess: Callable[[float], float] | None = None, *, thousand: int = 1000) -> int | None:
    """Bytes, of "16 GB", "8192 Mio" or a bare number; `guess` gives the bytes of one unit of a bare number, else it is bytes.

    thousand   bytes of a kB: 1000 as discs are sold, 1024 as memory is (JEDEC 100B.01); a KiB is 1024 of both (IEC 80000-13)
    """
    return _size(text, guess, thousand) if 0 < len(text) <= LIMIT else None


@lru_cache(_REMEMBERED)
def _size(text: str, guess: Callable[[float], float] | None, thousand: int) -> int | None:
    found = _SIZE.fullmatch(bare(text))
    if found is None:
        return None
    number = float(found[1].replace(",", "."))
    unit = found[2].lower()
    if unit and unit not in _BYTES:
        told = _UNIT.fullmatch(unit)
        if told is None:
            return None
        number *= (1024 if told[2] else thousand) ** ("kmgt".index(told[1]) + 1)
    elif not unit and guess is not None:
        number *= guess(number)
    return round(number) if 0 < number < 2**60 else None


def memory(number: float) -> float:
    """Bytes of a unit of memory that a list does not name: below 512 it counts in GiB, below 100 million in MiB, else in bytes.

    No machine in a school has half a TiB of memory, and none has less than 100 MB.
    """
    return 2.0**30 if number < 512 else 2.0**20 if number < 1e8 else 1.0


def storage(number: float) -> float:
    """Bytes of a unit of storage that a list does not name: below 4,096 it counts in GB, below 1e9 in MB, else in bytes.

    No machine in a school has more than 4 TB, and none has less than 4 GB.
    """
    return 1e9 if number < 4_096 else 1e6 if number < 1e9 else 1.0


def mebibytes(_number: float) -> float:
    """Bytes of a unit in a list that counts in MiB, whatever it calls them."""
    return float(1 << 20)


def megabytes(_number: float) -> float:
    """Bytes of a unit in a list that counts in MB."""
    return 1e6


def inches(text: str) -> str | None:
    """A screen's diagonal in inches, as a decimal; None when the cell says something else."""
    found = _INCHES.fullmatch(bare(text))
    number = float(found[1].replace(",", ".")) if found else 0.0
    return f"{number:g}" if 3 <= number <= 99 else None


def when(text: str, zone: tzinfo) -> When | None:
    """The moment in a cell; None when it holds none. What names no zone is in `zone`; what names no hour is at midnight there.

    ISO 8601, seconds or milliseconds since 1970, numbers in either order, English names of months, and a month alone, which is
    its first day.
    """
    return _when(text, zone) if 0 < len(text) <= LIMIT else None


@lru_cache(_REMEMBERED)
def _when(text: str, zone: tzinfo) -> When | None:
    try:
        return _read(" ".join(bare(text).split()), zone)
    except (ValueError, OverflowError, OSError):
        return None


def _read(text: str, zone: tzinfo) -> When | None:
    if _EPOCH.fullmatch(text):
        seconds = int(text) / (1000 if len(text) == 13 else 1)
        return _one(datetime.fromtimestamp(seconds, UTC))
    if found := _NUMBERS.fullmatch(text):
        first, dash, second, year, clock = found.groups()
        at = _clock(clock)
        # With full stops the day stands first: nobody writes months so.
        day_first = _moment(int(year), int(second), int(first), at, zone)
        month_first = None if dash == "." else _moment(int(year), int(first), int(second), at, zone)
        return When(day_first=day_first, month_first=month_first) if day_first or month_first else None
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day, clock = found.groups()
        return _one(_moment(int(year), int(month), int(day), _clock(clock), zone))
    if found := _YEAR_MONTH.fullmatch(text):
        return _one(_moment(int(found[1]), int(found[2]), 1, time(), zone))
    if (found := _NAMED.fullmatch(text)) and found[2].lower() in _MONTHS:
        before, month, after, year, clock = found.groups()
        return _one(_moment(int(year), _MONTHS[month.lower()], int(before or after or 1), _clock(clock), zone))
    moment = datetime.fromisoformat(text)
    return _one(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _one(moment: datetime | None) -> When | None:
    return None if moment is None else When(day_first=moment, month_first=moment)


def _clock(text: str | None) -> time:
    if not text:
        return time()
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hour, half = int(found[1]), (found[4] or "")[:1].lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, int(found[2]), int(found[3] or 0))


def _moment(year: int, month: int, day: int, at: time, zone: tzinfo) -> datetime | None:
    try:
        return datetime.combine(date(year, month, day), at, zone)
    except ValueError:
        return None
