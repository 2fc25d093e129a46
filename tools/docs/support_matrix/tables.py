"""Markdown tables from rows, and outcomes in the words of the page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from tools.docs.support_matrix.outcomes import SERVICES, Outcome

# Characters of a reason that are shown.
LONGEST = 150
WORDS = {"default": "left out: the default", "in place": "used where it is"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [_line(head), "|" + "---|" * len(head), *map(_line, rows)]
    return "\n".join(lines)


Row = tuple[str, ...]


def parse_rows(text: str) -> tuple[Row, ...]:
    """Rows from paragraphs, whose cells are parted by bars."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
    return tuple(tuple(cell.strip() for cell in paragraph.split(" | ")) for paragraph in paragraphs)


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def cells(found: dict[str, Outcome]) -> list[str]:
    """What becomes of one example, service by service, and why."""
    return [*(_cell(outcome) for outcome in found.values()), _why(found)]


HEADS = (*(f"`{name}`" for name in SERVICES), "why")


def _cell(outcome: Outcome) -> str:
    word = WORDS.get(outcome.grade, outcome.grade)
    return f"{word}: {outcome.place}" if outcome.place else word


def _why(found: dict[str, Outcome]) -> str:
    """Every reason once; with the services it is true of where others have another one."""
    by_reason: dict[str, list[str]] = {}
    for name, outcome in found.items():
        for reason in outcome.reasons:
            by_reason.setdefault(_short(reason, name), []).append(name)
    concerned = [name for name, outcome in found.items() if outcome.reasons]
    said = [
        reason if names == concerned else f"{', '.join(f'`{name}`' for name in names)}: {reason}"
        for reason, names in by_reason.items()
    ]
    return "; ".join(said)


def _short(reason: str, service: str) -> str:
    reason_text = reason.replace(f"{service} stores", "its stores").replace(f"{service} ", "the target ")
    return textwrap.shorten(reason_text, LONGEST, placeholder=" …")
