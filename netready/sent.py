"""What an instrument sent on the network, for the ledger that every survey keeps."""

import msgspec


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """Frames that one instrument sent by one protocol, and their bytes on the wire without preamble and check sum.

    protocol   "arp", "icmp", "icmpv6", "snmp", "mdns", "dns", "http" ...
    estimated  the bytes are reckoned from datagrams, because the kernel added the headers
    """

    protocol: str
    frames: int
    bytes: int
    estimated: bool = False
