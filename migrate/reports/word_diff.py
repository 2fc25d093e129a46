"""Compare two texts word by word, as pieces from which both texts can be rebuilt exactly.

`same` and `removed` pieces joined are the left text, `same` and `added` ones the right. Lines are compared
first, then the words of lines that changed. The work is bounded: if two texts have too little in common,
the rest is reported as removed and added.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from migrate.model.sequence_diff import SearchBudget, diff_sequences

SAME, REMOVED, ADDED, HIDDEN = "same", "removed", "added", "hidden"
DiffPiece = tuple[str, str]

# Hiragana, Katakana and Han: written without blanks between words, so each character is one.
CHARACTER_SCRIPTS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD_PATTERN = re.compile(rf"[{CHARACTER_SCRIPTS}]|[^\W{CHARACTER_SCRIPTS}]+|\n|[^\S\n]+|[^\w\s]")
LINE_PATTERN = re.compile(r"[^\n]*\n|[^\n]+")
FILLER_PATTERN = re.compile(r"[^\w\n]{1,3}")

# Characters that are shown on each side of a change when the rest is folded.
CONTEXT_CHARS = 80
# How many characters further a fold looks for the end of a line, or of a word.
MAX_LINE_SEARCH_CHARS, MAX_WORD_SEARCH_CHARS = 60, 20


def word_diff(left: str, right: str) -> list[DiffPiece]:
    """The pieces, in order; between two `same` ones, removed text precedes added text."""
    budget = SearchBudget()
    pieces: list[DiffPiece] = []
    for same, removed, added in diff_sequences(
        LINE_PATTERN.findall(left), LINE_PATTERN.findall(right), budget
    ):
        if same:
            pieces.append((SAME, "".join(removed)))
        elif not removed or not added:
            pieces += [(REMOVED, "".join(removed)), (ADDED, "".join(added))]
        else:
            pieces += _changed_words("".join(removed), "".join(added), budget)
    return list(_tidy(pieces))


def _changed_words(left: str, right: str, budget: SearchBudget) -> Iterator[DiffPiece]:
    words = WORD_PATTERN.findall
    for same, removed, added in diff_sequences(words(left), words(right), budget):
        if same:
            yield SAME, "".join(removed)
        else:
            yield REMOVED, "".join(removed)
            yield ADDED, "".join(added)


def _tidy(pieces: list[DiffPiece]) -> Iterator[DiffPiece]:
    """Join neighbours. A single blank or comma between two changes becomes part of them."""
    full = [piece for piece in pieces if piece[1]]
    spread: list[DiffPiece] = []
    for n, (kind, text) in enumerate(full):
        inner = 0 < n < len(full) - 1 and full[n - 1][0] != SAME != full[n + 1][0]
        if kind == SAME and inner and FILLER_PATTERN.fullmatch(text):
            spread += [(REMOVED, text), (ADDED, text)]
        else:
            spread.append((kind, text))
    for same, run in groupby(spread, key=lambda piece: piece[0] == SAME):
        group = list(run)
        for kind in (SAME,) if same else (REMOVED, ADDED):
            if text := "".join(text for piece_kind, text in group if piece_kind == kind):
                yield kind, text


def fold_unchanged(pieces: Iterable[DiffPiece], around: int = CONTEXT_CHARS) -> list[DiffPiece]:
    """The pieces with long unchanged parts as `hidden` ones, cut at the end of a line or a word if one is
    near."""
    unfolded = list(pieces)
    folded: list[DiffPiece] = []
    for n, (kind, text) in enumerate(unfolded):
        head = around if n else 0
        tail = around if n < len(unfolded) - 1 else 0
        if kind != SAME or len(text) <= head + tail + around:
            folded.append((kind, text))
            continue
        start, end = _cut(text, head, 1), _cut(text, len(text) - tail, -1)
        parts = ((SAME, text[:start]), (HIDDEN, text[start:end]), (SAME, text[end:]))
        folded += [part for part in parts if part[1]]
    return folded


def _cut(text: str, place: int, step: int) -> int:
    """An index near `place` where a line ends, or else a word; `step` is the direction of the search."""
    if place in (0, len(text)):
        return place
    near = [n for n in range(place, place + step * MAX_LINE_SEARCH_CHARS, step) if 0 < n < len(text)]
    for ends in (lambda c: c == "\n", str.isspace):
        for n in near[: None if ends is not str.isspace else MAX_WORD_SEARCH_CHARS]:
            if ends(text[n - 1]):
                return n
    return place


def hidden_label(text: str) -> str:
    """The label of a part that is not shown."""
    lines = text.count("\n")
    more = f", {lines:,} line{'' if lines == 1 else 's'}" if lines else ""
    return f"{len(text):,} character{'' if len(text) == 1 else 's'}{more}"
