"""The form in which the index has an object: two columns of words.

The column `text` begins with words that only this program can write, because folding removes their
characters from everything else: the kind, the role, and the files that the object refers to. So a filter is a
word of the query. A word of the same sort stands between two fields: no phrase goes across.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from migrate.model.document_texts import TextDocument
from migrate.model.folded_words import FOLDING_VERSION, fold_text

# Changes whenever the same body may have other words in the index: a rule of this module or of
# `document_texts`, or one that masks. tests/model/test_index_words.py fails then.
DOCUMENT_FORMAT = 2
# What an index was built with. Another one is removed and built again.
INDEX_FORMAT = f"{DOCUMENT_FORMAT}, folding {FOLDING_VERSION}"

FIELD_BREAK, KIND_MARK, ROLE_MARK, FILE_MARK = "\ue000", "\ue001", "\ue002", "\ue003"
# The word of a document that has more text than the index, or of which something was masked.
PARTIAL_WORD = "\ue004"
# Fields of the column `name`.
NAME_COLUMN_FIELDS = frozenset({"name", "filename"})
# How the tokenizer `ascii` of FTS5 separates words: letters and digits of ASCII, and everything that is not
# ASCII.
_COLUMN_WORD = re.compile("[a-z0-9\x80-\U0010ffff]+")
_LOWER_ASCII = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

# The columns `text` and `name` of a document.
IndexColumns = tuple[str, str | None]


def index_columns(kind: str, document: TextDocument) -> IndexColumns | None:
    """The columns `text` and `name` of a document, or None where it has nothing to look for."""
    if not (document.fields or document.role or document.files) and document.is_whole:
        return None
    marks = [kind_word(kind)]
    if document.role:
        marks.append(role_word(document.role))
    marks += map(file_word, document.files)
    if not document.is_whole:
        marks.append(PARTIAL_WORD)
    texts, names = [" ".join(marks)], list[str]()
    for name, text in document.fields:
        (names if name in NAME_COLUMN_FIELDS else texts).append(_indexed(text))
    between = f" {FIELD_BREAK} "
    return between.join(texts), between.join(names) or None


def document_words(column: str) -> list[str]:
    """The words of a column as the index separates them."""
    return _COLUMN_WORD.findall(column.lower() if column.isascii() else column.translate(_LOWER_ASCII))


def _indexed(text: str) -> str:
    # ASCII text is split into words and folded by the index itself, by the same rule.
    return text if text.isascii() else fold_text(text)


@lru_cache(100)
def kind_word(kind: str) -> str:
    """The word that every document of a kind has."""
    return KIND_MARK + kind.replace("_", "")


@lru_cache(100)
def role_word(role: str) -> str:
    """The word that every message of a role has."""
    return ROLE_MARK + (fold_text(role).replace(" ", "") or _digest(role))


def file_word(file_id: str) -> str:
    """The word that every document has which refers to a file."""
    return FILE_MARK + _digest(file_id)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
