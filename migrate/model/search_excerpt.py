"""The part of a text that shows where the words of a query are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from migrate.model.document_texts import TextField
from migrate.model.folded_words import fold_text, iter_folded_words
from migrate.model.search_query import SearchTerm

# Characters of an excerpt, and of those before its first word.
EXCERPT_CHARS, EXCERPT_CHARS_BEFORE_WORD = 240, 60
# A long text is searched in parts of so many characters, which overlap by so many.
PART_CHARS, PART_OVERLAP_CHARS = 4_000, 400
# Of a text that is not ASCII, so many characters are searched for an excerpt: folding them takes 0.1 s.
MAX_FOLDED_CHARS = 1 << 19
# Parts with words of the query among which the best one is looked for.
MAX_MATCHED_PARTS = 25

# Pieces of text in order; True: a word that was looked for.
Excerpt = tuple[tuple[str, bool], ...]


class _Match(NamedTuple):
    """Where a term is in a text. `term`: its number in the query."""

    start: int
    end: int
    term: int


def make_excerpt(fields: Sequence[TextField], terms: Sequence[SearchTerm]) -> tuple[str, Excerpt]:
    """The field with most of the terms, and the part of its text with most of them. Without any match: the
    beginning of the first field."""
    best_name, best_text, best_matches, best_count = "", "", list[_Match](), 0
    for name, part, matches in islice(_matched_parts(fields, terms), MAX_MATCHED_PARTS):
        count = len({match.term for match in matches})
        if count > best_count:
            best_name, best_text, best_matches, best_count = name, part, matches, count
        if count == len(terms):
            break
    if not best_matches:
        name, text = fields[0] if fields else ("", "")
        return name, _cut(text[: 2 * EXCERPT_CHARS], 0, [])
    return best_name, _cut(best_text, _best_start(best_matches), best_matches)


def _matched_parts(
    fields: Sequence[TextField], terms: Sequence[SearchTerm]
) -> Iterator[tuple[str, str, list[_Match]]]:
    """Field, text and matches of the parts that have a term."""
    for name, text in fields:
        for part in _parts(text):
            if _may_match(part, terms) and (matches := list(_iter_matches(part, terms))):
                yield name, part, matches


def _parts(text: str) -> Iterator[str]:
    """A text, or parts of a long one."""
    start, end = 0, len(text) if text.isascii() else MAX_FOLDED_CHARS
    while True:
        yield text[start : start + PART_CHARS]
        start += PART_CHARS - PART_OVERLAP_CHARS
        if start + PART_OVERLAP_CHARS >= min(len(text), end):
            return


def _may_match(text: str, terms: Sequence[SearchTerm]) -> bool:
    """A quick test: whether the text has the beginning of a term."""
    folded = text.lower() if text.isascii() else fold_text(text)
    return any(term.words[0] in folded for term in terms)


def _iter_matches(text: str, terms: Sequence[SearchTerm]) -> Iterator[_Match]:
    words = list(iter_folded_words(text))
    for place, word in enumerate(words):
        for number, term in enumerate(terms):
            if not term.is_prefix and word.word != term.words[0]:
                continue
            last = place + len(term.words) - 1
            found = tuple(folded.word for folded in words[place : last + 1])
            if found == term.words or (term.is_prefix and _begins(found, term.words)):
                yield _Match(word.start, words[last].end, number)


def _begins(found: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return len(found) == len(words) and found[:-1] == words[:-1] and found[-1].startswith(words[-1])


def _best_start(matches: Sequence[_Match]) -> int:
    """The place of the match from which on most terms are within the length of an excerpt."""

    def terms_from(first: _Match) -> int:
        end = first.start + EXCERPT_CHARS - EXCERPT_CHARS_BEFORE_WORD
        return len({match.term for match in matches if match.start >= first.start and match.end <= end})

    return max(matches[:200], key=lambda match: (terms_from(match), -match.start)).start


def _cut(text: str, word_start: int, matches: Sequence[_Match]) -> Excerpt:
    """The excerpt around a place, cut between words."""
    start = max(0, word_start - EXCERPT_CHARS_BEFORE_WORD)
    end = min(len(text), start + EXCERPT_CHARS)
    if start:
        blank = text.find(" ", start, word_start)
        start = blank + 1 if blank >= 0 else start
    if end < len(text):
        blank = text.rfind(" ", word_start, end)
        end = blank if blank > word_start else end
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    place = start
    for match in matches:
        if match.start >= place and match.start < end:
            pieces += [(text[place : match.start], False), (text[match.start : min(match.end, end)], True)]
            place = min(match.end, end)
    pieces.append((text[place:end], False))
    if end < len(text):
        pieces.append(("…", False))
    return tuple(_joined(pieces))


def _joined(pieces: Sequence[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """The pieces with single blanks in the place of white space, and without empty ones."""
    joined: list[tuple[str, bool]] = []
    for text, is_word in pieces:
        text = re.sub(r"\s+", " ", text)
        if joined and joined[-1][1] == is_word and text:
            joined[-1] = (joined[-1][0] + text, is_word)
        elif text:
            joined.append((text, is_word))
    yield from joined
