"""`netready waive`: accept a risk, on the record, until a date."""

from typing import TYPE_CHECKING

import click

from agent.cli import shared

if TYPE_CHECKING:
    from datetime import datetime

    from agent.waiving import Entry

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.argument("rule", required=False)
@click.option("--until", type=DAY, metavar="DATE", help="The last day on which it counts.")
@click.option("--owner", metavar="NAME", default="", help="Who answers for the risk.")
@click.option("--approver", metavar="NAME", default="", help="Who else agreed; the policy may want somebody.")
@click.option("--asked-by", metavar="NAME", default="", help="Who asked for it, where that is not the owner.")
@click.option("--reason", metavar="TEXT", default="", help="Why the risk is accepted.")
@click.option("--category", type=click.Choice(["waiver", "mitigated"]), default="waiver", show_default=True)
@click.option("--mitigation", metavar="TEXT", default="", help="What keeps the risk small meanwhile; only with mitigated.")
@click.option("--plan", metavar="TEXT", default="", help="What will be done so that no further renewal is needed.")
@click.option("--plan-on", type=DAY, metavar="DATE", help="The day by which the plan is carried out.")
@click.option("--list", "only_list", is_flag=True, help="Every waiver there is, and where it stands today.")
@shared
def waive(
    rule: str | None,
    until: "datetime | None",
    owner: str,
    approver: str,
    asked_by: str,
    reason: str,
    category: str,
    mitigation: str,
    plan: str,
    plan_on: "datetime | None",
    config: str | None,
    *,
    only_list: bool,
    as_json: bool,
) -> None:
    """Accept the risk of going without a soft rule of the gate, until a date.

    It begins today, is added to the record, and is shown with every decision. In the stages the rule still counts as not
    met. A newer waiver of a rule stands in the place of an older one, and ends it.
    """
    from agent import shelf, waiving
    from agent.clock import SystemClock
    from agent.session import begin, emit
    from netready.refusal import Unfit
    from readiness.waiver import Category, Waiver
    from store import open_store

    if only_list == (rule is not None):
        raise click.UsageError("name one rule of the gate, or ask for --list")
    session = begin(config)
    policy = shelf.policy(session.config, shelf.roadmap(session.config))
    now = SystemClock().now().astimezone(session.config.site.zone)
    path = session.config.path(session.config.store.path)
    if rule is None:
        with open_store(path) as store:
            found = waiving.entries(session.config, store, policy, now.date())
        if as_json:
            emit(found)
        else:
            click.echo("\n".join(_lines(each) for each in found) or "No risk was ever accepted.")
        return
    if until is None:
        raise Unfit("waive", "until", "expected the last day on which it counts, such as 2026-03-02")
    asked = Waiver(
        rule=rule,
        until=until.date(),
        owner=owner,
        reason=reason,
        on=now.date(),
        approver=approver,
        asked_by=asked_by,
        category=Category(category),
        mitigation=mitigation,
        plan=plan,
        plan_on=plan_on.date() if plan_on else None,
    )
    with open_store(path) as store:
        kept = waiving.keep(session.config, store, policy, asked, at=now)
    if as_json:
        emit(kept)
    else:
        agreed = f", {kept.approver} agreed" if kept.approver else ""
        click.echo(f"{kept.rule}: {kept.owner} accepts the risk until {kept.until}{agreed}")


def _lines(entry: "Entry") -> str:
    from netready.text import clean

    waiver = entry.waiver
    agreed = f", {waiver.approver} agreed" if waiver.approver else ""
    meanwhile = f"; meanwhile: {waiver.mitigation}" if waiver.mitigation else ""
    plan = f"; plan: {waiver.plan}, by {waiver.plan_on}" if waiver.plan else ""
    why = f" ({entry.why})" if entry.why else ""
    head = f"{entry.state.value:15} {clean(waiver.rule)}, {waiver.on} to {waiver.until}{why}"
    return f"{head}\n{'':16}{waiver.category.value} by {waiver.owner}{agreed}: {waiver.reason}{meanwhile}{plan}"
