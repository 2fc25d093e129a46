"""A thread as a conversation: everything in it once and in its place, for every service, window by window."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.archive import Archive
from migrate.archive.blobs import link_file_to_blob, store_blob
from migrate.archive.bodies import BodyRow
from migrate.archive.hashes import hash_all_rows
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.snapshots.writer import SnapshotWriter
from migrate.model.results.conversation import (
    Conversation,
    ConversationMessage,
    ConversationPart,
    FileReference,
    NewId,
    RunRecord,
)
from migrate.stages.query.conversation import ConversationReader, read_conversation
from migrate.stages.query.item_parts import item_parts
from migrate.stages.query.message_parts import read_part
from tests.archive.bundled import SERVICES, bundled
from tests.archive.filling import Listing, reader, write
from tests.strategies import json_values, steady

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def plain(id_: str) -> FileReference:
    return FileReference(id_)


def whole(snapshot: SnapshotReader, thread: str) -> tuple[Conversation, list[ConversationMessage]]:
    found = read_conversation(snapshot, thread)
    assert found is not None
    return found, list(found.messages)


def runs_of(found: Conversation, messages: list[ConversationMessage]) -> list[RunRecord]:
    return [*(run for message in messages for run in message.runs), *found.trailing_runs]


# ---------------------------------------------------------------------------------------- every service


@pytest.fixture(scope="module", params=SERVICES)
def example(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SnapshotReader]:
    path = tmp_path_factory.mktemp(request.param) / "estate.db"
    with Archive.open(path, write=True, create=True) as archive:
        yield bundled(archive, request.param)


def texts_in(value: Any) -> Iterator[str]:
    """Every text that people wrote or read in a body, wherever it is."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key in ("text", "value", "refusal", "code", "logs", "quote") and isinstance(member, str):
                yield member
            elif key not in ("annotations", "logprobs"):
                yield from texts_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_in(member)


def everything(message: ConversationMessage) -> str:
    return "\n".join([*(part.text for part in message.parts), *(call.text for call in message.attachments)])


def test_every_message_run_and_step_is_there_once_and_in_order(example: SnapshotReader) -> None:
    for _, thread in example.bodies("thread"):
        found, messages = whole(example, thread["id"])
        stored = [body for _, body in example.bodies("message", thread["id"])]
        assert [message.id for message in messages] == [body["id"] for body in stored]
        assert [message.number for message in messages] == list(range(1, len(stored) + 1))
        assert found.head.count == len(stored)
        assert found.head.gap == ""
        for message, body in zip(messages, stored, strict=True):
            assert not [text for text in texts_in(body) if text not in everything(message)]
        runs = runs_of(found, messages)
        assert [run.id for run in runs] == [body["id"] for _, body in example.bodies("run", thread["id"])]
        steps = [step.id for run in runs for step in run.steps]
        assert steps == [body["id"] for _, body in example.bodies("run_step", thread["id"])]


def test_a_run_is_before_its_first_message(example: SnapshotReader) -> None:
    for _, thread in example.bodies("thread"):
        own = {}
        for _, body in example.bodies("message", thread["id"]):
            if body.get("run_id"):
                own.setdefault(body["run_id"], body["id"])
        _, messages = whole(example, thread["id"])
        shown = {run.id: message.id for message in messages for run in message.runs}
        listed = {body["id"] for _, body in example.bodies("run", thread["id"])}
        assert {run: shown.get(run) for run in own if run in listed} == {
            run: message for run, message in own.items() if run in listed
        }


@pytest.mark.parametrize("size", [1, 7])
def test_windows_are_the_pieces_of_the_whole(example: SnapshotReader, size: int) -> None:
    conversations = ConversationReader(example)
    for _, thread in example.bodies("thread"):
        found, messages = whole(example, thread["id"])
        pieces: list[ConversationMessage] = []
        trailing: list[RunRecord] = []
        for first in range(1, found.head.count + 1, size):
            piece = conversations.read(thread["id"], first, size)
            assert piece is not None
            assert piece.head == found.head
            pieces += piece.messages
            trailing += piece.trailing_runs
        assert pieces == messages
        assert tuple(trailing) == found.trailing_runs or not messages


