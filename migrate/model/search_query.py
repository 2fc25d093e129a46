"""The language of `search --query`: words, "phrases", prefix*, -excluded, and filters NAME:VALUE.

All words and phrases must occur in one object, in any order. Filters of one name are alternatives, filters of
different names must all fit. docs/search.md describes the language for its users.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from migrate.errors import BadUsage
from migrate.model import KINDS
from migrate.model.folded_words import ONE_CHARACTER_WORDS, fold_text
from migrate.model.selection import seconds_of_date

# Longer queries, and queries with more words and filters, are refused: each word costs a look-up.
MAX_QUERY_CHARS = 2_000
MAX_QUERY_TERMS = 64
# Filters, in the order in which a message lists them. `meta.KEY` is one for each key.
FILTER_NAMES = ("kind", "role", "thread", "assistant", "after", "before", "file")
DATE_FILTERS = frozenset({"after", "before"})
METADATA_FILTER = "meta."

_TERM = re.compile(
    r"""(?P<minus>-)?
    (?: (?P<name>[A-Za-z]+|meta\.(?:"[^"]*"|[^\s:"]+)):
        (?: "(?P<quoted_value>[^"]*)" | (?P<value>[^\s"]*) )
      | "[^"]*"\*?
      | [^\s"]+ )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class SearchTerm:
    """A word or a phrase: its folded words in order (see `folded_words`). `is_prefix`: the last word may go
    on. `text`: as it was written."""

    words: tuple[str, ...]
    is_prefix: bool = False
    text: str = ""


@dataclass(frozen=True)
class SearchQuery:
    """What is looked for. `terms` must all occur, `excluded` must not.

    `kinds`, `roles`, `threads`, `assistants` and `files` are alternatives; empty: any. `threads` are ids or
    their beginnings, `assistants` and `files` ids or names, as they were written. `after` and `before` are
    seconds since 1970: not older than the first, older than the second. `meta`: pairs of a key of metadata
    and a pattern for its value, which must all fit. `text`: the query as it was written.
    """

    terms: tuple[SearchTerm, ...] = ()
    excluded: tuple[SearchTerm, ...] = ()
    kinds: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    assistants: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    after: int | None = None
    before: int | None = None
    meta: tuple[tuple[str, str], ...] = ()
    text: str = ""


def parse_search_query(text: str) -> SearchQuery:
    """Parse the query of a user. Raises `BadUsage` with the position of what cannot be parsed."""
    if len(text) > MAX_QUERY_CHARS:
        raise BadUsage(
            f"the query has {len(text):,} characters", f"at most {MAX_QUERY_CHARS:,} are looked for"
        )
    found: dict[str, list[Any]] = {}  # by the names of the fields of `SearchQuery`
    for count, match in enumerate(_iter_terms(text), 1):
        if count > MAX_QUERY_TERMS:
            raise _refused(text, match.start(), f"there are more than {MAX_QUERY_TERMS} words and filters")
        name, value = _read_term(text, match)
        found.setdefault(name, []).append(value)
        if name in DATE_FILTERS:
            _check_dates(found, text, match.start(), name)
    if not found.keys() - {"excluded"}:
        why = "it only has words to leave out" if found else "it is empty"
        raise BadUsage("the query has nothing to look for", why, "write a word: search ARCHIVE --query WORD")
    fields: dict[str, Any] = {
        name: values[0] if name in DATE_FILTERS else tuple(dict.fromkeys(values))
        for name, values in found.items()
    }
    return SearchQuery(**fields, text=text)


def _iter_terms(text: str) -> Iterator[re.Match[str]]:
    """The terms of a query. Raises `BadUsage` where a quotation mark has no counterpart."""
    place = 0
    while True:
        while place < len(text) and text[place].isspace():
            place += 1
        if place == len(text):
            return
        match = _TERM.match(text, place)
        if match is None or (match.end() < len(text) and text[match.end()] == '"'):
            place = text.rindex('"') if text.count('"') % 2 else place if match is None else match.end()
            raise _refused(text, place, "a quotation mark has no second one", 'write phrases as "two words"')
        yield match
        place = match.end()


def _read_term(text: str, match: re.Match[str]) -> tuple[str, Any]:
    """The name of a field of `SearchQuery`, and the value that a term adds to it."""
    name = (match["name"] or "").lower()
    if name in FILTER_NAMES or name.startswith(METADATA_FILTER):
        return _read_filter(text, match)
    written = match.group().removeprefix("-") if match["minus"] else match.group()
    is_prefix = written.endswith("*")
    words = fold_text(written).split()
    if not words:
        why = f"{written!r} has no letter, no digit and no symbol that is searched"
        raise _refused(text, match.start(), why, "leave it out; `search ARCHIVE TEXT` finds any characters")
    if is_prefix and len(words[-1]) < 2 and not ONE_CHARACTER_WORDS.match(words[-1]):
        why = f"too many words begin with {words[-1]!r}"
        raise _refused(text, match.start(), why, "write at least two letters before the *")
    return "excluded" if match["minus"] else "terms", SearchTerm(tuple(words), is_prefix, written)


def _read_filter(text: str, match: re.Match[str]) -> tuple[str, Any]:
    name, place = match["name"], match.start()
    value = match["quoted_value"] if match["quoted_value"] is not None else match["value"]
    if match["minus"]:
        raise _refused(text, place, "only words and phrases can be left out", f"write {name}: without -")
    if not value:
        raise _refused(
            text, match.end(), f"{name}: has no value", f"write {name}:VALUE without a blank between"
        )
    if name.lower().startswith(METADATA_FILTER):
        return "meta", (name[len(METADATA_FILTER) :].strip('"'), value)
    name = name.lower()
    if name in DATE_FILTERS:
        return name, _seconds(text, place, name, value)
    return f"{name}s", _kind(text, match, value) if name == "kind" else value


def _seconds(text: str, place: int, name: str, value: str) -> int:
    try:
        return seconds_of_date(value)
    except ValueError:
        advice = f"write {name}:2026-08-26 or {name}:2026-08-26T12:00:00Z"
        raise _refused(text, place, f"{value!r} is not a date as in ISO 8601", advice) from None


def _check_dates(found: dict[str, list[Any]], text: str, place: int, name: str) -> None:
    """Raise `BadUsage` for a date that is given twice, and for dates with no time between them."""
    if len(found[name]) > 1:
        raise _refused(text, place, f"{name}: occurs twice", "give one date")
    if len(found.keys() & DATE_FILTERS) == 2 and found["after"] >= found["before"]:
        raise _refused(text, place, "no time is between these dates", "give after: the earlier date")


def _kind(text: str, match: re.Match[str], value: str) -> str:
    for kind in KINDS.values():
        if value.lower() in (kind.name, kind.plural):
            return kind.name
    raise _refused(text, match.start(), f"there is no kind {value!r}", f"kinds are {', '.join(KINDS)}")


def _refused(text: str, place: int, why: str, advice: str = "") -> BadUsage:
    """The error for a query, with the place in it, counted from 1."""
    return BadUsage(f"the query cannot be understood at character {place + 1:,}: {text!r}", why, advice)
