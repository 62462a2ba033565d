"""What has been heard of each device so far, packed small and bounded, whatever comes.

A school's network can have thousands of devices, and a broken one can send thousands of made-up ones. Each note is one
MessagePack string of about a hundred bytes, which is read again only when the device says something new.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

import msgspec

from netready.device import Sighting

MOST_DEVICES = 8192  # kept of each source, so that a flood of one leaves room for the others; twice a /20
MOST_BYTES = 8 << 20  # of all notes together
MOST_WORDS = 32  # service types or notices kept of one device
LISTS = {"mdns": "types", "ssdp": "kinds"}  # the fact that a source's words become


class Note(msgspec.Struct, array_like=True):
    """What one source has said of one device. `at` is when it first did, in seconds since 1970."""

    at: float
    name: str
    facts: dict[str, str]
    words: list[str]


class Notes:
    """All notes, by source and by the device's hardware address and IP address; either may be missing."""

    def __init__(self) -> None:
        self.left_out = 0
        """Words that were not kept for want of room: devices that were not noted, or new words of those that were."""
        self._kept: dict[str, dict[bytes, bytes]] = {}
        self._bytes = 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Note).decode

    def note(
        self,
        source: str,
        mac: bytes,
        address: bytes,
        at: float,
        *,
        name: str = "",
        facts: dict[str, str],
        words: Iterable[str] = (),
    ) -> None:
        """Add what was said. The last name and the last of each fact count; words come together."""
        key = bytes([len(mac)]) + mac + address
        kept = self._kept.setdefault(source, {})
        before = kept.get(key, b"")
        if not before and len(kept) >= MOST_DEVICES:
            self.left_out += 1
            return
        new = {fact: text for fact, text in facts.items() if text}
        if before:
            note = self._decode(before)
            note.name = name or note.name
            note.facts |= new
        else:
            note = Note(at=at, name=name, facts=new, words=[])
        for word in words:
            if word and word not in note.words:
                if len(note.words) < MOST_WORDS:
                    note.words.append(word)
                else:
                    self.left_out += 1
        after = self._encode(note)
        if self._bytes + len(after) - len(before) > MOST_BYTES:
            self.left_out += 1
            return
        self._bytes += len(after) - len(before)
        kept[key] = after

    def __len__(self) -> int:
        return sum(len(kept) for kept in self._kept.values())

    def sightings(self) -> Iterator[Sighting]:
        """One for each device and source, in the order they were first heard by each source."""
        for source, kept in self._kept.items():
            for key, packed in kept.items():
                note = self._decode(packed)
                mac, address = key[1 : 1 + key[0]], key[1 + key[0] :]
                facts = note.facts
                if note.words:
                    facts[LISTS[source]] = " ".join(note.words)
                yield Sighting(
                    source=source,
                    at=datetime.fromtimestamp(note.at, UTC),
                    mac=mac.hex(":") if mac else None,
                    address=str(ip_address(address)) if address else None,
                    name=note.name or None,
                    facts=facts,
                )
