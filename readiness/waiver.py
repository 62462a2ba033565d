"""The waiver: who accepts which risk until when, who agreed, and what keeps that from counting. Data, strictly read."""

import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from netready.refusal import Unfit, decode, item, near, quoted
from netready.text import clean
from readiness.policy import Level, Policy, Rule
from readiness.wording import plural

Text = Annotated[str, Meta(min_length=1)]
_NAME, _SENTENCE = 120, 500  # characters


class Category(StrEnum):
    """What is done about the risk: it is borne as it is, or something else keeps it small."""

    WAIVER = "waiver"
    MITIGATED = "mitigated"


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody accepted a risk, by name, until a date.

    on, until   the first and the last day on which it counts
    owner       who answers for the risk
    approver    somebody else who agreed; asked_by is who asked for it, where that is not the owner
    mitigation  what keeps the risk small meanwhile; only and always with the category "mitigated"
    plan        what will be done so that no further renewal is needed; plan_on is the day by which
    """

    rule: Text
    until: date
    owner: Text
    reason: Text
    on: date
    approver: str = ""
    asked_by: str = ""
    category: Category = Category.WAIVER
    mitigation: str = ""
    plan: str = ""
    plan_on: date | None = None


def cleaned(waiver: Waiver) -> Waiver:
    """The waiver with its texts made safe to store and to print."""
    return msgspec.structs.replace(
        waiver,
        owner=clean(waiver.owner, limit=_NAME),
        approver=clean(waiver.approver, limit=_NAME),
        asked_by=clean(waiver.asked_by, limit=_NAME),
        reason=clean(waiver.reason, limit=_SENTENCE),
        mitigation=clean(waiver.mitigation, limit=_SENTENCE),
        plan=clean(waiver.plan, limit=_SENTENCE),
    )


def standing(waivers: Iterable[Waiver], today: date) -> dict[str, Waiver]:
    """For each rule the newest waiver, where it runs on `today`; of two that begin on one day the shorter is the newer.

    An older one does not stand again when the newer is over: whoever shortens a waiver means that it ends then.
    """
    begun = [one for one in waivers if one.on <= today]
    begun.sort(key=lambda one: (one.on, -one.until.toordinal(), msgspec.json.encode(one)))
    newest = {one.rule: one for one in begun}
    return {rule: one for rule, one in newest.items() if today <= one.until}


def objection(waiver: Waiver, policy: Policy, others: Iterable[Waiver]) -> tuple[str, str] | None:
    """The field that keeps a waiver from counting under `policy`, and what was expected there; None when it counts.

    others   all waivers there are, this one or not: those of the same rule that began on an earlier day make it a renewal
    """
    rule = next((rule for wave in policy.waves for rule in wave.rules if rule.id == waiver.rule), None)
    return _rule(waiver, rule, policy) or _dates(waiver, policy) or _people(waiver, policy) or _words(waiver, policy, others)


def _rule(waiver: Waiver, rule: Rule | None, policy: Policy) -> tuple[str, str] | None:
    if rule is None:
        hint = near(waiver.rule, (one.id for wave in policy.waves for one in wave.rules if one.may_be_waived))
        return "rule", f"{quoted(waiver.rule)} is not a rule of {policy.id} {policy.version}" + (f"; {hint}" if hint else "")
    if rule.level is not Level.SOFT:
        return "rule", f"expected a soft rule; {waiver.rule} is {rule.level} and cannot be waived"
    if not rule.waivable:
        return "rule", f"expected a rule that may be waived; {policy.id} says {waiver.rule} may not"
    return None


def _dates(waiver: Waiver, policy: Policy) -> tuple[str, str] | None:
    if waiver.until <= waiver.on:
        return "until", f"expected a date later than {waiver.on}, on which it begins; got {waiver.until}"
    if (waiver.until - waiver.on).days > policy.longest_waiver_days:
        latest = waiver.on + timedelta(days=policy.longest_waiver_days)
        allowed = plural(policy.longest_waiver_days, "day")
        return "until", f"expected {latest} or earlier, because {policy.id} allows {allowed}; got {waiver.until}"
    return None


def _people(waiver: Waiver, policy: Policy) -> tuple[str, str] | None:
    if not waiver.owner:
        return "owner", "expected the name of somebody who answers for the risk"
    if not waiver.reason:
        return "reason", "expected why the risk is accepted"
    longest = policy.approver_after_days
    if not waiver.approver and longest is not None and (waiver.until - waiver.on).days > longest:
        when = f"a waiver of more than {plural(longest, 'day')}" if longest else "every waiver"
        return "approver", f"expected the name of a second person, whom {policy.id} wants for {when}"
    if waiver.approver and _person(waiver.approver) == _person(waiver.owner):
        return "approver", f"expected somebody else than the owner, {waiver.owner}"
    if waiver.approver and _person(waiver.approver) == _person(waiver.asked_by):
        return "approver", f"expected somebody else than who asked, {waiver.asked_by}"
    return None


def _person(name: str) -> str:
    """A name as it is compared: "B. Board" and "b board" are one person."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def _words(waiver: Waiver, policy: Policy, others: Iterable[Waiver]) -> tuple[str, str] | None:
    if waiver.category is Category.MITIGATED and not waiver.mitigation:
        return "mitigation", "expected what keeps the risk small meanwhile, because the category is mitigated"
    if waiver.category is not Category.MITIGATED and waiver.mitigation:
        return "category", f"expected {Category.MITIGATED}, because a mitigation is given"
    if waiver.plan and waiver.plan_on is None:
        return "plan_on", "expected the date by which the plan is carried out"
    if waiver.plan_on is not None and not waiver.plan:
        return "plan", "expected what will be done by the plan's date"
    if waiver.plan_on is not None and waiver.plan_on <= waiver.on:
        return "plan_on", f"expected a date later than {waiver.on}, on which the waiver begins; got {waiver.plan_on}"
    before = len({one.on for one in others if one.rule == waiver.rule and one.on < waiver.on})
    if before > policy.silent_renewals and not waiver.plan:
        silent = plural(policy.silent_renewals, "renewal")
        return "plan", f"expected a plan and its date: this is renewal {before} of {waiver.rule}, and {silent} may do without"
    return None


class _Waivers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    waivers: tuple[Waiver, ...] = ()


def parse_waivers(data: bytes, name: str, policy: Policy) -> tuple[Waiver, ...]:
    """The `[[waivers]]` of a file, in its order; raises Unfit.

    A rule may be waived again once the older waiver has run out; two that run at the same time are refused.
    """
    waivers = tuple(cleaned(one) for one in decode(data, name, _Waivers).waivers)
    for index, waiver in enumerate(waivers):
        path = item("waivers", index, waiver.rule)
        if found := objection(waiver, policy, waivers):
            field, expected = found
            raise Unfit(name, f"{path}.{field}", expected)
        for other, earlier in enumerate(waivers[:index]):
            if earlier.rule == waiver.rule and earlier.on <= waiver.until and waiver.on <= earlier.until:
                raise Unfit(name, path, f"expected one waiver of a rule at a time; waivers[{other}] runs at the same time")
    return waivers
