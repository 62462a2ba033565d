"""The page for those who wire a deployment pipeline to the gate: what it answers, what to do then, and the policy it asks."""

from agent import shelf
from readiness.decision import Acceptance, Answer, Decision, RuleVerdict, exit_status
from readiness.decision_schema import schema
from readiness.gate import LONGEST, PROVISIONAL, Level, Policy, Rule

DO = {
    Answer.GO: "Begin the wave. Every demand is met and nothing is provisional.",
    Answer.GO_WITH_CONDITIONS: "Begin the wave, and show `conditions` to whoever is responsible: advice that is not met, a "
    "risk that somebody accepted until a date, evidence of too few school days, or, for a wave over many schools, that this is "
    "the answer for one of them.",
    Answer.NO_GO: "Do not begin. `rules` says which demand is not met, and what to do next.",
    Answer.INDETERMINATE: "Do not begin. `missing` says what evidence to get; then ask again.",
}

SCRIPT = """\
#!/bin/sh
# Opens a wave only on an answer that opens it. Whatever else happens, it stays shut.
set -u
wave=${1:?usage: open-wave WAVE COMMAND...}
shift
decision=$(mktemp) || exit 2
trap 'rm -f "$decision"' EXIT

netready gate --wave "$wave" --json > "$decision"
status=$?
case $status in
    0) NETREADY_DECISION=$decision "$@"; status=$? ;;
    1) echo "shut: a demand of $wave is not met" >&2 ;;
    3) echo "shut: nobody can say yet for $wave" >&2 ;;
    *) echo "shut: netready made no decision (exit status $status)" >&2 ;;
esac
exit $status
"""


def page(note: str) -> str:
    """The page, from the program's own tables."""
    policy = shelf.policy(None, shelf.roadmap())
    return "\n".join([*_answers(note), *_document(), *_expiry(), *_waivers(policy), *_replay(), *_policy(policy)])


def _answers(note: str) -> list[str]:
    rows = [f"| `{answer}` | {exit_status(answer)} | {DO[answer]} |" for answer in Answer]
    return [
        "# The gate, for a deployment pipeline\n",
        note,
        (
            "`netready gate --wave NAME --json` prints one decision and ends with an exit status. Nothing is measured: it judges "
            "what the store of this school holds at this moment, keeps the decision on record, and prints it.\n"
        ),
        "| answer | exit status | what to do |\n| --- | --- | --- |",
        *rows,
        "| none | 2 | The command or a file it reads is wrong; standard error says what, in one sentence. Do not begin. |",
        "| none | any other | netready did not run, or not to its end. Do not begin. |\n",
        (
            "**Fail closed.** Only exit status 0 opens a wave. A missing file, a missing program, a full disk, an answer that does "
            "not fit the schema or a decision that has expired are all a no. What is not known never opens a wave: an unknown "
            "demand is never met, and no waiver changes that.\n"
        ),
        "A script that does so, and that the tests of netready run:\n",
        f"```sh\n{SCRIPT}```\n",
        (
            "Call it as `./open-wave pilot-room ./enable-platform --room 12`. The command finds the decision in the file that "
            "`NETREADY_DECISION` names, while it runs.\n"
        ),
    ]


def _document() -> list[str]:
    return [
        "## The document\n",
        (
            "[decision.schema.json](decision.schema.json) is its JSON Schema (2020-12); `netready gate --schema` prints the one "
            "of the program that is installed. Version 1 is stable: fields may be added, so allow for ones you do not know; none "
            "goes, and none changes its meaning, without another `version`.\n"
        ),
        _text(Decision),
        *_fields("Decision"),
        "### rules\n",
        _text(RuleVerdict),
        *_fields("RuleVerdict"),
        "### waivers\n",
        _text(Acceptance),
        *_fields("Acceptance"),
        *_fields("Waiver"),
    ]


def _text(shape: type) -> str:
    head, _, rest = (shape.__doc__ or "").partition("\n\n")
    lines = "\n".join(line.strip() for line in rest.rstrip().splitlines())
    return f"{head}\n\n```text\n{lines}\n```\n" if lines else f"{head}\n"


def _fields(name: str) -> list[str]:
    shapes = schema()["$defs"]
    rows = [f"| `{field}` | {_words(kind, shapes)} |" for field, kind in shapes[name]["properties"].items()]
    return [f"| field of {name} | what it is |\n| --- | --- |", *rows, ""]


