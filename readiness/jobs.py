"""The jobs that tools do for competency-based education, taken together: as good as the endpoint that answers least."""

from collections.abc import Mapping, Sequence

import msgspec

from netready.site import Role
from readiness.evidence import Fact, Grade
from readiness.roadmap import EvidenceKind
from readiness.sample import grade
from readiness.wording import platform

# The roadmap's five jobs at Emerging, in its order: integrate data, assess, analyse, show work, manage learning.
FIVE = (Role.INTEGRATION, Role.ASSESSMENT, Role.ANALYTICS, Role.PORTFOLIO, Role.LMS)
SEVEN = (*FIVE, Role.SIS, Role.CONTENT)  # from Scaling on: manage student data, adapt content


def facts(pages: Sequence[Fact]) -> tuple[Fact, ...]:
    """One fact for the five jobs and one for all seven, from the facts of the endpoints."""
    success = {fact.role: fact for fact in pages if fact.role is not None and fact.metric == "platform_success"}
    return (_least("five_jobs_success", FIVE, success), _least("seven_jobs_success", SEVEN, success))


def _least(metric: str, roles: Sequence[Role], success: Mapping[Role, Fact]) -> Fact:
    """The lowest share, as sure as the job with the fewest days. Where one is not known it may be lower still."""
    shares = {role: fact.value for role in roles if (fact := success.get(role)) is not None and fact.value is not None}
    dark = [platform(role) for role in roles if role not in shares]
    if not shares:
        return Fact(kind=EvidenceKind.PROBED, metric=metric, value=None, note=f"nothing is known of {', '.join(dark)}")
    role = min(shares, key=lambda one: (shares[one], one))
    known = [success[one] for one in shares]
    days = min(fact.days for fact in known)
    note = f"the lowest is that of {platform(role)}" + (f"; nothing is known of {', '.join(dark)}" if dark else "")
    return msgspec.structs.replace(
        success[role],
        kind=EvidenceKind.PROBED,
        metric=metric,
        role=None,
        at_most=bool(dark) or any(fact.at_most for fact in known),
        days=days,
        grade=Grade.PROVISIONAL if dark else grade(days),
        note=note,
    )
