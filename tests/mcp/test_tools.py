"""The tools in this process: their answers are bounded, and content of the archive is quoted and masked."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.errors import BadUsage, MigrateError
from migrate.mcp import server
from migrate.mcp.answers import MAX_ANSWER_CHARS
from migrate.mcp.server import ARCHIVE_TOOLS, ServedArchive
from migrate.mcp.tools import ToolRequest, WrongToolCall
from migrate.stages.index.run import build_index
from migrate.stages.progress import Progress
from tests.archive.filling import filled, tamper
from tests.mcp.archives import GIANT, HOSTILE, KEY, LONG_THREAD, PARTS, fill


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mcp") / "estate.db"
    fill(path)
    return path


@pytest.fixture(scope="module")
def served(path: Path) -> ServedArchive:
    return ServedArchive(path, "latest")


@pytest.fixture(scope="module")
def indexed(path: Path, tmp_path_factory: pytest.TempPathFactory) -> ServedArchive:
    """The same archive, with an index."""
    copy = tmp_path_factory.mktemp("indexed") / "estate.db"
    shutil.copy(path, copy)
    with Archive.open(copy, write=True) as archive:
        build_index(archive, Progress())
    return ServedArchive(copy, "latest")


def ask(served: ServedArchive, tool: str, **arguments: Any) -> Any:
    text = served.call(tool, arguments)
    assert len(text) <= MAX_ANSWER_CHARS
    assert "\n" not in text
    assert KEY not in text
    assert "very-secret-token" not in text
    return json.loads(text)


def pages(served: ServedArchive, tool: str, **arguments: Any) -> Iterator[Any]:
    """Every answer, page by page with `next`."""
    following: dict[str, Any] | None = arguments
    while following is not None:
        answer = ask(served, tool, **following)
        yield answer
        assert answer["next"] != following, "the next call is another one"
        following = answer["next"]


CALLS: dict[str, dict[str, Any]] = {
    "search": {"query": "fern"},
    "list_threads": {},
    "get_thread": {"thread": "thread_long"},
    "list_assistants": {},
    "get_assistant": {"assistant": "Plant desk"},
    "history": {"object": "asst_1"},
    "get_file_text": {"file": "plants.txt"},
    "list_snapshots": {},
    "compare": {},
}


def test_there_is_a_call_of_every_tool() -> None:
    assert CALLS.keys() == ARCHIVE_TOOLS.keys()


@pytest.mark.parametrize("with_index", [False, True])
@pytest.mark.parametrize("tool", CALLS)
def test_a_tool_answers_and_marks_quoted_data(
    served: ServedArchive, indexed: ServedArchive, tool: str, with_index: bool
) -> None:
    answer = ask(indexed if with_index else served, tool, **CALLS[tool])
    assert "never an instruction" in answer["note"]
    assert "quoted" in json.dumps(answer)
    assert "next" in answer


def test_a_long_thread_is_read_page_by_page(served: ServedArchive) -> None:
    texts = []
    for answer in pages(served, "get_thread", thread="thread_long", count=100):
        assert answer["message_count"] == LONG_THREAD
        for row in answer["messages"]:
            texts += [part["text"] for part in row["quoted"]["parts"] if part["what"] == "text"]
    assert texts == [f"line {n}, about ferns" for n in range(1, LONG_THREAD + 1)]


def test_a_window_of_a_thread_has_times_roles_and_the_run_between(served: ServedArchive) -> None:
    answer = ask(served, "get_thread", thread="thread_l", first=1, count=2)
    first, second = answer["messages"]
    assert first == {
        "number": 1, "id": "msg_long_1", "at": "2026-03-01T10:01:00Z",
        "quoted": {"role": "user", "parts": first["quoted"]["parts"]},
    }  # fmt: skip
    shown = [*first["quoted"]["parts"], *second["quoted"]["parts"]]
    run = next(part for part in shown if part["what"] == "run")
    assert (run["status"], run["assistant"]) == ("failed", "Plant desk")
    assert "(secret " in run["error"]
    call = next(part for part in shown if part["what"] == "tool call")
    assert (call["name"], call["input"]) == ("look", "{}")
    assert "fine" in [part.get("text") for part in shown if part.get("of") == "tool output"]
    assert answer["next"] == {"thread": "thread_l", "first": 3, "count": 2, "offset": 0}
    assert answer["quoted"]["metadata"] == [{"what": "metadata", "metadata": {"customer": "Ada"}}]


def test_a_giant_message_is_read_in_pieces_that_are_the_whole(served: ServedArchive) -> None:
    texts, numbers = dict.fromkeys((1, 2, 3), ""), []
    for answer in pages(served, "get_thread", thread="thread_giant"):
        for row in answer["messages"]:
            numbers.append(row["number"])
            texts[row["number"]] += "".join(p["text"] for p in row["quoted"]["parts"] if p["what"] == "text")
    assert texts[1] == GIANT
    assert texts[3] == "".join(f"{part} {GIANT[:1_000]}" for part in range(PARTS))
    assert min(numbers.count(1), numbers.count(3)) > 3


def test_hostile_texts_are_quoted_and_nothing_hidden_is_left(served: ServedArchive) -> None:
    text = served.call("get_thread", {"thread": "thread_hostile"})
    assert not [char for char in text if char in "\u202e\u200b\U000e0041\x1b"]
    answer = json.loads(text)
    assert [row["number"] for row in answer["messages"]] == [1, 2]
    assert answer["messages"][0]["quoted"]["parts"][0]["text"] == HOSTILE
    assert answer["quoted"]["metadata"][0]["metadata"] == {"note": HOSTILE}
    unquoted = {k: v for k, v in answer.items() if k not in ("quoted", "messages")}
    rows = [{k: v for k, v in row.items() if k != "quoted"} for row in answer["messages"]]
    assert "Ignore" not in json.dumps([unquoted, rows])


def test_a_credential_is_masked_in_every_tool(served: ServedArchive) -> None:
    """`ask` searches each answer for it."""
    shown = json.dumps([ask(served, tool, **arguments) for tool, arguments in CALLS.items()])
    assert shown.count("(secret ") >= 2
    assert "(masked)" in shown
    for tool, arguments in {
        "get_thread": {"thread": "thread_hostile"},
        "list_assistants": {"snapshot": 1},
        "search": {"query": KEY},
    }.items():
        assert "(secret " in json.dumps(ask(served, tool, **arguments))


def test_an_empty_thread_is_no_error(served: ServedArchive) -> None:
    answer = ask(served, "get_thread", thread="thread_empty")
    assert (answer["messages"], answer["next"]) == ([], None)


def test_an_assistant_is_returned_whole_with_what_it_uses(served: ServedArchive) -> None:
    answer = ask(served, "get_assistant", assistant="asst_1")
    assert answer["quoted"]["body"]["instructions"] == "Water the plants at night."
    assert answer["quoted"]["body"]["metadata"] == {"team": "green"}
    assert answer["quoted"]["uses"] == [{"kind": "vector_store", "id": "vs_1", "name": "Plants"}]
    earlier = ask(served, "get_assistant", assistant="asst_1", snapshot=1)
    assert earlier["snapshot"]["number"] == 1
    assert earlier["quoted"]["body"]["instructions"].startswith("Water the plants. The key is (secret ")


def test_long_instructions_come_in_pieces(served: ServedArchive) -> None:
    answers = list(pages(served, "get_assistant", assistant="Long"))
    pieces = [piece["body_json"] for answer in answers for piece in answer["quoted"]["pieces"]]
    assert json.loads("".join(pieces))["instructions"] == GIANT
    assert len(pieces) > 3


def test_the_text_of_a_file_comes_in_pieces(served: ServedArchive) -> None:
    answers = list(pages(served, "get_file_text", file="plants.txt"))
    text = "".join(piece["text"] for answer in answers for piece in answer["quoted"]["pieces"])
    assert text.startswith("Water twice a week. (secret ")
    assert text.endswith("fern moss ivy\n" * 6_000)
    assert len(answers) > 2


@pytest.mark.parametrize(("name", "text"), [("bom.csv", "Straße;Köln\n"), ("utf16.txt", "wide text")])
def test_a_file_in_another_encoding_is_text(served: ServedArchive, name: str, text: str) -> None:
    assert ask(served, "get_file_text", file=name)["quoted"]["pieces"][0]["text"] == text


def test_a_file_beyond_the_limit_says_where_the_rest_is(served: ServedArchive) -> None:
    answer = ask(served, "get_file_text", file="long.txt", offset=1_040_000)
    assert answer["characters"] < 1 << 20
    assert "assistants-migrate extract estate.db file-long.txt" in answer["cut"]
    assert answer["next"] is None


def test_changes_between_the_last_two_snapshots(served: ServedArchive) -> None:
    answer = ask(served, "compare")
    assert answer["numbers"] == {"assistant": {"added": 0, "removed": 0, "changed": 1}}
    (change,) = answer["changes"]
    assert (change["kind"], change["left_id"], change["action"]) == ("assistant", "asst_1", "changed")
    assert change["quoted"]["values"][0]["right"] == "Water the plants at night."
    assert (answer["left"]["snapshot"], answer["right"]["snapshot"]) == (1, 2)
    assert ask(served, "compare", kind="thread")["changes"] == []
    assert ask(served, "compare", left="2", right="1")["changes"][0]["quoted"]["values"][0]["left"] == (
        "Water the plants at night."
    )


def test_the_history_of_an_object(served: ServedArchive) -> None:
    answer = ask(served, "history", object="Plant desk")
    assert [event["what"] for event in answer["events"]] == ["first seen", "changed"]
    assert answer["events"][1]["quoted"]["changed"][0]["path"] == "instructions"
    assert len(list(pages(served, "history", object="asst_1", limit=1))) == 2


def test_lists_go_on(served: ServedArchive) -> None:
    assistants = [
        row["id"] for page in pages(served, "list_assistants", limit=1) for row in page["assistants"]
    ]
    assert assistants == ["asst_1", "asst_long"]
    snapshots = [
        row["number"] for page in pages(served, "list_snapshots", limit=1) for row in page["snapshots"]
    ]
    assert snapshots == [2, 1]


def test_a_search_without_an_index_advises_how_to_build_one(served: ServedArchive) -> None:
    answers = list(pages(served, "search", query="about ferns", limit=50))
    assert "assistants-migrate index estate.db" in answers[0]["index"]
    assert len([hit for answer in answers for hit in answer["hits"]]) == LONG_THREAD
    assert ask(served, "search", query="kind:assistant plants")["hits"][0]["id"] == "asst_1"
    with pytest.raises(WrongToolCall, match="needs an index"):
        ask(served, "search", query="ferns role:user")


def test_a_search_with_an_index_speaks_the_language_of_queries(indexed: ServedArchive) -> None:
    answers = list(pages(indexed, "search", query="FERN* kind:message thread:thread_long", limit=50))
    assert answers[0]["hits_found"] == str(LONG_THREAD)
    hits = [hit for answer in answers for hit in answer["hits"]]
    assert {hit["id"] for hit in hits} == {f"msg_long_{n}" for n in range(1, LONG_THREAD + 1)}
    (hit,) = [hit for hit in hits if hit["message_number"] == 7]
    assert (hit["in"], hit["at"]) == ("thread_long", "2026-03-01T10:07:00Z")
    assert hit["quoted"]["found"] == ["ferns"]
    assert hit["quoted"]["excerpt"] == "line 7, about ferns"
    assert ask(indexed, "search", query="nosuchword")["hits"] == []


def test_threads_are_listed_newest_first_and_filtered(served: ServedArchive, indexed: ServedArchive) -> None:
    rows = [row for page in pages(indexed, "list_threads", limit=2) for row in page["threads"]]
    assert [row["id"] for row in rows] == ["thread_long", "thread_giant", "thread_hostile", "thread_empty"]
    assert rows[0]["newest_message_at"] == "2026-03-01T14:20:00Z"
    assert rows[0]["messages"] == LONG_THREAD
    assert rows[0]["quoted"]["first_words"].startswith("line 1")
    assert rows[0]["quoted"]["assistants"] == [{"id": "asst_1", "name": "Plant desk"}]

    def found(**filters: Any) -> list[str]:
        return [row["id"] for row in ask(indexed, "list_threads", **filters)["threads"]]

    assert found(metadata={"customer": "A*"}) == ["thread_long"]
    assert found(assistant="Plant desk", has_errors=True) == ["thread_long"]
    assert found(after="2026-03-02") == []
    listed = ask(served, "list_threads")
    assert "assistants-migrate index estate.db" in listed["index"]
    assert [row["id"] for row in listed["threads"]][:2] == ["thread_long", "thread_hostile"]
    with pytest.raises(BadUsage):
        ask(served, "list_threads", has_files=True)


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "a tool that is not there": ("delete_all", {}, "there is no tool 'delete_all'"),
    "a parameter that is not there": ("history", {"object": "x", "deep": 1}, "has no parameter 'deep'"),
    "nothing that is needed": ("get_thread", {}, "get_thread needs thread"),
    "a number that is none": ("list_snapshots", {"limit": "many"}, "limit: 'many' cannot be used"),
    "a number that is negative": ("list_snapshots", {"offset": -1}, "offset: -1 cannot be used"),
    "a number with many digits": ("list_snapshots", {"offset": "9" * 5_000}, "cannot be used"),
    "a limit above the bound": ("list_snapshots", {"limit": 51}, "limit: 51 cannot be used"),
    "a truth that is a number": ("list_snapshots", {"limit": True}, "limit: True cannot be used"),
    "a text that is a list": ("history", {"object": ["asst_1"]}, "object: "),
    "a text without end": ("history", {"object": "x" * 100_000}, "object: "),
    "a kind that is not there": ("compare", {"kind": "user"}, "kind: 'user' cannot be used"),
    "a date that is none": ("list_threads", {"after": "soon"}, "after: 'soon' is no date"),
    "a cursor that was made up": ("list_threads", {"cursor": "AAAA"}, "cursor"),
    "metadata without end": ("list_threads", {"metadata": {str(n): "x" for n in range(17)}}, "metadata: "),
    "more changes than can be skipped": ("compare", {"offset": 2_001}, "at most 2,000 changes"),
    "a thread that is not there": ("get_thread", {"thread": "thread_9"}, "has no thread 'thread_9'"),
    "an odd id": ("get_thread", {"thread": "../\x00/%2e"}, "has no thread"),
    "half of a surrogate pair": ("get_thread", {"thread": "\ud800"}, "has no thread"),
    "an assistant that is not there": ("get_assistant", {"assistant": "nobody"}, "has no assistant"),
    "a file that is not there": ("get_file_text", {"file": "nothing.txt"}, "has no file"),
    "a file without bytes": ("get_file_text", {"file": "gone.txt"}, "does not have the bytes"),
    "a file that is no text": ("get_file_text", {"file": "picture.png"}, "cannot be read as text"),
    "an object that is not there": ("history", {"object": "asst_9"}, "no snapshot of the archive has"),
    "a snapshot that is not there": ("list_assistants", {"snapshot": "7"}, "has no snapshot '7'"),
    "a query that cannot be read": ("search", {"query": "after:soon x"}, "cannot be understood"),
    "an empty query": ("search", {"query": ""}, ""),
}


@pytest.mark.parametrize(("tool", "arguments", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_gets_a_precise_error(
    served: ServedArchive, tool: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadUsage) as refused:
        served.call(tool, arguments)
    assert message in refused.value.what


def test_a_number_beyond_the_end_gives_nothing(served: ServedArchive) -> None:
    for tool, arguments in {
        "get_thread": {"thread": "thread_long", "first": 10**9},
        "list_assistants": {"offset": 10**9},
        "history": {"object": "asst_1", "offset": 10**9},
        "compare": {"offset": 2_000},
        "list_snapshots": {"offset": 10**9},
        "search": {"query": "ferns", "offset": 9_000},
        "get_file_text": {"file": "plants.txt", "offset": 10**9},
    }.items():
        assert ask(served, tool, **arguments)["next"] is None


def test_an_archive_that_is_being_written_is_read(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "estate.db")
    served = ServedArchive(tmp_path / "estate.db", "latest")
    with Archive.open(tmp_path / "estate.db", write=True) as writer, writer.transaction() as conn:
        conn.execute("UPDATE snapshots SET tag = 'new'")
        assert [row["tag"] for row in ask(served, "list_snapshots")["snapshots"]] == [None, None]
    assert [row["tag"] for row in ask(served, "list_snapshots")["snapshots"]] == ["new", "new"]


def test_one_answer_is_from_one_state_of_the_archive(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(path, tmp_path / "estate.db")
    tool = ARCHIVE_TOOLS["list_snapshots"]

    def answer(request: ToolRequest) -> dict[str, Any]:
        before = tool.answer(request)
        # Not by an archive that is closed: it would wait for this reader before it ends.
        with closing(sqlite3.connect(tmp_path / "estate.db")) as conn, conn:
            conn.execute("UPDATE snapshots SET tag = 'later'")
        assert tool.answer(request) == before
        return before

    monkeypatch.setattr(server, "ARCHIVE_TOOLS", {"list_snapshots": replace(tool, answer=answer)})
    ask(ServedArchive(tmp_path / "estate.db", "latest"), "list_snapshots")


def test_damage_of_an_archive_is_reported(tmp_path: Path) -> None:
    filled(tmp_path / "estate.db")
    served = ServedArchive(tmp_path / "estate.db", "latest")
    ask(served, "get_assistant", assistant="asst_1")
    with Archive.open(tmp_path / "estate.db", write=True) as archive:
        tamper(archive.conn, "asst_1", lambda text: text[:-5])
    with pytest.raises(MigrateError, match="is damaged"):
        served.call("get_assistant", {"assistant": "asst_1"})
    (tmp_path / "estate.db").write_bytes(b"no database" * 100)
    with pytest.raises(MigrateError, match="is not an archive"):
        served.call("list_snapshots", {})
    (tmp_path / "estate.db").unlink()
    with pytest.raises(MigrateError, match="there is no archive"):
        served.call("list_snapshots", {})


def test_an_archive_without_a_snapshot_is_reported(tmp_path: Path) -> None:
    Archive.open(tmp_path / "estate.db", write=True, create=True).close()
    with pytest.raises(BadUsage, match="contains no snapshot yet"):
        ServedArchive(tmp_path / "estate.db", "latest").call("list_assistants", {})


def test_every_parameter_and_its_bounds_are_described() -> None:
    for tool in ARCHIVE_TOOLS.values():
        schema = tool.schema()
        assert schema["additionalProperties"] is False
        assert tool.description.endswith((".", '"'))
        for name, described in schema["properties"].items():
            assert described["description"], name
    unbounded = {
        name for name, tool in ARCHIVE_TOOLS.items() if not re.search(r"\d+ \w+ an answer", tool.description)
    }
    assert unbounded == {"get_assistant"}
    assert "`next`" in ARCHIVE_TOOLS["get_assistant"].description
