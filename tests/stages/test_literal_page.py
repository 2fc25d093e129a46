"""A text as it is, page by page: all pages together have what the search without pages finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from migrate.archive import Archive
from migrate.errors import BadUsage
from migrate.model.results.text_search import TextHit
from migrate.stages.query.list_cursor import write_list_cursor
from migrate.stages.query.literal_page import SECONDS_OF_PAGE, LiteralPage, search_literal_page
from migrate.stages.query.search import search
from tests.archive.filling import Listing, reader, write

KEY = "sk-abcdefghijklmnopqrstuvwxyz012345"
LISTINGS: list[Listing] = [
    ("file", "", [{"id": f"file-{n}", "filename": f"Straße {n}.pdf"} for n in range(3)]),
    ("assistant", "", [{"id": "asst_1", "name": "STRASSE", "instructions": "a strasse, and more"}]),
    ("thread", "", [{"id": "t/1"}, {"id": "t2"}, {"id": "t3"}]),
    *(
        (
            "message",
            thread,
            [
                {"id": f"{thread}-{n}", "role": "user", "content": f"{n} of the strasse", "created_at": n + 1}
                for n in range(4)
            ],
        )
        for thread in ("t/1", "t2", "t3")
    ),
    ("vector_store", "", [{"id": "vs_1", "name": f"key {KEY}"}]),
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive.open(tmp_path_factory.mktemp("s") / "estate.db", write=True, create=True) as opened:
        write(opened, LISTINGS)
        yield opened


def pages(archive: Archive, text: str, limit: int, clock: Callable[[], float]) -> list[LiteralPage]:
    """Every page, each from the cursor of the one before."""
    found = [search_literal_page(reader(archive), text, limit=limit, clock=clock)]
    while found[-1].next_cursor:
        assert len(found) < 100
        cursor = found[-1].next_cursor
        found.append(search_literal_page(reader(archive), text, after=cursor, limit=limit, clock=clock))
    return found


def shown(hits: list[TextHit]) -> list[tuple[str, str, str, str, str]]:
    return [
        (hit.kind, hit.id, hit.parent, hit.field, "".join(text for text, _ in hit.excerpt)) for hit in hits
    ]


@pytest.mark.parametrize("text", ["strasse", "STRASSE", "of the", "zzz", "3", ".pdf"])
@pytest.mark.parametrize("limit", [1, 2, 5, 1_000])
@pytest.mark.parametrize("slow", [False, True])
def test_all_pages_have_all_hits_once_and_in_order(
    archive: Archive, text: str, limit: int, slow: bool
) -> None:
    ticks = count()
    found = pages(archive, text, limit, lambda: next(ticks) * (SECONDS_OF_PAGE if slow else 0.0))
    expected = [
        (hit.kind, hit.id, hit.parent, hit.field, hit.excerpt) for hit in search(reader(archive), text)
    ]
    assert shown([hit for page in found for hit in page.hits]) == expected
    assert found[-1].seen == found[-1].total == 17
    assert (len(found) > 1) == (slow or limit < len(expected) or (limit == len(expected) and text != "zzz"))


def test_each_page_looks_at_an_object_even_where_one_takes_longer_than_a_page(archive: Archive) -> None:
    ticks = count()
    found = pages(archive, "strasse", 50, lambda: next(ticks) * 10 * SECONDS_OF_PAGE)
    assert [page.seen for page in found] == list(range(1, 18))


def test_a_hit_says_where_it_is(archive: Archive) -> None:
    (page,) = pages(archive, "2 of the STRASSE", 50, lambda: 0.0)
    hit = page.hits[1]
    assert (hit.kind, hit.parent, hit.number, hit.at, hit.role) == ("message", "t2", 3, 3, "user")
    assert hit.first_words == "0 of the strasse"
    assert hit.excerpt == (("2 of the strasse", True),)


def test_a_credential_is_found_and_not_shown(archive: Archive) -> None:
    (page,) = pages(archive, "abcdefgh", 50, lambda: 0.0)
    (hit,) = page.hits
    assert "abcdefgh" not in repr(hit)
    assert hit.name.startswith("key ")


def test_one_kind_is_searched_alone(archive: Archive) -> None:
    page = search_literal_page(reader(archive), "strasse", "file")
    assert {hit.kind for hit in page.hits} == {"file"}
    assert page.total == 3
    with pytest.raises(BadUsage):
        search_literal_page(reader(archive), "strasse", "run")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "bnVsbA",
        write_list_cursor("newest", 1, 2),
        write_list_cursor("text", 0, "", 0),
        write_list_cursor("text", 9, "", 0, 0),
        write_list_cursor("text", -1, "", 0, 0),
        write_list_cursor("text", 0, 0, 0, 0),
        write_list_cursor("text", 0, "", -1, 0),
        write_list_cursor("text", 0, "", 1 << 70, 0),
    ],
)
def test_a_made_up_cursor_is_refused(archive: Archive, cursor: str) -> None:
    with pytest.raises(BadUsage):
        search_literal_page(reader(archive), "strasse", after=cursor)


def test_a_cursor_behind_the_end_finds_nothing(archive: Archive) -> None:
    cursor = write_list_cursor("text", 3, "zz", 1 << 40, 0)
    assert search_literal_page(reader(archive), "strasse", after=cursor).hits == ()
    cursor = write_list_cursor("text", 3, "half \ud800 a character", 0, 0)
    assert search_literal_page(reader(archive), "strasse", after=cursor).next_cursor == ""
