"""The meaning of a query, and the position that an error message gives."""

from __future__ import annotations

import pytest

from migrate.errors import BadUsage
from migrate.model.search_query import MAX_QUERY_TERMS, SearchQuery, SearchTerm, parse_search_query

TERMS = {
    "kettle": [("kettle", False)],
    "Spare KEY spare": [("spare", False), ("key", False), ("spare", False)],
    '"spare key"': [("spare key", False)],
    "ket*": [("ket", True)],
    '"spare ke"*': [("spare ke", True)],
    "don't": [("don t", False)],
    "3.14": [("3 14", False)],
    "https://example.com/a": [("https example com a", False)],
    "error:404": [("error 404", False)],
    "note: this": [("note", False), ("this", False)],
    "東京": [("東 京", False)],
    "東*": [("東", True)],
    "ke*": [("ke", True)],
    "İstanbul": [("istanbul", False)],
    "👍": [("👍", False)],
    "AND OR NOT": [("and", False), ("or", False), ("not", False)],
    "{a:b} ^c NEAR(d)": [("a b", False), ("c", False), ("near d", False)],
}


@pytest.mark.parametrize(("text", "expected"), TERMS.items())
def test_words_and_phrases(text: str, expected: list[tuple[str, bool]]) -> None:
    query = parse_search_query(text)
    assert [(" ".join(term.words), term.is_prefix) for term in query.terms] == expected
    assert (query.excluded, query.kinds, query.meta) == ((), (), ())


def test_filters() -> None:
    query = parse_search_query(
        'kind:message kind:files role:user thread:thread_1 assistant:"Plant Desk" file:a.txt file:"b c.pdf" '
        'after:2026-01-01 before:2026-01-02T00:00:00Z meta.customer:17* meta."big key":"x y" pot -lid -"a b"'
    )
    assert query == SearchQuery(
        terms=(SearchTerm(("pot",), text="pot"),),
        excluded=(SearchTerm(("lid",), text="lid"), SearchTerm(("a", "b"), text='"a b"')),
        kinds=("message", "file"),
        roles=("user",),
        threads=("thread_1",),
        assistants=("Plant Desk",),
        files=("a.txt", "b c.pdf"),
        after=1_767_225_600,
        before=1_767_312_000,
        meta=(("customer", "17*"), ("big key", "x y")),
        text=query.text,
    )


def test_filters_alone_are_a_query() -> None:
    assert parse_search_query("role:user").terms == ()


REFUSED = {
    "": "nothing to look for",
    "   ": "nothing to look for",
    "-lid": "only has words to leave out",
    'spare "key': "character 7",
    '"': "character 1",
    'a"b c"': "character 2",
    "kettle ++": "character 8",
    "*": "character 1",
    "kettle e*": "too many words begin with 'e'",
    "kind:thing": "there is no kind 'thing'",
    "a kind:": "character 8",
    "kind: message": "character 6",
    'kind:""': "has no value",
    "a after:yesterday": "character 3",
    "after:9999-12-31T23:59:59-23:59": "not a date",
    "after:2026-01-01 after:2026-01-02": "occurs twice",
    "after:2026-01-02 before:2026-01-01": "no time is between",
    "a -kind:message": "only words and phrases can be left out",
    "meta.x:": "has no value",
    "a " * (MAX_QUERY_TERMS + 1): "more than 64",
    "a" * 2_001: "2,001 characters",
}


@pytest.mark.parametrize(("text", "words"), REFUSED.items())
def test_a_query_without_a_meaning_is_refused_with_the_place(text: str, words: str) -> None:
    with pytest.raises(BadUsage) as refused:
        parse_search_query(text)
    assert words in " ".join(refused.value.lines()) + refused.value.what
