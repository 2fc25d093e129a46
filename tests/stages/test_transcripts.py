"""Transcripts as files: everything is there once, under safe names, whole or not at all, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.errors import BadUsage, DiskFull, OperationRefused
from migrate.files import output
from migrate.model.results.conversation import FileReference, TranscriptSummary
from migrate.model.results.transcripts import IndexPage, ListedThread, TranscriptPage
from migrate.reports.transcripts.chat_lines import ChatLines
from migrate.reports.transcripts.html_site import HtmlPage, HtmlSite
from migrate.reports.transcripts.markdown_files import MarkdownFiles
from migrate.stages.transcripts import run
from migrate.stages.transcripts.file_names import stored_name, thread_stem
from migrate.stages.transcripts.folder import MANIFEST
from migrate.stages.transcripts.run import single_page, write_transcripts
from migrate.stages.transcripts.sorted_rows import SortedRows
from tests.archive.bundled import bundled
from tests.archive.filling import Listing, reader, tamper, write
from tests.e2e.hostile import NAMES

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def paths(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def manifest(folder: Path) -> Any:
    return json.loads((folder / MANIFEST).read_text())


def said(id_: str, text: str, at: int = 1, **more: Any) -> dict[str, Any]:
    part = {"type": "text", "text": {"value": text, "annotations": []}}
    return {"id": id_, "role": "user", "created_at": at, "content": [part], **more}


def talks(*ids: str) -> list[Listing]:
    threads: list[Listing] = [("thread", "", [{"id": id_, "created_at": 1} for id_ in ids])]
    return threads + [
        ("message", id_, [said(f"m-{id_}", f"Hello from {id_}", n)]) for n, id_ in enumerate(ids)
    ]


@pytest.fixture
def small(archive: Archive) -> SnapshotReader:
    write(archive, talks("thread_a", "thread_b"))
    return reader(archive)


# ------------------------------------------------------------------------------------------ what is written


def test_a_site_has_a_page_for_each_thread_its_files_and_a_list(archive: Archive, tmp_path: Path) -> None:
    snapshot, site = bundled(archive, "azure-v2"), tmp_path / "site"
    result = write_transcripts(snapshot, site, HtmlSite())
    threads = [body["id"] for _, body in snapshot.bodies("thread")]
    assert (result.threads, result.messages, result.is_complete) == (len(threads), 290, True)
    found = paths(site)
    assert [path for path in found if path.startswith("threads/")] == sorted(
        f"threads/{thread_stem(id_)}.html" for id_ in threads
    )
    index = (site / "index.html").read_text()
    assert all(f'href="threads/{thread_stem(id_)}.html"' in index for id_ in threads)
    page = (site / f"threads/{thread_stem('thread_dpohoc3XDk6a79UEE81px8SF')}.html").read_text()
    copied = [path for path in found if path.startswith("files/")]
    assert len(copied) == result.files > 5
    assert [path for path in copied if f'"../{path}"' in page]
    stored = {bytes_ for path in copied for bytes_ in [(site / path).read_bytes()]}
    assert sum(map(len, stored)) == result.bytes
    assert manifest(site) == {
        "made_by": "assistants-migrate", "state": "complete", "format": "html", "snapshot": 1,
        "estate": "azure-openai https://azure-v2.example.com", "threads": 14, "messages": 290,
        "complete": True,
    }  # fmt: skip
    assert {path.stat().st_mode & 0o77 for path in site.rglob("*")} == {0}


def test_markdown_is_what_the_command_prints(small: SnapshotReader, tmp_path: Path) -> None:
    write_transcripts(small, tmp_path / "md", MarkdownFiles())
    assert paths(tmp_path / "md") == ["index.md", "threads/thread_a.md", "threads/thread_b.md", MANIFEST]
    page = single_page(small, "thread_a")
    assert page is not None
    assert (tmp_path / "md/threads/thread_a.md").read_text() == "".join(MarkdownFiles().thread(page))
    index = (tmp_path / "md/index.md").read_text().splitlines()
    assert index[:5] == [
        "# 2 conversations", "", r"azure-openai https://east.example.com, snapshot 1, newest first", "",
        r"- [Hello from thread\_b](threads/thread_b.md)  ",
    ]  # fmt: skip


def test_jsonl_is_one_line_a_thread(small: SnapshotReader, tmp_path: Path) -> None:
    result = write_transcripts(small, tmp_path / "j", ChatLines(), ["thread_b"])
    assert paths(tmp_path / "j") == ["conversations.jsonl", MANIFEST]
    (line,) = (tmp_path / "j/conversations.jsonl").read_text().splitlines()
    assert json.loads(line)["messages"][0]["content"] == "Hello from thread_b"
    assert (result.threads, result.messages) == (1, 1)


def test_a_long_thread_has_several_pages(archive: Archive, tmp_path: Path) -> None:
    class Short(HtmlSite):
        page_messages = 2

    messages = [said(f"m{n}", f"number {n}", n) for n in range(5)]
    runs = [{"id": "run_last", "created_at": 9, "status": "failed"}]
    write(archive, [("thread", "", [{"id": "t"}]), ("message", "t", messages), ("run", "t", runs)])
    write_transcripts(reader(archive), tmp_path / "s", Short())
    texts = [(tmp_path / "s/threads" / name).read_text() for name in ("t.html", "t.2.html", "t.3.html")]
    for n in range(5):
        assert [f"number {n}</p>" in text for text in texts] == [n // 2 == page for page in range(3)]
    assert ["run_last" in text for text in texts] == [False, False, True]
    assert ['href="t.2.html" rel="next"' in text for text in texts] == [True, False, False]
    assert ['href="t.2.html" rel="prev"' in text for text in texts] == [False, False, True]


def test_many_threads_are_in_several_folders(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "THREADS_PER_FOLDER", 2)
    write(archive, talks(*(f"t{n}" for n in range(5))))
    write_transcripts(reader(archive), tmp_path / "s", HtmlSite())
    assert [path for path in paths(tmp_path / "s") if path.startswith("threads")] == [
        "threads/001/t0.html", "threads/001/t1.html", "threads/002/t2.html", "threads/002/t3.html",
        "threads/003/t4.html",
    ]  # fmt: skip
    assert '"../../style.css"' in (tmp_path / "s/threads/001/t0.html").read_text()
    assert '"threads/003/t4.html"' in (tmp_path / "s/index.html").read_text()


def test_the_list_is_paged_newest_first(archive: Archive, tmp_path: Path) -> None:
    class Short(HtmlSite):
        index_rows = 2

    write(archive, talks(*(f"t{n}" for n in range(5))))
    write_transcripts(reader(archive), tmp_path / "s", Short())
    texts = [(tmp_path / "s" / name).read_text() for name in ("index.html", "index-2.html", "index-3.html")]
    assert [[n for n in range(5) if f"t{n}.html" in text] for text in texts] == [[3, 4], [1, 2], [0]]
    assert texts[0].index("t4.html") < texts[0].index("t3.html")
    assert all('href="index-3.html"' in text for text in texts)


def test_rows_come_back_newest_first_and_as_they_were() -> None:
    rows = [
        ListedThread(TranscriptSummary(f"t{n}", "Wörter\u2028", "", at, n, (("a", "A"),), "gap"), f"p{n}")
        for n, at in enumerate(["", "2026-01-02T00:00:00Z", "2026-03-01T00:00:00Z", "2026-01-02T00:00:00Z"])
    ]
    kept = SortedRows()
    for row in rows:
        kept.add(row)
    times, pages = kept.pages(3)
    assert list(pages) == [[rows[2], rows[1], rows[3]], [rows[0]]]
    assert times == [("2026-03-01T00:00:00Z", "2026-01-02T00:00:00Z"), ("", "")]
    assert kept.incomplete == 4
    kept.close()


def test_an_estate_without_threads_has_an_empty_list(archive: Archive, tmp_path: Path) -> None:
    write(archive, [("thread", "", [])])
    result = write_transcripts(reader(archive), tmp_path / "s", HtmlSite())
    assert (result.threads, result.is_complete) == (0, True)
    assert "There is no thread" in (tmp_path / "s/index.html").read_text()


# ------------------------------------------------------------------------------------------------- honesty


def _partial(archive: Archive) -> SnapshotReader:
    writer = SnapshotWriter.begin(archive, "openai", "https://x", {}, None)
    rows = [BodyRow.from_json("thread", {"id": id_}) for id_ in ("t1", "t2")]
    writer.add_page("thread", "", rows, "")
    writer.end_listing("thread")
    writer.add_page("message", "t1", [BodyRow.from_json("message", said("m1", "Hello"))], "")
    writer.end_listing("message", "t1", "failed", "GET answered 500")
    writer.end_listing("message", "t2")
    writer.finish("partial", "v")
    return reader(archive)


@pytest.mark.parametrize("form", [HtmlSite(), MarkdownFiles(), ChatLines()], ids=lambda form: form.name)
def test_a_thread_that_is_not_complete_is_named_and_written(
    archive: Archive, tmp_path: Path, form: Any
) -> None:
    result = write_transcripts(_partial(archive), tmp_path / "s", form)
    assert [(row.kind, row.id, row.reason) for row in result.incomplete] == [
        ("thread", "t1", "GET answered 500")
    ]
    assert (result.threads, result.is_complete) == (2, False)
    texts = (
        "".join(path.read_text() for path in (tmp_path / "s").rglob("*t1*"))
        or (tmp_path / "s/conversations.jsonl").read_text()
    )
    assert "GET answered 500" in texts
    assert manifest(tmp_path / "s")["complete"] is False


def test_a_list_of_threads_that_was_not_read_is_said(archive: Archive, tmp_path: Path) -> None:
    writer = SnapshotWriter.begin(archive, "openai", "https://x", {}, None)
    writer.end_listing("thread", "", "failed", "GET answered 500")
    writer.finish("partial", "v")
    result = write_transcripts(reader(archive), tmp_path / "s", HtmlSite())
    assert [row.id for row in result.incomplete] == ["*"]
    assert "GET answered 500" in result.incomplete[0].reason


@pytest.mark.parametrize("form", [HtmlSite(), MarkdownFiles(), ChatLines()], ids=lambda form: form.name)
def test_a_damaged_thread_does_not_stop_the_others(archive: Archive, tmp_path: Path, form: Any) -> None:
    write(archive, talks("thread_a", "thread_b", "thread_c"))
    tamper(archive.conn, "m-thread_b", lambda text: text[:-9])
    result = write_transcripts(reader(archive), tmp_path / "s", form)
    assert [row.id for row in result.failed] == ["thread_b"]
    assert result.threads == 2
    written = "".join((tmp_path / "s" / path).read_text() for path in paths(tmp_path / "s"))
    assert "Hello from thread_c" in written.replace("\\_", "_")
    assert "thread_b" not in written
    if form.together:
        lines = (tmp_path / "s" / form.together).read_text().splitlines()
        assert [json.loads(line)["id"] for line in lines] == ["thread_a", "thread_c"]


def _with_file(
    archive: Archive, body: Mapping[str, Any], content: bytes, origin: str = "download"
) -> SnapshotReader:
    message = said("m", "Here", attachments=[{"file_id": body["id"]}])
    writer = write(
        archive, [("file", "", [dict(body)]), ("thread", "", [{"id": "t"}]), ("message", "t", [message])]
    )
    link_file_to_blob(archive, writer.endpoint, body["id"], store_blob(archive, [content]), origin)
    return reader(archive)


def test_a_damaged_file_is_reported_and_not_linked(archive: Archive, tmp_path: Path) -> None:
    snapshot = _with_file(archive, {"id": "f", "filename": "a.txt"}, b"x" * 99)
    archive.conn.execute("UPDATE chunks SET data = ?, size = 99", (b"y" * 99,))
    result = write_transcripts(snapshot, tmp_path / "s", HtmlSite())
    assert [(row.kind, row.id) for row in result.failed] == [("file", "f")]
    assert [path for path in paths(tmp_path / "s") if path.startswith("files")] == []
    assert "files/" not in (tmp_path / "s/threads/t.html").read_text()


def test_a_file_without_bytes_is_counted(archive: Archive, tmp_path: Path) -> None:
    message = said("m", "Here", attachments=[{"file_id": "f"}])
    write(archive, [("thread", "", [{"id": "t"}]), ("message", "t", [message])])
    result = write_transcripts(reader(archive), tmp_path / "s", HtmlSite())
    assert (result.without_bytes, result.files, result.is_complete) == (1, 0, True)
    assert "not in the archive" in (tmp_path / "s/threads/t.html").read_text()


def test_a_gigantic_text_lies_beside_its_page(archive: Archive, tmp_path: Path) -> None:
    text = "x" * 3_000_000 + "\ud800"
    write(archive, [("thread", "", [{"id": "t"}]), ("message", "t", [said("m", text)])])
    write_transcripts(reader(archive), tmp_path / "s", HtmlSite())
    (whole,) = [path for path in paths(tmp_path / "s") if path.startswith("texts/")]
    assert (tmp_path / "s" / whole).read_text() == "x" * 3_000_000 + "\\ud800"
    page = (tmp_path / "s/threads/t.html").read_text()
    assert len(page) < 500_000
    assert f'href="../{whole}"' in page


# ------------------------------------------------------------------------------------------------- folders


def test_a_new_run_needs_force_and_removes_what_is_left(small: SnapshotReader, tmp_path: Path) -> None:
    site = tmp_path / "s"
    write_transcripts(small, site, HtmlSite())
    (site / "mine.txt").write_text("mine")
    (site / "threads/mine.csv").write_text("mine")
    with pytest.raises(OperationRefused, match="has transcripts already"):
        write_transcripts(small, site, HtmlSite(), ["thread_a"])
    result = write_transcripts(small, site, HtmlSite(), ["thread_a"], force=True)
    assert result.removed == 1
    assert paths(site) == [
        "index.html", "mine.txt", "style.css", "threads/mine.csv", "threads/thread_a.html", MANIFEST,
    ]  # fmt: skip
    write_transcripts(small, site, MarkdownFiles(), force=True)
    assert "index.html" not in paths(site)
    assert "threads/thread_b.md" in paths(site)


@pytest.mark.parametrize("content", ["", "{}", '{"made_by": "x"}', "[" * 5_000, "[]", "\0"])
def test_a_folder_of_somebody_else_is_refused(small: SnapshotReader, tmp_path: Path, content: str) -> None:
    site = tmp_path / "s"
    site.mkdir()
    (site / MANIFEST).write_text(content)
    for force in (False, True):
        with pytest.raises(OperationRefused, match="files that are no transcripts"):
            write_transcripts(small, site, HtmlSite(), force=force)
    assert paths(site) == [MANIFEST]


def test_a_folder_that_cannot_be_made_is_said(small: SnapshotReader, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(BadUsage, match="cannot create the folder"):
            write_transcripts(small, place, HtmlSite())


class Stopping(HtmlSite):
    """Is interrupted in the middle of the second page."""

    pages = 0

    def thread(self, page: TranscriptPage) -> Iterator[str]:
        self.pages += 1
        for n, piece in enumerate(super().thread(page)):
            if self.pages == 2 and n == 3:
                raise KeyboardInterrupt
            yield piece


def test_an_interrupted_run_leaves_whole_files_and_is_started_again(
    small: SnapshotReader, tmp_path: Path
) -> None:
    site = tmp_path / "s"
    with pytest.raises(KeyboardInterrupt):
        write_transcripts(small, site, Stopping())
    assert manifest(site)["state"] == "unfinished"
    assert paths(site) == ["style.css", "threads/thread_a.html", MANIFEST]
    assert (site / "threads/thread_a.html").read_text().rstrip().endswith("</html>")
    (site / "threads/.0123456789abcdef.tmp").write_text("left by a killed program")
    result = write_transcripts(small, site, HtmlSite())
    assert result.removed == 1
    assert paths(site) == [
        "index.html",
        "style.css",
        "threads/thread_a.html",
        "threads/thread_b.html",
        MANIFEST,
    ]
    assert manifest(site)["state"] == "complete"


def test_lines_appear_together_or_not_at_all(small: SnapshotReader, tmp_path: Path) -> None:
    class Stopped(ChatLines):
        def thread(self, page: TranscriptPage) -> Iterator[str]:
            if page.summary.id == "thread_b":
                raise KeyboardInterrupt
            return super().thread(page)

    with pytest.raises(KeyboardInterrupt):
        write_transcripts(small, tmp_path / "j", Stopped())
    assert paths(tmp_path / "j") == [MANIFEST]


def test_a_full_disk_is_said(small: SnapshotReader, tmp_path: Path) -> None:
    class Full(HtmlSite):
        def index(self, page: IndexPage) -> Iterator[str]:
            yield "<html>"
            raise OSError(next(iter(output.DISK_FULL_ERRNOS)), "No space left on device")

    with pytest.raises(DiskFull):
        write_transcripts(small, tmp_path / "s", Full())
    assert manifest(tmp_path / "s")["state"] == "unfinished"


def test_nothing_is_written_through_a_link(small: SnapshotReader, tmp_path: Path) -> None:
    site, outside = tmp_path / "s", tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(KeyboardInterrupt):
        write_transcripts(small, site, Stopping())
    for path in (site / "threads").iterdir():
        path.unlink()
    (site / "threads").rmdir()
    (site / "threads").symlink_to(outside)
    with pytest.raises(OperationRefused, match="leads out of the folder"):
        write_transcripts(small, site, HtmlSite())
    assert list(outside.iterdir()) == []


# --------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("id_", "stem"),
    [
        ("thread_abc", "thread_abc"),
        ("thread_ABC", "thread_ABC-"),
        ("../../etc/passwd", "etc_passwd-"),
        ("con", "con-"),
        ("a/b", "a_b-"),
        ("", "thread-"),
        ("\x00\u202e漢", "thread-"),
        ("x" * 500, "x" * 60 + "-"),
    ],
)
def test_names_of_threads(id_: str, stem: str) -> None:
    assert thread_stem(id_).startswith(stem)
    assert thread_stem(id_) == stem or len(thread_stem(id_)) == len(stem) + 12
    assert thread_stem(id_.swapcase() + "Z") != thread_stem(id_)


def test_names_of_threads_differ_where_case_is_ignored() -> None:
    assert thread_stem("thread_Ab").lower() != thread_stem("thread_aB").lower()


@pytest.mark.parametrize(
    ("name", "image", "stored"),
    [
        ("report.PDF", "", "report.PDF"),
        ("page.html", "", "page.html.txt"),
        ("x.svg", "", "x.svg.txt"),
        ("run.EXE", "", "run.EXE.bin"),
        ("script.js", "", "script.js.txt"),
        ("noextension", "", "noextension.bin"),
        ("x.xhtml", "image/png", "x.xhtml.png"),
        ("photo.jpeg", "image/jpeg", "photo.jpeg"),
        ("photo.png", "image/jpeg", "photo.png.jpg"),
        ("a.html.", "", "a.html.txt"),
        ("a.pdf.lnk", "", "a.pdf.lnk.bin"),
        ("\u202efdp.exe", "", "_fdp.exe.bin"),
    ],
)
def test_no_stored_file_is_run_when_it_is_opened(name: str, image: str, stored: str) -> None:
    assert stored_name(FileReference("f", name, 1, True, image)) == stored


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_in_their_folder(archive: Archive, tmp_path: Path, name: str) -> None:
    snapshot = _with_file(archive, {"id": f"../{name}", "filename": name}, PNG)
    write_transcripts(snapshot, tmp_path / "s", HtmlSite())
    (copied,) = [path for path in paths(tmp_path / "s") if path.startswith("files/")]
    folder, stored = copied.split("/")[1:]
    assert len(folder) == 12
    assert stored.endswith(".png")
    assert not set(stored) & set('<>:"|?*\\\0\x1b\u202e')
    assert (tmp_path / "s" / copied).read_bytes() == PNG


def test_parsed_text_is_named_as_such(archive: Archive, tmp_path: Path) -> None:
    snapshot = _with_file(archive, {"id": "f", "filename": "a.pdf"}, b"only its text", "parsed")
    write_transcripts(snapshot, tmp_path / "s", HtmlSite())
    (copied,) = [path for path in paths(tmp_path / "s") if path.startswith("files/")]
    assert copied.endswith("a.pdf.parsed.txt")
    assert "only the text that a vector store read" in (tmp_path / "s/threads/t.html").read_text()


# ------------------------------------------------------------------------------------------------ one page


def test_one_page_contains_its_images_and_no_address(archive: Archive) -> None:
    snapshot = bundled(archive, "azure-v2")
    page = single_page(snapshot, "thread_dpohoc3XDk6a79UEE81px8SF")
    assert page is not None
    html = "".join(HtmlPage().thread(page))
    assert html.count('src="data:image/png;base64,') == 4
    assert 'href="files/' not in html
    assert single_page(snapshot, "thread_no") is None
