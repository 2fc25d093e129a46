"""An archive in Datasette, with the plugin that Datasette loads by itself: links, hidden tables, queries."""

from __future__ import annotations

import asyncio
import html
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
from datasette.app import Datasette

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.plugins.datasette import SHOWN_TABLES
from migrate.stages.index.run import build_index
from migrate.stages.progress import Progress
from tests.archive.filling import ESTATE, filled, write

HOSTILE = "<script>alert(1)</script>"


class Site:
    """Datasette over some databases, called without a socket."""

    def __init__(self, *paths: Path) -> None:
        self.datasette = Datasette([str(path) for path in paths], settings={"num_sql_threads": 0})
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.datasette.invoke_startup())
        self.loop.run_until_complete(self.datasette.client.get("/"))  # opens every connection

    def get(self, path: str) -> str:
        answer = self.loop.run_until_complete(self.datasette.client.get(path))
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def json(self, path: str) -> Any:
        answer = self.loop.run_until_complete(self.datasette.client.get(path))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def links(self, path: str) -> dict[str, str]:
        """Text -> address of the links of a page."""
        found = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', self.get(path))
        return {html.unescape(text): html.unescape(address) for address, text in found}

    def close(self) -> None:
        for database in self.datasette.databases.values():
            database.close()
            for conn in (database._read_connection, database._write_connection):
                if conn:
                    conn.close()
        self.loop.close()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("datasette")
    with Archive.open(folder / "estate.db", write=True, create=True) as archive:
        write(archive)
        odd = {"id": "thread/../?a=1&b", "created_at": 3, "metadata": {"k": HOSTILE}}
        message = {
            "id": f"msg_{HOSTILE}",
            "role": "user",
            "content": [{"type": "text", "text": {"value": HOSTILE}}],
        }
        write(archive, [*ESTATE[:4], ("thread", "", [odd]), ("message", odd["id"], [message])])
    with closing(sqlite3.connect(folder / "other.db")) as conn:
        conn.execute("CREATE TABLE packs (id, snapshot, body)")
        conn.execute("INSERT INTO packs VALUES ('asst_1', 1, '{}')")
        conn.commit()
    return folder / "estate.db", folder / "other.db"


@pytest.fixture(scope="module", autouse=True)
def _no_connection_is_left_open() -> Iterator[None]:
    """Datasette opens a connection to check whether SQLite has JSON, and never closes it."""
    with patch("datasette.facets.detect_json1", lambda: True):
        yield


@pytest.fixture(scope="module")
def site(paths: tuple[Path, Path]) -> Iterator[Site]:
    made = Site(*paths)
    yield made
    made.close()


