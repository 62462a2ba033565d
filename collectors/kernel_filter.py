"""The classic BPF program that has the kernel keep only what devices say of themselves; no socket here.

Without it every frame of a busy school would be copied to us. Written for linux/filter.h: an instruction is a code, how many
rows to skip when its test holds and when it does not, and an operand.
"""

from collections.abc import Iterable, Iterator, Sequence

from collectors.wire_frame import DHCP6_SERVER, DHCP_CLIENT, DHCP_SERVER, HEADER, ICMP6, MDNS, SSDP, UDP

LARGEST = 9216  # bytes kept of a frame, jumbo included
WHOLE_ARP = HEADER + 4 + 28  # the rest is padding, and ARP is most of what there is
MOST_INTERFACES = 64  # a jump of the program skips 255 rows at most
LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
LOAD_INDEX_OF_HEADER, LOAD_HALF_INDEXED = 0xB1, 0x48  # X = 4 * (byte & 15), which is the length of an IPv4 header; [X + k]
EQUAL, ABOVE, AT_LEAST, ANY_BIT, ALWAYS, GIVE = 0x15, 0x25, 0x35, 0x45, 0x05, 0x06
# What the kernel knows of a frame beside its bytes: whether it is our own, and the interface it came by.
KIND_OF_PACKET, INTERFACE, OWN = 0xFFFFF004, 0xFFFFF008, 4
TAGS, ARP, IPV4, IPV6, LLDP = (0x8100, 0x88A8), 0x0806, 0x0800, 0x86DD, 0x88CC
LONGEST_802_3 = 1500
CDP = (0xAAAA0300, 0x000C2000)  # LLC, SNAP with Cisco's OUI, CDP's number
PORTS = (MDNS, SSDP, DHCP_SERVER, DHCP_CLIENT)
PORTS6 = (MDNS, SSDP, DHCP6_SERVER)
FIRST_ND, LAST_ND = 133, 136

Instruction = tuple[int, int, int, int]
Line = tuple[int, str, str, int] | str  # with the names of the places to jump to; "" is the next row; a str names a place


def instructions(whole: Sequence[int] | None = None, links: Sequence[int] = ()) -> list[Instruction]:
    """Keep ARP, LLDP, CDP, neighbour discovery, and UDP to `PORTS`, with one 802.1Q tag in the frame or none.

    With `whole`, only from these interfaces (by index), and only what others sent; from those in `links` only LLDP and CDP,
    which say what the cable leads to. Outer tags that a network card took off are not seen here.
    """
    return _resolve([*_by_interface(whole, links), *_said("plain", 0), *_said("tagged", 4), *_ends()])


NOTHING: list[Instruction] = [(GIVE, 0, 0, 0)]


def _by_interface(whole: Sequence[int] | None, links: Sequence[int]) -> Iterator[Line]:
    if whole is not None:
        yield LOAD_WORD, "", "", KIND_OF_PACKET
        yield EQUAL, "drop", "", OWN
        yield LOAD_WORD, "", "", INTERFACE
        yield from ((EQUAL, "all", "", index) for index in whole[:MOST_INTERFACES])
        yield from ((EQUAL, "links", "", index) for index in links[:MOST_INTERFACES])
        yield ALWAYS, "drop", "", 0
        yield "links"
        yield LOAD_HALF, "", "", 12
        yield EQUAL, "keep", "", LLDP
        yield ALWAYS, "plain 802.3", "", 0
        yield "all"
    yield LOAD_HALF, "", "", 12
    yield from ((EQUAL, "tagged", "", tag) for tag in TAGS)


def _said(name: str, shift: int) -> Iterator[Line]:
    """Whether a frame without a tag, or with one, says anything of its sender; the EtherType may be loaded anew."""
    at = HEADER + shift
    yield name
    yield LOAD_HALF, "", "", at - 2
    yield EQUAL, "keep ARP", "", ARP
    yield EQUAL, "keep", "", LLDP
    yield EQUAL, f"{name} IPv4", "", IPV4
    yield EQUAL, f"{name} IPv6", "", IPV6
    yield f"{name} 802.3"
    yield ABOVE, "drop", "", LONGEST_802_3
    yield LOAD_WORD, "", "", at
    yield EQUAL, "", "drop", CDP[0]
    yield LOAD_WORD, "", "", at + 4
    yield EQUAL, "keep", "drop", CDP[1]
    yield f"{name} IPv4"
    yield LOAD_BYTE, "", "", at + 9
    yield EQUAL, "", "drop", UDP
    yield LOAD_HALF, "", "", at + 6
    yield ANY_BIT, "drop", "", 0x3FFF  # a fragment
    yield LOAD_INDEX_OF_HEADER, "", "", at
    yield LOAD_HALF_INDEXED, "", "", at + 2
    yield from _one_of(PORTS)
    yield f"{name} IPv6"
    yield LOAD_BYTE, "", "", at + 6
    yield EQUAL, f"{name} ND", "", ICMP6
    yield EQUAL, "", "drop", UDP
    yield LOAD_HALF, "", "", at + 42
    yield from _one_of(PORTS6)
    yield f"{name} ND"
    yield LOAD_BYTE, "", "", at + 40
    yield AT_LEAST, "", "drop", FIRST_ND
    yield ABOVE, "drop", "keep", LAST_ND


def _one_of(ports: Iterable[int]) -> Iterator[Line]:
    yield from ((EQUAL, "keep", "", port) for port in ports)
    yield ALWAYS, "drop", "", 0


def _ends() -> Iterator[Line]:
    yield "drop"
    yield GIVE, "", "", 0
    yield "keep"
    yield GIVE, "", "", LARGEST
    yield "keep ARP"
    yield GIVE, "", "", WHOLE_ARP


def _resolve(lines: Iterable[Line]) -> list[Instruction]:
    """Names of places turned into numbers of rows to skip."""
    rows: list[tuple[int, str, str, int]] = []
    places: dict[str, int] = {}
    for line in lines:
        if isinstance(line, str):
            places[line] = len(rows)
        else:
            rows.append(line)

    def skip(place: str, number: int) -> int:
        return places[place] - number - 1 if place else 0

    return [
        (code, 0, 0, skip(yes, number)) if code == ALWAYS else (code, skip(yes, number), skip(no, number), operand)
        for number, (code, yes, no, operand) in enumerate(rows)
    ]
