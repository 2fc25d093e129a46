"""Format the two values of a detail: as a word diff, or on one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from migrate.reports.report import VERDICTS, ItemDetail, ReportItem
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, DiffPiece, hidden_label, word_diff

# Characters from which a text is compared word by word.
MIN_WORD_DIFF_CHARS = 60
# Characters of a value that stay when it is shown in one line.
MAX_BRIEF_CHARS = 160
ABSENT_VALUE = "(not there)"
PIECE_MARKS = {SAME: "{}", REMOVED: "[-{}-]", ADDED: "{{+{}+}}", HIDDEN: "[… {} …]"}


def is_word_diff(detail: ItemDetail) -> bool:
    """Whether both values are texts that are long enough to be compared word by word."""
    both = (detail.left, detail.right)
    texts = [value for value in both if isinstance(value, str)]
    instructions = detail.path.rpartition(".")[2] == "instructions"
    return len(texts) == 2 and (
        instructions or any(len(text) > MIN_WORD_DIFF_CHARS or "\n" in text for text in texts)
    )


def detail_pieces(detail: ItemDetail) -> list[DiffPiece]:
    """What differs word by word, with unchanged stretches whole."""
    return word_diff(detail.left, detail.right)


def has_values(detail: ItemDetail) -> bool:
    """Whether there is anything to show on either side."""
    return detail.left is not None or detail.right is not None


def json_value(found: Any) -> str:
    """A value as JSON on one line, so that a text and a number differ; nothing is `(not there)`."""
    if found is None:
        return ABSENT_VALUE
    return json.dumps(found, ensure_ascii=False, default=str)


def brief(text: str, most: int = MAX_BRIEF_CHARS) -> str:
    """The beginning of a text, with the number of characters that were left out."""
    over = len(text) - most
    return text if over <= 20 else f"{text[:most]}… ({over:,} more characters)"


def detail_reason(item: ReportItem, detail: ItemDetail) -> str:
    """Why, unless the verdict says it already."""
    said = (item.verdict, f"it {VERDICTS[item.verdict][1]}")
    return "" if detail.reason in said else detail.reason


def item_ids(item: ReportItem) -> str:
    """Left id, right id; one of them where they are equal or one is missing."""
    return " -> ".join(dict.fromkeys(filter(None, (item.left_id, item.right_id))))


def count_words(found: Iterable[DiffPiece]) -> str:
    """How many words came and went."""
    counts = {REMOVED: 0, ADDED: 0}
    for kind, text in found:
        if kind != SAME:
            counts[kind] += len(text.split())
    parts = [
        f"{number:,} word{'' if number == 1 else 's'} {kind}" for kind, number in counts.items() if number
    ]
    return ", ".join(parts) or "white space only"


def mark_piece(kind: str, text: str) -> str:
    """A piece as plain text: [-removed-], {+added+}, or how much is hidden."""
    return PIECE_MARKS[kind].format(hidden_label(text) if kind == HIDDEN else text)


def number_of(count: int, noun: str, nouns: str = "") -> str:
    """`1 difference`, `2 differences`."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"