@pytest.fixture(scope="module")
def indexed(paths: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The archive with an index, and a file whose text is searched."""
    path = tmp_path_factory.mktemp("indexed") / "estate.db"
    shutil.copy(paths[0], path)
    with Archive.open(path, write=True) as archive:
        link_file_to_blob(archive, 1, "file-a", store_blob(archive, [b"a needle"]), "download")
        build_index(archive, Progress())
    made = Site(path)
    yield made
    made.close()


def test_inner_tables_are_hidden_and_the_others_shown(site: Site) -> None:
    tables = {table["name"]: table["hidden"] for table in site.json("/estate.json")["tables"]}
    assert {name for name, hidden in tables.items() if not hidden} == SHOWN_TABLES
    assert len(tables) > len(SHOWN_TABLES) + 10


def test_a_database_that_is_no_archive_is_not_changed(site: Site) -> None:
    assert [table["hidden"] for table in site.json("/other.json")["tables"]] == [False]
    assert "asst_1" not in site.links("/other/packs")
    assert "/other/object" not in site.get("/other")


def test_a_thread_links_to_its_messages_and_its_messages_to_it(site: Site) -> None:
    link = site.links("/estate/threads?snapshot=1")["thread_1"]
    assert link == "/estate/messages?snapshot=1&thread_id=thread_1&_sort=ordinal"
    links = site.links(link)
    assert {"msg_1", "msg_2"} <= links.keys()
    assert links["thread_1"] == "/estate/object?id=thread_1&snapshot=1"
    assert site.links(links["thread_1"])["thread_1"] == link
    assert site.links(links["msg_1"])["thread_1"] == link


@pytest.mark.parametrize(
    ("page", "text", "kind"),
    [
        ("assistants?snapshot=1", "asst_1", "assistant"),
        ("run_steps?snapshot=1", "run_1", "run"),
        ("vector_store_files?snapshot=1", "vs_1", "vector_store"),
        ("files?snapshot=1", "file-a", "file"),
    ],
)
def test_an_id_links_to_its_object(site: Site, page: str, text: str, kind: str) -> None:
    link = site.links(f"/estate/{page}")[text]
    rows = site.json(link.replace("?", ".json?") + "&_shape=array")
    assert kind in {row["kind"] for row in rows}
    assert {(row["id"], row["snapshot"]) for row in rows} == {(text, 1)}
    assert f'"id": "{text}"' in html.unescape(site.get(link))


def test_a_file_is_found_where_it_is_and_in_its_store(site: Site) -> None:
    rows = site.json("/estate/object.json?id=file-a&snapshot=&_shape=array")
    assert sorted((row["snapshot"], row["kind"], row["parent"]) for row in rows) == [
        (2, "file", None), (2, "vector_store_file", "vs_1"),
    ]  # fmt: skip
    assert site.json("/estate/object.json?id=file-b&snapshot=&_shape=array") == []


def test_odd_ids_and_hostile_texts_are_texts(site: Site) -> None:
    link = site.links("/estate/threads?snapshot=2")["thread/../?a=1&b"]
    page = site.get(link)
    assert HOSTILE not in page
    assert page.count(html.escape(HOSTILE)) >= 3
    assert HOSTILE not in site.get(site.links(link)[f"msg_{HOSTILE}"])


def test_a_search_finds_words_in_any_spelling_and_links_to_what_it_found(indexed: Site) -> None:
    rows = indexed.json("/estate/search.json?q=HELLO&kind=&snapshot=1&_shape=array")
    assert [(row["snapshot"], row["kind"], row["id"], row["parent"], row["excerpt"]) for row in rows] == [
        (1, "message", "msg_1", "thread_1", "«Hello»")
    ]
    links = indexed.links("/estate/search?q=hello&kind=message&snapshot=1")
    assert links["thread_1"].startswith("/estate/messages?snapshot=1&thread_id=thread_1")
    assert links["msg_1"].startswith("/estate/object?id=msg_1")
    for query in ("hello&kind=assistant", "hello kind:file", "nosuchword", "hello -hello"):
        assert indexed.json(f"/estate/search.json?q={quote(query, safe='&=')}&snapshot=1&_shape=array") == []
    (file,) = indexed.json("/estate/search.json?q=needle&kind=&snapshot=1&_shape=array")
    assert (file["kind"], file["id"], file["excerpt"]) == ("file", "file-a", "(in the text of the file)")
    assert indexed.json("/estate/search.json?q=needle&kind=&snapshot=2&_shape=array") == [
        file | {"snapshot": 2}
    ]


def test_hostile_texts_are_found_and_shown_as_text(indexed: Site) -> None:
    page = indexed.get("/estate/search?q=alert&kind=&snapshot=2")
    assert "<script>alert" not in page
    assert "«alert»(1)" in html.unescape(page)


@pytest.mark.parametrize("query", ["", '"', "after:2026-01-01 x", "thread:thread_1", '"" OR *', "a" * 5_000])
def test_a_query_that_cannot_be_used_says_why(indexed: Site, query: str) -> None:
    (row,) = indexed.json(f"/estate/search.json?q={quote(query)}&kind=&snapshot=&_shape=array")
    assert row["id"] is None
    assert "quer" in row["excerpt"] or "filter" in row["excerpt"]


def test_without_an_index_there_is_no_search(site: Site) -> None:
    assert "/estate/object" in site.links("/estate").values()
    assert "/estate/search" not in site.links("/estate").values()


def test_the_tables_of_an_index_are_hidden(indexed: Site) -> None:
    tables = {table["name"]: table["hidden"] for table in indexed.json("/estate.json")["tables"]}
    assert {name for name, hidden in tables.items() if not hidden} == SHOWN_TABLES
    assert "text_words" in tables


def test_times_are_shown_as_text(site: Site) -> None:
    assert ">1970-01-01T00:00:02Z</span>" in site.get("/estate/threads?snapshot=1")


def test_an_archive_of_version_1_is_shown_too(tmp_path: Path) -> None:
    """Its views lack the newer columns."""
    from tests.archive.test_exact_schema import of_version

    site = Site(of_version(tmp_path / "estate.db", 1))
    assert "thread_1" in site.links("/estate/threads")
    assert site.json("/estate/object.json?id=thread_1&snapshot=&_shape=array")[0]["kind"] == "thread"
    site.close()


def test_a_file_that_is_no_database_does_not_keep_the_others_from_being_shown(
    tmp_path: Path, paths: tuple[Path, Path]
) -> None:
    filled(tmp_path / "damaged.db")
    data = bytearray((tmp_path / "damaged.db").read_bytes())
    data[100:4096] = b"\xff" * 3996
    (tmp_path / "damaged.db").write_bytes(data)
    site = Site(tmp_path / "damaged.db", paths[0])
    site.loop.run_until_complete(site.datasette.invoke_startup())
    site.close()
