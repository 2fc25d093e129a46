"""What a snapshot did not read is reported, and never returned as empty, complete or deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.model.entity import COUNT_MISMATCH_REASON, NOT_FOUND_REASON
from migrate.stages.snapshot.collector import ONLY_GIVEN_THREADS
from tests.archive.filling import tamper
from tests.serve.api.archives import Made, MadeSnapshot, make_archive, messages, named
from tests.serve.api.serving import VERSION, Reply, ServedApi, serving_api

PARTIAL = {"x_archive_partial": "allow"}
REASON = "GET /threads/t_broken/messages answered 500: it broke"
THREADS = ("t_whole", "t_broken", "t_gone", "t_unread", "t_empty")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    read = [
        Made("thread", "", named(*THREADS), reason=ONLY_GIVEN_THREADS),
        Made("message", "t_whole", messages(2)),
        Made("message", "t_broken", messages(3), "failed", REASON),
        Made("message", "t_gone", messages(1), "gone", "deleted while the snapshot was read"),
        Made("message", "t_empty"),
        Made("run", "t_whole", named("run_1")),
        Made("assistant", "", (), "failed", "retired"),
        Made("vector_store", "", named("vs_1")),
        Made("vector_store_file", "vs_1", named("file-1"), reason=f"{COUNT_MISMATCH_REASON}: 2 and 1"),
    ]
    missing = [
        ("thread", "", "t_refused", "GET /threads/t_refused answered 403: no", False),
        ("thread", "", "t_unknown", f"{NOT_FOUND_REASON}: 404", False),
    ]
    path = make_archive(tmp_path_factory.mktemp("incomplete") / "a.db", MadeSnapshot(read, missing=missing))
    with serving_api(path) as served:
        yield served


def unread(api: ServedApi, path: str, *words: str, **headers: str) -> Reply:
    """The error for what the archive does not have, with the reason."""
    reply = api.refused(f"/openai/{path}{'&' if '?' in path else '?'}{VERSION}", 424, **headers)
    assert reply.json["error"]["code"] == "not_in_archive"
    for word in words:
        assert word in reply.message
    return reply


@pytest.mark.parametrize(
    ("path", "reason", "ids"),
    [
        ("threads", ONLY_GIVEN_THREADS, THREADS[::-1]),
        ("threads/t_broken/messages", REASON, ("msg_2", "msg_1", "msg_0")),
        ("threads/t_gone/messages", "deleted while", ("msg_0",)),
        ("vector_stores/vs_1/files", COUNT_MISMATCH_REASON, ("file-1",)),
        ("assistants", "retired", ()),
    ],
)
def test_a_part_is_sent_only_to_who_asks_for_it(
    api: ServedApi, path: str, reason: str, ids: tuple[str, ...]
) -> None:
    assert "x-archive-partial: allow" in unread(api, path, reason).message
    reply = api.azure(path, **PARTIAL)
    assert reply.ids == list(ids)
    assert reason in reply.headers["x-archive-incomplete"]


@pytest.mark.parametrize("path", ["threads/t_unread/messages", "threads/t_whole/runs/run_1/steps", "files"])
def test_a_list_that_was_not_read_has_no_part(api: ServedApi, path: str) -> None:
    unread(api, path, "taken without it")
    unread(api, path, "taken without it", **PARTIAL)


def test_a_complete_list_says_nothing(api: ServedApi) -> None:
    for path in ("threads/t_whole/messages", "threads/t_empty/messages", "vector_stores"):
        assert "x-archive-incomplete" not in api.azure(path).headers


def test_objects_of_an_incomplete_list_are_answered_as_usual(api: ServedApi) -> None:
    for path in ("threads/t_broken", "threads/t_broken/messages/msg_1", "threads/t_gone/messages/msg_0"):
        assert api.azure(path).json["id"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("threads/t_broken/messages/msg_9", 424, REASON),
        ("threads/t_nobody", 424, ONLY_GIVEN_THREADS),
        ("threads/t_nobody/messages", 424, "No thread found with id 't_nobody'"),
        ("threads/t_refused", 424, "answered 403"),
        ("threads/t_unknown", 404, "No thread found with id 't_unknown'."),
        ("threads/t_whole/messages/msg_9", 404, "No message found"),
        ("threads/t_gone/messages/msg_9", 404, "No message found"),
        ("threads/t_unread/messages/msg_9", 424, "taken without it"),
        ("assistants/asst_1", 424, "retired"),
        ("threads/t_broken/messages?after=msg_9", 424, "after"),
    ],
)
def test_what_may_exist_is_not_called_unknown(api: ServedApi, path: str, status: int, words: str) -> None:
    asked = f"/openai/{path}{'&' if '?' in path else '?'}{VERSION}"
    assert words in api.refused(asked, status, **PARTIAL).message


def test_a_filtered_snapshot_knows_that_there_is_more(tmp_path: Path) -> None:
    options = {"include": [["assistant", "support*"]]}
    read = [Made("assistant", "", named("asst_1")), Made("thread", "", named("t"))]
    path = make_archive(tmp_path / "a.db", MadeSnapshot(read, options=options))
    with serving_api(path) as api:
        unread(api, "assistants", "filtered")
        unread(api, "assistants/asst_2", "filtered")
        assert api.azure("assistants/asst_1").json["id"] == "asst_1"
        assert api.azure("threads").ids == ["t"]


def test_another_snapshot_that_has_an_object_is_reported(tmp_path: Path) -> None:
    read = [Made("thread", "", named("t"))], [Made("thread", "", (), "failed", "broken")]
    path = make_archive(tmp_path / "a.db", *map(MadeSnapshot, read))
    with serving_api(path) as api:
        unread(api, "threads/t", "broken; snapshot 1 has it")
        assert "snapshot" not in unread(api, "threads/u", "broken").message
    with serving_api(path, snapshot=1) as api:
        assert api.azure("threads/t").json == {"id": "t"}


def test_an_interrupted_snapshot_is_incomplete(tmp_path: Path) -> None:
    read = [
        Made("thread", "", named("t", "u")),
        Made("message", "t", messages(2, run_id="run_1"), "reading"),
        Made("message", "u", [*messages(1), *named("msg_u", run_id="run_1")], "reading"),
    ]
    path = make_archive(tmp_path / "a.db", MadeSnapshot(read))
    with serving_api(path) as api:
        unread(api, "threads/t/messages", "interrupted")
        assert api.azure("threads/t/messages", "run_id=run_1", **PARTIAL).ids == ["msg_1", "msg_0"]
        assert api.azure("threads/u/messages", "run_id=run_1", **PARTIAL).ids == ["msg_u"]
        assert api.azure("threads/t/messages", **PARTIAL).ids == ["msg_1", "msg_0"]


def test_content_that_the_service_hid_is_reported(tmp_path: Path) -> None:
    shown = {"hidden": {"run_step": ["step_details.x", "y"]}}
    read = [
        Made("thread", "", named("t")),
        Made("run", "t", named("r")),
        Made("run_step", "t", named("s", run_id="r")),
    ]
    path = make_archive(tmp_path / "a.db", MadeSnapshot(read, shown=shown))
    with serving_api(path) as api:
        for asked in ("threads/t/runs/r/steps", "threads/t/runs/r/steps/s"):
            assert api.azure(asked, "include[]=y").headers["x-archive-hidden"] == "step_details.x, y"
        assert "x-archive-hidden" not in api.azure("threads/t/runs/r").headers


# ------------------------------------------------------------------------------------ bytes of files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    kept = {
        "bytes": (b"0123456789", "download"),
        "original": (b"original", "original"),
        "empty": (b"", "download"),
        "parsed": ('Z\u00fcrich "1"\n'.encode() * 3, "parsed"),
    }
    ids = (*kept, "expected", "refused", "unread")
    bodies: list[Any] = [{**body, "purpose": "user_data"} for body in named(*ids)]
    read = [
        Made("file", "", bodies),
        Made("vector_store", "", named("vs")),
        Made("vector_store_file", "vs", named(*ids)),
    ]
    missing = [
        ("file", "", "expected", "its bytes: 400 Not allowed", True),
        ("file", "", "refused", "its bytes: 500 broken", False),
        ("file", "", "parsed", "only its parsed text is kept; its bytes: 500", False),
    ]
    made = MadeSnapshot(read, "openai", "https://api.openai.com/v1", "", missing=missing, files=kept)
    with serving_api(make_archive(tmp_path_factory.mktemp("files") / "a.db", made)) as served:
        yield served


def test_bytes_are_sent_whole(files: ServedApi) -> None:
    for id_, content in (("bytes", b"0123456789"), ("original", b"original"), ("empty", b"")):
        reply = files.ok(f"/v1/files/{id_}/content")
        assert (reply.body, reply.headers["content-length"]) == (content, str(len(content)))
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["content-disposition"] == "attachment"
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_bytes_that_are_not_there_are_refused_for_their_reason(files: ServedApi) -> None:
    refused = files.refused("/v1/files/expected/content", 400)
    assert refused.message == "Not allowed to download files of purpose: user_data"
    for id_, words in {
        "refused": "500 broken",
        "unread": "without the bytes",
        "parsed": "parsed text",
    }.items():
        assert words in files.refused(f"/v1/files/{id_}/content", 424).message


def test_parsed_text_is_a_page_of_its_store(files: ServedApi) -> None:
    page = files.ok("/v1/vector_stores/vs/files/parsed/content").json
    assert page == {
        "object": "vector_store.file_content.page",
        "data": [{"type": "text", "text": 'Z\u00fcrich "1"\n' * 3}],
        "has_more": False,
        "next_page": None,
    }
    assert (
        "GET /files/bytes/content" in files.refused("/v1/vector_stores/vs/files/bytes/content", 424).message
    )
    files.refused("/v1/vector_stores/vs/files/refused/content", 424)
    files.refused("/v1/vector_stores/vs/files/nobody/content", 404)


# ------------------------------------------------------------------------------------------- damage


def test_damaged_bytes_never_arrive_as_a_whole_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chunks = {"one": (b"abc", "download"), "many": (b"0123456789", "download")}
    path = make_archive(tmp_path / "a.db", MadeSnapshot([Made("file", "", named(*chunks))], files=chunks))
    with Archive.open(path, write=True) as archive:
        archive.conn.execute("UPDATE chunks SET data = 'xy' || substr(data, 3) WHERE ordinal IN (0, 2)")
        archive.conn.execute("UPDATE chunks SET data = CAST(data AS BLOB)")
    with serving_api(path) as api:
        unread(api, "files/one/content", "damaged")
        with pytest.raises(Exception, match="IncompleteRead"):
            api.azure("files/many/content")
        assert api.azure("files/one").json["id"] == "one"
    assert [record.exc_info for record in caplog.records] == [None]
    assert "ended early" in caplog.text


def test_a_damaged_body_is_refused_and_the_others_are_sent(tmp_path: Path) -> None:
    tool = [{"headers": {"a": "secret"}}]
    read = [Made("assistant", "", named("asst_1", "asst_2", tools=tool)), Made("thread", "", named("t"))]
    path = make_archive(tmp_path / "a.db", MadeSnapshot(read))
    with Archive.open(path, write=True) as archive:
        tamper(archive.conn, "asst_1", lambda text: text.replace("[", "", 1))
        archive.conn.execute("UPDATE packs SET data = x'00' WHERE kind = 'thread'")
    with serving_api(path) as api:
        for path_ in ("assistants", "threads", "threads/t", "assistants/asst_1"):
            unread(api, path_, "damaged")
        assert api.azure("assistants/asst_2").json["id"] == "asst_2"
