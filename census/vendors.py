"""Who made a network card, from an offline table. A hint about the card, never proof of what the device is."""

import asyncio
import functools

LOCAL = 0x02  # of the first octet: administered locally, so made up by the device and known to no registry (IEEE 802-2014, 8.4)
REGISTRY = "IEEE Registration Authority"  # holds blocks that it divides among small makers; says nothing of the maker


def is_local(mac: str) -> bool:
    """Whether `mac` is locally administered, as the changing addresses of phones and laptops are."""
    return bool(int(mac[:2], 16) & LOCAL)


@functools.lru_cache(maxsize=4096)
def vendor(mac: str) -> str | None:
    """The organisation that the first three octets are registered to; None for local addresses and unknown ones.

    `mac` is lower case with colons.
    """
    if is_local(mac):
        return None
    import aiooui  # noqa: PLC0415 - the table is mapped into memory only when somebody asks

    if not aiooui.is_loaded():
        asyncio.run(aiooui.async_load())
    found = aiooui.get_vendor(mac)
    return None if found == REGISTRY else found