def test_names_files_and_places_are_found(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a.db", write=True, create=True) as archive:
        _, messages = whole(bundled(archive, "azure-v2"), "thread_dpohoc3XDk6a79UEE81px8SF")
    picture, text = messages[1].parts
    assert messages[1].assistant == "Data Visualization"
    assert messages[1].at == "2024-06-03T10:00:48Z"
    assert (picture.what, picture.file and picture.file.image_type) == ("image", "image/png")
    (code,) = messages[1].runs[0].steps[0].calls
    assert code.type == "code_interpreter"
    assert "sin" in code.input
    cited = messages[3].parts[1]
    (citation,) = cited.citations
    assert cited.text[citation.start : citation.end] == "sandbox:/mnt/data/sine_points.csv"
    assert citation.file is not None
    assert (citation.file.name, citation.file.has_bytes) == ("sine_points.csv", True)
    assert text.citations == ()


# ------------------------------------------------------------------------------------ runs and windows


def _thread(
    messages: list[dict[str, Any]], runs: list[dict[str, Any]], steps: list[dict[str, Any]]
) -> list[Listing]:
    return [
        ("thread", "", [{"id": "t"}]),
        ("message", "t", messages),
        ("run", "t", runs),
        ("run_step", "t", steps),
    ]


TIMES = st.lists(st.integers(1, 12), max_size=12).map(sorted)


@st.composite
def threads(draw: st.DrawFn) -> list[Listing]:
    """A thread as services create it: rising times, also for the steps of all runs; several objects in one
    second, runs without a message, messages of runs that began earlier or are not listed."""
    begun = draw(TIMES)
    runs = [{"id": f"run_{n}", "created_at": at, "status": "completed"} for n, at in enumerate(begun)]
    messages = []
    for n, at in enumerate(draw(TIMES)):
        owner = draw(st.sampled_from([None, "run_gone", *(r["id"] for r in runs if r["created_at"] <= at)]))
        messages.append({"id": f"msg_{n}", "created_at": at, "role": "assistant", "run_id": owner})
    steps = [
        {"id": f"step_{n}_{k}", "run_id": f"run_{n}", "created_at": at}
        for n, (begin, end) in enumerate(zip(begun, [*begun[1:], 13], strict=False))
        for k, at in enumerate(sorted(draw(st.lists(st.integers(begin, end), max_size=2))))
    ]
    if draw(st.booleans()):
        steps.append({"id": "step_gone", "run_id": "run_gone", "created_at": 13})
    return _thread(messages, runs, steps)


@steady
@given(listings=threads(), size=st.integers(1, 5))
def test_each_run_and_step_is_in_one_window(
    tmp_path_factory: pytest.TempPathFactory, listings: list[Listing], size: int
) -> None:
    runs, steps = ([body["id"] for body in listings[n][2]] for n in (2, 3))
    with Archive.open(tmp_path_factory.mktemp("w") / "a.db", write=True, create=True) as archive:
        write(archive, listings)
        snapshot = reader(archive)
        found, messages = whole(snapshot, "t")
        pieces: list[ConversationMessage] = []
        for first in range(1, len(listings[1][2]) + 1, size):
            piece = read_conversation(snapshot, "t", first, size)
            assert piece is not None
            pieces += piece.messages
    shown = runs_of(found, messages)
    assert [run.id for run in shown if run.status] == runs
    assert sorted(step.id for run in shown for step in run.steps) == sorted(steps)
    assert [message.id for message in pieces] == [message.id for message in messages]
    assert [[run.id for run in message.runs if run.status] for message in pieces] == [
        [run.id for run in message.runs if run.status] for message in messages
    ]
    alone = [run for run in (*runs_of(found, messages), *runs_of(found, pieces)) if not run.status]
    assert {run.id for run in alone} <= {"run_gone"}
    shown_at = {run.id: message.number for message in messages for run in message.runs if run.status}
    for message, body in zip(messages, listings[1][2], strict=True):
        assert shown_at.get(body["run_id"] or "", 0) <= message.number


def test_a_run_without_a_message_is_placed_by_time(archive: Archive) -> None:
    messages = [{"id": f"m{at}", "created_at": at, "role": "user", "content": []} for at in (1, 5, 9)]
    runs = [
        {"id": f"r{at}", "created_at": at, "status": "failed", "last_error": {"code": "x", "message": "y"}}
        for at in (3, 9, 11)
    ]
    write(archive, _thread(messages, runs, []))
    found, read = whole(reader(archive), "t")
    assert [[run.id for run in message.runs] for message in read] == [[], ["r3"], []]
    assert [run.id for run in found.trailing_runs] == ["r9", "r11"]
    assert found.trailing_runs[0].error == "x: y"


def test_a_step_that_is_older_than_its_run_stays_with_it(archive: Archive) -> None:
    messages = [
        {"id": f"m{n}", "created_at": n * 10 + 5, "role": "assistant", "run_id": f"r{n}"} for n in (1, 2)
    ]
    runs = [{"id": f"r{n}", "created_at": n * 10} for n in (1, 2)]
    steps = [{"id": f"s{n}", "run_id": f"r{n}", "created_at": n * 10 - 1} for n in (1, 2)]
    write(archive, _thread(messages, runs, steps))
    for n in (1, 2):
        found = read_conversation(reader(archive), "t", n, 1)
        assert found is not None
        (run,) = next(found.messages).runs
        assert (run.id, [step.id for step in run.steps]) == (f"r{n}", [f"s{n}"])


def test_a_window_of_a_long_thread_reads_a_few_packs(archive: Archive) -> None:
    words = "All pots of this table were counted again today, and the book was corrected. " * 4
    messages = [
        {"id": f"m{n}", "created_at": n * 10, "role": "assistant", "run_id": f"r{n}",
         "content": [{"type": "text", "text": {"value": f"{n} {words}", "annotations": []}}]}
        for n in range(4_000)
    ]  # fmt: skip
    runs = [{"id": f"r{n}", "created_at": n * 10 - 2, "instructions": f"{n} {words}"} for n in range(4_000)]
    steps = [{"id": f"s{n}", "run_id": f"r{n}", "created_at": n * 10 - 1} for n in range(4_000)]
    writer = SnapshotWriter.begin(archive, "openai", "https://x", {}, None)
    for kind, parent, bodies in _thread(messages, runs, steps):
        writer.add_page(kind, parent, [BodyRow.from_json(kind, body) for body in bodies], "")
        writer.end_listing(kind, parent)
    writer.finish("complete", "v")
    snapshot = reader(archive)
    read: list[int] = []
    pack = snapshot._bodies.pack
    snapshot._bodies.pack = lambda number, least: (read.append(number), pack(number, least))[1]  # type: ignore[method-assign]
    found = read_conversation(snapshot, "t", 2_001, 50)
    assert found is not None
    window = list(found.messages)
    assert [message.id for message in window] == [f"m{n}" for n in range(2_000, 2_050)]
    assert [[run.id for run in message.runs] for message in window] == [
        [f"r{n}"] for n in range(2_000, 2_050)
    ]
    assert [message.runs[0].steps[0].id for message in window] == [f"s{n}" for n in range(2_000, 2_050)]
    packs = archive.conn.execute("SELECT count(*) FROM packs").fetchone()[0]
    assert len(set(read)) < packs / 3


# ------------------------------------------------------------------------------------------------ gaps


def test_an_unknown_thread_is_none(archive: Archive) -> None:
    write(archive, _thread([{"id": "m", "role": "user"}], [], []))
    assert read_conversation(reader(archive), "t2") is None
    assert read_conversation(reader(archive), "m") is None


def test_what_was_not_read_is_reported(archive: Archive) -> None:
    writer = SnapshotWriter.begin(archive, "foundry", "https://x", {}, None)
    writer.add_page("thread", "", [BodyRow.from_json("thread", {"id": "t"})], "")
    writer.end_listing("thread")
    item = {"id": "i", "type": "message", "role": "user", "content": [{"type": "input_file"}]}
    writer.add_page("message", "t", [BodyRow.from_json("message", item)], "")
    writer.add_missing("message", "i", "the service does not show the id of a file", "t")
    writer.end_listing("message", "t", "failed", "GET answered 500")
    writer.end_listing("run", "t", "failed", "GET answered 501")
    writer.finish("partial", "v")
    found, (message,) = whole(reader(archive), "t")
    assert found.head.gap == "GET answered 500"
    assert found.head.notes == ("its runs were not read completely: GET answered 501",)
    assert message.gaps == ("the service does not show the id of a file",)


SECRET = "https://api.example.com/x?key=hushhushhush"


def test_credentials_are_masked_everywhere(archive: Archive) -> None:
    note = {"type": "file_citation", "text": SECRET, "file_citation": {"file_id": "f", "quote": SECRET}}
    link = {"type": "url_citation", "url_citation": {"url": SECRET, "title": SECRET}}
    message = {
        "id": "m",
        "created_at": 5,
        "role": "assistant",
        "metadata": {"link": SECRET},
        "content": [
            {"type": "text", "text": {"value": f"see {SECRET} or {SECRET}", "annotations": [note, link]}},
            {"type": "image_url", "image_url": {"url": SECRET}},
            {"type": "new_thing", "headers": {"Authorization": "hushhushhush"}},
        ],
        "attachments": [{"data_source": SECRET}],
    }
    run = {"id": "r", "created_at": 1, "last_error": {"code": "c", "message": SECRET}}
    logs = {"type": "logs", "logs": SECRET}
    calls = [
        {"type": "function", "function": {"name": "f", "arguments": SECRET, "output": SECRET}},
        {"type": "mcp", "mcp": {"headers": {"X": "hushhushhush"}, "input": SECRET}},
        {"type": "code_interpreter", "code_interpreter": {"input": SECRET, "outputs": [logs]}},
    ]
    step = {"id": "s", "run_id": "r", "created_at": 2, "step_details": {"tool_calls": calls}}
    listings = _thread([message], [run], [step])
    listings[0] = ("thread", "", [{"id": "t", "metadata": {"link": SECRET}}])
    write(archive, [("file", "", [{"id": "f", "filename": SECRET}]), *listings])
    found, messages = whole(reader(archive), "t")
    assert "hush" not in repr((found.head, messages, found.trailing_runs))
    first, second = messages[0].parts[0].citations
    text = messages[0].parts[0].text
    assert text[first.start : first.end] == first.marker != ""
    assert (second.start, second.end) == (-1, -1)


def test_what_became_of_a_thread_and_its_messages(archive: Archive) -> None:
    write(archive, _thread([{"id": "m1", "role": "user"}, {"id": "m2", "role": "user"}], [], []))
    moved = [
        ("thread", "", "t", "conv_1"),
        ("message", "t", "m2", "item_2"),
        ("message", "u", "m1", "item_9"),
    ]
    with archive.transaction() as conn:
        conn.execute(
            "INSERT INTO plans (id, digest, source_type, source_url, target_type, target_url, "
            "first_applied_at, lines) VALUES (1, 'd', 'azure-openai', 'https://east.example.com', 'foundry', "
            "'https://new.example.com', 'now', ?)",
            (len(moved),),
        )
        for kind, parent, old, new in moved:
            conn.execute(
                "INSERT INTO journal (plan_id, action, kind, source_parent, source_id, target_id, state, "
                "started_at) VALUES (1, 'create', ?, ?, ?, ?, 'done', 'now')",
                (kind, parent, old, new),
            )
        hash_all_rows(conn)
    found, messages = whole(reader(archive), "t")
    assert found.head.new_ids == (NewId("foundry https://new.example.com", "conv_1"),)
    assert [[new.id for new in message.new_ids] for message in messages] == [[], ["item_2"]]


# ------------------------------------------------------------------------------------------ files, images


@pytest.mark.parametrize(
    ("content", "type_"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0" + b"0" * 5000, "image/jpeg"),
        (b"GIF89a" + bytes(range(256)) * 80, "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', ""),
        (b"<html>" * 4000, ""),
        (b"\x89PNG\r\n\x1a\n" + b"no header", ""),
        (b"RIFF....WAVE", ""),
        (b"", ""),
    ],
)
def test_an_image_is_one_by_its_bytes(archive: Archive, content: bytes, type_: str) -> None:
    part = {"type": "image_file", "image_file": {"file_id": "f"}}
    listings = _thread([{"id": "m", "role": "user", "content": [part]}], [], [])
    writer = write(archive, [("file", "", [{"id": "f", "filename": "x.png", "bytes": 9}]), *listings])
    link_file_to_blob(archive, writer.endpoint, "f", store_blob(archive, [content]), "download")
    _, (message,) = whole(reader(archive), "t")
    assert message.parts[0].file == FileReference("f", "x.png", len(content), True, type_)


def test_parsed_text_is_not_the_file(archive: Archive) -> None:
    listings = _thread([{"id": "m", "role": "user", "attachments": [{"file_id": "f"}]}], [], [])
    writer = write(archive, [("file", "", [{"id": "f", "filename": "x.pdf", "bytes": 900}]), *listings])
    link_file_to_blob(archive, writer.endpoint, "f", store_blob(archive, [b"text"]), "parsed")
    _, (message,) = whole(reader(archive), "t")
    assert message.attachments[0].file == FileReference("f", "x.pdf", 4, True, "", is_parsed_text=True)


@pytest.mark.parametrize(
    ("address", "type_"),
    [
        (f"data:image/png;base64,{base64.b64encode(PNG).decode()}", "image/png"),
        (f"data:image/svg+xml;base64,{base64.b64encode(PNG).decode()}", "image/png"),
        (f"data:image/png;base64,{base64.b64encode(b'<svg/>' * 9).decode()}", ""),
        ("data:image/png;base64,not base64 at all!", ""),
        ("data:text/html;base64,iVBORw0KGgo=", ""),
        ("https://example.com/x.png", ""),
    ],
)
def test_an_address_may_contain_an_image(address: str, type_: str) -> None:
    part = read_part({"type": "image_url", "image_url": {"url": address}}, plain)
    assert (part.url, part.image_type) == (address, type_)


# ---------------------------------------------------------------------------------------------- citations


def cited(text: str, *notes: dict[str, Any]) -> list[str]:
    part = read_part({"type": "text", "text": {"value": text, "annotations": list(notes)}}, plain)
    return [text[note.start : note.end] if note.start >= 0 else "-" for note in part.citations]


def test_citations_are_where_their_marker_is() -> None:
    def note(marker: str, start: Any = None, end: Any = None) -> dict[str, Any]:
        return {"type": "file_citation", "text": marker, "start_index": start, "end_index": end}

    assert cited("a【1】b【1】", note("【1】", 1, 4), note("【1】", 5, 8)) == ["【1】", "【1】"]
    assert cited("\U0001f44d a【1】b【2】", note("【1】", 4, 7), note("【2】", 99, 102)) == ["【1】", "【2】"]
    assert cited("a", note("【1】", 0, 3), note("", -5, 1), note("", True, 1)) == ["-", "-", "-"]
    page = {
        "type": "url_citation",
        "url": "https://e.example",
        "title": "E",
        "start_index": 0,
        "end_index": 1,
    }
    assert cited("ab", page, {**page, "end_index": 9}) == ["a", "-"]


# ------------------------------------------------------------------------------------------------- items

ITEMS: list[tuple[dict[str, Any], list[tuple[str, str, str]]]] = [
    (
        {"type": "function_call", "call_id": "c", "name": "find", "arguments": '{"a": 1}'},
        [("call", "find", '{"a": 1}')],
    ),
    ({"type": "function_call_output", "call_id": "c", "output": "yes"}, [("result", "", "yes")]),
    (
        {
            "type": "function_call_output",
            "output": [
                {"type": "input_text", "text": "Here:"},
                {"type": "input_image", "file_id": "f"},
                {"type": "input_image", "image_url": "https://e.example/x.png"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:x"},
            ],
        },
        [
            ("text", "", "Here:"), ("image", "", ""), ("image", "", ""),
            ("file", "a.pdf", '{"filename": "a.pdf", "file_data": "data:x"}'),
        ],
    ),
    (
        {
            "type": "code_interpreter_call", "id": "ci", "code": "1 + 1", "container_id": "x",
            "outputs": [{"type": "logs", "logs": "2"}, {"type": "image", "url": "https://e.example/p.png"}],
        },
        [("code", "code_interpreter", "1 + 1"), ("result", "", "2"), ("image", "", "")],
    ),
    ({"type": "code_interpreter_call", "code": "x", "outputs": None}, [("code", "code_interpreter", "x")]),
    (
        {
            "type": "file_search_call", "queries": ["mint", "shade"],
            "results": [{"file_id": "f", "filename": "a.md", "text": "Half shade."}],
        },
        [("call", "file_search", "mint\nshade"), ("file", "a.md", "Half shade.")],
    ),
    (
        {
            "type": "mcp_call", "server_label": "dice", "name": "roll", "arguments": "{}", "output": "6",
            "error": "e",
        },
        [("call", "dice.roll", "{}"), ("result", "", "6"), ("result", "error", "e")],
    ),
    ({"type": "custom_tool_call", "name": "math", "input": "4 + 4"}, [("call", "math", "4 + 4")]),
    (
        {"type": "reasoning", "summary": [{"text": "Dry."}], "encrypted_content": "gAAA"},
        [("reasoning", "encrypted", "Dry.")],
    ),
    (
        {"type": "image_generation_call", "result": base64.b64encode(PNG).decode(), "size": "auto"},
        [("call", "image_generation", '{"size": "auto"}'), ("image", "", "")],
    ),
    (
        {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
        [("call", "web_search_call", '{"action": {"type": "search", "query": "q"}}')],
    ),
    ({"type": "shell_call_output", "output": "x"}, [("result", "shell_call_output", '{"output": "x"}')]),
    ({"type": "compaction", "x": "s"}, [("other", "compaction", '{"x": "s"}')]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "shown"), ITEMS, ids=lambda value: value["type"] if isinstance(value, dict) else ""
)
def test_an_item_shows_all_of_its_content(item: dict[str, Any], shown: list[tuple[str, str, str]]) -> None:
    assert [(part.what, part.name, part.text) for part in item_parts(item, plain)] == shown


@steady
@given(
    item=json_values
    | st.fixed_dictionaries(
        {"type": st.sampled_from(sorted({item["type"] for item, _ in ITEMS}))},
        optional=dict.fromkeys(
            ("output", "outputs", "results", "queries", "summary", "content", "arguments", "result"),
            json_values,
        ),
    )
)
def test_no_shape_of_an_item_stops_it(item: Any) -> None:
    for part in item_parts(item, plain):
        assert isinstance(part, ConversationPart)
        assert isinstance(part.text, str)
        assert isinstance(part.name, str)
