"""Markdown tables from rows, and the cells of outcomes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from tools.docs.support_matrix.outcomes import SERVICES, Outcome

# Longer reasons are cut.
MAX_REASON_CHARS = 150
GRADE_LABELS = {"default": "left out: the default", "in place": "used where it is"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [_line(head), "|" + "---|" * len(head), *map(_line, rows)]
    return "\n".join(lines)


Row = tuple[str, ...]


def declared_rows(text: str) -> tuple[Row, ...]:
    """Rows from paragraphs whose cells are separated by bars."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
    return tuple(tuple(cell.strip() for cell in paragraph.split(" | ")) for paragraph in paragraphs)


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def cells(outcomes: dict[str, Outcome]) -> list[str]:
    """The outcomes of one example for each service, and the reasons."""
    return [*(_cell(outcome) for outcome in outcomes.values()), _why(outcomes)]


HEADS = (*(f"`{name}`" for name in SERVICES), "why")


def _cell(outcome: Outcome) -> str:
    label = GRADE_LABELS.get(outcome.grade, outcome.grade)
    return f"{label}: {outcome.place}" if outcome.place else label


def _why(outcomes: dict[str, Outcome]) -> str:
    """Each reason once, with the names of its services where it is not true of all."""
    by_reason: dict[str, list[str]] = {}
    for name, outcome in outcomes.items():
        for reason in outcome.reasons:
            by_reason.setdefault(_short(reason, name), []).append(name)
    concerned = [name for name, outcome in outcomes.items() if outcome.reasons]
    texts = [
        reason if names == concerned else f"{', '.join(f'`{name}`' for name in names)}: {reason}"
        for reason, names in by_reason.items()
    ]
    return "; ".join(texts)


def _short(reason: str, service: str) -> str:
    text = reason.replace(f"{service} stores", "its stores").replace(f"{service} ", "the target ")
    return textwrap.shorten(text, MAX_REASON_CHARS, placeholder=" …")
