"""Compare two texts word by word, as pieces from which both texts can be rebuilt exactly.

`same` and `removed` pieces joined are the left text, `same` and `added` ones the right. Lines are compared
first, then the words of lines that changed. The work is bounded: where two texts have too little in common,
a stretch is given as removed and added instead of being searched on.
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

# Characters that stay to be seen on each side of a change when the rest is folded away.
CONTEXT_CHARS = 80
# How much further a fold looks for the end of a line, or of a word.
MAX_LINE_SEARCH_CHARS, MAX_WORD_SEARCH_CHARS = 60, 20


def word_diff(left: str, right: str) -> list[DiffPiece]:
    """The pieces, in order; between two `same` ones everything removed stands before everything added."""
    effort = SearchBudget()
    found: list[DiffPiece] = []
    for same, ours, theirs in diff_sequences(LINE_PATTERN.findall(left), LINE_PATTERN.findall(right), effort):
        if same:
            found.append((SAME, "".join(ours)))
        elif not ours or not theirs:
            found += [(REMOVED, "".join(ours)), (ADDED, "".join(theirs))]
        else:
            found += _inside("".join(ours), "".join(theirs), effort)
    return list(_tidy(found))


def _inside(left: str, right: str, effort: SearchBudget) -> Iterator[DiffPiece]:
    for same, ours, theirs in diff_sequences(WORD_PATTERN.findall(left), WORD_PATTERN.findall(right), effort):
        if same:
            yield SAME, "".join(ours)
        else:
            yield REMOVED, "".join(ours)
            yield ADDED, "".join(theirs)


def _tidy(pieces: list[DiffPiece]) -> Iterator[DiffPiece]:
    """Neighbours joined. A blank or a comma that alone survived between two changes goes along with them."""
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
            if text := "".join(text for one, text in group if one == kind):
                yield kind, text


def fold_unchanged(pieces: Iterable[DiffPiece], around: int = CONTEXT_CHARS) -> list[DiffPiece]:
    """The same with long unchanged stretches as `hidden` pieces, cut between words where that is near."""
    every = list(pieces)
    found: list[DiffPiece] = []
    for n, (kind, text) in enumerate(every):
        head = around if n else 0
        tail = around if n < len(every) - 1 else 0
        if kind != SAME or len(text) <= head + tail + around:
            found.append((kind, text))
            continue
        start, end = _cut(text, head, 1), _cut(text, len(text) - tail, -1)
        parts = ((SAME, text[:start]), (HIDDEN, text[start:end]), (SAME, text[end:]))
        found += [part for part in parts if part[1]]
    return found


def _cut(text: str, place: int, step: int) -> int:
    """A place near `place` where a line ends, else a word; looked for in one direction, not far."""
    if place in (0, len(text)):
        return place
    near = [n for n in range(place, place + step * MAX_LINE_SEARCH_CHARS, step) if 0 < n < len(text)]
    for ends in (lambda c: c == "\n", str.isspace):
        for n in near[: None if ends is not str.isspace else MAX_WORD_SEARCH_CHARS]:
            if ends(text[n - 1]):
                return n
    return place


def hidden_label(text: str) -> str:
    """What stands in the place of a stretch that is not shown."""
    lines = text.count("\n")
    more = f", {lines:,} line{'' if lines == 1 else 's'}" if lines else ""
    return f"{len(text):,} character{'' if len(text) == 1 else 's'}{more}"
