"""Everything a technician should look at after a survey, in one list."""

from collections.abc import Sequence
from datetime import date, tzinfo

import msgspec

from census.addresses import duplicates, proxies, rogue_dhcp
from census.coverage import CROWDED, busy_hour, crowded, without_coverage
from census.enrolment import not_enrolled, not_seen
from census.lifecycle import FIRST_MONTH, past_support
from census.merge import Census
from census.ports import Names, failing, half_duplex, loops, unmanaged
from census.power import headroom, short_of_power
from census.specification import Specification, below_specification
from census.told import canonical
from netready.device import Sighting
from netready.finding import Finding, Trouble
from netready.measurement import Measurement
from netready.room_plan import RoomPlan

# Worst first: what cuts people off, then what will, then what is merely untidy.
ORDER = (
    Trouble.LOOP,
    Trouble.ROGUE_DHCP,
    Trouble.DUPLICATE_ADDRESS,
    Trouble.PORT_ERRORS,
    Trouble.HALF_DUPLEX,
    Trouble.CROWDED_ACCESS_POINT,
    Trouble.POE_SHORT,
    Trouble.ROOM_WITHOUT_COVERAGE,
    Trouble.UNMANAGED_SWITCH,
    Trouble.PAST_SUPPORT,
    Trouble.BELOW_SPECIFICATION,
    Trouble.SEEN_NOT_ENROLLED,
    Trouble.ENROLLED_NOT_SEEN,
    Trouble.PROXY_ARP,
)


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What findings rest on.

    sightings      those that the census was counted from
    measurements   of this survey, and `before` those of the last one, for counters
    history        readings of access points' clients over the last weeks, for the busy hour
    dhcp_servers   addresses of the school's own DHCP servers
    specification  what student devices are held against; None: nothing
    first_month    of a school year
    """

    census: Census
    sightings: Sequence[Sighting]
    measurements: Sequence[Measurement] = ()
    before: Sequence[Measurement] = ()
    history: Sequence[Measurement] = ()
    plan: RoomPlan = RoomPlan()
    dhcp_servers: Sequence[str] = ()
    specification: Specification | None = None
    crowded: int = CROWDED
    first_month: int = FIRST_MONTH


def findings(basis: Basis, today: date, zone: tzinfo) -> tuple[Finding, ...]:
    """The findings, worst first; `today` is the site's date and `zone` its time zone."""
    census, names = basis.census, Names(basis.census)
    sightings = canonical(basis.sightings)
    found: list[Finding] = [
        *loops(census),
        *rogue_dhcp(census, sightings, basis.dhcp_servers),
        *duplicates(census, sightings),
        *failing(basis.measurements, basis.before, names),
        *half_duplex(basis.measurements, names),
        *crowded(census, busy_hour(basis.history, zone), basis.crowded),
        *short_of_power(headroom(basis.measurements, names)),
        *without_coverage(census, basis.plan),
        *unmanaged(census, names),
        *past_support(census.devices, today, basis.first_month),
        *(below_specification(census.devices, basis.specification) if basis.specification else ()),
        *not_enrolled(census),
        *not_seen(census, today),
        *proxies(census, sightings),
    ]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.trouble), one.where, one.says)))
