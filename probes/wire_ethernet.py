"""Ethernet frames: hardware addresses in words, and kernel filters; no socket here."""

from collections.abc import Sequence

Row = tuple[int, int, int, int]  # of a classic BPF program (linux/filter.h): code, jump true, jump false, operand
SHORTEST = 60  # bytes of a frame without its check sequence; shorter ones are padded to it
LOAD_WORD, LOAD_HALF, LOAD_BYTE, EQUAL, GIVE = 0x20, 0x28, 0x30, 0x15, 0x06
_KIND = 0xFFFFF000 + 4  # SKF_AD_OFF and SKF_AD_PKTTYPE: whom the kernel takes a frame to be for
_OTHER_HOST = 3  # PACKET_OTHERHOST of linux/if_packet.h


def for_us(rows: Sequence[Row]) -> list[Row]:
    """`rows` behind a test that drops frames that are not for this machine on this segment.

    On a trunk port those of other VLANs would look like ours: before a socket for one protocol sees a frame, the kernel takes
    the 802.1Q tag off and only marks it as somebody else's. A tag with number 0 is a priority and no VLAN, and stays.
    """
    return [(LOAD_WORD, 0, 0, _KIND), (EQUAL, 0, 1, _OTHER_HOST), (GIVE, 0, 0, 0), *rows]


def mac_text(mac: bytes) -> str:
    """Lower case with colons."""
    return mac.hex(":")


def mac_bytes(text: str) -> bytes:
    """The hardware address of one host. Raises ValueError for anything else, a group's and the empty one included."""
    mac = bytes.fromhex(text.replace(":", ""))
    if not is_hosts(mac):
        raise ValueError(f"{text!r} is not the hardware address of one host, such as 00:00:5e:00:53:01")
    return mac


def is_hosts(mac: bytes) -> bool:
    """Whether one host can have this hardware address: not a group's, and not empty."""
    return len(mac) == 6 and not mac[0] & 1 and any(mac)
