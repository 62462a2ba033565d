"""Names as DNS and mDNS write them: labels, compressed by pointers (RFC 1035, sections 3.1 and 4.1.4). Pure and bounded."""

from netready.failure import Failed, Failure

Name = tuple[bytes, ...]

LONGEST = 255  # octets, the root's length octet included (RFC 1035, section 2.3.4)


def read_name(packet: bytes, at: int) -> tuple[Name, int]:
    """The labels of the name at `at` and where it ends; Failed(malformed) for anything else than a name.

    Every pointer must point further back than the last, so that no chain of them can loop.
    """
    found: list[bytes] = []
    end, lowest, length = -1, at, 0
    while at < len(packet):
        size = packet[at]
        if size & 0xC0 == 0xC0:
            if at + 2 > len(packet):
                break
            target = (size & 0x3F) << 8 | packet[at + 1]
            end = at + 2 if end < 0 else end
            if target >= lowest:
                raise Failed(Failure.MALFORMED, "a compressed name points forward or at itself")
            at = lowest = target
            continue
        if size & 0xC0:
            raise Failed(Failure.MALFORMED, "a label of unknown type")
        length += size + 1
        if length > LONGEST:
            raise Failed(Failure.MALFORMED, "a name is too long")
        if at + 1 + size > len(packet):
            break
        if size == 0:
            return tuple(found), at + 1 if end < 0 else end
        found.append(packet[at + 1 : at + 1 + size])
        at += 1 + size
    raise Failed(Failure.MALFORMED, "a name runs past the end")
