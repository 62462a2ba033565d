"""Privacy: what points at a person leaves the survey under a pseudonym. Pure; the key is an argument.

A plain hash of a hardware address is no secret: the 16 million addresses of one maker are tried in seconds. A pseudonym is
therefore an HMAC under a key that only the site holds (RFC 2104), that changes every period, and that can be destroyed, after
which nobody can tell which device a pseudonym stood for. Infrastructure (switches, access points, printers ...) stays in clear:
somebody has to find it.
"""

import hmac
import re
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from ipaddress import ip_address

import msgspec

from netready.authority import Network
from netready.device import INFRASTRUCTURE, Device
from netready.finding import Finding

KEY_BYTES = 32
FEWEST_PEOPLE = 5  # in a room; where fewer sit, what is said of the room is said of a person (k-anonymity)
DIGITS = 16  # hex; 64 bits: among 100,000 devices two share a pseudonym with a chance of 3 in 10 billion
SHORTEST = 3  # characters of a name that is looked for in other texts; shorter ones are in every second word

_MAC = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}|[0-9a-f]{12})(?![0-9a-f])",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*)(?![\w:]|\.\d|/\d)", re.IGNORECASE
)


class Change(StrEnum):
    """How often the key changes. Within a period the same device has the same pseudonym; across two, nobody can tell."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Veil(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """What turns names into pseudonyms for one period, such as "2026-11"; `networks` are the site's own."""

    key: bytes
    period: str
    networks: tuple[Network, ...] = ()

    def __repr__(self) -> str:
        return f"Veil(period={self.period!r})"

    def pseudonym(self, what: str, text: str) -> str:
        """The pseudonym of a "mac", "address", "name" or "serial", such as "mac-1f00c2..."."""
        plain = re.sub(r"[^0-9a-f]", "", text.lower()) if what == "mac" else text.strip().lower()
        return f"{what}-{hmac.new(self.key, f'{what} {plain}'.encode(), 'sha256').hexdigest()[:DIGITS]}"


def period(change: Change, moment: datetime | date) -> str:
    """The label of the period that a local day is in: "2026-W47", "2026-11" or "2026"."""
    match change:
        case Change.WEEK:
            year, week, _ = moment.isocalendar()
            return f"{year}-W{week:02}"
        case Change.MONTH:
            return f"{moment:%Y-%m}"
        case Change.YEAR:
            return f"{moment:%Y}"


def is_clear(device: Device) -> bool:
    """Whether a device is kept in clear: infrastructure is nobody's own."""
    return device.kind in INFRASTRUCTURE


def veiled(
    devices: Iterable[Device], findings: Iterable[Finding], veil: Veil
) -> tuple[tuple[Device, ...], tuple[Finding, ...]]:
    """The same devices and findings, with everything that points at a device which may be a person's under pseudonyms.

    Also within sentences: a hardware address, an address of the site's networks or a device's name that stands in a reason is
    replaced there too. What is kept of such a device is its kind, maker, model, place and the sort of evidence.
    """
    found = tuple(devices)
    clear = _Words(veil, clear=[device for device in found if is_clear(device)])
    names = {name for device in found if not is_clear(device) for name in device.names}
    hidden = tuple(device if is_clear(device) else _veiled(device, clear) for device in found)
    keys = {device.key: other.key for device, other in zip(found, hidden, strict=True)}
    pattern = _names(names)
    told = tuple(
        msgspec.structs.replace(
            finding,
            where=clear.scrub(finding.where, pattern),
            says=clear.scrub(finding.says, pattern),
            known_by=tuple(clear.scrub(line, pattern) for line in finding.known_by),
            devices=tuple(keys.get(key) or clear.scrub(key, None) for key in finding.devices),
        )
        for finding in findings
    )
    return hidden, told


def scrubbed(text: str, devices: Iterable[Device], veil: Veil) -> str:
    """A sentence without hardware addresses, addresses and names of devices that may be a person's."""
    found = tuple(devices)
    words = _Words(veil, clear=[device for device in found if is_clear(device)])
    return words.scrub(text, _names({name for device in found if not is_clear(device) for name in device.names}))


def _veiled(device: Device, words: "_Words") -> Device:
    veil = words.veil
    pattern = _names(device.names)
    key = veil.pseudonym("mac", device.mac) if device.mac else veil.pseudonym("key", device.key)
    facts = {name: words.scrub(text, pattern) for name, text in device.facts.items()}
    for name in SECRET & facts.keys():
        facts[name] = veil.pseudonym(name, device.facts[name])
    return msgspec.structs.replace(
        device,
        key=key,
        mac=None,
        addresses=tuple(veil.pseudonym("address", address) for address in device.addresses),
        names=tuple(veil.pseudonym("name", name) for name in device.names),
        why=tuple(words.scrub(line, pattern) for line in device.why),
        merged=tuple(words.scrub(line, pattern) for line in device.merged),
        facts=facts,
    )


SECRET = frozenset({"serial", "client_id", "asset"})  # facts that name one device and no other


class _Words:
    """Finds what must not stand in a sentence."""

    def __init__(self, veil: Veil, *, clear: Iterable[Device]) -> None:
        self.veil = veil
        self._clear = {text.lower() for device in clear for text in (device.mac or "", device.key, *device.addresses)}
        for device in clear:
            self._clear.update(device.facts.get("macs", "").lower().split())
            self._clear.update(device.facts.get("addresses", "").lower().split())

    def scrub(self, text: str, names: re.Pattern[str] | None) -> str:
        if names is not None:
            text = names.sub(lambda found: self.veil.pseudonym("name", found[0]), text)
        text = _MAC.sub(self._mac, text)
        return _ADDRESS.sub(self._address, text)

    def _mac(self, found: re.Match[str]) -> str:
        plain = re.sub(r"[^0-9a-f]", "", found[0].lower())
        mac = ":".join(plain[index : index + 2] for index in range(0, 12, 2))
        return found[0] if mac in self._clear else self.veil.pseudonym("mac", mac)

    def _address(self, found: re.Match[str]) -> str:
        try:
            address = ip_address(found[0])
        except ValueError:
            return found[0]
        ours = address.is_link_local or any(address in network for network in self.veil.networks)
        return self.veil.pseudonym("address", str(address)) if ours and str(address) not in self._clear else found[0]


def _names(names: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the names, and of their first labels, as whole words."""
    forms = {form for name in names for form in (name, name.partition(".")[0]) if len(form) >= SHORTEST}
    if not forms:
        return None
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