def _words(kind: dict, shapes: dict) -> str:
    if "anyOf" in kind:
        return " or ".join(_words(each, shapes) for each in kind["anyOf"])
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        choice = shapes[name].get("enum")
        return "one of " + ", ".join(f"`{each}`" for each in sorted(choice)) if choice else name
    if "enum" in kind:
        choice = [f"`{each}`" for each in kind["enum"]]
        return f"one of {', '.join(choice)}" if len(choice) > 1 else f"always {choice[0]}"
    if kind.get("type") == "array":
        return f"list of {_words(kind['items'], shapes)}"
    if kind.get("type") == "object":
        return "names and texts"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "nothing"}
    return {"date-time": "date and time", "date": "date"}.get(kind.get("format", ""), words.get(kind.get("type", ""), "text"))


def _expiry() -> list[str]:
    return [
        "## A decision expires\n",
        (
            f"It lasts as long as what it rests on: until the first reading, attestation or waiver behind it is no longer good, and "
            f"{LONGEST.days} days at most; {PROVISIONAL.days} days when something is provisional or cannot be said. `valid_until` "
            "is the last day, in the school's own time zone.\n"
        ),
        (
            "**An expired decision stops new waves only.** It never switches off a class that is already live: `expired_stops` is "
            "always `new-waves-only`, and `when_expired` says so in a sentence. Whoever keeps decisions to use them later compares "
            "`valid_until` with the day before beginning anything; `netready gate --list` does, too. A school that drops below its "
            "bounds later is told so by the next decision, to people, not to the switch.\n"
        ),
        (
            'A wave whose `scope` is `"lea"` reaches further than one school. Its decision is judged from one school\'s records '
            "(`judged_from`), is never better than GO_WITH_CONDITIONS, and says that every other school of the wave needs an answer "
            "of its own: begin it when each of them has one that opens.\n"
        ),
    ]


def _waivers(policy: Policy) -> list[str]:
    second = policy.approver_after_days
    return [
        "## Accepting a risk\n",
        (
            "`netready waive RULE --until DATE --owner NAME --approver NAME --reason TEXT` puts on record that a named person "
            "accepts the risk of going without a soft rule. Never a hard one, never one that is marked as not waivable, and never "
            "one that is unknown.\n"
        ),
        (
            f"Under the shipped policy a waiver runs for {policy.longest_waiver_days} days at most; one that runs for more than "
            f"{second} days wants an approver, who is neither the owner nor who asked for it; "
            f"{policy.silent_renewals} renewal may do without a plan, every further one names what will be done (`--plan`) and by "
            "when (`--plan-on`). With `--category mitigated` it says what keeps the risk small meanwhile (`--mitigation`). Waivers "
            "are never changed or removed; a newer one of the same rule stands in the place of an older one, so a shorter one ends "
            "it early. They are shown with every decision, and in the stages their rule counts as not met.\n"
        ),
    ]


def _replay() -> list[str]:
    return [
        "## Making a decision again\n",
        (
            "Every decision is kept with all it was made from: the evidence, the attestations, the waivers, the site, the policy, "
            "the roadmap, the moment and the version of the program. `inputs` names each by its SHA-256. `netready gate --replay N` "
            "makes decision N of `netready gate --list` again and compares the bytes: exit status 0 when they are the same, 1 when "
            "something differs (it says which input or field), 3 when something is no longer there. `--replay FILE` does the same "
            "with what `netready gate --json` printed, on the machine that has the record; with what `netready gate --record FILE` "
            "wrote, on any machine. Such a file holds the names of those who vouched and accepted, and the site's networks: hand it "
            "only to who may see them. It is not signed: it shows that a decision follows from its inputs, not who made it.\n"
        ),
    ]


def _policy(policy: Policy) -> list[str]:
    parts = [
        "## The shipped policy\n",
        (
            f"{policy.title}: `{policy.id}`, version {policy.version}. A school's own goes into a file that `[readiness] policy` "
            "names. *must hold*: hard, or soft and not to be waived. *waivable*: soft, and a named person may accept the risk. *advice*: said, never in the way.\n"
        ),
    ]
    for wave in policy.waves:
        reach = ", over many schools" if wave.scope == "lea" else ""
        parts += [
            f"### {wave.id}: {wave.title}{reach}\n",
            "| rule | binds | what must hold | why | what to do |",
            "| --- " * 5 + "|",
        ]
        parts += [f"| `{rule.id}` | {_binds(rule)} | {rule.title} | {rule.why} | {rule.remedy} |" for rule in wave.rules]
        parts.append("")
    return parts


def _binds(rule: Rule) -> str:
    if rule.level is Level.ADVISORY:
        return "advice"
    return "waivable" if rule.may_be_waived else "must hold"
