"""A conversation as HTML: all of its content can be read, and none of it becomes markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from migrate.archive import Archive
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.model.results.conversation import (
    Attachment,
    Citation,
    Conversation,
    ConversationHead,
    ConversationMessage,
    ConversationPart,
    FileReference,
    NewId,
    RunRecord,
    RunStep,
    TokenUsage,
    ToolCall,
)
from migrate.model.results.transcripts import ConversationLinks
from migrate.reports.pages.conversation_view import duration, message_anchor
from migrate.reports.pages.environment import transcript_environment
from migrate.reports.pages.part_view import MAX_SHOWN_CHARS, pretty_json
from migrate.stages.query.conversation import read_conversation
from tests.archive.bundled import SERVICES, bundled
from tests.reports.hostile import HOSTILE
from tests.reports.parsed_html import ParsedPage

MACROS = "{% import 'conversation.html.j2' as c %}"
WHOLE = (
    MACROS
    + "{{ c.head(found.head, links) }}{% for one in messages %}{{ c.message(one, links) }}{% endfor %}"
    + "{{ c.runs(found.trailing_runs, links) }}"
)
TAGS = set(
    "p br hr h2 h3 h4 h5 h6 strong em s code pre div span a ul ol li blockquote table thead tbody tr th td "
    "article header time details summary dl dt dd sup figure figcaption img small b q".split()
)  # fmt: skip


class Files(ConversationLinks):
    """Every file has an address."""

    def file(self, file: FileReference) -> str:
        return f"files/{file.id}" if file.has_bytes else ""

    def image(self, file: FileReference) -> str:
        return f"images/{file.id}"

    def assistant(self, id_: str) -> str:
        return f"assistants/{id_}"


def page(found: Conversation, links: ConversationLinks | None = None) -> str:
    template = transcript_environment().from_string(WHOLE)
    return template.render(found=found, messages=found.messages, links=links or Files())


def of(*messages: ConversationMessage, head: dict[str, Any] | None = None, **more: Any) -> Conversation:
    facts: dict[str, Any] = {"metadata": {}, "snapshot": 1, "estate_type": "openai", "url": "https://x"}
    known = ConversationHead(**{"id": "t", "created_at": "", "count": len(messages), **facts, **(head or {})})
    return Conversation(known, iter(messages), **more)


def said(*parts: ConversationPart, role: str = "user", **more: Any) -> ConversationMessage:
    facts = {"id": "m", "at": "2026-03-01T10:00:00Z", "assistant": "", "assistant_id": "", "status": ""}
    return ConversationMessage(number=1, role=role, parts=parts, **{**facts, **more})


# -------------------------------------------------------------------------------------------- what is shown


@pytest.fixture(scope="module", params=SERVICES)
def example(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SnapshotReader]:
    with Archive.open(tmp_path_factory.mktemp("x") / "a.db", write=True, create=True) as archive:
        yield bundled(archive, request.param)


def test_every_bundled_conversation_is_safe_and_whole(example: SnapshotReader) -> None:
    for _, body in example.bodies("thread"):
        found = read_conversation(example, body["id"])
        again = read_conversation(example, body["id"])
        assert found is not None
        assert again is not None
        shown = ParsedPage(page(found))
        assert shown.tags <= TAGS
        seen = "".join(shown.text.split())
        for message in again.messages:
            assert message.id in shown.hints
            words = [word for part in message.parts for word in part.text.split() if word.isalnum()]
            assert not [word for word in words if word not in seen]
            for run in message.runs:
                assert run.id in shown.text
        assert all(
            str(value).split()[:1] == [] or str(value).split()[0] in seen
            for value in body["metadata"].values()
        )


def test_what_is_known_is_shown() -> None:
    file = FileReference("f1", "a.pdf", 1_500_000, True)
    citation = Citation("【1】", 3, 6, file, quote="Half shade.")
    call = ToolCall("code_interpreter", "", "1 + 1", (ConversationPart("result", "2"),), "c")
    step = RunStep("s", "tool_calls", "completed", "2026-03-01T10:00:01Z", (call,), TokenUsage(1, 2, 3))
    run = RunRecord(
        "run_1", "failed", "gpt-4o", "Desk", "asst_1", "2026-03-01T10:00:00Z", "2026-03-01T10:01:05Z",
        TokenUsage(1_000, 20, 1_020), "server_error: sorry", (step,),
    )  # fmt: skip
    message = said(
        ConversationPart("text", "Yes【1】.", (citation,)),
        role="assistant",
        assistant="Desk",
        assistant_id="asst_1",
        attachments=(Attachment(FileReference("f2", "b.csv"), ("code_interpreter",)),),
        metadata={"mood": "good"},
        runs=(run,),
        new_ids=(NewId("foundry https://new", "item_1"),),
        gaps=("the service does not show the id of a file",),
        status="incomplete: max_tokens",
    )
    html = page(of(message, head={"gap": "GET answered 500", "assistants": (("asst_1", "Desk"),)}))
    shown = ParsedPage(html)
    text = " ".join(shown.text.split())
    for words in (
        "Not complete. GET answered 500", "Desk 2026-03-01 10:00 incomplete: max_tokens #1", "Yes1.",
        "a.pdf 1.5 MB Half shade.", "b.csv not in the archive for code interpreter", "mood", "good",
        "became, on foundry https://new", "item_1", "the service does not show the id of a file",
        "Run failed Desk · gpt-4o · 1 min 5 s · 1,020 tokens (1,000 in, 20 out) · 1 tool call",
        "server_error: sorry", "Called code interpreter", "1 + 1", "Result", "2026-03-01 10:00",
    ):  # fmt: skip
        assert words in text, words
    assert {"files/f1", "#m-m-s1", "#m-m", "assistants/asst_1"} <= shown.hrefs


def test_items_show_their_type() -> None:
    items = [
        (ConversationPart("call", '{"a":1}', name="web_search_call"), "Called web search"),
        (ConversationPart("result", "6", name=""), "Result"),
        (ConversationPart("other", "{}", name="mcp_list_tools"), "mcp list tools"),
        (ConversationPart("reasoning", "", name="encrypted"), "encrypted by the service"),
        (ConversationPart("code", "1 + 1"), "Ran code"),
    ]
    for part, words in items:
        assert words in " ".join(ParsedPage(page(of(said(part, role="")))).text.split())


def test_an_image_is_shown_only_when_it_is_one() -> None:
    real = FileReference("f", "x.txt", 9, True, "image/png")
    fake = FileReference("g", "x.png", 9, True)
    gone = FileReference("h", "y.png")
    html = page(of(said(*(ConversationPart("image", file=file) for file in (real, fake, gone)))))
    assert html.count("<img") == 1
    assert 'src="images/f"' in html
    for address in ("javascript:alert(1)", "data:text/html,x", "https://e.example/x.png", ""):
        assert "<img" not in page(of(said(ConversationPart("image", url=address))))
    held = "data:image/svg+xml;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    html = page(of(said(ConversationPart("image", url=held, image_type="image/png"))))
    assert 'src="data:image/png;base64,iVBORw0KGgo' in html


def test_a_gigantic_text_is_cut_and_the_whole_one_is_linked() -> None:
    class Whole(Files):
        def whole_text(self, message: ConversationMessage | None, text: str) -> str:
            return f"texts/{len(text)}"

    message = said(ConversationPart("text", "x" * 10_000_000))
    html = page(of(message), Whole())
    assert len(html) < 2 * MAX_SHOWN_CHARS
    assert "9,800,000 more characters" in html
    assert 'href="texts/10000000"' in html
    assert "the archive has them" in page(of(said(ConversationPart("text", "x" * 10_000_000))))


# ---------------------------------------------------------------------------------------------- hostile text


def everywhere(text: str) -> Conversation:
    """A conversation in which every text is the same hostile one."""
    file = FileReference(text, text, 1, True, "image/png")
    note = Citation(text, 0, 0, file, text, text, text)
    parts = [
        ConversationPart("text", text, (note, Citation("", -1, -1, None, text, text, text))),
        ConversationPart("image", file=file),
        ConversationPart("image", url=text),
        *(ConversationPart(what, text, file=file, name=text) for what in ("file", "call", "result", "other")),
        *(ConversationPart(what, text, name=text) for what in ("refusal", "code", "reasoning", "file")),
    ]  # fmt: skip
    call = ToolCall(text, text, text, tuple(parts), text)
    step = RunStep(text, text, text, "", (call, ToolCall("code_interpreter", text, text)), None, text)
    run = RunRecord(text, text, text, text, text, "", text, None, text + "!", (step,))
    messages = [
        said(
            *parts,
            role=role,
            id=text,
            assistant=text,
            assistant_id=text,
            status=text,
            attachments=(Attachment(file, (text,)), Attachment(None, (text,), text)),
            metadata={text: text},
            runs=(run,),
            new_ids=(NewId(text, text),),
            assistant_version=text,
            gaps=(text,),
            at="",
        )
        for role in ("user", "assistant", "", text)
    ]
    head = {
        "id": text, "metadata": {text: text}, "url": text, "gap": text, "assistants": ((text, text),),
        "new_ids": (NewId(text, text),), "notes": (text,),
    }  # fmt: skip
    return of(*messages, head=head, trailing_runs=(run,))


@pytest.mark.parametrize("text", [*HOSTILE, "javascript:alert(1)", "../../x", 'a" onload="x', "' b", "%00"])
def test_hostile_text_is_text(text: str) -> None:
    shown = ParsedPage(page(everywhere(text), ConversationLinks()))
    assert shown.tags <= TAGS
    assert not [name for name in shown.attributes if name.startswith("on") or name == "style"]
    for href in shown.hrefs:
        assert href.startswith(("#m-", "https://evil.example")), href


def test_an_anchor_is_its_own_address() -> None:
    for id_ in ("msg_1", "a/b c", "a%2Fb", "ü#?", "\x00\ud800", ""):
        anchor = message_anchor(said(id=id_))
        assert anchor.isascii()
        html = page(of(said(ConversationPart("text", "x"), id=id_)))
        assert f'id="{anchor}"' in html
        assert f'href="#{anchor}"' in html


# ---------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:07Z", "7 s"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:02:07Z", "2 min 7 s"),
        ("2026-03-01T10:00:00Z", "2026-03-02T10:02:07Z", "24 h 2 min"),
        ("2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z", ""),
        ("", "2026-03-01T09:00:00Z", ""),
    ],
)
def test_how_long_a_run_took(start: str, end: str, words: str) -> None:
    assert duration(start, end) == words


def test_json_is_shown_with_one_value_a_line() -> None:
    text = '{"a":["\\u00e9\\n",1.50,{}],"a":12345678901234567890.0,"b":"{,}"}'
    assert pretty_json(text) == (
        '{\n  "a": [\n    "é\\n",\n    1.50,\n    {}\n  ],\n  "a": 12345678901234567890.0,\n  "b": "{,}"\n}'
    )
    for text in ("[x", "no", "[" * 100_000, '{"a":1}' + " " * 60_000):
        assert pretty_json(text) == text


def test_a_long_name_leaves_room_for_the_other_facts_of_a_run() -> None:
    run = RunRecord("run_1", status="completed", assistant="a long name " * 20, model="gpt-4o")
    html = page(of(replace(said(ConversationPart("text", "x")), runs=(run,))))
    assert f'<span class="run-facts">{("a long name " * 20)[:59]}… · gpt-4o</span>' in html
    assert 'id="r-run_1"' in html
