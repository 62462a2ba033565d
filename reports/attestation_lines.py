"""The questions that people answer, on a terminal: by dimension, each with the answer that stands and how long it counts."""

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date

from readiness.evidence import Attestation
from readiness.roadmap import Criterion, Roadmap

WIDTH = 80


def lines(
    roadmap: Roadmap,
    criteria: Sequence[Criterion],
    answers: Mapping[str, Attestation],
    today: date,
    replaced: Mapping[str, int] | None = None,
) -> list[str]:
    """One block a question. `replaced` is how many older answers of a criterion the newest has replaced."""
    found: list[str] = []
    for dimension in roadmap.dimensions:
        asked = [criterion for criterion in criteria if criterion.dimension == dimension.id]
        if not asked:
            continue
        found += ["", f"{dimension.title} ({dimension.id})"]
        for criterion in asked:
            head = f"  {criterion.id:8}"
            found += textwrap.wrap(criterion.what, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
            text = said(answers.get(criterion.id), today) + _older((replaced or {}).get(criterion.id, 0))
            found += textwrap.wrap(text, WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 12)
    counted = sum(criterion.id in answers and answers[criterion.id].counts(today) for criterion in criteria)
    return [f"{len(criteria)} questions, {counted} with an answer that counts today", *found]


def _older(number: int) -> str:
    """That the answer replaces older ones; empty when it is the first."""
    if number < 1:
        return ""
    if number == 1:
        return "; replaces an older answer, which counts no more"
    return f"; replaces {number:,} older answers, which count no more"


def said(answer: Attestation | None, today: date) -> str:
    """An answer in words."""
    if answer is None:
        return "no answer yet"
    text = f"{'yes' if answer.answer else 'no'}, {answer.name} ({answer.role}), {answer.on}, until {answer.until}"
    if answer.document:
        text += f"; {answer.document}"
    return f"{text}; expired, counts no more" if answer.until < today else text
