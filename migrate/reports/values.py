"""Format the two values of a detail: word by word, or on one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable

from migrate.model.entity import JSON
from migrate.reports.report import VERDICTS, ItemDetail, ReportItem
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, SAME, DiffPiece, hidden_label

# Characters from which a text is compared word by word.
MIN_WORD_DIFF_CHARS = 60
# Characters of a value that are shown on one line.
MAX_BRIEF_CHARS = 160
ABSENT_VALUE = "(not there)"
PIECE_MARKS = {SAME: "{}", REMOVED: "[-{}-]", ADDED: "{{+{}+}}", HIDDEN: "[… {} …]"}


def is_word_diff(detail: ItemDetail) -> bool:
    """Whether both values are texts, and long enough to be compared word by word."""
    texts = [value for value in (detail.left, detail.right) if isinstance(value, str)]
    return len(texts) == 2 and (
        detail.path.rpartition(".")[2] == "instructions"
        or any(len(text) > MIN_WORD_DIFF_CHARS or "\n" in text for text in texts)
    )


def has_values(detail: ItemDetail) -> bool:
    """Whether a detail has a value on either side."""
    return detail.left is not None or detail.right is not None


def json_value(value: JSON) -> str:
    """A value as JSON on one line, so that a text and a number differ; None is `(not there)`."""
    return ABSENT_VALUE if value is None else json.dumps(value, ensure_ascii=False, default=str)


def brief(text: str, max_chars: int = MAX_BRIEF_CHARS) -> str:
    """The beginning of a text, with the number of characters that are left out."""
    excess = len(text) - max_chars
    return text if excess <= 20 else f"{text[:max_chars]}… ({excess:,} more characters)"


def detail_reason(item: ReportItem, detail: ItemDetail) -> str:
    """The reason, or '' if the verdict already states it."""
    return "" if detail.reason in (item.verdict, f"it {VERDICTS[item.verdict][1]}") else detail.reason


def item_ids(item: ReportItem) -> str:
    """Left id -> right id; only one of them if they are equal or one is missing."""
    return " -> ".join(dict.fromkeys(filter(None, (item.left_id, item.right_id))))


def count_words(pieces: Iterable[DiffPiece]) -> str:
    """How many words were removed and added."""
    counts = {REMOVED: 0, ADDED: 0}
    for kind, text in pieces:
        if kind != SAME:
            counts[kind] += len(text.split())
    parts = [
        f"{number:,} word{'' if number == 1 else 's'} {kind}" for kind, number in counts.items() if number
    ]
    return ", ".join(parts) or "white space only"


def mark_piece(kind: str, text: str) -> str:
    """A piece as plain text: [-removed-], {+added+}, or how much is hidden."""
    return PIECE_MARKS[kind].format(hidden_label(text) if kind == HIDDEN else text)
