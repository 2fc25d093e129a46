"""Which objects may contain a text as it is, by the full-text index.

The index has words, and a text begins and ends anywhere in them. So the words that end with its first
letters are looked up in the list of all words, and the last ones may go on. Whoever asks compares the objects
with the text itself: more may be named here than contain it, and never fewer. Objects of which the index does
not have every searched character (masked credentials, files, calls) are always named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.text_index.reader import IndexReader
from migrate.model.index_words import PARTIAL_WORD
from migrate.stages.query.text_search import is_indexed, open_index

# Where more objects or words come into question, all objects are looked at in turn.
MAX_CANDIDATES, MAX_WORDS = 2_000, 200

_WORD = re.compile("[a-z0-9]+")


@dataclass(frozen=True)
class Candidate:
    """An object that may contain the text. `order`: the number of its kind, its parent, and its position in
    the listing; `body`: the number of its body."""

    order: tuple[int, str, int]
    kind: str
    body: int

    @property
    def parent(self) -> str:
        return self.order[1]


def find_candidates(snapshot: SnapshotReader, text: str, kinds: Sequence[str]) -> list[Candidate] | None:
    """The objects of these kinds that may contain the text, in the order of the listings; None where the
    index cannot tell, or names too many."""
    if not text.isascii() or "\n" in text or not is_indexed(snapshot):
        return None
    index = open_index(snapshot)
    expression = _expression(index, text.lower())
    if expression is None:
        return None
    found = index.find_all(
        f"({expression}) OR {PARTIAL_WORD}" if expression else PARTIAL_WORD, MAX_CANDIDATES
    )
    if found is None:
        return None
    candidates = [
        Candidate((kinds.index(one.kind), parent, place), one.kind, one.pack * BODIES_PER_PACK + one.place)
        for one in found
        if one.kind in kinds
        for parent in [index.parent(one.parent_id)]
        for place in snapshot.places_of_body(one.kind, parent, one.pack, one.place)
    ]
    return sorted(candidates, key=lambda candidate: candidate.order)


def _expression(index: IndexReader, text: str) -> str | None:
    """The query of FTS5 for objects that may have the text, which is ASCII in lower case: '' for none; None
    where the text says too little."""
    matches = list(_WORD.finditer(text))
    if not matches:
        return None
    words = [match.group() for match in matches]
    is_begun, is_ended = matches[0].start() == 0, matches[-1].end() == len(text)
    if not is_begun:
        return _phrase(words, is_ended)
    firsts = index.words_with(words[0], len(words) > 1 or not is_ended, MAX_WORDS)
    if firsts is not None:
        # A single word may go on within each word that contains it.
        goes_on = is_ended and len(words) > 1
        return " OR ".join(_phrase([first, *words[1:]], goes_on) for first in firsts)
    return _phrase(words[1:], is_ended) if len(words) > 1 else None


def _phrase(words: Sequence[str], goes_on: bool) -> str:
    return f'"{" ".join(words)}"{" *" if goes_on else ""}'
