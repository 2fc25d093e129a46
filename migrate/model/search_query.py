"""The language of `search --query`: words, "phrases", prefix*, -excluded, and filters NAME:VALUE.

All words and phrases must occur in one object, in any order. Filters of one name are alternatives, filters of
different names must all fit. docs/search.md describes the language for its users.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from migrate.errors import BadUsage
from migrate.model import KINDS
from migrate.model.folded_words import ONE_CHARACTER_WORDS, fold_text
from migrate.model.selection import seconds_of_date

# Longer queries, and queries with more words and filters, are refused: each word costs a look-up.
MAX_QUERY_CHARS = 2_000
MAX_QUERY_TERMS = 64
# Filters, in the order in which a message lists them. `meta.KEY` is one for each key.
FILTER_NAMES = ("kind", "role", "thread", "assistant", "after", "before", "file")
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


@dataclass
class _Parts:
    """What was read of a query until now: terms, and the values of each filter."""

    terms: list[SearchTerm] = field(default_factory=list)
    excluded: list[SearchTerm] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FILTER_NAMES})
    dates: dict[str, int] = field(default_factory=dict)
    meta: list[tuple[str, str]] = field(default_factory=list)


def parse_search_query(text: str) -> SearchQuery:
    """Parse the query of a user. Raises `BadUsage` with the position of what cannot be parsed."""
    if len(text) > MAX_QUERY_CHARS:
        raise BadUsage(
            f"the query has {len(text):,} characters", f"at most {MAX_QUERY_CHARS:,} are looked for"
        )
    parts = _Parts()
    for count, match in enumerate(_iter_terms(text), 1):
        if count > MAX_QUERY_TERMS:
            raise _refused(text, match.start(), f"there are more than {MAX_QUERY_TERMS} words and filters")
        _add_term(parts, text, match)
    values = {name: tuple(dict.fromkeys(parts.values[name])) for name in FILTER_NAMES}
    if not (parts.terms or parts.dates or parts.meta or any(values.values())):
        why = "it only has words to leave out" if parts.excluded else "it is empty"
        raise BadUsage("the query has nothing to look for", why, "write a word: search ARCHIVE --query WORD")
    return SearchQuery(
        terms=tuple(dict.fromkeys(parts.terms)),
        excluded=tuple(dict.fromkeys(parts.excluded)),
        kinds=values["kind"],
        roles=values["role"],
        threads=values["thread"],
        assistants=values["assistant"],
        files=values["file"],
        after=parts.dates.get("after"),
        before=parts.dates.get("before"),
        meta=tuple(dict.fromkeys(parts.meta)),
        text=text,
    )


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


def _add_term(parts: _Parts, text: str, match: re.Match[str]) -> None:
    name = (match["name"] or "").lower()
    if name in FILTER_NAMES or name.startswith(METADATA_FILTER):
        _add_filter(parts, text, match)
        return
    written = match.group().removeprefix("-") if match["minus"] else match.group()
    is_prefix = written.endswith("*")
    words = fold_text(written).split()
    if not words:
        why = f"{written!r} has no letter, no digit and no symbol that is searched"
        raise _refused(text, match.start(), why, "leave it out; `search ARCHIVE TEXT` finds any characters")
    if is_prefix and len(words[-1]) < 2 and not ONE_CHARACTER_WORDS.match(words[-1]):
        why = f"too many words begin with {words[-1]!r}"
        raise _refused(text, match.start(), why, "write at least two letters before the *")
    term = SearchTerm(tuple(words), is_prefix, written)
    (parts.excluded if match["minus"] else parts.terms).append(term)


def _add_filter(parts: _Parts, text: str, match: re.Match[str]) -> None:
    name = match["name"]
    value = match["quoted_value"] if match["quoted_value"] is not None else match["value"]
    if match["minus"]:
        raise _refused(
            text, match.start(), "only words and phrases can be left out", f"write {name}: without -"
        )
    if not value:
        raise _refused(
            text, match.end(), f"{name}: has no value", f"write {name}:VALUE without a blank between"
        )
    if name.lower().startswith(METADATA_FILTER):
        parts.meta.append((name[len(METADATA_FILTER) :].strip('"'), value))
    elif name.lower() in ("after", "before"):
        _add_date(parts, text, match.start(), name.lower(), value)
    else:
        parts.values[name.lower()].append(_kind(text, match, value) if name.lower() == "kind" else value)


def _add_date(parts: _Parts, text: str, place: int, name: str, value: str) -> None:
    try:
        seconds = seconds_of_date(value)
    except ValueError:
        advice = f"write {name}:2026-08-26 or {name}:2026-08-26T12:00:00Z"
        raise _refused(text, place, f"{value!r} is not a date as in ISO 8601", advice) from None
    if name in parts.dates:
        raise _refused(text, place, f"{name}: occurs twice", "give one date")
    parts.dates[name] = seconds
    if "after" in parts.dates and "before" in parts.dates and parts.dates["after"] >= parts.dates["before"]:
        raise _refused(text, place, "no time is between these dates", "give after: the earlier date")


def _kind(text: str, match: re.Match[str], value: str) -> str:
    for kind in KINDS.values():
        if value.lower() in (kind.name, kind.plural):
            return kind.name
    raise _refused(text, match.start(), f"there is no kind {value!r}", f"kinds are {', '.join(KINDS)}")


def _refused(text: str, place: int, why: str, advice: str = "") -> BadUsage:
    """The error for a query, with the place in it, counted from 1."""
    return BadUsage(f"the query cannot be understood at character {place + 1:,}: {text!r}", why, advice)
