"""The content of pages: every kind of object of every service, over snapshots, and what is missing."""

from __future__ import annotations

import http.client
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.archive.database import Archive
from migrate.archive.forget import forget_snapshots
from migrate.archive.id_map import Side
from migrate.archive.journal import Journal
from migrate.serve import comparisons
from migrate.serve.addresses import PageLinks, id_segment
from migrate.serve.comparisons import Comparisons
from migrate.serve.connections import ArchiveAccess
from tests.archive.bundled import SERVICES
from tests.archive.filling import TYPE, URL, filled, write
from tests.serve.client import KEY, Client, served
from tests.serve.estates import CHANGED_TEXT, every_estate
from tests.serve.html_pages import crawl, parsed

NUMBERS = {name: n for n, name in enumerate(SERVICES, 1)}
AFTER = len(SERVICES) + 1


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path = tmp_path_factory.mktemp("served") / "estate.db"
    every_estate(path)
    with served(path) as client:
        yield client


def text_of(page: str) -> str:
    """The text of a page, with single blanks."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


@pytest.mark.slow
def test_every_link_of_every_page_leads_to_a_page(client: Client) -> None:
    found = dict(crawl(client, "/"))
    for part in ("assistants/", "files/", "vector-stores/", "threads", "compare?left", "search"):
        assert [address for address in found if part in address], f"no page {part}"
    assert len(found) > 100


def test_the_start_lets_choose_among_estates_and_goes_to_the_only_one(client: Client, tmp_path: Path) -> None:
    start = client.page("/")
    for name in SERVICES:
        assert f"https://{name}.example.com" in start
    with Archive.open(tmp_path / "one.db", write=True, create=True) as archive:
        write(archive)
        write(archive)
    with served(tmp_path / "one.db") as one:
        assert one.send("/").headers["location"] == "/snapshots/2/"
        assert "Snapshot 1" in one.page("/snapshots/")
    with served(tmp_path / "one.db", snapshot=1) as one:
        assert one.send("/").headers["location"] == "/snapshots/1/"


def test_the_overview_says_what_there_is_and_what_changed(client: Client) -> None:
    shown = text_of(client.page(f"/snapshots/{AFTER}/"))
    assert "Everything that the service listed is in this snapshot." in shown
    assert "Since snapshot 1 of" in shown
    assert re.search(r"assistant 0 1 1", shown), shown
    first = text_of(client.page("/snapshots/1/"))
    assert "This is the first snapshot of this estate" in first


def test_the_overview_says_why_a_snapshot_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        writer = write(archive, state="partial", options={"bytes": False, "include": [["assistant", "a*"]]})
        sql = "INSERT INTO missing VALUES (?, 'file', '', 'file-z', 'z.txt', 'the service answered 500', ?)"
        archive.conn.execute(sql, (writer.id, 0))
        archive.conn.execute(sql.replace("'file-z'", "'file-y'"), (writer.id, 1))
        archive.conn.execute("UPDATE listed SET state = 'failed', reason = 'no answer' WHERE kind_id = 1")
    with served(path) as client:
        shown = text_of(client.page("/snapshots/1/"))
    for words in (
        "partial", "the service answered 500", "no answer", "bytes of files (--no-bytes)",
        "every assistant but a* (--include)", "1 file without bytes",
    ):  # fmt: skip
        assert words in shown, words


def test_an_assistant_shows_what_it_says_may_use_and_was(client: Client) -> None:
    table = parsed(client.page(f"/snapshots/{AFTER}/assistants"))
    changed = next(link for link in table.links if re.search(r"/assistants/.", link))
    pages = [client.page(link) for link in table.links if re.search(r"/assistants/.", link)]
    page = next(page for page in pages if CHANGED_TEXT in page)
    shown = text_of(page)
    assert changed
    assert re.search(rf"changed snapshot {AFTER}.*?first seen snapshot 1", shown)
    assert re.search(rf"<ins>[^<]*{CHANGED_TEXT}</ins>", page)
    assert "5 words added" not in shown or "6 words added" in shown


def test_a_version_shows_what_is_gone(client: Client) -> None:
    kept = set(parsed(client.page(f"/snapshots/{AFTER}/assistants")).links)
    before = parsed(client.page("/snapshots/1/assistants")).links
    gone = [
        one
        for one in before
        if re.search(r"/1/assistants/.", one) and one.replace("/1/", f"/{AFTER}/") not in kept
    ]
    assert len(gone) == 1
    assert re.search(rf"gone snapshot {AFTER}", text_of(client.page(gone[0])))
    missing = client.page(gone[0].replace("/1/", f"/{AFTER}/"), 404)
    assert f'<a href="{gone[0]}">Snapshot 1 has it</a>' in missing


@pytest.mark.parametrize("name", SERVICES)
def test_files_and_stores_say_who_uses_them(client: Client, name: str) -> None:
    number = NUMBERS[name]
    used = 0
    for kind in ("files", "vector-stores"):
        links = parsed(client.page(f"/snapshots/{number}/{kind}")).links
        for link in {link for link in links if re.search(rf"/{kind}/[^/]+$", link)}:
            shown = text_of(client.page(link))
            used += "assistant" in shown.partition("Used by")[2].partition("Facts")[0]
    assert used


def test_a_store_shows_chunking_and_attributes(client: Client) -> None:
    links = parsed(client.page(f"/snapshots/{NUMBERS['foundry']}/vector-stores")).links
    shown = " ".join(text_of(client.page(link)) for link in links if re.search(r"/vector-stores/.", link))
    assert "400 tokens, 100 overlap" in shown
    assert "season: spring" in shown
    assert "current: true" in shown
    assert "30 days after it was last used" in shown


def test_images_are_shown_and_other_files_are_downloads(client: Client) -> None:
    links = parsed(client.page(f"/snapshots/{NUMBERS['openai-v2']}/files")).links
    pages = {link: client.page(link) for link in links if re.search(r"/files/[^/]+$", link)}
    image = next(parsed(page).loaded for page in pages.values() if "shown-image" in page)
    answer = client.send(next(url for url in image if "inline" in url))
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == ("image/png", "inline")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.body.startswith(b"\x89PNG")
    for link, page in pages.items():
        plain = client.send(f"{link}/content")
        assert plain.headers["content-type"] == "application/octet-stream"
        assert plain.headers["content-disposition"].startswith("attachment; filename=")
        inline = client.send(f"{link}/content?inline=1").headers["content-disposition"]
        assert (inline == "inline") is ("shown-image" in page)
        assert plain.headers["content-length"] == str(len(plain.body))


def test_an_image_in_the_address_of_a_message_is_shown_whole(tmp_path: Path) -> None:
    png = b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 40).decode()
    parts = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}} for data in (png, "AAAA")
    ]
    message = {"id": "m1", "role": "user", "content": parts}
    listings = [("thread", "", [{"id": "thread_1"}]), ("message", "thread_1", [message])]
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
        write(archive, listings)
    with served(tmp_path / "estate.db") as client:
        assert (
            parsed(client.page("/snapshots/1/threads/thread_1")).loaded.count(f"data:image/png;base64,{png}")
            == 1
        )


def test_damaged_bytes_never_arrive_as_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path, b"x" * 10)
    with Archive.open(path, write=True) as archive:
        archive.conn.execute("UPDATE chunks SET data = x'7979', size = 2 WHERE ordinal = 1")
    with served(path) as client, pytest.raises((http.client.IncompleteRead, ConnectionError)):
        client.send("/snapshots/1/files/file-a/content")


@pytest.mark.parametrize("kind", ["assistants", "files", "vector-stores", "threads"])
@pytest.mark.parametrize("id_", ["nothing", "..", "%00", "x" * 5_000, "<script>", "é"])
def test_an_object_that_is_not_there_is_a_page_that_says_so(client: Client, kind: str, id_: str) -> None:
    assert "has no" in client.page(f"/snapshots/1/{kind}/{id_segment(id_)}", 404)


def test_a_file_without_bytes_says_why(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "estate.db", write=True, create=True) as archive:
        write(archive)
    with served(tmp_path / "estate.db") as client:
        assert "does not have the bytes" in client.page("/snapshots/1/files/file-a")
        assert "--originals" in client.page("/snapshots/1/files/file-a/content", 404)


# ------------------------------------------------------------------------------------------- jumping


def test_equal_names_and_threads_without_messages_are_not_mixed_up(client: Client) -> None:
    page = client.page(PageLinks(NUMBERS["foundry-classic"]).threads())
    assert ">Plant Desk [asst_R7QL7Zto93ies8YsGQ7YKzey]</option>" in page
    assert ">plant-register</option>" in page
    assert text_of(page).count("created 20") == 1
    assert "created 2026-01-09 23:06" in text_of(page)


@pytest.mark.parametrize(
    "query", ["from=0", "from=2", "from=999999", "from=-1", "from=x", "from=" + "9" * 500]
)
def test_a_made_up_place_in_a_table_shows_a_part_of_it(client: Client, query: str) -> None:
    assert "Assistants" in client.page(f"/snapshots/1/assistants?{query}")


def test_the_box_leads_from_ids_and_names_to_pages(client: Client, tmp_path: Path) -> None:
    links = PageLinks(NUMBERS["foundry-classic"])

    def jump(text: str) -> str:
        return client.send(links.jump(text)).headers.get("location", "")

    assistant = "asst_md4GiTfsCZUwhWM1ZnpmGgk1"
    assert jump(assistant) == links.assistant(assistant)
    assert jump(f"  {assistant} ") == links.assistant(assistant)
    assert jump("asst_md4GiTfs") == links.assistant(assistant)
    assert jump("plant-register") == links.assistant("asst_9B0PXOILQli34NI1UG4UMpjg")
    assert jump("greenhouse-HANDBOOK.md").startswith(links.files())
    several = client.page(links.jump("plant desk"))
    assert several.count('<th scope="row">') == 3
    other = client.page(PageLinks(1).jump(assistant))
    assert f"Snapshot {NUMBERS['foundry-classic']} has it" in other
    for text in ("", " ", "%", "_", "zzz", "é", "\\", "x" * 3_000, "<b>", "'"):
        assert client.send(links.jump(text)).status in (200, 303)


def test_what_became_of_an_object_is_shown_and_found(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    with Archive.open(path, write=True) as archive:
        journal = Journal(archive, "digest", Side(TYPE, URL), Side("foundry", "https://new.example.com"))
        jobs = [("create", "assistant", "", "asst_1", "A"), ("create", "thread", "", "thread_1", "")]
        jobs.append(("create", "message", "thread_1", "msg_1", ""))
        for job, new in zip(jobs, ("new-agent", "conv_1", "item_1"), strict=True):
            (entry,) = journal.record_intent([job])
            journal.record_done(entry, new, written="x", target_parent="conv_1" if "item" in new else "")
    with served(path) as client:
        assert (
            client.send("/jump?snapshot=1&q=new-agent").headers["location"]
            == "/snapshots/1/assistants/asst_1"
        )
        assert client.send("/jump?q=conv_1").headers["location"] == "/snapshots/1/threads/thread_1"
        assert client.send("/jump?snapshot=77&q=asst_1").status == 404
        assistant = text_of(client.page("/snapshots/1/assistants/asst_1"))
        assert "What became of it new-agent on foundry https://new.example.com" in assistant
        thread = text_of(client.page("/snapshots/1/threads/thread_1"))
        assert "conv_1" in thread
        assert "item_1" in thread


def test_pages_say_so_where_all_snapshots_were_removed(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    with served(path) as client:
        with Archive.open(path, write=True) as archive:
            forget_snapshots(archive, [1])
        for address in ("/compare", "/compare?left=1", "/jump?q=asst_1"):
            assert "estate.db contains no snapshot" in text_of(client.page(address, 404))
        assert "has no snapshot 1" in text_of(client.page("/snapshots/1/", 404))
        client.page("/")


# ------------------------------------------------------------------------------------------ comparing


def compared(client: Client, address: str) -> str:
    """A comparison, after it has ended."""
    for _ in range(200):
        page = client.page(address)
        if 'http-equiv="refresh"' not in page:
            return page
    raise AssertionError("the comparison does not end")


def test_two_snapshots_are_compared_and_the_report_is_in_the_page(client: Client) -> None:
    choice = client.page(f"/compare?right={AFTER}")
    assert '<option value="1" selected>' in choice
    page = compared(client, f"/compare?left=1&right={AFTER}")
    assert "2 differences in" in text_of(page)
    assert '<script type="application/json" id="data">' in page
    address = f"/compare?left=1&right={AFTER}&list=1&from=1"
    assert address in parsed(page).links
    plain = text_of(client.page(address))
    assert CHANGED_TEXT in plain
    assert "1 to 2 of 2" in plain
    assert compared(client, "/compare?left=1&right=2")
    for query in ("left=1&right=1", "left=&right=", "right=1"):
        assert "Choose" in client.page(f"/compare?{query}") or "Compare" in client.page(f"/compare?{query}")
    for query in ("left=99&right=1", "left=x&right=1", "left=1&right=-1"):
        client.page(f"/compare?{query}", 404)


def test_a_comparison_with_many_differences_lists_the_first_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "MAX_SHOWN_CHANGES", 3)
    path = tmp_path / "estate.db"
    bodies = [{"id": f"file-{n}", "filename": f"{n}.txt"} for n in range(10)]
    with Archive.open(path, write=True, create=True) as archive:
        write(archive, [("file", "", bodies)])
        write(archive, [("file", "", [{**body, "filename": "other"} for body in bodies])])
    with served(path) as client:
        page = compared(client, "/compare?left=1&right=2")
        assert "10 differences in 10 objects" in text_of(page)
        assert "The first 3 of 10 differences are listed." in text_of(page)
        assert "1 to 3 of 3" in text_of(client.page("/compare?left=1&right=2&list=1"))


def test_a_comparison_goes_on_while_the_archive_is_written(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        write(archive)
        write(archive)
    with ArchiveAccess(path, connections=1) as access:
        asked = Comparisons(access)
        with Archive.open(path, write=True) as archive:
            first = asked.ask(1, 2, 20)
            write(archive)
            assert asked.ask(1, 2, 20) is first
            assert first.state == "done"
        asked.close()


def test_long_texts_do_not_make_a_comparison_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "MAX_PAGE_CHARS", 50_000)
    monkeypatch.setattr(comparisons, "MAX_KEPT_CHARS", 2_000_000)
    path = tmp_path / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        for mark in ("a", "b"):
            texts = [f"{mark}{n} " * 20_000 for n in range(40)]
            write(
                archive,
                [
                    (
                        "assistant",
                        "",
                        [{"id": f"asst_{n}", "instructions": text} for n, text in enumerate(texts)],
                    )
                ],
            )
    with served(path) as client:
        page = compared(client, "/compare?left=1&right=2")
        assert "40 differences in 40 objects" in text_of(page)
        assert "because their texts are long" in text_of(page)
        assert len(page) < 300_000


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    secret, key = "Bearer tool-secret-0123456789", "sk-abcdefghijklmnopqrstuvwxyz012345"
    listings = [
        ("assistant", "", [{
            "id": "asst_1", "name": f"n {key}", "instructions": f"use {key}", "metadata": {"k": key},
            "description": f"https://host.example/hook?code={key}",
            "tools": [{"type": "mcp", "server_label": "x", "headers": {"Authorization": secret}}],
        }]),
        ("file", "", [{"id": "file-a", "filename": f"{key}.txt"}]),
        ("vector_store", "", [{"id": "vs_1", "name": key, "metadata": {"k": f"https://u:{key}@h.example/"}}]),
        ("thread", "", [{"id": "thread_1", "metadata": {"k": key}}]),
        ("message", "thread_1", [{"id": "m1", "role": "user", "content": f"my {key} is {key}"}]),
    ]  # fmt: skip
    path = tmp_path / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        write(archive, listings)
        other = [
            (kind, parent, [{**body, "description": f"now {key}"} for body in bodies])
            for kind, parent, bodies in listings
        ]
        write(archive, other)
    with served(path) as client:
        compared(client, "/compare?left=1&right=2")
        for address, text in crawl(client, "/snapshots/2/"):
            place = text.find(key)
            assert place < 0, f"{address}: {text[max(0, place - 300) : place + 100]}"
            assert "tool-secret" not in text, address
            assert KEY not in text, address
        assert "(masked)" in client.page("/snapshots/2/assistants/asst_1")
